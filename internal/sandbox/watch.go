package sandbox

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// Watcher is told of every invocation of a [Function]. Both methods must return at once, and bear being called by several
// goroutines. The function's own log lines about an invocation may come before Began and after Ended.
type Watcher interface {
	Began(function, requestID string, payload []byte, at time.Time)
	Ended(requestID string, result Invocation, at time.Time)
}

// announce lets the watcher be told of an invocation as soon as a process takes it, and before it can do anything.
func (f *Function) announce(j *job) {
	if watcher := f.config.Watcher; watcher != nil {
		j.taken = func() { watcher.Began(f.config.Name, j.id, j.payload, time.Now()) }
	}
}

// conclude tells the watcher how an invocation ended. An error is the caller's, who did not wait for the end.
func (f *Function) conclude(j *job, result Invocation, err error) {
	watcher := f.config.Watcher
	if watcher == nil {
		return
	}
	if err != nil {
		result = Invocation{RequestID: j.id, ErrorType: "Sandbox.NotAwaited", ErrorMessage: err.Error()}
	}
	watcher.Ended(j.id, result, time.Now())
}

// lineLimit bounds what is kept of a line until its end comes; a longer one is passed on in pieces.
const lineLimit = 64 << 10

// lines passes whole lines on, so that two processes that write to one place do not write into each other's lines.
type lines struct {
	to io.Writer

	mu   sync.Mutex
	rest []byte
}

// wholeLines is nil for a nil writer.
func wholeLines(to io.Writer) io.Writer {
	if to == nil {
		return nil
	}
	return &lines{to: to}
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	end := bytes.LastIndexByte(l.rest, '\n') + 1
	if len(l.rest)-end > lineLimit {
		end = len(l.rest)
	}
	if end == 0 {
		return len(p), nil
	}
	_, err := l.to.Write(l.rest[:end])
	l.rest = append(l.rest[:0:0], l.rest[end:]...)
	return len(p), err
}
