// Package smoke asks a deployed stack whether it does what its parameters say (kesu smoke).
//
// It asks for merchants that do not exist, whose names begin with [Prefix], so that no consumer can ever read anything of
// it: without a merchant's secret there is no gateway to call. What the function answers then, UNKNOWN_MERCHANT, comes from
// the end of a chain that only a sound deployment has: the API let the caller in and reached the live alias, the function
// started, its role may read secrets, and Secrets Manager said that there is none. No merchant may have such a name.
//
// With Watch on it also sends a notification that nobody signed, which the third function must refuse.
//
// It changes nothing in the account. It needs these permissions: cloudformation:DescribeStacks on the stack,
// lambda:GetFunctionConfiguration on the functions, execute-api:Invoke on POST/merchants/kesu-smoke-*, events:PutEvents on
// the bus, sqs:ReceiveMessage and sqs:DeleteMessage on the stack's smoke queue, and with a caller's role sts:AssumeRole on
// it.
package smoke

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"github.com/kesu-go/kesu/pkg/redact"
)

// Prefix begins the names of the merchants that are asked for. template.yaml keeps what is settled for them away from the
// attention queue and sends it to the smoke queue.
const Prefix = "kesu-smoke-"

// Options say which stack is asked, and as whom.
type Options struct {
	Stack string
	AWS   aws.Config    // region and credentials of who asks
	HTTP  *http.Client  // for the API; it must not follow redirects
	Wait  time.Duration // how long to wait for what is settled
	Call  time.Duration // how long to wait for one answer of AWS's; 0: 20 s
	Now   func() time.Time

	// Token is sent as Authorization in place of a signature, for an API with a user pool.
	Token string
	// CallerRole is the ARN of a role that may call for at least one merchant. It is assumed with a session policy that
	// allows Merchant alone, to see whether another merchant is refused. Empty leaves that out.
	CallerRole string
	// Merchant is a merchant that CallerRole may call for; empty is one that does not exist. A real one is sent a body
	// that the API or the function must refuse.
	Merchant string
}

// The words for what a check found.
const (
	OK      = "ok"
	Failed  = "failed"
	LeftOut = "left out"
)

// Check is one thing that was looked at.
type Check struct {
	Check   string `json:"check"`
	Status  string `json:"status"` // ok, failed or left out
	Message string `json:"message"`
	Advice  string `json:"advice,omitempty"` // what to do, when it failed or was left out
}

// Report is what was found, in order.
type Report struct {
	Stack  string  `json:"stack"`
	Checks []Check `json:"checks"`
}

// OK reports whether no check failed.
func (r Report) OK() bool {
	for _, c := range r.Checks {
		if c.Status == Failed {
			return false
		}
	}
	return len(r.Checks) > 0
}

// run is one look at a stack.
type run struct {
	Options
	name                string // of the merchant that does not exist
	parameters, outputs map[string]string
	report              Report
}

func (r *run) ok(check, format string, args ...any) {
	r.report.Checks = append(r.report.Checks, Check{check, OK, fmt.Sprintf(format, args...), ""})
}

func (r *run) fail(check, advice, format string, args ...any) {
	r.report.Checks = append(r.report.Checks, Check{check, Failed, fmt.Sprintf(format, args...), advice})
}

// callLimit bounds a call to AWS.
func (o Options) callLimit() time.Duration { return cmp.Or(o.Call, 20*time.Second) }

// actions are the two functions: the API's paths, the stack's outputs with their names, the events.
var actions = []struct{ name, function, requested, settled, detail, body string }{
	{"reply", "ReplyFunctionName", "ComplaintReplyRequested", "ComplaintReplySettled", `,"response_content":"kesu smoke"`, `{"response_content":"kesu smoke"}`},
	{"complete", "CompleteFunctionName", "ComplaintCompletionRequested", "ComplaintCompletionSettled", "", "{}"},
}

// ErrStack: the stack itself cannot be looked at, so nothing was.
var ErrStack = errors.New("the stack cannot be looked at")

// Run asks everything, one after the other, and reports what it found. An error says that there was nothing to ask.
func Run(ctx context.Context, o Options) (Report, error) {
	r := &run{Options: o, name: Prefix + strings.ToLower(rand.Text()), report: Report{Stack: o.Stack}}
	if err := r.describe(ctx); err != nil {
		return r.report, fmt.Errorf("%w: %w", ErrStack, err)
	}
	r.live(ctx)
	sent := r.probe(ctx) // answered while the API is asked
	r.strangers(ctx)
	r.notifications(ctx)
	r.caller(ctx)
	r.otherMerchant(ctx)
	r.settled(ctx, sent)
	if ctx.Err() != nil {
		return r.report, ctx.Err()
	}
	return r.report, nil
}

// describe reads the stack's parameters and outputs.
func (r *run) describe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.callLimit())
	defer cancel()
	out, err := cloudformation.NewFromConfig(r.AWS).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(r.Stack)})
	if err != nil {
		return err
	}
	if len(out.Stacks) != 1 {
		return errors.New("there is no such stack")
	}
	r.parameters, r.outputs = map[string]string{}, map[string]string{}
	for _, p := range out.Stacks[0].Parameters {
		r.parameters[aws.ToString(p.ParameterKey)] = aws.ToString(p.ParameterValue)
	}
	for _, o := range out.Stacks[0].Outputs {
		r.outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	switch status := string(out.Stacks[0].StackStatus); status {
	case "CREATE_COMPLETE", "UPDATE_COMPLETE":
		r.ok("stack", "%s", status)
	case "UPDATE_ROLLBACK_COMPLETE":
		r.fail("stack", "look at the stack's events: the last deployment was taken back", "%s", status)
	default:
		r.fail("stack", "wait until the stack is UPDATE_COMPLETE, or look at its events", "%s", status)
	}
	return nil
}

// problem words an error without AWS's own words, which name accounts and roles: the log of a CI is read by many.
func problem(err error) string {
	var coded interface{ ErrorCode() string }
	switch {
	case errors.As(err, &coded):
		return redact.AWSCode(coded.ErrorCode())
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	}
	return "no answer (network, region or credentials)"
}
