package lambdaio

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/kesu-go/kesu/pkg/strictjson"
)

// mayActFor reports whether the caller's claim names the merchant.
//
// API Gateway puts a token's claims at another place for each kind of API and authorizer:
// requestContext.authorizer.jwt.claims (HTTP API, JWT), .claims (REST API, Cognito), .lambda (HTTP API, a Lambda
// authorizer's context), and the authorizer itself (REST API, a Lambda authorizer's context). The first place that has
// the claim is the one that counts.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html,
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html.
func mayActFor(authorizer json.RawMessage, claim, merchant string) bool {
	whole, _ := strictjson.Members(authorizer)
	jwt, _ := strictjson.Members(find(whole, "jwt"))
	places := []json.RawMessage{find(jwt, "claims"), find(whole, "claims"), find(whole, "lambda"), authorizer}
	for _, place := range places {
		members, _ := strictjson.Members(place)
		if value := find(members, claim); value != nil {
			return slices.Contains(claimed(value), merchant)
		}
	}
	return false
}

// claimed are the names in a claim: a string of one or several with spaces or commas between, or a list. An HTTP API
// hands a list over as a string: [a b].
func claimed(value json.RawMessage) []string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		text = strings.TrimSpace(text)
		if inner, ok := strings.CutPrefix(text, "["); ok {
			if inner, ok := strings.CutSuffix(inner, "]"); ok {
				text = inner
			}
		}
		return strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' })
	}
	var list []any
	var names []string
	_ = json.Unmarshal(value, &list) // what is neither names nobody
	for _, item := range list {
		if name, ok := item.(string); ok {
			names = append(names, name)
		}
	}
	return names
}
