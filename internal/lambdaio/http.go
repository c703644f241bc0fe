package lambdaio

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/kesu-go/kesu/pkg/strictjson"
	"github.com/kesu-go/kesu/pkg/wire"
)

// http answers an HTTP request that came through API Gateway or a function URL. The answer's form is the same for both
// payload versions.
func (h *Handler) http(ctx context.Context, members []strictjson.Member) ([]byte, error) {
	event := readHTTPEvent(members)
	request := wire.Request{Command: wire.Command{Action: h.Action}, Problems: event.problems}
	// A function URL and a catch-all route pass every method on. A GET must never act: browsers and crawlers send them.
	switch at, ok := event.place(h.actions()); {
	case event.method != http.MethodPost:
		request.Problems = append(request.Problems, wire.Problem{Detail: "the method must be POST"})
	case !ok:
		request.Problems = append(request.Problems, wire.Problem{Detail: "the path must be " + routes(h.actions())})
	default:
		request = event.read(at)
		request.Problems = slices.Concat(event.problems, request.Problems)
		if h.CallerClaim != "" && !mayActFor(event.authorizer, h.CallerClaim, at.merchant) {
			request = notAllowed(request.Command, h.CallerClaim)
		}
	}
	status, header, body := h.Pipeline.Do(ctx, request).HTTP()
	return json.Marshal(events.APIGatewayProxyResponse{StatusCode: status, Headers: header, Body: string(body)})
}

// notAllowed is the request of a caller who may not act for the merchant. Nothing else that is wrong with it is told.
func notAllowed(c wire.Command, claim string) wire.Request {
	return wire.Request{
		Command:    wire.Command{Action: c.Action, Merchant: c.Merchant, ComplaintID: c.ComplaintID},
		NotAllowed: true,
		Problems:   []wire.Problem{{Detail: "the caller's claim " + claim + " does not name this merchant"}},
	}
}

// read reads what the request says, in the form of its action.
func (e httpEvent) read(at place) wire.Request {
	contentType := strings.Join(e.contentTypes, ", ")
	if at.action.TakesPicture() {
		return wire.ReadPicture(wire.PictureRequest{Merchant: at.merchant, ContentType: contentType,
			Filenames: e.filenames, Body: e.body, Text: !e.encoded, BodyProblems: e.bodyProblems})
	}
	return wire.ReadHTTP(at.action, wire.HTTPRequest{Merchant: at.merchant, ComplaintID: at.complaint,
		IdempotencyKeys: e.keys, ContentType: contentType, Body: e.body, BodyProblems: e.bodyProblems})
}
