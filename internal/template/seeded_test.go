package template

import (
	"slices"
	"strings"
	"testing"
)

// set puts a value where a path leads; a nil value takes the member away.
func set(tree any, value any, path ...any) {
	last := path[len(path)-1]
	switch parent := at(tree, path[:len(path)-1]...).(type) {
	case node:
		if value == nil {
			delete(parent, last.(string))
			return
		}
		parent[last.(string)] = value
	case []any:
		parent[last.(int)] = value
	default:
		panic("the path of a seeded fault leads nowhere")
	}
}

// fault is one mistake, put into a copy of the deployment, and the words in which it must be told.
type fault struct {
	name string
	seed func(d *deployment)
	told string
}

func resource(id string, path ...any) []any { return append([]any{"Resources", id}, path...) }

func property(id string, path ...any) []any {
	return append([]any{"Resources", id, "Properties"}, path...)
}

func ofRoute(action string, path ...any) []any {
	return append([]any{"paths", "/merchants/{merchant}/complaints/{complaint_id}/" + action, "post"}, path...)
}

func ofSchema(name string, path ...any) []any {
	return append([]any{"components", "schemas", name}, path...)
}

const someURI = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}:live/invocations"

var seeded = []fault{
	// Integration URIs name existing functions and aliases.
	{"an integration of a function that is not there", func(d *deployment) {
		set(d.openapi, someURI, ofRoute("reply", "x-amazon-apigateway-integration", "uri", "Fn::Sub")...)
	}, "names Function, which is no function"},
	{"the integration of the other action", func(d *deployment) {
		set(d.openapi, strings.Replace(someURI, "Function.", "CompleteFunction.", 1), ofRoute("reply", "x-amazon-apigateway-integration", "uri", "Fn::Sub")...)
	}, "is another action's"},
	{"a picture that API Gateway would spoil", func(d *deployment) {
		set(d.openapi, []any{"image/jpeg"}, "x-amazon-apigateway-binary-media-types")
	}, "binary media types: image/bmp is missing"},
	{"another alias", func(d *deployment) { set(d.template, "prod", "Globals", "Function", "AutoPublishAlias") }, `the function has "prod"`},
	{"an integration without an alias", func(d *deployment) {
		set(d.openapi, strings.Replace(strings.Replace(someURI, ":live", "", 1), "Function.", "ReplyFunction.", 1), ofRoute("reply", "x-amazon-apigateway-integration", "uri", "Fn::Sub")...)
	}, "not one of a function's alias"},
	{"a function that outlasts API Gateway", func(d *deployment) { set(d.template, 30.0, "Globals", "Function", "Timeout") }, "gives up before the function"},

	// Rule patterns match the sample events and not others.
	{"a rule for the other action", func(d *deployment) {
		set(d.template, "ComplaintCompletionRequested", property("ReplyQueueRule", "EventPattern", "detail-type", 0)...)
	}, "ReplyQueueRule: the event"},
	{"a rule for a detail-type with a slip", func(d *deployment) {
		set(d.template, "ComplaintReplyRequest", property("ReplyFunction", "Events", "Direct", "Properties", "Pattern", "detail-type", 0)...)
	}, "ReplyFunctionDirect: the event"},
	{"a rule that hears its own settled events", func(d *deployment) {
		set(d.template, nil, property("CompleteQueueRule", "EventPattern", "source")...)
	}, `the event "echo complete" should match: false`},
	{"an attention rule without unknown", func(d *deployment) {
		set(d.template, []any{"rejected"}, property("AttentionRule", "EventPattern", "detail", "outcome")...)
	}, `the event "settled reply unknown" should match: true`},
	{"an attention rule that takes everything", func(d *deployment) {
		set(d.template, nil, property("AttentionRule", "EventPattern", "detail")...)
	}, `the event "settled complete succeeded" should match: false`},
	{"no attention rule", func(d *deployment) { set(d.template, nil, resource("AttentionRule")...) }, "AttentionQueue is missing"},
	{"both ways of delivery at once", func(d *deployment) {
		set(d.template, "ENABLED", property("ReplyFunction", "Events", "Direct", "Properties", "State")...)
	}, "EventDelivery queue: reply should be delivered to ReplyQueue alone"},
	{"no way of delivery", func(d *deployment) { set(d.template, "DISABLED", property("CompleteQueueRule", "State")...) }, "EventDelivery queue: complete should"},
	{"a rule without a delivery dead-letter queue", func(d *deployment) {
		set(d.template, nil, property("ReplyQueueRule", "Targets", 0, "DeadLetterConfig")...)
	}, "ReplyQueueRule: no delivery dead-letter queue"},
	{"a dead-letter queue that lets a rule out", func(d *deployment) {
		set(d.template, []any{}, property("UndeliveredEventsPolicy", "PolicyDocument", "Statement", 0, "Condition", "ArnEquals", "aws:SourceArn")...)
	}, "the policy of UndeliveredEvents does not let it in"},
	{"a queue that does not let its rule in", func(d *deployment) { set(d.template, nil, resource("AttentionQueuePolicy")...) }, "AttentionRule: the policy of its target"},
	{"a direct event that fails into nothing", func(d *deployment) {
		set(d.template, nil, property("ReplyFunction", "EventInvokeConfig", "DestinationConfig")...)
	}, "goes nowhere"},

	// IAM actions exist and are the ones the code calls.
	{"an action with a slip", func(d *deployment) {
		set(d.template, "secretsmanager:GetSecretsValue", property("FunctionPolicy", "PolicyDocument", "Statement", 0, "Action")...)
	}, "IAM has no action secretsmanager:GetSecretsValue"},
	{"an action that the code does not call", func(d *deployment) {
		set(d.template, []any{"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:GetItem"}, property("FunctionPolicy", "PolicyDocument", "Statement", 2, "Action")...)
	}, "dynamodb:GetItem should not be there"},
	{"an action that the code calls and may not", func(d *deployment) {
		set(d.template, []any{"dynamodb:PutItem", "dynamodb:UpdateItem"}, property("FunctionPolicy", "PolicyDocument", "Statement", 2, "Action")...)
	}, "dynamodb:DeleteItem is missing"},
	{"a ledger without the pace's action", func(d *deployment) {
		set(d.template, []any{"dynamodb:PutItem", "dynamodb:DeleteItem"}, property("FunctionPolicy", "PolicyDocument", "Statement", 2, "Action")...)
	}, "dynamodb:UpdateItem is missing"},
	{"a policy of AWS's", func(d *deployment) {
		set(d.template, "arn:aws:iam::aws:policy/AdministratorAccess", property("ReplyRole", "ManagedPolicyArns", 0)...)
	}, "a policy that is not the stack's"},
	{"a role of SAM's", func(d *deployment) { set(d.template, nil, property("ReplyFunction", "Role")...) }, "ReplyFunction has no role of its own"},

	// No wildcard resources.
	{"any table", func(d *deployment) {
		set(d.template, "*", property("FunctionPolicy", "PolicyDocument", "Statement", 2, "Resource")...)
	}, "the resource * has a wildcard"},
	{"any secret", func(d *deployment) {
		set(d.template, node{"Fn::Sub": "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:*"}, property("FunctionPolicy", "PolicyDocument", "Statement", 0, "Resource")...)
	}, "secret:* has a wildcard"},
	{"any action on the queue", func(d *deployment) {
		set(d.template, "sqs:*", property("ReplyRole", "Policies", 0, "PolicyDocument", "Statement", 1, "Action")...)
	}, "the action sqs:* has a wildcard"},
	{"a queue for anybody", func(d *deployment) {
		set(d.template, "*", property("AttentionQueuePolicy", "PolicyDocument", "Statement", 0, "Principal")...)
	}, "anybody may do it"},
	{"decryption for anything", func(d *deployment) {
		set(d.template, nil, property("FunctionPolicy", "PolicyDocument", "Statement", 1, "Fn::If", 1, "Condition")...)
	}, "secretsmanager.${AWS::Region}.${AWS::URLSuffix} is missing"},
	{"decryption with any key", func(d *deployment) {
		set(d.template, "*", property("FunctionPolicy", "PolicyDocument", "Statement", 1, "Fn::If", 1, "Resource")...)
	}, "decrypts with other keys"},

	// Schema references resolve.
	{"a reference into nothing", func(d *deployment) {
		set(d.openapi, "#/components/schemas/Answer", ofRoute("reply", "requestBody", "content", "application/json", "schema", "$ref")...)
	}, "#/components/schemas/Answer leads nowhere"},
	{"an event's reference into nothing", func(d *deployment) {
		set(d.asyncapi, "#/components/schemas/Replies", "components", "schemas", "ReplyEvent", "properties", "detail", "$ref")
	}, "#/components/schemas/Replies leads nowhere"},
	{"a document that is not OpenAPI", func(d *deployment) { set(d.openapi, nil, "info", "title") }, "title"},

	// Event paths equal OpenAPI paths.
	{"an event path with a slip", func(d *deployment) {
		set(d.template, "/merchants/{merchant}/complaint/{complaint_id}/reply", property("ReplyFunction", "Events", "Http", "Properties", "Path")...)
	}, "post /merchants/{merchant}/complaints/{complaint_id}/reply is missing"},
	{"another method", func(d *deployment) {
		set(d.template, "put", property("ReplyFunction", "Events", "Http", "Properties", "Method")...)
	}, "put /merchants/{merchant}/complaints/{complaint_id}/reply should not be there"},
	{"an API from another document", func(d *deployment) {
		set(d.template, "api/other.yaml", property("Api", "DefinitionBody", "Fn::Transform", "Parameters", "Location")...)
	}, "not defined by api/openapi.yaml"},

	// Limits equal pkg/wire's.
	{"a longer reply", func(d *deployment) {
		set(d.openapi, 501.0, ofSchema("Reply", "properties", "response_content", "maxLength")...)
	}, "response_content of maxLength:"},
	{"a shorter reply", func(d *deployment) {
		set(d.openapi, 499.0, ofSchema("Reply", "properties", "response_content", "maxLength")...)
	}, "response_content of maxLength+1"},
	{"an empty reply", func(d *deployment) {
		set(d.openapi, 0.0, ofSchema("Reply", "properties", "response_content", "minLength")...)
	}, "response_content of minLength"},
	{"five images", func(d *deployment) {
		set(d.openapi, 5.0, ofSchema("Reply", "properties", "response_images", "maxItems")...)
	}, "response_images with maxItems:"},
	{"a longer image id", func(d *deployment) {
		set(d.openapi, 513.0, ofSchema("Reply", "properties", "response_images", "items", "maxLength")...)
	}, "response_images with minItems:"},
	{"a transaction id with a dash", func(d *deployment) {
		set(d.openapi, "^[0-9A-Za-z-]+$", ofSchema("Reply", "properties", "transaction_id", "pattern")...)
	}, "transaction_id with U+002D"},
	{"a merchant with a dot", func(d *deployment) {
		set(d.openapi, "^[0-9A-Za-z_.-]+$", "components", "parameters", "Merchant", "schema", "pattern")
	}, "merchant with U+002E"},
	{"a member that nobody knows", func(d *deployment) {
		set(d.openapi, node{"type": "string", "minLength": 1.0, "maxLength": 5.0}, ofSchema("Completion", "properties", "reason")...)
	}, "Completion's members: reason should not be there"},
	{"a member that is missing", func(d *deployment) { set(d.openapi, nil, ofSchema("Reply", "properties", "resend_unknown")...) }, "resend_unknown is missing"},
	{"a reply without words", func(d *deployment) { set(d.openapi, []any{}, ofSchema("Reply", "required")...) }, "whether response_content is required"},
	{"a body that takes anything", func(d *deployment) { set(d.openapi, true, ofSchema("Reply", "additionalProperties")...) }, "Reply takes unknown members"},
	{"an outcome too many", func(d *deployment) {
		set(d.openapi, []any{"succeeded", "rejected", "retryable", "unknown", "failed"}, ofSchema("Result", "properties", "outcome", "enum")...)
	}, "outcomes: failed should not be there"},
	{"a result without attempts", func(d *deployment) { set(d.openapi, nil, ofSchema("Result", "properties", "attempts")...) }, "attempts is missing"},
	{"more errors", func(d *deployment) { set(d.openapi, 101.0, ofSchema("Result", "properties", "errors", "maxItems")...) }, "errors: pkg/wire tells at most 100"},
	{"another Retry-After", func(d *deployment) {
		set(d.openapi, 60.0, ofRoute("reply", "responses", "503", "headers", "Retry-After", "schema", "maximum")...)
	}, "Retry-After is from 1 to 3600"},
	{"an event with another limit", func(d *deployment) {
		set(d.asyncapi, 20.0, ofSchema("Reply", "properties", "jump_url_text", "maxLength")...)
	}, "jump_url_text is not the same in both documents"},
	{"an event of another detail-type", func(d *deployment) {
		set(d.asyncapi, []any{"ReplySettled"}, ofSchema("ReplySettledEvent", "properties", "detail-type", "enum")...)
	}, "should be ComplaintReplySettled"},

	// Environment variables equal section 8 of the contract, both ways.
	{"a variable with a slip", func(d *deployment) {
		set(d.template, "5", "Globals", "Function", "Environment", "Variables", "MAX_ATTEMPT")
	}, "MAX_ATTEMPT should not be there"},
	{"a variable that is missing", func(d *deployment) {
		set(d.template, nil, "Globals", "Function", "Environment", "Variables", "RESULT_BUS")
	}, "RESULT_BUS is missing"},
	{"a variable of the other function", func(d *deployment) {
		set(d.template, "https://example.com", property("CompleteFunction", "Environment", "Variables", "IMAGECO_URL")...)
	}, "variables of CompleteFunction against the contract: IMAGECO_URL should not be there"},
	{"another default", func(d *deployment) { set(d.template, 5.0, "Parameters", "MaxAttempts", "Default") }, "MAX_ATTEMPTS defaults to 5"},
	{"an endpoint that is not AWS's", func(d *deployment) {
		set(d.template, "http://192.0.2.1", "Globals", "Function", "Environment", "Variables", "AWS_ENDPOINT_URL_SECRETS_MANAGER")
	}, "leads away from AWS"},

	// Every queue has an end and an alarm.
	{"a queue without an end", func(d *deployment) { set(d.template, nil, property("ReplyQueue", "RedrivePolicy")...) }, "ReplyQueue has no end"},
	{"a dead-letter queue that nobody watches", func(d *deployment) { set(d.template, nil, resource("CompleteDeadLettersAlarm")...) }, "CompleteDeadLetters: no alarm"},
	{"a queue whose age nobody watches", func(d *deployment) { set(d.template, nil, resource("ReplyQueueAgeAlarm")...) }, "ReplyQueue: no alarm"},
	{"a queue of no use", func(d *deployment) {
		set(d.template, node{"Type": "AWS::SQS::Queue", "Properties": node{"SqsManagedSseEnabled": true}}, resource("Spare")...)
	}, "Spare: no alarm"},
	{"a batch that fails as a whole", func(d *deployment) {
		set(d.template, nil, property("ReplyFunction", "Events", "Queue", "Properties", "FunctionResponseTypes")...)
	}, "without ReportBatchItemFailures"},
	{"a burst without a limit", func(d *deployment) {
		set(d.template, nil, property("ReplyFunction", "Events", "Queue", "Properties", "ScalingConfig")...)
	}, "nothing limits how many processes"},
	{"a message that comes back too early", func(d *deployment) { set(d.template, 30.0, property("ReplyQueue", "VisibilityTimeout")...) }, "hidden for 30 s"},
	{"a ledger that forgets too early", func(d *deployment) { set(d.template, "24h", "Parameters", "LedgerTtl", "Default") }, "the ledger remembers for 24h0m0s"},
	{"an archive that outlasts the ledger", func(d *deployment) { set(d.template, 30.0, "Parameters", "ArchiveDays", "MaxValue") }, "the archive keeps events for 720h"},
	{"a table that goes with the stack", func(d *deployment) { set(d.template, "Delete", resource("LedgerTable", "DeletionPolicy")...) }, "the deletion policy is Delete"},
	{"a table without TTL", func(d *deployment) {
		set(d.template, "ttl", property("LedgerTable", "TimeToLiveSpecification", "AttributeName")...)
	}, "the TTL attribute is ttl"},

	// Log retention everywhere, and what is watched exists.
	{"a log that is kept for ever", func(d *deployment) { set(d.template, nil, property("ApiLogGroup", "RetentionInDays")...) }, "ApiLogGroup keeps logs for ever"},
	{"a function with a log group of Lambda's", func(d *deployment) {
		set(d.template, nil, property("ReplyFunction", "LoggingConfig", "LogGroup")...)
	}, "ReplyFunction has no log group"},
	{"a log level that throws metrics away", func(d *deployment) {
		set(d.template, []any{"INFO", "WARN"}, "Parameters", "LogLevel", "AllowedValues")
	}, "would throw the metrics away"},
	{"an alarm without a section", func(d *deployment) {
		set(d.template, "Look into it.", property("UnverifiedAlarm", "AlarmDescription")...)
	}, "names no section"},
	{"a runbook without the section", func(d *deployment) { d.runbook = strings.Replace(d.runbook, "## Stale keys", "## Old keys", 1) }, "StaleSecretAlarm: the description names no section"},
	{"an alarm on a metric that nobody writes", func(d *deployment) {
		set(d.template, "Stale", property("StaleSecretAlarm", "Metrics", 1, "MetricStat", "Metric", "MetricName")...)
	}, "the functions write no metric Kesu Stale"},
	{"an alarm that forgets a function", func(d *deployment) {
		set(d.template, at(d.template, property("UnverifiedAlarm", "Metrics")...).([]any)[:2], property("UnverifiedAlarm", "Metrics")...)
	}, "Unverified of CompleteFunction is watched by no alarm"},
	{"an alarm by dimensions that the metric has not", func(d *deployment) {
		set(d.template, "action", property("ReplyRetryableAlarm", "Dimensions", 0, "Name")...)
	}, "the functions write no metric Kesu Retryable by action"},
	{"no alarm for an outage", func(d *deployment) {
		set(d.template, nil, resource("ReplyOutageAlarm")...)
		set(d.template, nil, resource("ReplyRetryableAlarm")...)
	}, "Retryable of ReplyFunction is watched by no alarm"},
	{"no alarm for replies by HTTP that are unknown", func(d *deployment) { set(d.template, nil, resource("ReplyUnknownAlarm")...) }, "one unknown reply rings nothing"},
	{"no alarm for a key that ends", func(d *deployment) { set(d.template, nil, resource("ReplyKeyEndsAlarm")...) }, "KeyDaysLeft of ReplyFunction is watched by no alarm"},
	{"a key's alarm that rings when there is time enough", func(d *deployment) {
		set(d.template, "GreaterThanThreshold", property("CompleteKeyEndsAlarm", "ComparisonOperator")...)
	}, "CompleteKeyEndsAlarm: GreaterThanThreshold should not be there"},
	{"a dashboard without replies through WeChat Pay", func(d *deployment) {
		path := property("Dashboard", "DashboardBody", "Fn::Sub")
		set(d.template, strings.ReplaceAll(text(d.template, path...), `"reply", "provider", "wechatpay"`, `"reply", "provider", "imageco"`), path...)
	}, `the dashboard does not show "reply", "provider", "wechatpay"`},
	{"a dashboard that searches by a slip", func(d *deployment) {
		path := property("Dashboard", "DashboardBody", "Fn::Sub")
		set(d.template, strings.ReplaceAll(text(d.template, path...), `{Kesu,function} MetricName=\"KeyDaysLeft`, `{Kesu,merchant} MetricName=\"KeyDaysLeft`), path...)
	}, "searches for a metric that does not exist"},
	{"no alarm for results that are not published", func(d *deployment) { set(d.template, nil, resource("UnpublishedAlarm")...) }, "Unpublished of ReplyFunction is watched by no alarm"},
	{"no alarm for the API", func(d *deployment) { set(d.template, nil, resource("ApiErrorsAlarm")...) }, "5XXError is watched by 0 alarms"},
	{"no alarm for a slow API", func(d *deployment) { set(d.template, nil, resource("ApiLatencyAlarm")...) }, "Latency is watched by 0 alarms"},
	{"no alarm for the ledger", func(d *deployment) { set(d.template, nil, resource("LedgerThrottlesAlarm")...) }, "WriteThrottleEvents is watched by 0 alarms"},
	{"an alarm that a mail cannot open", func(d *deployment) {
		set(d.template, "Look. 请看 docs/runbook.md#stale-keys", property("StaleSecretAlarm", "AlarmDescription")...)
	}, "names no section"},
	{"an alarm in one language", func(d *deployment) {
		set(d.template, node{"Fn::Sub": "Look. ${RunbookUrl}#stale-keys"}, property("StaleSecretAlarm", "AlarmDescription")...)
	}, "says nothing in Chinese"},
	{"an outage alarm that waits for half of the commands", func(d *deployment) { set(d.template, 60.0, "Parameters", "AlarmShare", "Default") }, "half of the commands retryable rings: false"},
	{"a canary that watches Lambda's errors alone", func(d *deployment) {
		set(d.template, []any{node{"Ref": "ReplyErrorsAlarm"}, node{"Ref": "ReplyThrottlesAlarm"}}, property("ReplyFunction", "DeploymentPreference", "Alarms")...)
	}, "ReplyFunction is not rolled back for its version's Misconfigured"},
	{"a canary that watches all versions", func(d *deployment) {
		for i := range 4 {
			set(d.template, []any{node{"Name": "function", "Value": node{"Ref": "ReplyFunction"}}}, property("ReplyVersionAlarm", "Metrics", 1+i, "MetricStat", "Metric", "Dimensions")...)
		}
	}, "ReplyFunction is not rolled back for its version's Misconfigured"},
	{"a canary that an outage rolls back", func(d *deployment) {
		set(d.template, "IF(v_retryable + v_unknown + v_misconfigured >= 3, 1, 0)", property("ReplyVersionAlarm", "Metrics", 0, "Expression")...)
	}, "a gateway that is down for both versions rings: true"},
	{"a canary alarm that keeps its state over versions", func(d *deployment) {
		set(d.template, "reply version", property("ReplyVersionAlarm", "AlarmName")...)
	}, "ReplyVersionAlarm is not made anew with each version"},
	{"an alarm on AWS's metric with a slip", func(d *deployment) { set(d.template, "Error", property("ReplyErrorsAlarm", "MetricName")...) }, "there is no metric AWS/Lambda Error"},
	{"no alarm for throttles", func(d *deployment) { set(d.template, nil, resource("ReplyThrottlesAlarm")...) }, "Throttles is watched by 1 alarms"},
	{"a dashboard that is not JSON", func(d *deployment) {
		set(d.template, `{"widgets": [}`, property("Dashboard", "DashboardBody", "Fn::Sub")...)
	}, "not JSON"},

	// Build methods and handlers exist.
	{"another handler", func(d *deployment) { set(d.template, "main", "Globals", "Function", "Handler") }, "the handler is not bootstrap"},
	{"another build method", func(d *deployment) {
		set(d.template, "go1.x", resource("ReplyFunction", "Metadata", "BuildMethod")...)
	}, "the build method is not makefile"},
	{"a Makefile without the target", func(d *deployment) {
		d.makefile = strings.Replace(d.makefile, "\nbuild-ReplyFunction:", "\nbuild-Reply:", 1)
	}, "no target build-ReplyFunction"},
	{"a build with cgo", func(d *deployment) { d.makefile = strings.ReplaceAll(d.makefile, "CGO_ENABLED=0", "") }, "does not use CGO_ENABLED=0"},
	{"a folder that is not there", func(d *deployment) {
		set(d.template, "scripts/build", resource("ReplyFunction", "Metadata", "WorkingDirectory")...)
	}, "does not say GOARCH"},
	{"one processor only", func(d *deployment) { set(d.template, []any{"arm64"}, "Globals", "Function", "Architectures") }, "with the parameter x86_64 the architecture is arm64"},

	// The API's guards and its own errors.
	{"an API that asks at the root who is calling", func(d *deployment) {
		set(d.openapi, []any{node{"caller": []any{}}}, "security")
		set(d.openapi, nil, ofRoute("reply", "security")...)
		set(d.openapi, nil, ofRoute("complete", "security")...)
	}, "post /merchants/{merchant}/complaints/{complaint_id}/reply asks who is calling: false"},
	{"security at the root beside the operations'", func(d *deployment) { set(d.openapi, []any{node{"caller": []any{}}}, "security") }, "security stands at the root"},
	{"an operation that an API key alone opens", func(d *deployment) {
		set(d.openapi, []any{node{"caller": []any{}}, node{"key": []any{}}}, ofRoute("reply", "security")...)
	}, "a second way in"},
	{"an API without a second lock", func(d *deployment) { set(d.openapi, nil, "x-amazon-apigateway-policy") }, "no resource policy stands behind"},
	{"a denial for callers that say who they are", func(d *deployment) {
		statement := []any{"x-amazon-apigateway-policy", "Fn::If", 2, "Statement", 0, "Condition"}
		set(d.openapi, node{"StringEquals": node{"aws:PrincipalType": "Anonymous"}}, statement...)
	}, "conditions of the denial: StringNotEquals is missing"},
	{"a policy that allows the own account", func(d *deployment) {
		set(d.openapi, node{"Ref": "AWS::AccountId"}, "x-amazon-apigateway-policy", "Fn::If", 2, "Statement", 1, "Fn::If", 1, "Principal", "AWS")
	}, "the resource policy allows 111111111111"},
	{"a policy that locks the user pool out", func(d *deployment) {
		set(d.openapi, at(d.openapi, "x-amazon-apigateway-policy", "Fn::If", 2), "x-amazon-apigateway-policy")
	}, "with a user pool the resource policy would deny"},
	{"an answer that is a reference", func(d *deployment) {
		set(d.openapi, node{"$ref": "#/components/responses/Refused"}, ofRoute("reply", "responses", "400")...)
	}, "the answer 400 is a reference"},
	{"a keyword that API Gateway does not know", func(d *deployment) { set(d.openapi, true, ofSchema("Reply", "properties", "jump_url", "nullable")...) }, "has nullable"},
	{"a number of 64 bits", func(d *deployment) {
		set(d.openapi, "int64", ofSchema("Result", "properties", "attempts", "format")...)
	}, "has the format int64"},
	{"a choice with a reference", func(d *deployment) {
		set(d.openapi, []any{node{"$ref": "#/components/schemas/Completion"}}, ofSchema("Reply", "anyOf")...)
	}, "anyOf has a reference"},
	{"a model with a dash", func(d *deployment) { set(d.openapi, node{"type": "object"}, ofSchema("Reply-2")...) }, "Reply-2 is no model's name"},
	{"a path parameter that is half a segment", func(d *deployment) {
		set(d.openapi, node{}, "paths", "/merchants/m{merchant}")
	}, `has the segment "m{merchant}"`},
	{"a security scheme of OpenAPI's own", func(d *deployment) {
		set(d.openapi, "http", "components", "securitySchemes", "caller", "type")
	}, `caller is of the type "http"`},
	{"a 413 of a form of its own", func(d *deployment) {
		set(d.openapi, at(d.openapi, "x-amazon-apigateway-gateway-responses", "UNSUPPORTED_MEDIA_TYPE"), "x-amazon-apigateway-gateway-responses", "REQUEST_TOO_LARGE")
	}, "REQUEST_TOO_LARGE has a form of its own"},
	{"an API that does not validate bodies", func(d *deployment) {
		set(d.openapi, false, "x-amazon-apigateway-request-validators", "whole", "validateRequestBody")
	}, "RequestValidation gateway: the validator"},
	{"an API without a throttle", func(d *deployment) { set(d.template, nil, property("Api", "MethodSettings")...) }, "not throttled"},
	{"a gateway error that is not a problem", func(d *deployment) {
		set(d.openapi, "'application/json'", "x-amazon-apigateway-gateway-responses", "THROTTLED", "responseParameters", "gatewayresponse.header.Content-Type")
	}, "THROTTLED is not application/problem+json"},
	{"a gateway error that is left out", func(d *deployment) {
		set(d.openapi, nil, "x-amazon-apigateway-gateway-responses", "BAD_REQUEST_BODY")
	}, "BAD_REQUEST_BODY is missing"},
	{"a bad body with another code", func(d *deployment) {
		path := []any{"x-amazon-apigateway-gateway-responses", "BAD_REQUEST_BODY", "responseTemplates", "application/json"}
		set(d.openapi, strings.ReplaceAll(text(d.openapi, path...), "INVALID_REQUEST", "BAD_BODY"), path...)
	}, "BAD_REQUEST_BODY is not 400 INVALID_REQUEST"},
	{"a bad body that is quoted", func(d *deployment) {
		path := []any{"x-amazon-apigateway-gateway-responses", "BAD_REQUEST_BODY", "responseTemplates", "application/json"}
		set(d.openapi, strings.Replace(text(d.openapi, path...), "the body is not", "$context.error.validationErrorString", 1), path...)
	}, "may quote the request"},
}

func TestEverySeededFaultIsCaught(t *testing.T) {
	for _, f := range seeded {
		t.Run(f.name, func(t *testing.T) {
			d := load(t)
			f.seed(d)
			var told []string
			for _, c := range checks {
				told = append(told, c.run(d)...)
				if slices.ContainsFunc(told, func(s string) bool { return strings.Contains(s, f.told) }) {
					return
				}
			}
			t.Errorf("nobody said %q; said was:\n  %s", f.told, strings.Join(told, "\n  "))
		})
	}
}
