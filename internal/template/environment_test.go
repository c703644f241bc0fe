package template

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kesu-go/kesu/internal/config"
)

// section8 is the table of the contract's section 8: each variable with the functions that it is for. Lambda sets
// AWS_LAMBDA_LOG_LEVEL, and sam local AWS_SAM_LOCAL; the template sets neither.
var section8 = map[string][]string{
	"MERCHANT_KEYS":                    {"reply", "complete"},
	"MERCHANT_SECRET_PREFIX":           {"reply", "complete"},
	"PREFETCH_MERCHANTS":               {"reply", "complete"},
	"SECRET_SOFT_TTL":                  {"reply", "complete"},
	"SECRET_HARD_TTL":                  {"reply", "complete"},
	"IMAGECO_URL":                      {"reply"},
	"IMAGECO_RESPONSE_SIGN":            {"reply"},
	"WECHATPAY_URL":                    {"reply", "complete"},
	"WECHATPAY_BACKUP_URL":             {"reply", "complete"},
	"MAX_ATTEMPTS":                     {"reply", "complete"},
	"ATTEMPT_TIMEOUT":                  {"reply", "complete"},
	"REPLY_RATE_PER_MINUTE":            {"reply"},
	"COMPLETE_RATE_PER_MINUTE":         {"complete"},
	"READ_RATE_PER_MINUTE":             {"reply"},
	"UNKNOWN_WINDOW":                   {"reply"},
	"LEDGER_TABLE":                     {"reply", "complete"},
	"LEDGER_TTL":                       {"reply", "complete"},
	"RESULT_BUS":                       {"reply", "complete"},
	"CALLER_MERCHANT_CLAIM":            {"reply", "complete"},
	"LOG_LEVEL":                        {"reply", "complete"},
	"AWS_ENDPOINT_URL_SECRETS_MANAGER": {"reply", "complete"},
	"AWS_ENDPOINT_URL_EVENTBRIDGE":     {"reply", "complete"},
	"AWS_ENDPOINT_URL_DYNAMODB":        {"reply", "complete"},
	"AWS_ENDPOINT_URL_SQS":             {"reply", "complete"},
}

var setByOthers = []string{"AWS_LAMBDA_LOG_LEVEL", "AWS_SAM_LOCAL"}

// environment compares three things: the contract's table, the variables in the template, and the variables that each
// function really asks for.
func environment(d *deployment) []string {
	var f faults
	for action, id := range functionIDs {
		var contract, asked []string
		for name, actions := range section8 {
			if slices.Contains(actions, action) {
				contract = append(contract, name)
			}
		}
		inTemplate, _ := at(functionProperties(d, id), "Environment", "Variables").(node)
		f.same("variables of "+id+" against the contract", names(inTemplate), contract)

		for _, name := range asksFor(action) {
			if !slices.Contains(setByOthers, name) {
				asked = append(asked, name)
			}
		}
		forSDK := func(name string) bool { return strings.HasPrefix(name, "AWS_") }
		f.same("variables of "+id+" against internal/config", slices.DeleteFunc(names(inTemplate), forSDK), asked)
		for name, value := range inTemplate {
			if forSDK(name) && value != "" {
				f.add("%s: %s leads away from AWS", id, name)
			}
		}
	}
	return f
}

// asksFor returns the variables that a function reads when it starts.
func asksFor(action string) []string {
	var asked []string
	getenv := func(name string) string { asked = append(asked, name); return "" }
	if action == "reply" {
		_, _ = config.ReadReply(getenv) // the error is about what is not set, which is everything
	} else {
		_, _ = config.ReadComplete(getenv)
	}
	return sorted(asked)
}

// defaults wants a stack that says nothing to behave as a function that is told nothing, but for the ledger, which must
// outlast the queues.
func defaults(d *deployment) []string {
	var f faults
	reply, err := config.ReadReply(func(name string) string { return map[string]string{"IMAGECO_URL": "https://example.com"}[name] })
	if err != nil {
		return faults{err.Error()}
	}
	complete, err := config.ReadComplete(func(string) string { return "" })
	if err != nil {
		return faults{err.Error()}
	}
	want := map[string]any{
		"MERCHANT_SECRET_PREFIX": reply.SecretPrefix, "PREFETCH_MERCHANTS": strings.Join(reply.Prefetch, ","),
		"SECRET_SOFT_TTL": reply.SecretSoftTTL, "SECRET_HARD_TTL": reply.SecretHardTTL, "IMAGECO_RESPONSE_SIGN": map[bool]string{false: "warn", true: "enforce"}[reply.EnforceSign],
		"WECHATPAY_URL": complete.Hosts[0], "WECHATPAY_BACKUP_URL": complete.Hosts[1], "MAX_ATTEMPTS": reply.MaxAttempts, "ATTEMPT_TIMEOUT": reply.AttemptTimeout,
		"REPLY_RATE_PER_MINUTE": reply.RatePerMinute, "COMPLETE_RATE_PER_MINUTE": complete.RatePerMinute,
		"READ_RATE_PER_MINUTE": reply.ReadsPerMinute, "UNKNOWN_WINDOW": reply.UnknownWindow, "LOG_LEVEL": reply.LogLevel,
	}
	for _, id := range functionIDs {
		variables, _ := at(functionProperties(d, id), "Environment", "Variables").(node)
		for _, name := range names(variables) {
			if want[name] == nil {
				continue
			}
			got := fmt.Sprint(resolve(d.template, variables[name], nil))
			if parsed, err := time.ParseDuration(got); err == nil && strings.ContainsAny(got, "hms") {
				got = parsed.String()
			}
			if got != fmt.Sprint(want[name]) {
				f.add("%s: %s defaults to %s, and the function to %v", id, name, got, want[name])
			}
		}
	}
	return f
}
