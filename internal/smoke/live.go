package smoke

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// alias is what everything that calls the functions calls.
const alias = "live"

// fromOutputs are the variables whose values are resources of the stack, by the output that names the same one. All others
// have the value of the parameter that is called like them: MAX_ATTEMPTS is MaxAttempts.
var fromOutputs = map[string]string{"LEDGER_TABLE": "LedgerTableName", "RESULT_BUS": "BusName", "WATCH_QUEUE": "WatchQueueUrl"}

// functions are the stack's functions and the outputs with their names. The third one is there with Watch on.
func (r *run) functions() [][2]string {
	var all [][2]string
	for _, a := range actions {
		all = append(all, [2]string{a.name, a.function})
	}
	if r.watches() {
		all = append(all, [2]string{"watch", "WatchFunctionName"})
	}
	return all
}

func (r *run) watches() bool { return r.parameters["Watch"] == "on" }

// live reads back what the functions really run with, and compares it with the stack's parameters. A parameter that was
// changed reaches the live alias only with a new version.
func (r *run) live(ctx context.Context) {
	client := lambda.NewFromConfig(r.AWS)
	for _, f := range r.functions() {
		action, name := f[0], r.outputs[f[1]]
		get := func(qualifier *string) (*lambda.GetFunctionConfigurationOutput, error) {
			ctx, cancel := context.WithTimeout(ctx, r.callLimit())
			defer cancel()
			return client.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String(name), Qualifier: qualifier})
		}
		live, err := get(aws.String(alias))
		if err != nil {
			r.fail("version: "+action, "see that the function and its alias live are there, and that you may read them", "the live configuration cannot be read: %s", problem(err))
			continue
		}
		latest, err := get(nil)
		if err != nil {
			r.fail("version: "+action, "see that you may read the function", "the latest configuration cannot be read: %s", problem(err))
			continue
		}
		r.version(action, live, latest)
		r.settings(action, live)
	}
}

// version compares what is live with what was deployed last.
func (r *run) version(action string, live, latest *lambda.GetFunctionConfigurationOutput) {
	check, version := "version: "+action, aws.ToString(live.Version)
	const advice = "the deployment was rolled back, or is still shifting: see CodeDeploy. Deploy again with make deploy when it is not"
	switch {
	case version == "$LATEST":
		r.fail(check, "deploy the stack again: the alias must lead to a published version", "the alias live leads to $LATEST")
	case aws.ToString(live.CodeSha256) != aws.ToString(latest.CodeSha256):
		r.fail(check, advice, "the live version %s holds other code than was deployed last", version)
	case !maps.Equal(variables(live), variables(latest)):
		r.fail(check, advice, "the live version %s has other settings than were deployed last", version)
	default:
		r.ok(check, "version %s is live, and is what was deployed last", version)
	}
}

// settings compares the live version's settings with the stack's parameters.
func (r *run) settings(action string, live *lambda.GetFunctionConfigurationOutput) {
	check, set := "settings: "+action, variables(live)
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(set)) {
		source, want, known := r.source(name)
		switch {
		case !known && set[name] != "":
			wrong = append(wrong, fmt.Sprintf("%s is set, and no parameter of the stack is called like it", name))
		case known && set[name] != want:
			wrong = append(wrong, fmt.Sprintf("%s is %q, and %s is %q", name, set[name], source, want))
		}
	}
	if want := r.parameters["MemorySize"]; want != "" && strconv.Itoa(int(aws.ToInt32(live.MemorySize))) != want {
		wrong = append(wrong, fmt.Sprintf("the function has %d MB, and MemorySize is %s", aws.ToInt32(live.MemorySize), want))
	}
	if want := r.parameters["Architecture"]; want != "" && (len(live.Architectures) != 1 || string(live.Architectures[0]) != want) {
		wrong = append(wrong, fmt.Sprintf("the function runs on %v, and Architecture is %s", live.Architectures, want))
	}
	switch {
	case len(set) == 0:
		r.fail(check, "deploy the stack again", "the live version has no settings at all")
	case len(wrong) > 0:
		r.fail(check, "deploy the stack again with make deploy, which publishes a version when a parameter has changed", "%s", strings.Join(wrong, "; "))
	default:
		r.ok(check, "%d variables are as the stack's parameters say", len(set))
	}
}

// source finds what a variable's value comes from. The SDK's endpoints have none: on AWS they must be empty.
func (r *run) source(variable string) (source, value string, known bool) {
	if output := fromOutputs[variable]; output != "" {
		return "the output " + output, r.outputs[output], true
	}
	for parameter, value := range r.parameters {
		if SameName(variable, parameter) {
			return parameter, value, true
		}
	}
	return "", "", false
}

// SameName reports whether a parameter of template.yaml is called like a variable of the functions.
func SameName(variable, parameter string) bool {
	return strings.EqualFold(strings.ReplaceAll(variable, "_", ""), parameter)
}

func variables(c *lambda.GetFunctionConfigurationOutput) map[string]string {
	if c.Environment == nil {
		return nil
	}
	return c.Environment.Variables
}
