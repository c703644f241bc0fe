package console

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/kesu-go/kesu/internal/advice"
	"github.com/kesu-go/kesu/internal/explain"
	"github.com/kesu-go/kesu/internal/sandbox"
)

// engineLimit bounds the search for what made a wrong signature: the page waits for it.
const engineLimit = 2 * time.Second

// judge lets the engine that kesu sign has decide, and takes its words for what is wrong, in both languages.
func (e *explained) judge(m *sandbox.Merchant, vendor string, message []byte, at time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), engineLimit)
	defer cancel()
	o := explain.Options{Message: message, For: vendor, Secret: m.Secret(), Now: at}
	report, err := explain.Run(ctx, o)
	switch {
	case err != nil:
		e.Verdict, e.Why = unreadable, err.Error()
		return
	case report.Matches == nil:
		e.Verdict = unsigned
		return
	case report.Right():
		e.Verdict = right
		return
	}
	e.Verdict, e.Why = wrong, firstWords(report)
	o.Language = advice.Chinese
	if inChinese, err := explain.Run(ctx, o); err == nil {
		e.WhyChinese = firstWords(inChinese)
	}
}

// firstWords are the causes of the likeliest explanation, and what to do.
func firstWords(r explain.Report) string {
	if len(r.Explanations) == 0 {
		return ""
	}
	var says []string
	for _, c := range r.Explanations[0].Causes {
		says = append(says, c.Says+" → "+c.WhatToDo)
	}
	return strings.Join(says, "; ")
}

// wireRequest is a request as it went over the wire.
func wireRequest(x *sandbox.Call) []byte {
	return append([]byte(fmt.Sprintf("%s %s HTTP/1.1\r\n%s\r\n", x.Method, x.Target, headerLines(x.Header))), x.Body...)
}

// wireAnswer is an answer as it came over the wire.
func wireAnswer(x *sandbox.Call) []byte {
	return append([]byte(fmt.Sprintf("HTTP/1.1 %d \r\n%s\r\n", x.Status, headerLines(x.Answer))), x.Sent...)
}

func headerLines(h http.Header) string {
	var out strings.Builder
	for _, name := range []string{"Authorization", "Wechatpay-Serial", "Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Signature"} {
		for _, value := range h.Values(name) {
			fmt.Fprintf(&out, "%s: %s\r\n", name, value)
		}
	}
	return out.String()
}
