package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// payloadLimit is Lambda's limit on a synchronous invocation's payload and response, in bytes.
const payloadLimit = 6 << 20

// job is one invocation on its way through a runtime.
type job struct {
	id, trace, arn string
	payload        []byte
	timeout, grace time.Duration

	taken   func()        // called when the process takes it; may be nil
	settled chan struct{} // closed once result is there
	result  Invocation
	timer   *time.Timer // ends the process when the time is up
	late    bool        // the time was up
	lost    bool        // the process ended without an answer
}

// runtimeAPI is the Lambda Runtime API (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html) for one process on a
// port of its own, so that a process that was ended cannot answer in its successor's name.
type runtimeAPI struct {
	address  string
	server   *http.Server
	finished chan struct{} // closed when the server has ended
	next     chan *job     // handed to whichever poll comes first
	ready    chan struct{} // closed at the first poll
	kill     func()        // ends the process

	mu      sync.Mutex
	polled  bool
	ended   bool
	flying  map[string]*job
	initErr *functionError
}

// functionError is how a runtime reports that a function failed.
type functionError struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func newRuntimeAPI() (*runtimeAPI, error) {
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &runtimeAPI{address: l.Addr().String(), finished: make(chan struct{}), next: make(chan *job), ready: make(chan struct{}), flying: map[string]*job{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", a.serveNext)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", a.serveResponse)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", a.serveError)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", a.serveInitError)
	a.server = newServer(mux)
	a.server.IdleTimeout = 0 // the function keeps its connection for as long as it lives
	go a.serve(l)
	return a, nil
}

func (a *runtimeAPI) serve(l net.Listener) {
	defer close(a.finished)
	_ = a.server.Serve(l) // always ends with ErrServerClosed, by close
}

func (a *runtimeAPI) close() {
	_ = a.server.Close()
	<-a.finished
}

// serveNext holds a poll until there is an invocation for it. A function may have several polls open at once.
func (a *runtimeAPI) serveNext(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	if !a.polled {
		a.polled = true
		close(a.ready)
	}
	a.mu.Unlock()
	var j *job
	select {
	case j = <-a.next:
	case <-r.Context().Done():
		return
	}
	if j.taken != nil {
		j.taken()
	}
	if !a.take(j) {
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Lambda-Runtime-Aws-Request-Id", j.id)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(j.timeout).UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", j.arn)
	h.Set("Lambda-Runtime-Trace-Id", j.trace)
	_, _ = w.Write(j.payload)
}

// take notes that an invocation has begun, and starts its clock. It says false when the process has ended meanwhile.
func (a *runtimeAPI) take(j *job) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended {
		j.lose()
		return false
	}
	a.flying[j.id] = j
	j.timer = time.AfterFunc(j.timeout+j.grace, func() {
		a.mu.Lock()
		j.late = a.flying[j.id] == j
		late := j.late
		a.mu.Unlock()
		if late {
			a.kill()
		}
	})
	return true
}

// land settles an invocation with what the function said; false when there is no such invocation under way.
func (a *runtimeAPI) land(id string, result Invocation) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	j := a.flying[id]
	if j == nil || j.late {
		return false
	}
	delete(a.flying, id)
	j.timer.Stop()
	j.settle(result)
	return true
}

// end settles every invocation that the process left behind. It is called when the process is gone.
func (a *runtimeAPI) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
	for id, j := range a.flying {
		delete(a.flying, id)
		j.timer.Stop()
		j.lose()
	}
}

// lose settles an invocation whose process is gone.
func (j *job) lose() {
	j.lost = true
	if j.late {
		j.settle(Invocation{ErrorType: "Sandbox.Timedout",
			ErrorMessage: fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", j.id, j.timeout.Seconds())})
		return
	}
	j.settle(Invocation{ErrorType: "Runtime.ExitError"})
}

func (j *job) settle(result Invocation) {
	result.RequestID = j.id
	j.result = result
	close(j.settled)
}

func (a *runtimeAPI) serveResponse(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(w, r, payloadLimit)
	result := Invocation{Payload: body}
	if err != nil {
		result = Invocation{ErrorType: "Function.ResponseSizeTooLarge", ErrorMessage: "Response payload size exceeded maximum allowed payload size (6291556 bytes)."}
	}
	if kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" { // the runtime failed while it was answering
		e := functionError{Type: kind}
		if text, err := base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body")); err == nil {
			_ = json.Unmarshal(text, &e)
		}
		result = Invocation{ErrorType: e.Type, ErrorMessage: e.Message}
	}
	a.acknowledge(w, a.land(r.PathValue("id"), result))
}

func (a *runtimeAPI) serveError(w http.ResponseWriter, r *http.Request) {
	body, e, ok := readFunctionError(w, r)
	if !ok {
		return
	}
	a.acknowledge(w, a.land(r.PathValue("id"), Invocation{Payload: body, ErrorType: e.Type, ErrorMessage: e.Message}))
}

func (a *runtimeAPI) serveInitError(w http.ResponseWriter, r *http.Request) {
	_, e, ok := readFunctionError(w, r)
	if !ok {
		return
	}
	a.mu.Lock()
	a.initErr = &e
	a.mu.Unlock()
	a.acknowledge(w, true)
}

func readFunctionError(w http.ResponseWriter, r *http.Request) ([]byte, functionError, bool) {
	var e functionError
	body, err := readBody(w, r, payloadLimit)
	if err == nil {
		err = json.Unmarshal(body, &e)
	}
	if err != nil {
		writeJSON(w, http.StatusBadRequest, functionError{"InvalidErrorShape", "the error is not a JSON object"})
		return nil, e, false
	}
	if e.Type == "" {
		e.Type = strings.TrimSpace(r.Header.Get("Lambda-Runtime-Function-Error-Type"))
	}
	return body, e, true
}

func (a *runtimeAPI) acknowledge(w http.ResponseWriter, known bool) {
	if !known {
		writeJSON(w, http.StatusBadRequest, functionError{"InvalidRequestID", "there is no such invocation under way"})
		return
	}
	writeJSON(w, http.StatusAccepted, map[string]string{"status": "OK"})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "the answer cannot be encoded", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}
