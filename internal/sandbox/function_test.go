package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// TestMain lets the test binary play the function: under a Runtime API it is one.
func TestMain(m *testing.M) {
	switch os.Getenv("SANDBOX_TEST_ROLE") {
	case "function":
		lambda.Start(play)
	case "dies at start":
		fmt.Println("the configuration is wrong")
		os.Exit(3)
	}
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		// A child without a role must not run the tests, which would start children of its own, and so on.
		fmt.Println("this test binary was started as a function, but not told which one to play")
		os.Exit(4)
	}
	os.Exit(m.Run())
}

type testCommand struct {
	Do    string
	Value string
}

var (
	arrivals atomic.Int32
	together = make(chan struct{}) // closed by the second arrival
)

// play is a function that does what it is told.
func play(ctx context.Context, c testCommand) (any, error) {
	switch c.Do {
	case "hang":
		fmt.Println("taken")
		select {}
	case "be late":
		<-ctx.Done()
		<-time.After(50 * time.Millisecond)
		return "late", nil
	case "wait for company":
		if arrivals.Add(1) == 2 {
			close(together)
		}
		select {
		case <-together:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	case "fail":
		return nil, errors.New("refused: " + c.Value)
	case "panic":
		panic("a bug")
	case "exit":
		os.Exit(7)
	case "environment":
		return os.Environ(), nil
	case "context":
		deadline, _ := ctx.Deadline()
		lc, _ := lambdacontext.FromContext(ctx)
		return map[string]any{"left_ms": time.Until(deadline).Milliseconds(), "request_id": lc.AwsRequestID,
			"arn": lc.InvokedFunctionArn, "trace": ctx.Value("x-amzn-trace-id")}, nil
	case "print":
		fmt.Println(c.Value)
	}
	return map[string]string{"echo": c.Value}, nil
}

// output collects what functions print, and tells when one prints that it has been taken.
type output struct {
	mu    sync.Mutex
	text  strings.Builder
	once  sync.Once
	taken chan struct{}
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if strings.Contains(string(p), "taken") {
		o.once.Do(func() { close(o.taken) })
	}
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func testFunction(t *testing.T, role string, concurrency int) (*Function, *output) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out := &output{taken: make(chan struct{})}
	f := NewFunction(FunctionConfig{Name: "test", Path: self, Env: []string{"SANDBOX_TEST_ROLE=" + role}, Output: out, Concurrency: concurrency})
	t.Cleanup(func() { f.Close() })
	return f, out
}

func command(do, value string) []byte {
	text, _ := json.Marshal(testCommand{do, value})
	return text
}

const ample = 20 * time.Second

func TestInvoke(t *testing.T) {
	f, out := testFunction(t, "function", 0)
	for _, test := range []struct {
		name, do, value    string
		payload, kind, why string // parts of what comes back
	}{
		{"returns the function's response", "echo", "回复", `{"echo":"回复"}`, "", ""},
		{"reports the function's own error", "fail", "no", "errorMessage", "errorString", "refused: no"},
		{"goes on after an error", "echo", "still here", `{"echo":"still here"}`, "", ""},
		{"reports a panic", "panic", "", "stackTrace", "string", "a bug"},
		{"starts again after a panic", "echo", "again", `{"echo":"again"}`, "", ""},
		{"reports an exit", "exit", "", "", "Runtime.ExitError", "exit status 7"},
		{"starts again after an exit", "print", "hello from the function", "", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := f.Invoke(t.Context(), command(test.do, test.value), ample)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(got.Payload), test.payload) || got.ErrorType != test.kind || !strings.Contains(got.ErrorMessage, test.why) || got.RequestID == "" {
				t.Errorf("got %s %+v", got.Payload, got)
			}
		})
	}
	f.Close()
	if !strings.Contains(out.String(), "hello from the function") {
		t.Errorf("the function's output is not there: %q", out)
	}
}

// The function is told its time and not the grace.
func TestAnInvocationMayTakeItsGraceBeyondItsTime(t *testing.T) {
	f, _ := testFunction(t, "function", 0)
	f.config.Grace = ample
	got, err := f.Invoke(t.Context(), command("be late", ""), time.Millisecond)
	if err != nil || string(got.Payload) != `"late"` {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestInvokeEndsAtTheTimeout(t *testing.T) {
	f, _ := testFunction(t, "function", 0)
	if err := f.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := f.PID()
	got, err := f.Invoke(t.Context(), command("hang", ""), 50*time.Millisecond)
	if err != nil || got.ErrorType != "Sandbox.Timedout" || !strings.HasSuffix(got.ErrorMessage, "Task timed out after 0.05 seconds") {
		t.Errorf("got %+v, %v", got, err)
	}
	if alive(first) {
		t.Error("the process that took too long still runs")
	}
	got, err = f.Invoke(t.Context(), command("echo", "next"), ample)
	if err != nil || string(got.Payload) != `{"echo":"next"}` {
		t.Errorf("the next invocation got %+v, %v", got, err)
	}
	if second := f.PID(); second == first || second == 0 {
		t.Errorf("the process is %d after %d", second, first)
	}
}

func TestInvokeTellsTheFunctionWhatLambdaTells(t *testing.T) {
	f, _ := testFunction(t, "function", 0)
	got, err := f.Invoke(t.Context(), command("context", ""), ample)
	if err != nil {
		t.Fatal(err)
	}
	var seen struct {
		LeftMS    int64  `json:"left_ms"`
		RequestID string `json:"request_id"`
		ARN       string `json:"arn"`
		Trace     string `json:"trace"`
	}
	if err := json.Unmarshal(got.Payload, &seen); err != nil {
		t.Fatal(err)
	}
	if seen.LeftMS <= 0 || seen.LeftMS > ample.Milliseconds() || seen.RequestID != got.RequestID ||
		seen.ARN != "arn:aws:lambda:ap-east-1:000000000000:function:test" || !strings.HasPrefix(seen.Trace, "Root=1-") {
		t.Errorf("the function saw %+v of %s", seen, got.RequestID)
	}
}

func TestFunctionSeesNothingOfTheParentsEnvironment(t *testing.T) {
	t.Setenv("SANDBOX_TEST_PARENT", "must not get through")
	f, _ := testFunction(t, "function", 0)
	got, err := f.Invoke(t.Context(), command("environment", ""), ample)
	if err != nil || !strings.Contains(string(got.Payload), "AWS_LAMBDA_FUNCTION_NAME=test") {
		t.Fatalf("got %+v, %v", got, err)
	}
	for _, name := range []string{"SANDBOX_TEST_PARENT", "PATH=", "HOME="} {
		if strings.Contains(string(got.Payload), name) {
			t.Errorf("the function sees %s", name)
		}
	}
}

func TestFunctionTakesSeveralInvocationsAtOnce(t *testing.T) {
	f, _ := testFunction(t, "function", 2)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			got, err := f.Invoke(t.Context(), command("wait for company", ""), ample)
			if err != nil || got.Failed() {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	both.Wait()
}

func TestFunctionThatCannotStartSaysWhy(t *testing.T) {
	f, out := testFunction(t, "dies at start", 0)
	var failed *InitError
	if err := f.Start(t.Context()); !errors.As(err, &failed) || failed.Type != "Runtime.ExitError" || !strings.Contains(failed.Message, "exit status 3") {
		t.Errorf("Start: %v", err)
	}
	got, err := f.Invoke(t.Context(), command("echo", ""), ample)
	if err != nil || got.ErrorType != "Runtime.ExitError" {
		t.Errorf("Invoke: %+v, %v", got, err)
	}
	if !strings.Contains(out.String(), "the configuration is wrong") {
		t.Errorf("output: %q", out)
	}
	missing := NewFunction(FunctionConfig{Name: "missing", Path: filepath.Join(t.TempDir(), "nothing")})
	if _, err := missing.Invoke(t.Context(), nil, ample); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing program: %v", err)
	}
}

func TestKillIsACrash(t *testing.T) {
	f, out := testFunction(t, "function", 0)
	if err := f.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	pid, crashed := f.PID(), make(chan Invocation, 1)
	go func() {
		got, _ := f.Invoke(t.Context(), command("hang", ""), ample)
		crashed <- got
	}()
	<-out.taken
	f.Kill()
	if got := <-crashed; got.ErrorType != "Runtime.ExitError" || !strings.Contains(got.ErrorMessage, "signal: killed") {
		t.Errorf("got %+v", got)
	}
	if alive(pid) {
		t.Error("the process still runs")
	}
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	f, _ := testFunction(t, "function", 0)
	if err := f.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	pid := f.PID()
	f.Close()
	f.Close()
	if alive(pid) || f.PID() != 0 {
		t.Error("the process still runs")
	}
	if _, err := f.Invoke(t.Context(), nil, ample); !errors.Is(err, ErrClosed) {
		t.Errorf("Invoke after Close: %v", err)
	}
}

func TestInvokeHonoursTheCallersContext(t *testing.T) {
	f, out := testFunction(t, "function", 0)
	if err := f.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-out.taken
		cancel()
	}()
	if _, err := f.Invoke(ctx, command("hang", ""), ample); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// alive tells whether a process is there; one that has been waited for is not.
func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }
