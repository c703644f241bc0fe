package telemetry

import (
	"encoding/json"
	"io"
	"sync"
	"time"
)

// Metrics writes CloudWatch embedded metric format:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html.
type Metrics struct {
	mu sync.Mutex
	w  io.Writer
}

// NewMetrics makes metrics that go to w, a line each.
func NewMetrics(w io.Writer) *Metrics { return &Metrics{w: w} }

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
}

type metric struct {
	Name string
	Unit string
}

// directive names the members of a line that are metrics. It is the same on every line.
var directive = []any{struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []metric
}{
	"Kesu",
	[][]string{{"action", "provider", "outcome"}},
	[]metric{
		{"Settled", "Count"}, {"Attempts", "Count"}, {"DurationMs", "Milliseconds"}, {"UpstreamMs", "Milliseconds"},
		{"Unverified", "Count"}, {"StaleSecret", "Count"}, {"Failover", "Count"}, {"Replayed", "Count"},
	},
}}

// line is one line in the embedded metric format.
type line struct {
	AWS struct {
		Timestamp         int64
		CloudWatchMetrics []any
	} `json:"_aws"`
	Action   string `json:"action"`
	Provider string `json:"provider"`
	Outcome  string `json:"outcome"`

	Settled, Attempts                           int
	DurationMs, UpstreamMs                      float64
	Unverified, StaleSecret, Failover, Replayed int
}

// Settled writes the line of one command.
func (m *Metrics) Settled(s Settled, at time.Time) {
	l := line{
		Action: s.Action, Provider: s.Provider, Outcome: s.Outcome, Settled: 1, Attempts: s.Attempts,
		DurationMs: milliseconds(s.Duration), UpstreamMs: milliseconds(s.Upstream), Unverified: s.Unverified,
		StaleSecret: count(s.StaleKey), Failover: s.Failovers, Replayed: count(s.Replayed),
	}
	l.AWS.Timestamp, l.AWS.CloudWatchMetrics = at.UnixMilli(), directive
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
