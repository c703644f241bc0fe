package wire_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/pkg/wire"
)

// A hostile body must not be multiplied in the answer.
func TestProblemsAreBounded(t *testing.T) {
	var many strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&many, `"m%d":1,`, i)
	}
	for _, row := range []struct {
		name, body string
		problems   int
		most       int // bytes of the answer
	}{
		{"4000 unknown members", "{" + strings.TrimSuffix(many.String(), ",") + "}", 100, 10_000},
		{"one unknown member with a name of 60,000 characters", `{"` + strings.Repeat("名", 20_000) + `":1}`, 2, 2_000},
		{"100 unknown members with names of 600 slashes", "{" + strings.TrimSuffix(strings.Repeat(`"`+strings.Repeat("/", 600)+`":1,`, 100), ",") + "}", 100, 25_000},
		{"the same member 5000 times", "{" + strings.TrimSuffix(strings.Repeat(`"jump_url":1,`, 5000), ",") + "}", 100, 10_000},
		{"5000 images", `{"response_content":"a","response_images":[` + strings.TrimSuffix(strings.Repeat(`1,`, 5000), ",") + "]}", 100, 10_000},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := wire.ReadHTTP(wire.Reply, post(row.body))
			if len(r.Problems) != row.problems {
				t.Errorf("%d problems, want %d", len(r.Problems), row.problems)
			}
			_, _, body := r.Refusal(at).HTTP()
			if len(body) > row.most {
				t.Errorf("the answer has %d bytes, more than %d", len(body), row.most)
			}
		})
	}
	t.Run("a long name is cut after 64 characters", func(t *testing.T) {
		r := wire.ReadHTTP(wire.Complete, post(`{"`+strings.Repeat("名", 64)+`":1,"`+strings.Repeat("名", 65)+`":1}`))
		want := "/" + strings.Repeat("名", 64) + " is not a member of a complete request\n/" + strings.Repeat("名", 64) + "… is not a member of a complete request"
		if got := told(r.Problems); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
	t.Run("a phone number in a name is masked", func(t *testing.T) {
		r := wire.ReadHTTP(wire.Complete, post(`{"call 138-1234-5678":1}`))
		if got, want := told(r.Problems), "/call *** is not a member of a complete request"; got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
	t.Run("a phone number in a name is masked whatever else it holds", func(t *testing.T) {
		for _, name := range []string{" 138-1234-5678 ", "13812345678" + strings.Repeat("***", 200), "\u200b1381234\u200b5678", strings.Repeat("x", 60) + " 13812345678"} {
			r := wire.ReadHTTP(wire.Complete, post("{"+quote(name)+":1}"))
			if got := told(r.Problems); len(r.Problems) != 1 || !strings.Contains(got, "*") || strings.Contains(got, "138") {
				t.Errorf("%q: %s", name, got)
			}
		}
	})
	t.Run("a phone number in the name of a member of a member is masked", func(t *testing.T) {
		r := wire.ReadHTTP(wire.Reply, post(`{"response_content":"a","mini_program_jump_info":{"appid":"a","path":"b","text":"c","138-1234-5678":1}}`))
		if got, want := told(r.Problems), "/mini_program_jump_info/*** is not a member of mini_program_jump_info"; got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
	t.Run("problems of values are bounded too", func(t *testing.T) {
		// 99 unknown members, then one member with several problems of its own.
		body := "{" + strings.Repeat(`"x":1,`, 99) + `"response_images":[1,2,3,4]}`
		if r := wire.ReadHTTP(wire.Reply, post(body)); len(r.Problems) != 100 {
			t.Errorf("%d problems", len(r.Problems))
		}
	})
}

func TestProblemsNeverQuoteAValue(t *testing.T) {
	const words = "consumer's words"
	body := map[string]any{}
	for _, name := range []string{"response_content", "jump_url", "jump_url_text", "seller_account", "transaction_id", "idempotency_key"} {
		body[name] = words + "\x01😀"
	}
	body["response_images"] = []string{words + "|\x01"}
	body["resend_unknown"] = words
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r := wire.ReadHTTP(wire.Reply, post(string(raw)))
	if len(r.Problems) < len(body) {
		t.Fatalf("only %d problems", len(r.Problems))
	}
	if text := told(r.Problems); strings.Contains(text, "words") {
		t.Errorf("%s", text)
	}
}
