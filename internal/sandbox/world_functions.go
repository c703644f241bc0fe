package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/kesu-go/kesu/api"
)

// Programs are the compiled functions.
type Programs struct {
	Reply, Complete string        // paths
	Watch           string        // path; "" leaves the third function out
	Rules           []BusRule     // of the bus; nil are the two that lead requests to the functions
	Env             []string      // added to the world's environment
	Timeout         time.Duration // of each invocation; 0 is 29 s, API Gateway's limit
	Pause           time.Duration // before a failed event is delivered again; 0 is a quarter of a second
	Concurrency     int           // invocations at once in one process; 0 is 1
}

// StartFunctions starts the functions, waits until they are ready, and lets the bus's rules hand events to them.
func (w *World) StartFunctions(ctx context.Context, p Programs) error {
	if p.Timeout == 0 {
		p.Timeout = gatewayLimit
	}
	if p.Pause == 0 {
		p.Pause = 250 * time.Millisecond
	}
	w.limit = p.Timeout
	w.Reply, w.Complete = w.function("kesu-reply", p.Reply, p), w.function("kesu-complete", p.Complete, p)
	for _, f := range []*Function{w.Reply, w.Complete} {
		if err := f.Start(ctx); err != nil {
			return fmt.Errorf("start %s: %w", f.config.Name, err)
		}
	}
	w.ReplyDelivery = &Delivery{Function: w.Reply, Timeout: p.Timeout, Pause: p.Pause}
	w.CompletionDelivery = &Delivery{Function: w.Complete, Timeout: p.Timeout, Pause: p.Pause}
	w.Queues.Consume(ReplyQueue, Consumer{Function: w.Reply, Timeout: p.Timeout, Pause: p.Pause, Receives: receivesMost})
	w.Queues.Consume(completeQueue, Consumer{Function: w.Complete, Timeout: p.Timeout, Pause: p.Pause, Receives: receivesMost})
	w.Queues.Shelve(AttentionQueue)
	if p.Watch != "" {
		if err := w.startWatch(ctx, p); err != nil {
			return err
		}
	}
	if p.Rules == nil {
		w.Bus.AddRule(Rule{DetailType: "ComplaintReplyRequested", Target: w.ReplyDelivery.Deliver})
		w.Bus.AddRule(Rule{DetailType: "ComplaintCompletionRequested", Target: w.CompletionDelivery.Deliver})
	}
	w.AddRules(p.Rules...)
	return nil
}

func (w *World) function(name, path string, p Programs) *Function {
	f := NewFunction(FunctionConfig{Name: name, Path: path, Env: w.Env(p.Env...), Output: wholeLines(w.output), Concurrency: p.Concurrency, Watcher: w.watcher})
	w.closers = append(w.closers, f)
	return f
}

// Serve serves the API Gateway and the events endpoint on a listener that [Listen] made, and returns the URL. The gateway
// holds itself to api/openapi.yaml, which it also serves. The functions must have been started. The listener is closed
// with the world, and at once when there is an error.
func (w *World) Serve(l net.Listener) (string, error) {
	if w.Reply == nil || w.Complete == nil {
		return "", errors.Join(errors.New("serve: the functions are not started"), l.Close())
	}
	gateway, err := api.Enforce(&APIGateway{Reply: w.Reply, Complete: w.Complete, Timeout: w.ReplyDelivery.Timeout})
	if err != nil {
		return "", errors.Join(err, l.Close())
	}
	server := &listening{server: newServer(localOnly(w.front(eventsEndpoint{w.Bus}, gateway))), finished: make(chan struct{})}
	w.closers = append(w.closers, server)
	go func() {
		defer close(server.finished)
		_ = server.server.Serve(l) // always ends with ErrServerClosed, by Close
	}()
	return "http://" + l.Addr().String(), nil
}

// front tells the events endpoint from the API. http.ServeMux would clean paths and redirect, which API Gateway does not do.
func (w *World) front(events, gateway http.Handler) http.Handler {
	notifications := &NotificationAPI{Watch: w.Watch, Timeout: w.limit}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		switch mounted := w.mounted("/" + first); {
		case r.URL.Path == "/events":
			events.ServeHTTP(rw, r)
		case mounted != nil:
			mounted.ServeHTTP(rw, r)
		case w.Watch != nil && strings.HasSuffix(r.URL.Path, "/notifications"):
			notifications.ServeHTTP(rw, r)
		default:
			gateway.ServeHTTP(rw, r)
		}
	})
}

// Mount serves h at a path of one segment, "/console", and at everything below it, beside the API. Host and
// Origin have been checked when h is asked.
func (w *World) Mount(path string, h http.Handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mounts == nil {
		w.mounts = map[string]http.Handler{}
	}
	w.mounts[path] = h
}

func (w *World) mounted(path string) http.Handler {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mounts[path]
}

// listening is a server with the goroutine that serves it.
type listening struct {
	server   *http.Server
	finished chan struct{}
}

func (s *listening) Close() error {
	err := s.server.Close()
	<-s.finished
	return err
}
