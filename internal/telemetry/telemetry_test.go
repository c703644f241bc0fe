package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

func TestEveryLineNamesItsInvocation(t *testing.T) {
	var out bytes.Buffer
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: "c6af9ac6"})
	//lint:ignore SA1029 the key is aws-lambda-go's
	ctx = context.WithValue(ctx, "x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793")
	NewLogger(&out, slog.LevelInfo).With("merchant", "acme").InfoContext(ctx, "settled", "message", "done")

	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{"level": "INFO", "msg": "settled", "message": "done", "merchant": "acme",
		"aws_request_id": "c6af9ac6", "trace_id": "Root=1-5759e988-bd862e3fe1be46a994272793"} {
		if line[name] != want {
			t.Errorf("%s is %v, want %v", name, line[name], want)
		}
	}
	if _, err := time.Parse(time.RFC3339Nano, line["timestamp"].(string)); err != nil {
		t.Errorf("timestamp: %v", err)
	}
}

func TestEveryLineNamesTheEventThatItIsAbout(t *testing.T) {
	for _, tt := range []struct{ name, event, message, want string }{
		{"an event of a queue", "e-1", "m-1", `,"event_id":"e-1","message_id":"m-1"}`},
		{"an event", "e-1", "", `"merchant":"acme","event_id":"e-1"}`},
		{"a record without an event's id", "", "m-1", `"merchant":"acme","message_id":"m-1"}`},
		{"neither", "", "", `"merchant":"acme"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			NewLogger(&out, slog.LevelInfo).InfoContext(WithEvent(t.Context(), tt.event, tt.message), "settled", "merchant", "acme")
			if !bytes.HasSuffix(bytes.TrimSpace(out.Bytes()), []byte(tt.want)) {
				t.Errorf("%s", out.Bytes())
			}
		})
	}
}

func TestLinesOutsideAnInvocationNameNone(t *testing.T) {
	var out bytes.Buffer
	NewLogger(&out, slog.LevelInfo).Info("starting")
	if bytes.Contains(out.Bytes(), []byte("aws_request_id")) {
		t.Errorf("%s", out.Bytes())
	}
}

func TestTheLevelIsKept(t *testing.T) {
	var out bytes.Buffer
	NewLogger(&out, slog.LevelWarn).Info("settled")
	if out.Len() != 0 {
		t.Errorf("%s", out.Bytes())
	}
}

// directivesOf reads a line of metrics, and checks it against the published rules of the embedded metric format: a timestamp
// in milliseconds, every dimension and every metric of each directive present at the top level, dimensions as strings that
// are not empty, metrics as numbers, units that CloudWatch knows.
func directivesOf(t *testing.T, text []byte, at time.Time) (members map[string]any, metricsBySet map[string][]string) {
	t.Helper()
	if bytes.Count(text, []byte("\n")) != 1 || !bytes.HasSuffix(text, []byte("\n")) {
		t.Fatalf("not one line: %q", text)
	}
	var aws struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
	}
	if err := errors.Join(json.Unmarshal(text, &members), json.Unmarshal(text, &aws)); err != nil {
		t.Fatal(err)
	}
	if aws.AWS.Timestamp != at.UnixMilli() {
		t.Errorf("timestamp %d", aws.AWS.Timestamp)
	}
	metricsBySet = map[string][]string{}
	for _, directive := range aws.AWS.CloudWatchMetrics {
		if directive.Namespace != "Kesu" {
			t.Errorf("namespace %q", directive.Namespace)
		}
		for _, set := range directive.Dimensions {
			for _, dimension := range set {
				if value, _ := members[dimension].(string); value == "" {
					t.Errorf("dimension %s is %v", dimension, members[dimension])
				}
			}
			for _, m := range directive.Metrics {
				if _, ok := members[m.Name].(float64); !ok || !slices.Contains([]string{"Count", "Milliseconds", "Seconds", "None"}, m.Unit) {
					t.Errorf("metric %s is %v, in %s", m.Name, members[m.Name], m.Unit)
				}
				metricsBySet[strings.Join(set, " ")] = append(metricsBySet[strings.Join(set, " ")], m.Name)
			}
		}
	}
	for _, metrics := range metricsBySet {
		slices.Sort(metrics)
	}
	return members, metricsBySet
}

func TestMetricsKeepTheEmbeddedMetricFormatsRules(t *testing.T) {
	var out bytes.Buffer
	at := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	m := NewMetrics(&out)
	m.function, m.version = "kesu-ReplyFunction-1", "7"
	m.Settled(Settled{Action: "reply", Provider: "imageco", Outcome: "rejected", Attempts: 2, Duration: 123456 * time.Microsecond,
		Upstream: 100 * time.Millisecond, Unverified: 1, StaleKey: true, Sighted: true, LookFailed: 2, Failovers: 1, Misconfigured: true}, at)
	members, sets := directivesOf(t, out.Bytes(), at)
	for name, want := range map[string]any{"function": "kesu-ReplyFunction-1", "version": "7", "action": "reply", "provider": "imageco", "outcome": "rejected",
		"Settled": 1.0, "Attempts": 2.0, "DurationMs": 123.456, "UpstreamMs": 100.0, "Unverified": 1.0, "StaleSecret": 1.0, "Failover": 1.0,
		"Sighted": 1.0, "LookFailed": 2.0, "Replayed": 0.0, "Retryable": 0.0, "Unknown": 0.0, "Misconfigured": 1.0} {
		if members[name] != want {
			t.Errorf("%s is %v, want %v", name, members[name], want)
		}
	}
	for set, want := range map[string][]string{
		"action provider outcome": {"Attempts", "DurationMs", "Failover", "LookFailed", "Replayed", "Settled", "Sighted", "StaleSecret",
			"Unverified", "UpstreamMs"},
		"function":         {"Misconfigured", "Retryable", "Settled", "StaleSecret", "Unknown", "Unverified"},
		"function version": {"Misconfigured", "Retryable", "Settled", "Unknown"},
	} {
		if !slices.Equal(sets[set], want) {
			t.Errorf("the metrics by %s are %v", set, sets[set])
		}
	}
	if len(sets) != 3 {
		t.Errorf("%d sets of dimensions", len(sets))
	}
}

func TestEachOutcomeIsCountedOnce(t *testing.T) {
	for outcome, want := range map[string][2]float64{"succeeded": {0, 0}, "rejected": {0, 0}, "retryable": {1, 0}, "unknown": {0, 1}} {
		var out bytes.Buffer
		NewMetrics(&out).Settled(Settled{Action: "complete", Provider: "wechatpay", Outcome: outcome}, time.Unix(0, 0))
		members, _ := directivesOf(t, out.Bytes(), time.Unix(0, 0))
		if got := [2]float64{members["Retryable"].(float64), members["Unknown"].(float64)}; got != want {
			t.Errorf("%s counts as retryable and unknown %v", outcome, got)
		}
		if members["function"] != "local" || members["version"] != "$LATEST" {
			t.Errorf("outside Lambda the function is %v, version %v", members["function"], members["version"])
		}
	}
}

func TestAnEventThatCouldNotBePublishedIsCountedForItsFunction(t *testing.T) {
	var out bytes.Buffer
	NewMetrics(&out).Unpublished(time.Unix(1, 0))
	members, sets := directivesOf(t, out.Bytes(), time.Unix(1, 0))
	if len(sets) != 1 || !slices.Equal(sets["function"], []string{"Unpublished"}) || members["Unpublished"] != 1.0 {
		t.Errorf("%v %v", members, sets)
	}
}

func TestTheDaysOfAKeyAreWholeAndCountedByFunctionAlone(t *testing.T) {
	at := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name string
		left time.Duration
		want float64
	}{
		{"a month", 30 * 24 * time.Hour, 30},
		{"a second less than a month", 30*24*time.Hour - time.Second, 29},
		{"the last hour", time.Hour, 0},
		{"over for an hour", -time.Hour, -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			NewMetrics(&out).KeyEnds("acme", "0ABC", at.Add(tt.left), at)
			members, sets := directivesOf(t, out.Bytes(), at)
			if members["KeyDaysLeft"] != tt.want || members["merchant"] != "acme" || members["key_id"] != "0ABC" {
				t.Errorf("%v", members)
			}
			if len(sets) != 1 || !slices.Equal(sets["function"], []string{"KeyDaysLeft"}) {
				t.Errorf("%v", sets)
			}
		})
	}
}

func TestTheWatchersMetricsKeepTheFormatsRules(t *testing.T) {
	at := time.Unix(1, 0)
	for by, write := range map[string]func(m *Metrics){
		"function detail_type: Published": func(m *Metrics) { m.Published("ComplaintReceived", at) },
		"function reason: Refused":        func(m *Metrics) { m.Refused("signature", 7, at) },
		"function: SweepAge":              func(m *Metrics) { m.SweepAge("acme", time.Minute, at) },
	} {
		var out bytes.Buffer
		write(NewMetrics(&out))
		_, sets := directivesOf(t, out.Bytes(), at)
		set, name, _ := strings.Cut(by, ": ")
		if len(sets) != 1 || !slices.Equal(sets[set], []string{name}) {
			t.Errorf("%s: %v", by, sets)
		}
	}
}
