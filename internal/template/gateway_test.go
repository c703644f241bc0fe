package template

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/kesu-go/kesu/pkg/wire"
)

// ownErrors are the types of error that API Gateway gives by itself:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
var ownErrors = []string{
	"ACCESS_DENIED", "API_CONFIGURATION_ERROR", "AUTHORIZER_CONFIGURATION_ERROR", "AUTHORIZER_FAILURE", "BAD_REQUEST_BODY",
	"BAD_REQUEST_PARAMETERS", "DEFAULT_4XX", "DEFAULT_5XX", "EXPIRED_TOKEN", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT",
	"INVALID_API_KEY", "INVALID_SIGNATURE", "MISSING_AUTHENTICATION_TOKEN", "QUOTA_EXCEEDED", "REQUEST_TOO_LARGE",
	"RESOURCE_NOT_FOUND", "THROTTLED", "UNAUTHORIZED", "UNSUPPORTED_MEDIA_TYPE", "WAF_FILTERED",
}

// aboutTheRequest are those that say what the function would say of the same request, with its status.
var aboutTheRequest = map[string]string{"BAD_REQUEST_BODY": "400", "BAD_REQUEST_PARAMETERS": "400", "REQUEST_TOO_LARGE": "413", "UNSUPPORTED_MEDIA_TYPE": "415"}

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
	for _, pool := range []string{"", "arn:aws:cognito-idp:ap-east-1:123456789012:userpool/x"} {
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
	if at(d.openapi, "security", 0, "caller") == nil {
		f.add("the API asks nobody who they are")
	}
	for path, item := range at(d.openapi, "paths").(node) {
		operation := at(item, "post")
		if at(operation, "security") != nil {
			f.add("%s: the route has an authorization of its own", path)
		}
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
