package main

import (
	"context"
	"encoding/base64"
	"fmt"
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
	{"picture", "acme-direct", uploadPicture, result{Outcome: "succeeded", Code: "OK", Attempts: 1, Verified: true, status: 200}},
	{"reply through WeChat Pay", "acme-direct", replyDirect, result{Outcome: "succeeded", Code: "OK", Attempts: 1, Verified: true, status: 200}},
	{"immediate service, an answer lost", "acme-direct", replyImmediately, result{Outcome: "succeeded", Code: "OK", Attempts: 2, Verified: true, status: 200}},
	{"a lost answer that is looked for", "acme-direct", replyUnheard, result{Outcome: "succeeded", Code: "SEEN_IN_HISTORY", Attempts: 1, Verified: true, status: 200}},
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
	// Nobody lends a hand from here on: the consumer complains, and what comes after it follows from rules.
	{"a complaint is notified", "acme", hear, result{Outcome: "published", Code: "ComplaintReceived", Attempts: 1, Verified: true, status: 204}},
	{"the first reply, by rule", "acme", firstReplied, result{Outcome: "succeeded", Code: "0000", Attempts: 1, Verified: true}},
	{"the consumer answers", "acme", answered, result{Outcome: "published", Code: "ComplaintChanged", Attempts: 1, Verified: true, status: 204}},
	{"the completion, by rule", "acme", completed, result{Outcome: "succeeded", Code: "OK", Attempts: 1, Verified: true}},
}

func post(path, body string) func(context.Context, *demo) (result, error) {
	return func(ctx context.Context, d *demo) (result, error) { return d.post(ctx, path, jsonType, body) }
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
	return d.post(ctx, "/merchants/acme/complaints/2006/complete", jsonType, "")
}

const jsonType = "application/json"

// onePixel is a picture of one pixel, as PNG.
const onePixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

// uploadPicture uploads a picture, for the steps after it.
func uploadPicture(ctx context.Context, d *demo) (result, error) {
	picture, err := base64.StdEncoding.DecodeString(onePixel)
	if err != nil {
		return result{}, err
	}
	got, err := d.post(ctx, "/merchants/acme-direct/images?filename=receipt", "image/png", string(picture))
	d.picture = got.MediaID
	return got, err
}

// replyDirect replies through WeChat Pay, with the picture that was uploaded.
func replyDirect(ctx context.Context, d *demo) (result, error) {
	body := fmt.Sprintf(`{"response_content":"退款已原路退回，见附图","response_images":[%q]}`, d.picture)
	return d.post(ctx, "/merchants/acme-direct/complaints/2007/reply", jsonType, body)
}

// replyImmediately replies to a complaint that asks for immediate service, and repeats the attempt whose answer is lost.
func replyImmediately(ctx context.Context, d *demo) (result, error) {
	d.State.Add("acme-direct", "2008")
	d.State.AskImmediate("acme-direct", "2008")
	d.Primary.Faults.Next(sandbox.Fault{Method: http.MethodPost, CutAfter: true})
	return d.post(ctx, "/merchants/acme-direct/complaints/2008/reply", jsonType, `{"response_content":"正在为您处理","immediate_service":true}`)
}

// replyUnheard replies through WeChat Pay and never hears the answer: whether the reply was shown is looked for in the
// complaint's history.
func replyUnheard(ctx context.Context, d *demo) (result, error) {
	d.Primary.Faults.Next(sandbox.Fault{Method: http.MethodPost, CutAfter: true})
	return d.post(ctx, "/merchants/acme-direct/complaints/2009/reply", jsonType, `{"response_content":"已联系您处理"}`)
}
