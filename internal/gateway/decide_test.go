package gateway

import (
	"testing"
	"time"
)

func TestDecide(t *testing.T) {
	open := situation{attempts: 1, max: 3, wait: time.Second, left: time.Minute}
	with := func(change func(*situation)) situation {
		s := open
		change(&s)
		return s
	}
	harmless := with(func(s *situation) { s.repeatable = true })
	tests := []struct {
		name    string
		verdict Verdict
		s       situation
		want    Decision
	}{
		{"what is done is not sent again", Verdict{Effect: Done}, open, Decision{Reason: "done"}},
		{"what is refused is not sent again", Verdict{Effect: Refused}, open, Decision{Reason: "refused"}},
		{"a reply that may have been shown is never sent again", Verdict{Effect: MaybeDone}, open,
			Decision{Reason: "may have been carried out, and must not be carried out twice"}},
		{"a completion that may have been done is sent again", Verdict{Effect: MaybeDone}, harmless,
			Decision{Resend: true, Wait: time.Second, Reason: "may have been carried out; repeating it is harmless"}},
		{"a final answer is not asked for again", Verdict{Effect: MaybeDone, Final: true}, harmless,
			Decision{Reason: "asking again would not change the answer"}},
		{"nor is a final one that was certainly not done", Verdict{Effect: NotDone, Final: true}, open,
			Decision{Reason: "asking again would not change the answer"}},
		{"what was certainly not done is sent again", Verdict{Effect: NotDone}, open,
			Decision{Resend: true, Wait: time.Second, Reason: "certainly not carried out"}},
		{"the last attempt is the last", Verdict{Effect: NotDone}, with(func(s *situation) { s.attempts = 3 }),
			Decision{Reason: "attempts used up"}},
		{"no attempt begins without time for it", Verdict{Effect: NotDone},
			with(func(s *situation) { s.left = 1099 * time.Millisecond }), Decision{Reason: "no time left before the deadline"}},
		{"an attempt begins with just enough time for it", Verdict{Effect: NotDone},
			with(func(s *situation) { s.left = 1100 * time.Millisecond }),
			Decision{Resend: true, Wait: time.Second, Reason: "certainly not carried out"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := decide(tt.verdict, tt.s); got != tt.want {
				t.Errorf("decide = %+v, want %+v", got, tt.want)
			}
		})
	}
}
