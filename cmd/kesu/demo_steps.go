package main

import (
	"context"
	"net/http"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// steps are the main job, once in each form, and the ways in which it most often goes wrong.
var steps = []row{
	{"reply in JSON", "acme", post("/merchants/acme/complaints/2001/reply", `{"response_content":"已与用户沟通解决"}`),
		result{Outcome: "succeeded", Code: "0000", Attempts: 1, Verified: true, status: 200}},
	{"reply in XML", "acme-xml", post("/merchants/acme-xml/complaints/2002/reply",
		`{"response_content":"退款已原路退回","response_images":["file752398_7983424"],"jump_url":"https://example.com/orders/1?a=1&b=2","jump_url_text":"查看订单"}`),
		result{Outcome: "succeeded", Code: "0000", Attempts: 1, Verified: true, status: 200}},
	{"completion", "acme", post("/merchants/acme/complaints/2001/complete", ""),
		result{Outcome: "succeeded", Code: "OK", Attempts: 1, Verified: true, status: 200}},
	{"completion, certificate", "acme-xml", post("/merchants/acme-xml/complaints/2002/complete", `{}`),
		result{Outcome: "succeeded", Code: "OK", Attempts: 1, Verified: true, status: 200}},
	{"reply by event", "acme", replyByEvent, result{Outcome: "succeeded", Code: "0000", Attempts: 1, Verified: true}},
	{"completion by event", "acme", completeByEvent, result{Outcome: "succeeded", Code: "OK", Attempts: 1, Verified: true}},
	{"refused: no such complaint", "acme", post("/merchants/acme/complaints/2404/reply", `{"response_content":"已处理"}`),
		result{Outcome: "rejected", Code: "3001", Attempts: 1, Verified: true, status: 422}},
	{"refused: a bad request", "acme", post("/merchants/acme/complaints/2005/reply", `{"response_content":""}`),
		result{Outcome: "rejected", Code: "INVALID_REQUEST", status: 400}},
	{"refused: signed with a wrong key", "acme-wrong-key", post("/merchants/acme-wrong-key/complaints/2004/reply", `{"response_content":"已处理"}`),
		result{Outcome: "rejected", Code: "6100", Attempts: 1, status: 502}},
	{"answer with a bad signature", "acme", completeForged,
		result{Outcome: "unknown", Code: "UPSTREAM_UNVERIFIED", Attempts: 3, status: 504}},
}

func post(path, body string) func(context.Context, *demo) (result, error) {
	return func(ctx context.Context, d *demo) (result, error) { return d.post(ctx, path, body) }
}

func replyByEvent(ctx context.Context, d *demo) (result, error) {
	return d.put(ctx, "ComplaintReplyRequested", "ComplaintReplySettled",
		map[string]any{"merchant": "acme", "complaint_id": "2003", "response_content": "已处理"})
}

func completeByEvent(ctx context.Context, d *demo) (result, error) {
	return d.put(ctx, "ComplaintCompletionRequested", "ComplaintCompletionSettled",
		map[string]any{"merchant": "acme", "complaint_id": "2003"})
}

// completeForged completes a complaint while every answer says "done" with a signature that is not WeChat Pay's.
func completeForged(ctx context.Context, d *demo) (result, error) {
	forged := sandbox.Fault{Status: http.StatusNoContent, WrongSignature: true}
	for _, host := range []*sandbox.Host{d.Primary, d.Backup} {
		host.Faults.Stand(forged)
		defer host.Faults.Stand()
	}
	return d.post(ctx, "/merchants/acme/complaints/2006/complete", "")
}
