package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"
)

// initLimit is how long Lambda gives a function from its start to its first poll.
const initLimit = 10 * time.Second

// drainLimit is how long the output of a process that has ended is still read.
const drainLimit = time.Second

// ErrClosed is given by a [Function] that was closed.
var ErrClosed = errors.New("the function is closed")

// FunctionConfig says which program to run and how.
type FunctionConfig struct {
	Name string   // the function's name, as in AWS_LAMBDA_FUNCTION_NAME
	Path string   // the compiled program
	Args []string // none for a real function
	// Env is the whole environment, "NAME=value", besides what Lambda itself sets. Nothing of the parent's gets in.
	Env []string
	// Output receives what the process writes to standard output and standard error; nil throws it away. It must bear
	// being written to while others write to it, when several functions share one.
	Output io.Writer
	// Grace is how much longer than its time an invocation may take before the process is ended. Lambda gives none; a test
	// on a busy machine, whose clock goes on while nobody runs, needs some.
	Grace time.Duration
	// Concurrency is how many invocations one process may have at once; 0 is 1.
	Concurrency int
	Watcher     Watcher // told of every invocation; may be nil
}

// Invocation is what became of one invocation.
type Invocation struct {
	RequestID string
	Payload   []byte // the response, or the error object that the function reported

	// ErrorType is empty for a success, otherwise the function's own errorType, or Lambda's: Sandbox.Timedout,
	// Runtime.ExitError, or Function.ResponseSizeTooLarge.
	ErrorType, ErrorMessage string
}

// Failed tells whether the invocation failed, as Lambda's X-Amz-Function-Error does.
func (i Invocation) Failed() bool { return i.ErrorType != "" }

// Function runs one compiled function as a child process, as Lambda does: started at its first invocation, kept for the
// next ones, ended when an invocation takes too long, started again when it is gone. It may be used by several
// goroutines at once; invocations beyond Concurrency wait for their turn.
type Function struct {
	config FunctionConfig

	mu      sync.Mutex
	closed  bool
	process *process
}

// process is one run of the program.
type process struct {
	api  *runtimeAPI
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended and its invocations are settled
	err  error         // how it ended; set before done is closed
}

// NewFunction prepares a function; nothing is started yet.
func NewFunction(c FunctionConfig) *Function { return &Function{config: c} }

// Start starts the process if there is none, and waits until it asks for its first invocation. The error says how the
// initialisation failed.
func (f *Function) Start(ctx context.Context) error {
	p, err := f.current()
	if err != nil {
		return err
	}
	return p.awaitReady(ctx)
}

// Invoke runs one invocation and waits for its end, for at most timeout after the process has taken it. A process that
// does not get ready is an invocation that failed. The error is for one that the caller did not wait for (once taken, it
// goes on then) and for a program that cannot be started at all.
func (f *Function) Invoke(ctx context.Context, payload []byte, timeout time.Duration) (Invocation, error) {
	for {
		p, err := f.current()
		if err != nil {
			return Invocation{}, err
		}
		var failed *InitError
		switch err := p.awaitReady(ctx); {
		case errors.As(err, &failed):
			return Invocation{ErrorType: failed.Type, ErrorMessage: failed.Message}, nil
		case err != nil:
			return Invocation{}, err
		}
		j := &job{id: newUUID(), trace: newTraceID(), arn: f.arn(), payload: payload, timeout: timeout, grace: f.config.Grace, settled: make(chan struct{})}
		f.announce(j)
		select {
		case p.api.next <- j:
			result, err := p.await(ctx, j)
			f.conclude(j, result, err)
			return result, err
		case <-p.done: // it ended between two invocations; this one goes to its successor
		case <-ctx.Done():
			return Invocation{}, ctx.Err()
		}
	}
}

// await waits for the end of an invocation that the process has taken.
func (p *process) await(ctx context.Context, j *job) (Invocation, error) {
	select {
	case <-j.settled:
	case <-ctx.Done():
		return Invocation{}, ctx.Err()
	}
	if j.lost {
		<-p.done
		if !j.late {
			j.result.ErrorMessage = "RequestId: " + j.id + " Error: Runtime exited with error: " + p.ending()
		}
	}
	return j.result, nil
}

// Kill ends the process at once, as a crash would, and waits until it is gone. The next invocation starts another.
func (f *Function) Kill() {
	f.mu.Lock()
	p := f.process
	f.mu.Unlock()
	if p != nil {
		p.kill()
		<-p.done
	}
}

// PID is the process's id, 0 when none runs.
func (f *Function) PID() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.process == nil || f.process.over() {
		return 0
	}
	return f.process.cmd.Process.Pid
}

// Close ends the process and takes no more invocations. It may be called more than once.
func (f *Function) Close() error {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.Kill()
	return nil
}

// current returns the running process, starting one when there is none.
func (f *Function) current() (*process, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, ErrClosed
	}
	if f.process != nil && !f.process.over() {
		return f.process, nil
	}
	p, err := f.config.start()
	if err != nil {
		return nil, fmt.Errorf("start function %s: %w", f.config.Name, err)
	}
	f.process = p
	return p, nil
}

func (f *Function) arn() string {
	return "arn:aws:lambda:" + Region + ":" + AccountID + ":function:" + f.config.Name
}

// start starts the program with a Runtime API of its own.
func (c FunctionConfig) start() (*process, error) {
	api, err := newRuntimeAPI()
	if err != nil {
		return nil, err
	}
	p := &process{api: api, cmd: exec.Command(c.Path, c.Args...), done: make(chan struct{})}
	api.kill = p.kill
	p.cmd.Dir = filepath.Dir(c.Path)
	p.cmd.Env = c.environment(api.address)
	p.cmd.Stdout, p.cmd.Stderr = c.Output, c.Output
	p.cmd.WaitDelay = drainLimit
	if err := p.cmd.Start(); err != nil {
		api.close()
		return nil, err
	}
	go p.reap()
	return p, nil
}

// environment is what Lambda sets, before what the configuration adds.
func (c FunctionConfig) environment(address string) []string {
	env := []string{
		"AWS_LAMBDA_RUNTIME_API=" + address, "AWS_LAMBDA_FUNCTION_NAME=" + c.Name, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128", "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand", "_HANDLER=bootstrap", "TZ=:UTC",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + c.Name, "AWS_LAMBDA_LOG_STREAM_NAME=sandbox", "LAMBDA_TASK_ROOT=" + filepath.Dir(c.Path),
	}
	if c.Concurrency > 1 {
		env = append(env, "AWS_LAMBDA_MAX_CONCURRENCY="+strconv.Itoa(c.Concurrency))
	}
	return slices.Concat(env, c.Env)
}

// kill ends the process; reap does the rest. An error means that it has ended already.
func (p *process) kill() { _ = p.cmd.Process.Kill() }

// reap waits for the end of the process and cleans up after it.
func (p *process) reap() {
	p.err = p.cmd.Wait()
	p.api.end()
	p.api.close()
	close(p.done)
}

func (p *process) over() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// awaitReady waits for the first poll.
func (p *process) awaitReady(ctx context.Context) error {
	limit := time.NewTimer(initLimit)
	defer limit.Stop()
	select {
	case <-p.api.ready:
		return nil
	case <-p.done:
		return p.initError()
	case <-ctx.Done():
		return ctx.Err()
	case <-limit.C:
		p.kill()
		<-p.done
		return &InitError{Type: "Sandbox.Timedout", Message: fmt.Sprintf("the initialisation took more than %s", initLimit)}
	}
}

// InitError says how a function's initialisation failed.
type InitError struct {
	Type, Message string // Lambda's or the function's own errorType and errorMessage
}

func (e *InitError) Error() string { return "initialisation failed: " + e.Type + ": " + e.Message }

// initError is nil for a process that ended after it had been ready.
func (p *process) initError() error {
	select {
	case <-p.api.ready:
		return nil
	default:
	}
	p.api.mu.Lock()
	defer p.api.mu.Unlock()
	if e := p.api.initErr; e != nil {
		return &InitError{Type: e.Type, Message: e.Message}
	}
	return &InitError{Type: "Runtime.ExitError", Message: "the process ended before its first poll: " + p.ending()}
}

// ending says how the process ended, in Lambda's words.
func (p *process) ending() string {
	if p.err == nil {
		return "exit status 0"
	}
	return p.err.Error()
}
