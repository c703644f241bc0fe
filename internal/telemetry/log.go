// Package telemetry is what is seen of the functions from outside: JSON log lines and CloudWatch metrics in the
// embedded metric format, both on standard output (contract, section 9).
package telemetry

import (
	"context"
	"io"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// NewLogger makes the log: one JSON object a line, with the invocation's aws_request_id and trace_id, and with the
// event_id and message_id of the event that the line is about.
//
// lambdacontext has a handler of its own; it renames msg to message, which is a member of our results, and takes its
// format and level from the environment by itself, so only its idea is taken. Lambda's log filter looks for timestamp
// and level.
func NewLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(handler{slog.NewJSONHandler(w, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				a.Key = "timestamp"
			}
			return a
		},
	})})
}

type handler struct{ slog.Handler }

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		r.AddAttrs(slog.String("aws_request_id", lc.AwsRequestID))
		r.AddAttrs(slog.String("trace_id", traceID(ctx)))
	}
	if ids, ok := ctx.Value(eventKey{}).(eventIDs); ok {
		for _, id := range []struct{ name, value string }{{"event_id", ids.event}, {"message_id", ids.message}} {
			if id.value != "" {
				r.AddAttrs(slog.String(id.name, id.value))
			}
		}
	}
	return h.Handler.Handle(ctx, r)
}

type eventKey struct{}

type eventIDs struct{ event, message string }

// WithEvent gives the context in which everything that is logged names the event, and the queue's message that brought
// it; an empty id is left out.
func WithEvent(ctx context.Context, eventID, messageID string) context.Context {
	if eventID == "" && messageID == "" {
		return ctx
	}
	return context.WithValue(ctx, eventKey{}, eventIDs{eventID, messageID})
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs)}
}

func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }

// traceID is where aws-lambda-go keeps an invocation's X-Ray header; with several invocations at once the environment
// variable is not set.
func traceID(ctx context.Context) string {
	id, _ := ctx.Value("x-amzn-trace-id").(string)
	return id
}
