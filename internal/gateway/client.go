package gateway

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/kesu-go/kesu/internal/budget"
	"github.com/kesu-go/kesu/internal/pace"
	"github.com/kesu-go/kesu/pkg/wire"
)

// The waits between attempts: full jitter (any time from none to the interval), the interval doubling.
const (
	firstInterval = 200 * time.Millisecond
	maxInterval   = 2 * time.Second
)

// maxRetryAfter bounds the wait that a gateway can ask for.
const maxRetryAfter = time.Hour

// Client makes calls to one gateway. It is immutable but for its breakers' counts, and safe for concurrent use.
type Client struct {
	Transport      http.RoundTripper
	MaxAttempts    int
	AttemptTimeout time.Duration
	Random         func() float64 // 0 up to 1, for the jitter
	Log            *slog.Logger
}

// Call is one thing to ask of a gateway.
type Call struct {
	Merchant    string
	ComplaintID string // for the log: the attempts of a batch's records stand mixed there
	Hosts       *Hosts
	// Prepare makes and signs one attempt; it is called anew for each. An error means a bug or an unusable key.
	Prepare func(base string) (Request, error)
	// Judge judges an answer; it is only asked about whole ones.
	Judge func(Answer) Verdict
	// Repeatable says that repeating what may have been done is harmless. A call that is not has a connection of its
	// own, so that no other request's answer can be taken for its own.
	Repeatable bool
	// Attempts is how many there may be; 0 is the client's MaxAttempts.
	Attempts int
	// Turn gives a token for each attempt; nil is no limit. Its end is the caller's affair.
	Turn *pace.Turn
	// Following is the report of the call before this one, if there was one: a host that failed there is not asked
	// first.
	Following *Report
	// Spread lets no two attempts in a row go to the same host, whatever it answered.
	Spread bool
}

// Report is what became of a call.
type Report struct {
	Last       Verdict
	Maybe      *Verdict      // the latest attempt that may have been carried out, if there was one
	Attempts   int           // calls made
	HTTPStatus int           // the last status that the gateway gave, 0 without an answer
	Upstream   time.Duration // the time spent in calls
	Failovers  int           // attempts that went to another host than the primary
	Forged     int           // answers whose signature was wrong

	failed *host // that the next attempt avoids: of the latest network failure, with Spread of the latest attempt
}

// Verdict sums the attempts up: an attempt that may have been carried out stays one, whatever a later attempt was
// told, unless the call succeeded in the end or learned the state of the thing itself.
func (r Report) Verdict() Verdict {
	if r.Maybe != nil && r.Last.Effect != Done && !r.Last.Conclusive {
		return *r.Maybe
	}
	return r.Last
}

// Then adds a later call of the same invocation to the report. The later call's last verdict is the last one.
func (r Report) Then(later Report) Report {
	later.Attempts += r.Attempts
	later.Upstream += r.Upstream
	later.Failovers += r.Failovers
	later.Forged += r.Forged
	if later.HTTPStatus == 0 {
		later.HTTPStatus = r.HTTPStatus
	}
	if later.Maybe == nil {
		later.Maybe = r.Maybe
	}
	return later
}

// ErrPrepare is Do's error when a request could not be made: nothing was sent by that attempt.
var ErrPrepare = errors.New("the request could not be made")

// Do makes the call. It returns an error, wrapping ErrPrepare, only when Prepare failed; the report then holds the
// attempts before it.
func (c *Client) Do(ctx context.Context, call Call) (Report, error) {
	run := &run{client: c, call: call, interval: firstInterval}
	if call.Following != nil {
		run.report.failed = call.Following.failed
	}
	if deadline, ok := ctx.Deadline(); ok {
		run.end = deadline.Add(-budget.Settling)
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, run.end)
		defer cancel()
	}
	if again, ok := call.Turn.Take(ctx); !ok {
		run.report.Last = Paced(again)
		return run.report, nil
	}
	if run.left() < budget.LeastAttempt || ctx.Err() != nil {
		run.report.Last = Verdict{Effect: NotDone, Code: wire.CodeDeadline,
			Message: "too little time is left before the invocation's deadline; nothing was sent"}
		return run.report, nil
	}
	for decision := run.attempt(ctx); decision.Resend; decision = run.attempt(ctx) {
		if !pause(ctx, decision.Wait) {
			break
		}
		if again, ok := call.Turn.Take(ctx); !ok {
			run.unpaced(ctx, again)
			break
		}
		if run.left() < budget.LeastAttempt || ctx.Err() != nil { // the token took what time there was
			break
		}
	}
	return run.report, run.err
}

// pause waits, and reports whether the context is still alive then.
func pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// Paced is the verdict on a call for which there is no token.
func Paced(again time.Duration) Verdict {
	return Verdict{Effect: NotDone, Code: wire.CodeRateLimited, RetryAfter: again,
		Message: "this merchant's pace is used up; nothing was sent"}
}

// run is one call under way.
type run struct {
	client   *Client
	call     Call
	interval time.Duration // the longest wait before the next attempt
	end      time.Time     // zero: no deadline
	report   Report
	err      error
}

func (r *run) left() time.Duration {
	if r.end.IsZero() {
		return time.Hour
	}
	return time.Until(r.end)
}

// attempt makes one attempt and decides whether there is to be another.
func (r *run) attempt(ctx context.Context) Decision {
	host, report := r.call.Hosts.pick(r.report.failed)
	request, err := r.call.Prepare(host.base)
	if err != nil {
		report(nil) // the host is not to blame
		r.err = errors.Join(ErrPrepare, err)
		return stop("the request could not be made")
	}
	if host != r.call.Hosts.list[0] {
		r.report.Failovers++
	}
	attemptCtx, cancel := context.WithTimeout(ctx, r.client.AttemptTimeout)
	r.call.Turn.Spend()
	answer := exchange(attemptCtx, r.client.Transport, request, !r.call.Repeatable)
	cancel()
	if answer.Fact == NeverLeft {
		r.call.Turn.Unspend()
	}

	heard := answer.Fact == Answered || answer.Fact == Garbled
	if heard {
		report(nil)
	} else {
		report(errNoAnswer)
	}
	if !heard || r.call.Spread {
		r.report.failed = host
	}
	verdict := r.judge(answer)
	r.record(answer, verdict)

	decision := decide(verdict, situation{
		attempts:   r.report.Attempts,
		max:        r.max(),
		repeatable: r.call.Repeatable,
		wait:       r.wait(verdict),
		left:       r.left(),
	})
	r.log(ctx, host, answer, verdict, decision)
	return decision
}

// unpaced ends a call whose next attempt found no token.
func (r *run) unpaced(ctx context.Context, again time.Duration) {
	r.report.Last.RetryAfter = max(r.report.Last.RetryAfter, again)
	r.client.Log.LogAttrs(ctx, slog.LevelInfo, "not sent again: the merchant's pace is used up",
		slog.String("merchant", r.call.Merchant), slog.String("complaint_id", r.call.ComplaintID),
		slog.Int64("wait_ms", again.Milliseconds()))
}

func (r *run) max() int {
	return cmp.Or(r.call.Attempts, r.client.MaxAttempts)
}

// judge asks the caller about a whole answer; without one the fact alone decides.
func (r *run) judge(answer Answer) Verdict {
	switch answer.Fact {
	case NeverLeft:
		return Verdict{Effect: NotDone, Code: wire.CodeUpstreamUnreachable,
			Message: "no connection to the gateway could be made (DNS, dial or TLS); nothing was sent"}
	case MayHaveArrived:
		return Verdict{Effect: MaybeDone, Code: wire.CodeUpstreamTimeout,
			Message: "the request was sent, and no answer came"}
	case Garbled:
		return Verdict{Effect: MaybeDone, Code: wire.CodeUpstreamGarbled,
			Message: "what came back is no answer: not HTTP, too early, too slow or too long"}
	}
	return r.call.Judge(answer)
}

func (r *run) record(answer Answer, verdict Verdict) {
	r.report.Attempts++
	r.report.Upstream += answer.Duration
	r.report.Last = verdict
	if answer.Status != 0 {
		r.report.HTTPStatus = answer.Status
	}
	if verdict.Effect == MaybeDone {
		maybe := verdict // a copy, so that no other verdict goes to the heap
		r.report.Maybe = &maybe
	}
	if verdict.Forged {
		r.report.Forged++
	}
}

// wait is the time before a next attempt: full jitter over a growing interval, and not less than the gateway asks for.
func (r *run) wait(verdict Verdict) time.Duration {
	jitter := time.Duration(r.client.Random() * float64(r.interval))
	r.interval = min(2*r.interval, maxInterval)
	return max(jitter, verdict.RetryAfter)
}

func (r *run) log(ctx context.Context, host *host, answer Answer, verdict Verdict, decision Decision) {
	next := "stop"
	if decision.Resend {
		next = "resend"
	}
	r.client.Log.LogAttrs(ctx, slog.LevelInfo, "attempt",
		slog.String("merchant", r.call.Merchant),
		slog.String("complaint_id", r.call.ComplaintID),
		slog.Int("attempt", r.report.Attempts),
		slog.String("host", host.name),
		slog.String("bytes", answer.Fact.String()),
		slog.Int("status", answer.Status),
		slog.String("code", verdict.Code),
		slog.String("request_id", verdict.RequestID),
		slog.Int64("duration_ms", answer.Duration.Milliseconds()),
		slog.String("decision", next),
		slog.String("reason", decision.Reason),
		slog.Int64("wait_ms", decision.Wait.Milliseconds()),
	)
}

// RetryAfter reads a Retry-After header: seconds or an HTTP date (RFC 9110, 10.2.3). It is 0 when there is none.
func RetryAfter(header http.Header, now time.Time) time.Duration {
	value := header.Get("Retry-After")
	if value == "" {
		return 0
	}
	wait := time.Duration(0)
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil || errors.Is(err, strconv.ErrRange) {
		wait = time.Duration(seconds) * time.Second // of a number out of range, the greatest one
	} else if at, err := http.ParseTime(value); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}
