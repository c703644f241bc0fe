package lambdaio

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/kesu-go/kesu/pkg/wire"
)

func TestACallerMayOnlyActForTheMerchantsOfItsClaim(t *testing.T) {
	long := strings.Repeat("a,", 500)
	for _, tt := range []struct {
		name, authorizer string
		allowed          bool
	}{
		{"a REST API's Cognito claim", `{"claims":{"merchant":"acme"}}`, true},
		{"an HTTP API's JWT claim", `{"jwt":{"claims":{"merchant":"acme"},"scopes":null}}`, true},
		{"an HTTP API's Lambda authorizer", `{"lambda":{"merchant":"acme"}}`, true},
		{"a REST API's Lambda authorizer", `{"principalId":"u","merchant":"acme","integrationLatency":7}`, true},
		{"several names with spaces", `{"claims":{"merchant":"other acme"}}`, true},
		{"several names with commas", `{"claims":{"merchant":"other,acme"}}`, true},
		{"several names with both", `{"claims":{"merchant":"other, acme"}}`, true},
		{"a list that API Gateway made a string of", `{"jwt":{"claims":{"merchant":"[other acme]"}}}`, true},
		{"a list of one that API Gateway made a string of", `{"jwt":{"claims":{"merchant":"[acme]"}}}`, true},
		{"a list", `{"lambda":{"merchant":["other","acme"]}}`, true},
		{"a list with other things in it", `{"lambda":{"merchant":[7,null,"acme"]}}`, true},
		{"many names", `{"claims":{"merchant":"` + long + `acme"}}`, true},

		{"another merchant", `{"claims":{"merchant":"other"}}`, false},
		{"another case", `{"claims":{"merchant":"Acme"}}`, false},
		{"part of the name", `{"claims":{"merchant":"acm"}}`, false},
		{"more than the name", `{"claims":{"merchant":"acme-2 2acme"}}`, false},
		{"everything", `{"claims":{"merchant":"*"}}`, false},
		{"nothing", `{"claims":{"merchant":""}}`, false},
		{"an empty list", `{"jwt":{"claims":{"merchant":"[]"}}}`, false},
		{"half a list", `{"jwt":{"claims":{"merchant":"[acme"}}}`, false},
		{"null", `{"claims":{"merchant":null}}`, false},
		{"a number", `{"claims":{"merchant":7}}`, false},
		{"an object", `{"claims":{"merchant":{"acme":true}}}`, false},
		{"a list in a list", `{"lambda":{"merchant":[["acme"]]}}`, false},
		{"another claim", `{"claims":{"Merchant":"acme","sub":"acme"}}`, false},
		{"no claims", `{"claims":{}}`, false},
		{"no authorizer", ``, false},
		{"an authorizer that is null", `null`, false},
		{"an authorizer that is a text", `"acme"`, false},
		{"claims in another place", `{"jwt":{"merchant":"acme"},"iam":{"merchant":"acme"}}`, false},
		{"a token's claim counts before what stands beside it", `{"jwt":{"claims":{"merchant":"other"}},"claims":{"merchant":"acme"},"merchant":"acme"}`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			authorizer := ""
			if tt.authorizer != "" {
				authorizer = `"authorizer":` + tt.authorizer + `,`
			}
			for _, way := range []string{
				`{"rawPath":"/merchants/acme/complaints/ok/complete","requestContext":{` + authorizer + `"stage":"$default"}}`,
				`{"httpMethod":"POST","pathParameters":{"merchant":"acme","complaint_id":"ok"},"requestContext":{` + authorizer + `"stage":"v1"}}`,
			} {
				handler, d, _ := newHandler(wire.Complete)
				handler.CallerClaim = "merchant"
				answer, _ := invoke(t, handler, way)
				var response events.APIGatewayProxyResponse
				if err := json.Unmarshal([]byte(answer), &response); err != nil {
					t.Fatal(err)
				}
				if want := map[bool]int{true: 200, false: 403}[tt.allowed]; response.StatusCode != want {
					t.Fatalf("%d %s", response.StatusCode, response.Body)
				}
				if tt.allowed {
					continue
				}
				var result wire.Result
				if err := json.Unmarshal([]byte(response.Body), &result); err != nil || result.Code != wire.CodeCallerNotAllowed ||
					result.Outcome != wire.Rejected || result.Merchant != "acme" || result.ComplaintID != "ok" || len(result.Errors) != 0 || len(d.requests[0].Problems) == 0 {
					t.Errorf("%s", response.Body)
				}
			}
		})
	}
}

func TestWhoMayNotActIsToldNothingElse(t *testing.T) {
	handler, d, _ := newHandler(wire.Reply)
	handler.CallerClaim = "merchant"
	for payload, status := range map[string]int{
		`{"rawPath":"/merchants/acme/complaints/ok/reply","requestContext":{},"headers":{"content-type":"text/plain"},"body":"{"}`: 403,
		`{"rawPath":"/merchants/a b/complaints/ok/reply","requestContext":{"authorizer":{"claims":{"merchant":"acme"}}}}`:          403,
		`{"httpMethod":"POST","pathParameters":{"complaint_id":"ok"},"requestContext":{}}`:                                         403,
		`{"rawPath":"/merchants/acme/complaints/ok/complete","requestContext":{}}`:                                                 400,
		`{"httpMethod":"GET","path":"/merchants/acme/complaints/ok/reply"}`:                                                        400,
	} {
		answer, _ := invoke(t, handler, payload)
		var response events.APIGatewayProxyResponse
		if err := json.Unmarshal([]byte(answer), &response); err != nil || response.StatusCode != status {
			t.Errorf("%s: %d %s", payload, response.StatusCode, response.Body)
		}
	}
	for _, r := range d.requests {
		if r.NotAllowed && len(r.Problems) != 1 {
			t.Errorf("%+v", r)
		}
	}
}

func TestOnlyHTTPCallersAreAskedForAClaim(t *testing.T) {
	handler, d, _ := newHandler(wire.Complete)
	handler.CallerClaim = "merchant"
	for _, payload := range []string{command("ok"), event(wire.Complete, "ok"), "[" + command("ok") + "]", records(queued(command("ok")))} {
		if _, errorType := invoke(t, handler, payload); errorType != "" {
			t.Errorf("%s: %s", payload, errorType)
		}
	}
	for _, r := range d.requests {
		if len(r.Problems) != 0 {
			t.Errorf("%+v", r)
		}
	}
}
