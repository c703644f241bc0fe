package wire_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/pkg/wire"
)

// Each row of the contract's section 3.
func TestResultStatus(t *testing.T) {
	type result = wire.Result
	for _, row := range []struct {
		name   string
		result result
		want   int
	}{
		{"done by 翼码", result{Outcome: wire.Succeeded, Provider: wire.Imageco, Code: "0000", Attempts: 1, HTTPStatus: 200}, 200},
		{"done by WeChat Pay", result{Outcome: wire.Succeeded, Provider: wire.WechatPay, Code: wire.CodeOK, Attempts: 2, HTTPStatus: 204}, 200},
		{"told from the ledger", result{Outcome: wire.Succeeded, Provider: wire.Imageco, Code: "0000", Attempts: 1, Replayed: true}, 200},

		{"a wrong request", result{Outcome: wire.Rejected, Code: wire.CodeInvalidRequest}, 400},
		{"a request that is too large", result{Outcome: wire.Rejected, Code: wire.CodeInvalidRequest, TooLarge: true}, 413},
		{"a request that is not JSON", result{Outcome: wire.Rejected, Code: wire.CodeInvalidRequest, WrongMedia: true}, 415},
		{"an unknown merchant", result{Outcome: wire.Rejected, Code: wire.CodeUnknownMerchant}, 404},
		{"a secret that is not usable", result{Outcome: wire.Rejected, Code: wire.CodeMerchantMisconfigured}, 502},
		{"another payload under a known key", result{Outcome: wire.Rejected, Code: wire.CodeIdempotencyMismatch}, 422},

		{"a claim that lives", result{Outcome: wire.Retryable, Code: wire.CodeInProgress}, 409},
		{"no secrets", result{Outcome: wire.Retryable, Code: wire.CodeSecretsUnavailable}, 503},
		{"no ledger", result{Outcome: wire.Retryable, Code: wire.CodeLedgerUnavailable}, 503},
		{"our own pace", result{Outcome: wire.Retryable, Code: wire.CodeRateLimited}, 503},
		{"the gateway's pace", result{Outcome: wire.Retryable, Provider: wire.WechatPay, Code: wire.CodeRateLimited, Attempts: 3, HTTPStatus: 429}, 503},
		{"no gateway", result{Outcome: wire.Retryable, Code: wire.CodeUpstreamUnreachable, Attempts: 3}, 503},
		{"no time left", result{Outcome: wire.Retryable, Code: wire.CodeDeadline}, 503},
		{"a bug before anything was sent", result{Outcome: wire.Retryable, Code: wire.CodeInternal}, 500},
		{"a bug after something may have been sent", result{Outcome: wire.Unknown, Code: wire.CodeInternal, Attempts: 1}, 500},
		{"a success that could not be published", result{Outcome: wire.Succeeded, Code: wire.CodeResultNotPublished, Attempts: 1}, 503},
		{"an unknown that could not be published", result{Outcome: wire.Unknown, Code: wire.CodeResultNotPublished, Attempts: 1}, 503},

		{"an earlier attempt nobody heard of", result{Outcome: wire.Unknown, Code: wire.CodeOutcomeUnknown}, 504},
		{"no answer", result{Outcome: wire.Unknown, Code: wire.CodeUpstreamTimeout, Attempts: 1}, 504},
		{"an answer that cannot be verified", result{Outcome: wire.Unknown, Code: wire.CodeUpstreamUnverified, Attempts: 1, HTTPStatus: 200}, 504},
		{"an answer that cannot be read", result{Outcome: wire.Unknown, Code: wire.CodeUpstreamGarbled, Attempts: 1, HTTPStatus: 502}, 504},
		{"翼码 timed out behind itself", result{Outcome: wire.Unknown, Provider: wire.Imageco, Code: "9998", Attempts: 1, HTTPStatus: 200}, 504},
		{"WeChat Pay's own error", result{Outcome: wire.Unknown, Provider: wire.WechatPay, Code: "SYSTEM_ERROR", Attempts: 3, HTTPStatus: 500}, 504},
		{"WeChat Pay's INVALID_REQUEST that may be about an earlier attempt", result{Outcome: wire.Unknown, Provider: wire.WechatPay, Code: wire.CodeInvalidRequest, Attempts: 2, HTTPStatus: 400}, 504},

		{"翼码 6099", refusedBy(wire.Imageco, "6099", 200), 422},
		{"翼码 6100, a wrong sign", refusedBy(wire.Imageco, "6100", 200), 502},
		{"翼码 6108", refusedBy(wire.Imageco, "6108", 200), 502},
		{"翼码 6109", refusedBy(wire.Imageco, "6109", 200), 422},
		{"翼码 61000", refusedBy(wire.Imageco, "61000", 200), 422},
		{"翼码 5200", refusedBy(wire.Imageco, "5200", 200), 502},
		{"翼码 5201", refusedBy(wire.Imageco, "5201", 200), 422},
		{"翼码 7000", refusedBy(wire.Imageco, "7000", 200), 502},
		{"翼码 7001", refusedBy(wire.Imageco, "7001", 200), 422},
		{"翼码 7103", refusedBy(wire.Imageco, "7103", 200), 422},
		{"翼码 7104", refusedBy(wire.Imageco, "7104", 200), 502},
		{"翼码 7105", refusedBy(wire.Imageco, "7105", 200), 502},
		{"翼码 7106", refusedBy(wire.Imageco, "7106", 200), 422},
		{"翼码 9999", refusedBy(wire.Imageco, "9999", 200), 422},
		{"翼码 refuses with 401 and a code about the content", refusedBy(wire.Imageco, "1001", 401), 422},
		{"翼码 refuses without a readable code", refusedBy(wire.Imageco, wire.CodeUpstreamRefused, 403), 422},
		{"WeChat Pay 400", refusedBy(wire.WechatPay, "PARAM_ERROR", 400), 422},
		{"WeChat Pay 400 INVALID_REQUEST is not ours", refusedBy(wire.WechatPay, wire.CodeInvalidRequest, 400), 422},
		{"WeChat Pay 401", refusedBy(wire.WechatPay, "SIGN_ERROR", 401), 502},
		{"WeChat Pay 403", refusedBy(wire.WechatPay, "NO_AUTH", 403), 502},
		{"WeChat Pay 404", refusedBy(wire.WechatPay, "RESOURCE_NOT_EXISTS", 404), 422},
		{"WeChat Pay 404 with a code like one of ours", refusedBy(wire.WechatPay, wire.CodeUnknownMerchant, 404), 422},
		{"a gateway's code that is like our INTERNAL", refusedBy(wire.WechatPay, wire.CodeInternal, 400), 422},
		{"WeChat Pay 400 without a readable code", refusedBy(wire.WechatPay, wire.CodeUpstreamRefused, 400), 422},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.result.Status(); got != row.want {
				t.Errorf("%d, want %d", got, row.want)
			}
			if status, _, _ := row.result.HTTP(); status != row.want {
				t.Errorf("as HTTP %d, want %d", status, row.want)
			}
		})
	}
}

func refusedBy(provider wire.Provider, code string, status int) wire.Result {
	return wire.Result{Outcome: wire.Rejected, Provider: provider, Code: code, Attempts: 1, HTTPStatus: status}
}

func done() wire.Result {
	c := wire.Command{Action: wire.Reply, Merchant: "acme", ComplaintID: complaintID, TransactionID: transactionID}
	r := c.NewResult(wire.Succeeded, "0000", "回复成功", at)
	r.HTTPStatus, r.Verified, r.Attempts = 200, true, 1
	return r
}

func TestResultAsHTTP(t *testing.T) {
	t.Run("a success is the result, member by member as in the contract", func(t *testing.T) {
		status, header, body := done().HTTP()
		if status != 200 || header["Content-Type"] != "application/json" || header["Cache-Control"] != "no-store" || len(header) != 2 {
			t.Errorf("%d %v", status, header)
		}
		if want := golden(t, "result.json"); string(body) != want {
			t.Errorf("got  %s\nwant %s", body, want)
		}
	})
	t.Run("a wrong request is problem details with all members of the result", func(t *testing.T) {
		r := wire.ReadHTTP(wire.Reply, post(`{"jump_url":"https://a.cn"}`))
		status, header, body := r.Refusal(at).HTTP()
		if status != 400 || header["Content-Type"] != "application/problem+json" || header["Cache-Control"] != "no-store" || len(header) != 2 {
			t.Errorf("%d %v", status, header)
		}
		if want := golden(t, "problem.json"); string(body) != want {
			t.Errorf("got  %s\nwant %s", body, want)
		}
	})
	t.Run("an invocation's result is the same JSON", func(t *testing.T) {
		got, err := json.Marshal(done())
		if err != nil {
			t.Fatal(err)
		}
		if want := golden(t, "result.json"); string(got) != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
	t.Run("a result that was stored is the same afterwards", func(t *testing.T) {
		var stored wire.Result
		if err := json.Unmarshal([]byte(golden(t, "result.json")), &stored); err != nil {
			t.Fatal(err)
		}
		if _, _, body := stored.HTTP(); string(body) != golden(t, "result.json") {
			t.Errorf("%s", body)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	for _, row := range []struct {
		name    string
		outcome wire.Outcome
		wait    time.Duration
		want    string
	}{
		{"a retryable result without a wait asks for a second", wire.Retryable, 0, "1"},
		{"a wait below nothing asks for a second", wire.Retryable, -time.Hour, "1"},
		{"a whole second is one", wire.Retryable, time.Second, "1"},
		{"a little more is rounded up", wire.Retryable, time.Second + 1, "2"},
		{"an hour is the most", wire.Retryable, time.Hour, "3600"},
		{"a year is cut to an hour", wire.Retryable, 8760 * time.Hour, "3600"},
		{"the longest wait there is", wire.Retryable, 1<<63 - 1, "3600"},
		{"a rejected result does not ask for another try", wire.Rejected, time.Minute, ""},
		{"an unknown one neither", wire.Unknown, time.Minute, ""},
		{"nor a success", wire.Succeeded, time.Minute, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, header, _ := wire.Result{Outcome: row.outcome, Code: wire.CodeRateLimited, RetryAfter: row.wait}.HTTP()
			if got := header["Retry-After"]; got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}

func TestProblemTypeAndTitle(t *testing.T) {
	for _, row := range []struct {
		name         string
		result       wire.Result
		title, place string
	}{
		{"a refusal of ours", wire.Result{Outcome: wire.Rejected, Code: wire.CodeUnknownMerchant}, "There is no such merchant", "UNKNOWN_MERCHANT"},
		{"a gateway's refusal", refusedBy(wire.Imageco, "6100", 200), "The gateway refused", "gateway-refusal"},
		{"a gateway's INVALID_REQUEST", refusedBy(wire.WechatPay, wire.CodeInvalidRequest, 400), "The gateway refused", "gateway-refusal"},
		{"a gateway's code like one of ours", refusedBy(wire.WechatPay, wire.CodeUnknownMerchant, 404), "The gateway refused", "gateway-refusal"},
		{"a refusal without a readable code", refusedBy(wire.Imageco, wire.CodeUpstreamRefused, 400), "The gateway refused without saying why", "UPSTREAM_REFUSED"},
		{"a gateway that does not know itself", wire.Result{Outcome: wire.Unknown, Code: "9998", Attempts: 1}, "The gateway did not say whether it was done", "gateway-refusal"},
		{"an answer that cannot be verified", wire.Result{Outcome: wire.Unknown, Code: wire.CodeUpstreamUnverified, Attempts: 1}, "The gateway's answer is not signed as it must be", "UPSTREAM_UNVERIFIED"},
		{"a bug after a call", wire.Result{Outcome: wire.Unknown, Code: wire.CodeInternal, Attempts: 1}, "Kesu met a bug of its own", "INTERNAL"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, _, body := row.result.HTTP()
			var problem struct{ Type, Title string }
			if err := json.Unmarshal(body, &problem); err != nil {
				t.Fatal(err)
			}
			if problem.Title != row.title || !strings.HasSuffix(problem.Type, "reference.md#"+row.place) {
				t.Errorf("%+v", problem)
			}
		})
	}
}

func TestEveryCodeOfOursHasATitle(t *testing.T) {
	for _, code := range []string{"INVALID_REQUEST", "UNKNOWN_MERCHANT", "MERCHANT_MISCONFIGURED", "IN_PROGRESS", "IDEMPOTENCY_MISMATCH",
		"OUTCOME_UNKNOWN", "SECRETS_UNAVAILABLE", "LEDGER_UNAVAILABLE", "RATE_LIMITED", "UPSTREAM_UNREACHABLE", "UPSTREAM_TIMEOUT",
		"UPSTREAM_UNVERIFIED", "UPSTREAM_GARBLED", "UPSTREAM_REFUSED", "RESULT_NOT_PUBLISHED", "DEADLINE", "INTERNAL"} {
		_, _, body := wire.Result{Outcome: wire.Rejected, Code: code}.HTTP()
		if strings.Contains(string(body), `"title":"The gateway refused"`) || !strings.Contains(string(body), `reference.md#`+code+`"`) {
			t.Errorf("%s: %s", code, body)
		}
	}
}

func TestRefusal(t *testing.T) {
	t.Run("it names no transaction id, because none is derived from a wrong request", func(t *testing.T) {
		r := wire.Request{Command: *reply(func(c *wire.Command) { c.TransactionID = transactionID }),
			Problems: []wire.Problem{{Pointer: "/response_content", Detail: "is wrong"}}}.Refusal(at)
		if r.TransactionID != "" || r.Attempts != 0 || r.Outcome != wire.Rejected || r.Message != "/response_content is wrong" {
			t.Errorf("%+v", r)
		}
	})
	t.Run("a problem of the whole request is told without a pointer", func(t *testing.T) {
		r := wire.ReadHTTP(wire.Complete, post("[]")).Refusal(at)
		if r.Message != "the request is not a JSON object" || r.Provider != wire.WechatPay {
			t.Errorf("%+v", r)
		}
	})
	t.Run("the time is UTC in whole seconds", func(t *testing.T) {
		r := wire.ReadHTTP(wire.Complete, post("[]")).Refusal(at.In(time.FixedZone("CST", 8*3600)))
		if got := r.At.Format(time.RFC3339Nano); got != "2026-11-21T08:00:00Z" {
			t.Error(got)
		}
	})
}
