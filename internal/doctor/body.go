package doctor

import (
	"context"
	"io"
)

// ReadBody reads an answer's body, at most so many bytes of it, and closes it. It ends with ctx, whatever the body is:
// after 101 (Switching Protocols) net/http gives out a connection, whose reading the request's context does not end.
func ReadBody(ctx context.Context, body io.ReadCloser, limit int64) ([]byte, error) {
	stop := context.AfterFunc(ctx, func() { _ = body.Close() })
	defer func() {
		stop()
		_ = body.Close()
	}()
	return io.ReadAll(io.LimitReader(body, limit))
}
