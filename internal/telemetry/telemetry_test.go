package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
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

// The published rules of the embedded metric format: a timestamp in milliseconds, every dimension and every metric of
// the directive present at the top level, dimensions as strings, metrics as numbers, units that CloudWatch knows.
func TestMetricsKeepTheEmbeddedMetricFormatsRules(t *testing.T) {
	var out bytes.Buffer
	at := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	NewMetrics(&out).Settled(Settled{Action: "reply", Provider: "imageco", Outcome: "succeeded", Attempts: 2,
		Duration: 123456 * time.Microsecond, Upstream: 100 * time.Millisecond, Unverified: 1, StaleKey: true, Failovers: 1}, at)

	if bytes.Count(out.Bytes(), []byte("\n")) != 1 || !bytes.HasSuffix(out.Bytes(), []byte("\n")) {
		t.Fatalf("not one line: %q", out.Bytes())
	}
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	var aws struct {
		Timestamp         int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name, Unit string }
		}
	}
	text, _ := json.Marshal(line["_aws"])
	if err := json.Unmarshal(text, &aws); err != nil {
		t.Fatal(err)
	}
	if aws.Timestamp != at.UnixMilli() || len(aws.CloudWatchMetrics) != 1 || aws.CloudWatchMetrics[0].Namespace != "Kesu" {
		t.Errorf("%s", text)
	}
	directive := aws.CloudWatchMetrics[0]
	if len(directive.Dimensions) != 1 || !slices.Equal(directive.Dimensions[0], []string{"action", "provider", "outcome"}) {
		t.Errorf("dimensions %v", directive.Dimensions)
	}
	for _, dimension := range directive.Dimensions[0] {
		if _, ok := line[dimension].(string); !ok {
			t.Errorf("dimension %s is %v", dimension, line[dimension])
		}
	}
	want := map[string]float64{"Settled": 1, "Attempts": 2, "DurationMs": 123.456, "UpstreamMs": 100,
		"Unverified": 1, "StaleSecret": 1, "Failover": 1, "Replayed": 0}
	if len(directive.Metrics) != len(want) {
		t.Errorf("%d metrics, want %d", len(directive.Metrics), len(want))
	}
	for _, m := range directive.Metrics {
		if line[m.Name] != want[m.Name] {
			t.Errorf("%s is %v, want %v", m.Name, line[m.Name], want[m.Name])
		}
		if m.Unit != "Count" && m.Unit != "Milliseconds" {
			t.Errorf("unit %s", m.Unit)
		}
	}
}
