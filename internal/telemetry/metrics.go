package telemetry

import (
	"cmp"
	"encoding/json"
	"io"
	"math"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// Metrics writes CloudWatch embedded metric format:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html.
type Metrics struct {
	mu                sync.Mutex
	w                 io.Writer
	function, version string
}

// NewMetrics makes metrics that go to w, a line each. They name the function and its version as Lambda does in
// AWS_LAMBDA_FUNCTION_NAME and AWS_LAMBDA_FUNCTION_VERSION; outside Lambda these are "local" and "$LATEST".
func NewMetrics(w io.Writer) *Metrics {
	return &Metrics{
		w:        w,
		function: cmp.Or(lambdacontext.FunctionName, "local"),
		version:  cmp.Or(lambdacontext.FunctionVersion, "$LATEST"),
	}
}

// Settled is what is counted of one command.
type Settled struct {
	Action, Provider, Outcome string // the dimensions

	Attempts   int
	Duration   time.Duration // from the event to the result
	Upstream   time.Duration // of which in calls to the gateway
	Unverified int           // answers whose signature was wrong
	StaleKey   bool          // an old key served because Secrets Manager could not be asked
	Failovers  int           // attempts on another host than the primary
	Replayed   bool          // answered from the ledger
	Sighted    bool          // the complaint's history showed a reply that nobody knew of
	LookFailed int           // looks into a history that told nothing

	Misconfigured bool // rejected for our identity or set-up, which HTTP answers with 502
}

type metric struct {
	Name string
	Unit string
}

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []metric
}

const namespace = "Kesu"

// settledDirectives name the members of a command's line that are metrics. They are the same on every line.
//
// The first is for looking: what became of the commands of each gateway. The others are for alarms, which cannot name a
// dimension that they do not know: one function of one stack, and one version of it, which a deployment is judged by.
// Each combination of values is a metric that is paid for, so only what an alarm watches stands there.
var settledDirectives = []directive{
	{namespace, [][]string{{"action", "provider", "outcome"}}, []metric{
		{"Settled", "Count"}, {"Attempts", "Count"}, {"DurationMs", "Milliseconds"}, {"UpstreamMs", "Milliseconds"},
		{"Unverified", "Count"}, {"StaleSecret", "Count"}, {"Failover", "Count"}, {"Replayed", "Count"},
		{"Sighted", "Count"}, {"LookFailed", "Count"},
	}},
	{namespace, [][]string{{"function"}, {"function", "version"}}, []metric{
		{"Settled", "Count"}, {"Retryable", "Count"}, {"Unknown", "Count"}, {"Misconfigured", "Count"},
	}},
	{namespace, [][]string{{"function"}}, []metric{{"Unverified", "Count"}, {"StaleSecret", "Count"}}},
}

var unpublishedDirectives = []directive{{namespace, [][]string{{"function"}}, []metric{{"Unpublished", "Count"}}}}

// header is what makes a line one of metrics.
type header struct {
	AWS struct {
		Timestamp         int64
		CloudWatchMetrics []directive
	} `json:"_aws"`
	Function string `json:"function"`
}

// line is the line of one command.
type line struct {
	header
	Version  string `json:"version"`
	Action   string `json:"action"`
	Provider string `json:"provider"`
	Outcome  string `json:"outcome"`

	Settled, Attempts                           int
	DurationMs, UpstreamMs                      float64
	Unverified, StaleSecret, Failover, Replayed int
	Sighted, LookFailed                         int
	Retryable, Unknown, Misconfigured           int
}

// Settled writes the line of one command.
func (m *Metrics) Settled(s Settled, at time.Time) {
	m.write(line{
		header: m.header(settledDirectives, at), Version: m.version,
		Action: s.Action, Provider: s.Provider, Outcome: s.Outcome, Settled: 1, Attempts: s.Attempts,
		DurationMs: milliseconds(s.Duration), UpstreamMs: milliseconds(s.Upstream), Unverified: s.Unverified,
		StaleSecret: count(s.StaleKey), Failover: s.Failovers, Replayed: count(s.Replayed),
		Sighted: count(s.Sighted), LookFailed: s.LookFailed,
		Retryable: count(s.Outcome == "retryable"), Unknown: count(s.Outcome == "unknown"),
		Misconfigured: count(s.Misconfigured),
	})
}

// Unpublished counts a settled event that could not be put on the bus.
func (m *Metrics) Unpublished(at time.Time) {
	m.write(struct {
		header
		Unpublished int
	}{m.header(unpublishedDirectives, at), 1})
}

// The directives of functions/watch. Its alarms name the function; what was published and why something was refused is
// for looking.
var (
	publishedDirectives = []directive{
		{namespace, [][]string{{"function", "detail_type"}}, []metric{{"Published", "Count"}}},
	}
	refusedDirectives = []directive{{namespace, [][]string{{"function", "reason"}}, []metric{{"Refused", "Count"}}}}
	sweepDirectives   = []directive{{namespace, [][]string{{"function"}}, []metric{{"SweepAge", "Seconds"}}}}
)

// Published counts an event of a complaint that was put on the bus.
func (m *Metrics) Published(detailType string, at time.Time) {
	m.write(struct {
		header
		DetailType string `json:"detail_type"`
		Published  int
	}{m.header(publishedDirectives, at), detailType, 1})
}

// Refused counts notifications that were refused for a reason. The line is the log's line about them as well, because
// strangers decide how many there are.
func (m *Metrics) Refused(reason string, n int, at time.Time) {
	m.write(struct {
		header
		Timestamp time.Time `json:"timestamp"`
		Level     string    `json:"level"`
		Msg       string    `json:"msg"`
		Reason    string    `json:"reason"`
		Refused   int
	}{m.header(refusedDirectives, at), at.UTC(), "WARN", "notifications refused", reason, n})
}

// SweepAge tells how long ago a merchant's last whole sweep ended.
func (m *Metrics) SweepAge(merchant string, age time.Duration, at time.Time) {
	m.write(struct {
		header
		Merchant string `json:"merchant"` // not a dimension: each value would be a metric that is paid for
		SweepAge int64
	}{m.header(sweepDirectives, at), merchant, int64(age / time.Second)})
}

var keyDirectives = []directive{{namespace, [][]string{{"function"}}, []metric{{"KeyDaysLeft", "None"}}}}

// KeyEnds tells in how many whole days a merchant's last certificate of WeChat Pay ends; negative when it has ended.
func (m *Metrics) KeyEnds(merchant, keyID string, end, at time.Time) {
	m.write(struct {
		header
		Merchant    string `json:"merchant"` // not a dimension, as in SweepAge
		KeyID       string `json:"key_id"`   // of a certificate, which is public
		KeyDaysLeft int
	}{m.header(keyDirectives, at), merchant, keyID, int(math.Floor(end.Sub(at).Hours() / 24))})
}

func (m *Metrics) header(directives []directive, at time.Time) header {
	h := header{Function: m.function}
	h.AWS.Timestamp, h.AWS.CloudWatchMetrics = at.UnixMilli(), directives
	return h
}

func (m *Metrics) write(l any) {
	line, err := json.Marshal(l)
	if err != nil { // strings and numbers always marshal
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	_, _ = m.w.Write(append(line, '\n')) // there is nowhere to report a failing standard output to
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}
