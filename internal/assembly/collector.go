package assembly

import (
	"context"
	"runtime/debug"
	"sync"

	"github.com/aws/aws-lambda-go/lambda"
)

// whileStarting is the garbage collector's target, in percent, until the first invocation is over. What a cold start
// puts on the heap (the TLS roots, above all) stays, and collecting it as it grows is a fifth of the processor time
// until the first answer. Afterwards the target is what it was, so that the function stays small.
const whileStarting = 200

// easeCollector sets the target and returns what sets it back. A target that was set with GOGC is left alone.
func easeCollector(getenv func(string) string) (restore func()) {
	if getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(whileStarting)
	return sync.OnceFunc(func() { debug.SetGCPercent(before) })
}

// firstThen is a handler that does something after its first invocation.
type firstThen struct {
	lambda.Handler
	then func() // acts once
}

func (h firstThen) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	defer h.then()
	return h.Handler.Invoke(ctx, payload)
}
