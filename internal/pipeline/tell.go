package pipeline

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/kesu-go/kesu/internal/telemetry"
	"github.com/kesu-go/kesu/pkg/wire"
)

// tell writes the log line and the metrics of the command.
func (e *execution) tell(ctx context.Context, result wire.Result) {
	took := e.pipeline.Now().Sub(e.started)
	e.pipeline.Log.LogAttrs(ctx, slog.LevelInfo, "settled", append(resultAttrs(result),
		slog.Int64("duration_ms", took.Milliseconds()),
		slog.Int64("upstream_ms", e.report.Upstream.Milliseconds()),
		slog.Bool("cold_start", e.cold))...)
	e.pipeline.Metrics.Settled(telemetry.Settled{
		Action: string(result.Action), Provider: string(result.Provider), Outcome: string(result.Outcome),
		Attempts: e.report.Attempts, Duration: took, Upstream: e.report.Upstream, Unverified: e.report.Forged,
		StaleKey: e.stale, Failovers: e.report.Failovers, Replayed: result.Replayed, Sighted: e.sighted,
		LookFailed:    e.lookFailed,
		Misconfigured: result.Status() == http.StatusBadGateway,
	}, e.pipeline.Now())
}

// resultAttrs are the members of the result, for the log.
func resultAttrs(r wire.Result) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("action", string(r.Action)), slog.String("merchant", r.Merchant),
		slog.String("complaint_id", r.ComplaintID), slog.String("outcome", string(r.Outcome)),
		slog.String("provider", string(r.Provider)), slog.String("code", r.Code), slog.String("message", r.Message),
		slog.Int("http_status", r.HTTPStatus), slog.Bool("verified", r.Verified),
		slog.String("request_id", r.RequestID), slog.String("transaction_id", r.TransactionID),
		slog.Int("attempts", r.Attempts), slog.Bool("replayed", r.Replayed), slog.Time("at", r.At),
	}
	if r.MediaID != "" {
		attrs = append(attrs, slog.String("media_id", r.MediaID))
	}
	if r.Evidence != nil {
		attrs = append(attrs, slog.Any("evidence", r.Evidence))
	}
	if len(r.Errors) > 0 {
		attrs = append(attrs, slog.Any("errors", r.Errors[:min(len(r.Errors), maxLogged)]))
	}
	return attrs
}

// maxLogged bounds the problems of a request that are logged. The answer has them all, and the message says how many;
// a line of the log is paid for by the byte, and whoever sends the request chooses its member names.
const maxLogged = 10
