package template

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/kesu-go/kesu/pkg/wire"
)

// ownErrors are the types of error that API Gateway gives by itself, without REQUEST_TOO_LARGE, whose form cannot be chosen:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
var ownErrors = []string{
	"ACCESS_DENIED", "API_CONFIGURATION_ERROR", "AUTHORIZER_CONFIGURATION_ERROR", "AUTHORIZER_FAILURE", "BAD_REQUEST_BODY",
	"BAD_REQUEST_PARAMETERS", "DEFAULT_4XX", "DEFAULT_5XX", "EXPIRED_TOKEN", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT",
	"INVALID_API_KEY", "INVALID_SIGNATURE", "MISSING_AUTHENTICATION_TOKEN", "QUOTA_EXCEEDED",
	"RESOURCE_NOT_FOUND", "THROTTLED", "UNAUTHORIZED", "UNSUPPORTED_MEDIA_TYPE", "WAF_FILTERED",
}

// aboutTheRequest are those that say what the function would say of the same request, with its status.
var aboutTheRequest = map[string]string{"BAD_REQUEST_BODY": "400", "BAD_REQUEST_PARAMETERS": "400", "UNSUPPORTED_MEDIA_TYPE": "415"}

func gatewayResponses(d *deployment) []string {
	var f faults
	responses, _ := d.openapi["x-amazon-apigateway-gateway-responses"].(node)
	f.same("API Gateway's own errors", names(responses), ownErrors)
	for _, kind := range names(responses) {
		response := responses[kind]
		status, headers := text(response, "statusCode"), at(response, "responseParameters")
		if text(headers, "gatewayresponse.header.Content-Type") != "'application/problem+json'" {
			f.add("%s is not application/problem+json", kind)
		}
		var body node
		if err := json.Unmarshal([]byte(text(response, "responseTemplates", "application/json")), &body); err != nil {
			f.add("%s: the body is not JSON", kind)
			continue
		}
		if strings.Contains(text(response, "responseTemplates", "application/json"), "$context.error.") {
			f.add("%s: the body repeats what API Gateway says, which may quote the request", kind)
		}
		for _, member := range words(at(d.openapi, "components", "schemas", "Problem", "required")) {
			if body[member] == nil {
				f.add("%s: the body has no %s", kind, member)
			}
		}
		if strconv.Itoa(int(number(body, "status"))) != status {
			f.add("%s: the body says %v, the status is %s", kind, body["status"], status)
		}
		if want := aboutTheRequest[kind]; want != "" && (status != want || text(body, "code") != wire.CodeInvalidRequest || text(body, "outcome") != string(wire.Rejected) || len(list(body["errors"])) != 1) {
			f.add("%s is not %s %s", kind, want, wire.CodeInvalidRequest)
		}
		retryable := text(body, "outcome") == string(wire.Retryable)
		if retryable != (text(headers, "gatewayresponse.header.Retry-After") != "") || retryable != (status == "503") {
			f.add("%s: retryable, 503 and Retry-After belong together", kind)
		}
		if unknown := text(body, "outcome") == string(wire.Unknown); unknown != strings.HasPrefix(status, "5") && !retryable {
			f.add("%s: an error after the function was called may have been carried out", kind)
		}
	}
	return f
}

func apiGuards(d *deployment) []string {
	var f faults
	for _, pool := range []string{"", "arn:aws:cognito-idp:ap-southeast-1:123456789012:userpool/x"} {
		given := map[string]string{"CognitoUserPoolArn": pool}
		scheme := resolve(d.template, at(d.openapi, "components", "securitySchemes", "caller"), given)
		want := map[bool]string{true: "awsSigv4", false: "cognito_user_pools"}[pool == ""]
		if text(scheme, "x-amazon-apigateway-authtype") != want {
			f.add("with the user pool %q callers are authorized by %q", pool, text(scheme, "x-amazon-apigateway-authtype"))
		}
		if (at(scheme, "x-amazon-apigateway-authorizer") != nil) != (pool != "") {
			f.add("with the user pool %q the authorizer is wrong", pool)
		}
	}
	for path, item := range at(d.openapi, "paths").(node) {
		operation := at(item, "post")
		if own := at(operation, "x-amazon-apigateway-request-validator"); own != nil {
			f.add("%s: the route has a validator of its own", path)
		}
	}
	for choice, bodies := range map[string]bool{"gateway": true, "function": false} {
		validator, _ := resolve(d.template, d.openapi["x-amazon-apigateway-request-validator"], map[string]string{"RequestValidation": choice}).(string)
		chosen := at(d.openapi, "x-amazon-apigateway-request-validators", validator)
		if at(chosen, "validateRequestParameters") != true || at(chosen, "validateRequestBody") != bodies {
			f.add("RequestValidation %s: the validator %q is wrong", choice, validator)
		}
	}
	settings := at(d.template, "Resources", "Api", "Properties", "MethodSettings", 0)
	if at(settings, "ThrottlingRateLimit") == nil || at(settings, "ThrottlingBurstLimit") == nil || text(settings, "ResourcePath") != "/*" {
		f.add("the API is not throttled")
	}
	if at(settings, "DataTraceEnabled") != false {
		f.add("the API would log whole requests")
	}
	return f
}

// resourcePolicy wants the second lock to hold without the first: a caller whose account is not known is denied because the
// key aws:PrincipalAccount is then missing, and StringNotEquals holds for what is missing. API Gateway has the key only for
// callers that IAM has authenticated:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-aws-condition-keys.html.
// The account's own callers are not allowed by it, or they would need no policy of their own: either one is enough there, and
// for callers of other accounts both are needed:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html.
func resourcePolicy(d *deployment) []string {
	var f faults
	policy := func(given map[string]string) any {
		given["AWS::AccountId"] = "111111111111"
		return resolve(d.template, node{"policy": d.openapi["x-amazon-apigateway-policy"]}, given)
	}
	for others, accounts := range map[string][]string{"": {"111111111111"}, "222222222222,333333333333": {"111111111111", "222222222222", "333333333333"}} {
		statements := list(at(policy(map[string]string{"CallerAccounts": others}), "policy", "Statement"))
		if len(statements) == 0 {
			f.add("CallerAccounts %q: no resource policy stands behind the authorization", others)
			continue
		}
		deny := statements[0]
		if text(deny, "Effect") != "Deny" || text(deny, "Principal") != "*" || text(deny, "Action") != "execute-api:Invoke" || text(deny, "Resource") != "execute-api:/*" {
			f.add("CallerAccounts %q: the resource policy does not deny the rest of the world", others)
		}
		condition, _ := at(deny, "Condition").(node)
		f.same("conditions of the denial", names(condition), []string{"StringNotEquals"})
		f.same("accounts that are not denied with CallerAccounts "+others, words(at(condition, "StringNotEquals", "aws:PrincipalAccount")), accounts)
		for _, s := range statements[1:] {
			if got := at(s, "Principal", "AWS"); text(s, "Effect") != "Allow" || got != others || others == "" {
				f.add("CallerAccounts %q: the resource policy allows %v", others, got)
			}
		}
		if (len(statements) > 1) != (others != "") {
			f.add("CallerAccounts %q: %d statements", others, len(statements))
		}
	}
	if left := at(policy(map[string]string{"CognitoUserPoolArn": "arn:aws:cognito-idp:ap-southeast-1:1:userpool/x"}), "policy"); left != nil {
		f.add("with a user pool the resource policy would deny every caller")
	}
	return f
}

// callers says who gets past the resource policy, by the tables of AWS's page on the authorization flow: the account of the
// signature, "" for none; whether a policy of his own allows the call; and whether it is then carried out.
var callers = []struct {
	name, account string
	allowed       bool
	others        string // CallerAccounts
	want          bool
}{
	{"nobody", "", false, "", false},
	{"nobody, with other accounts let in", "", false, "222222222222", false},
	{"a caller of the account whose policy allows it", "111111111111", true, "", true},
	{"a caller of the account whose policy does not", "111111111111", false, "", false},
	{"a caller of the account whose policy does not, with other accounts let in", "111111111111", false, "222222222222", false},
	{"a stranger whose policy allows it", "999999999999", true, "", false},
	{"a stranger, with other accounts let in", "999999999999", true, "222222222222,333333333333", false},
	{"a caller of an account that is let in", "333333333333", true, "222222222222,333333333333", true},
	{"a caller of an account that is let in whose policy does not allow it", "222222222222", false, "222222222222", false},
}

func callersPolicy(d *deployment) []string {
	var f faults
	for _, c := range callers {
		given := map[string]string{"AWS::AccountId": "111111111111", "CallerAccounts": c.others}
		policy := resolve(d.template, node{"policy": d.openapi["x-amazon-apigateway-policy"]}, given)
		deny, allow := false, false
		for _, s := range list(at(policy, "policy", "Statement")) {
			allowed, _ := at(s, "Principal", "AWS").(string)
			among := slices.Contains(words(at(s, "Condition", "StringNotEquals", "aws:PrincipalAccount")), c.account)
			switch {
			case text(s, "Effect") == "Deny" && !among: // what is missing is not equal
				deny = true
			case text(s, "Effect") == "Allow" && c.account != "" && slices.Contains(strings.Split(allowed, ","), c.account):
				allow = true
			}
		}
		// Without authorization on the operation there is no caller and no policy of his, and only an allowance lets in.
		got := !deny && (allow || c.allowed)
		if c.account != given["AWS::AccountId"] {
			got = !deny && allow && c.allowed
		}
		if got != c.want {
			f.add("%s may call: %t", c.name, got)
		}
	}
	return f
}
