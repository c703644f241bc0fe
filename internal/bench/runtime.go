package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// startLimit and callLimit end a run in which something hangs.
const (
	startLimit = 10 * time.Second
	callLimit  = 20 * time.Second
)

// lambdaAPI is the least of a Lambda Runtime API that one process needs. It notes when the process asks and answers.
type lambdaAPI struct {
	listener net.Listener
	server   *http.Server
	polled   chan time.Time // each poll
	events   chan []byte
	given    chan time.Time // when an event was handed over
	answered chan answered
	calls    int
}

type answered struct {
	at     time.Time
	body   []byte
	failed bool
}

func newLambdaAPI() (*lambdaAPI, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &lambdaAPI{listener: l, polled: make(chan time.Time, 64), events: make(chan []byte), given: make(chan time.Time, 1), answered: make(chan answered, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", r.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{what}", r.answer)
	r.server = &http.Server{Handler: mux}
	go func() { _ = r.server.Serve(l) }() // ends with close
	return r, nil
}

func (r *lambdaAPI) next(w http.ResponseWriter, request *http.Request) {
	r.polled <- time.Now()
	select {
	case event := <-r.events:
		r.calls++
		h := w.Header()
		h.Set("Lambda-Runtime-Aws-Request-Id", fmt.Sprintf("00000000-0000-4000-8000-%012d", r.calls))
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(callLimit).UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:ap-northeast-1:123456789012:function:bench")
		h.Set("Lambda-Runtime-Trace-Id", "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0")
		h.Set("Content-Length", strconv.Itoa(len(event)))
		r.given <- time.Now()
		_, _ = w.Write(event)
	case <-request.Context().Done():
	}
}

func (r *lambdaAPI) answer(w http.ResponseWriter, request *http.Request) {
	at := time.Now()
	body, _ := io.ReadAll(request.Body)
	w.WriteHeader(http.StatusAccepted)
	r.answered <- answered{at, body, request.PathValue("what") != "response"}
}

// process is one run of a compiled function.
type process struct {
	*lambdaAPI
	cmd     *exec.Cmd
	output  bytes.Buffer
	started time.Time
	ready   time.Time // its first poll
}

// start runs a program until its first poll.
func start(ctx context.Context, path string, env []string) (*process, error) {
	api, err := newLambdaAPI()
	if err != nil {
		return nil, err
	}
	p := &process{lambdaAPI: api, cmd: exec.CommandContext(ctx, path)}
	p.cmd.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + api.listener.Addr().String(), "AWS_LAMBDA_FUNCTION_NAME=bench", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "_HANDLER=bootstrap", "TZ=:UTC", "AWS_REGION=ap-northeast-1",
		"AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench", "AWS_SESSION_TOKEN=bench",
	}, env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	p.started = time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(err, p.server.Close())
	}
	select {
	case p.ready = <-p.polled:
		return p, nil
	case <-time.After(startLimit):
		p.stop()
		return nil, fmt.Errorf("%s did not start: %s", path, p.output.Bytes())
	}
}

// invocation is one that was carried out.
type invocation struct {
	from, to time.Time // from the event's departure to the answer's arrival
	body     []byte
}

func (i invocation) took() time.Duration { return i.to.Sub(i.from) }

// invoke sends one event; the answer must hold want.
func (p *process) invoke(event []byte, want string) (invocation, error) {
	timeout := time.After(callLimit)
	select {
	case p.events <- event:
	case <-timeout:
		return invocation{}, fmt.Errorf("the function does not ask for an event: %s", p.output.Bytes())
	}
	i := invocation{from: <-p.given}
	select {
	case a := <-p.answered:
		i.to, i.body = a.at, a.body
		if a.failed || !bytes.Contains(a.body, []byte(want)) {
			return i, fmt.Errorf("the function answered %s\n%s", a.body, p.output.Bytes())
		}
	case <-timeout:
		return i, fmt.Errorf("the function does not answer: %s", p.output.Bytes())
	}
	select { // what the runtime does after it has answered belongs to no invocation
	case <-p.polled:
	case <-timeout:
		return i, errors.New("the function does not ask for another event")
	}
	return i, nil
}

// stop ends the process and gives the processor time that it used.
func (p *process) stop() time.Duration {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // says that it was killed
	_ = p.server.Close()
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// resident is the process's resident memory in bytes.
func (p *process) resident() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmRSS:" {
			kib, err := strconv.ParseFloat(fields[1], 64)
			return kib * 1024, err
		}
	}
	return 0, errors.New("the kernel does not tell the resident memory")
}
