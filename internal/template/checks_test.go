package template

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/kesu-go/kesu/pkg/wire"
)

// check looks at one thing and returns what is wrong with it, a sentence each.
type check struct {
	name string
	run  func(d *deployment) []string
}

// checks are all checks over the documents as they are written.
var checks = []check{
	{"every integration names a function of the stack and its alias", integrations},
	{"the functions' event paths are the OpenAPI document's", eventPaths},
	{"build methods, build targets and handlers exist", builds},
	{"each rule's pattern matches the sample events that it is for, and no others", rulePatterns},
	{"exactly one way of delivery is live", deliveries},
	{"every rule has a delivery dead-letter queue that lets it in", ruleDeadLetters},
	{"every queue has an end and an alarm", queues},
	{"a message stays hidden for six times the function's timeout", visibility},
	{"the ledger remembers for longer than anything can come again", memory},
	{"the ledger's table has the ledger's key and TTL attribute, encryption and recovery, and stays", table},
	{"IAM actions are the ones that the code and Lambda call", actions},
	{"no IAM statement has a wildcard resource", wildcards},
	{"keys are decrypted only through Secrets Manager", decryption},
	{"the functions' environment is the contract's", environment},
	{"parameters default to what the functions default to", defaults},
	{"every log group has a retention, and every function and the API a log group", logs},
	{"alarms watch metrics that exist, and name a section of the runbook", alarms},
	{"the dashboard is JSON and shows metrics that exist", dashboard},
	{"references within the OpenAPI and the AsyncAPI document resolve", references},
	{"the OpenAPI document is valid", openAPIValid},
	{"the result schema is pkg/wire's", resultSchema},
	{"events have the members of the HTTP bodies", asyncSchemas},
	{"API Gateway's own errors have the form of the functions'", gatewayResponses},
	{"callers are authorized, bodies validated and calls throttled", apiGuards},
	{"API Gateway's important notes are kept", gatewayNotes},
	{"the resource policy lets in the account, and the accounts that it is told", resourcePolicy},
	{"each caller gets what AWS's tables say", callersPolicy},
	{"the canary and the outage alarms ring when they should", ringing},
	{"rollback alarms watch the version that is deployed", versionAlarms},
	{"limits of the request schemas are pkg/wire's", requestLimits},
	{"pictures come as bytes, of the types that pkg/wire takes", pictures},
}

func TestTheDeployment(t *testing.T) {
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			for _, fault := range c.run(load(t)) {
				t.Error(fault)
			}
		})
	}
}

// faults collects what a check finds.
type faults []string

func (f *faults) add(format string, arguments ...any) {
	*f = append(*f, fmt.Sprintf(format, arguments...))
}

// same compares two sets of words.
func (f *faults) same(what string, got, want []string) {
	got, want = sorted(got), sorted(want)
	for _, g := range got {
		if !slices.Contains(want, g) {
			f.add("%s: %s should not be there", what, g)
		}
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			f.add("%s: %s is missing", what, w)
		}
	}
}

func sorted(words []string) []string {
	set := map[string]bool{}
	for _, w := range words {
		set[w] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// functionIDs are the functions' logical ids by action.
var functionIDs = map[string]string{"reply": "ReplyFunction", "complete": "CompleteFunction"}

// takenBy are the functions that take the actions by HTTP.
var takenBy = map[wire.Action]string{wire.Reply: "ReplyFunction", wire.Complete: "CompleteFunction", wire.Upload: "ReplyFunction"}

// functionProperties returns a function's properties with what Globals add to them.
func functionProperties(d *deployment, id string) node {
	merged := node{}
	globals, _ := at(d.template, "Globals", "Function").(node)
	own, _ := at(d.template, "Resources", id, "Properties").(node)
	maps.Copy(merged, globals)
	maps.Copy(merged, own)
	variables := node{}
	for _, level := range []node{globals, own} {
		if v, ok := at(level, "Environment", "Variables").(node); ok {
			maps.Copy(variables, v)
		}
	}
	merged["Environment"] = node{"Variables": variables}
	return merged
}
