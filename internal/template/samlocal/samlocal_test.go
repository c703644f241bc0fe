package samlocal

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

const (
	root    = "../../.."
	timeout = 28 * time.Second // the functions', in template.yaml
)

// side is one of the two ways to run a function, with a sandbox of its own behind it.
type side struct {
	world *sandbox.Demo
	// invoke runs a function on an event and returns what it returns, or its error.
	invoke func(t *testing.T, function string, file string) []byte
	url    string // of the gateway
}

// local is the functions as make run runs them.
func local(t *testing.T) *side {
	t.Helper()
	world := demo(t, false)
	functions, err := filepath.Abs(filepath.Join(root, "bin/functions"))
	if err != nil {
		t.Fatal(err)
	}
	programs := sandbox.Programs{Reply: filepath.Join(functions, "reply"), Complete: filepath.Join(functions, "complete"),
		Watch: filepath.Join(functions, "watch"), Timeout: timeout}
	if err := world.StartFunctions(t.Context(), programs); err != nil {
		t.Fatal(err)
	}
	listener, err := sandbox.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url, err := world.Serve(listener)
	if err != nil {
		t.Fatal(err)
	}
	invoke := func(t *testing.T, function, file string) []byte {
		t.Helper()
		payload, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		chosen := map[string]*sandbox.Function{"ReplyFunction": world.Reply, "CompleteFunction": world.Complete}[function]
		got, err := chosen.Invoke(t.Context(), payload, timeout)
		if err != nil {
			t.Fatal(err)
		}
		if got.Failed() {
			failure, _ := json.Marshal(map[string]string{"errorType": got.ErrorType, "errorMessage": got.ErrorMessage}) // two strings always marshal
			return failure
		}
		return got.Payload
	}
	return &side{world, invoke, url}
}

func demo(t *testing.T, ledger bool) *sandbox.Demo {
	t.Helper()
	world, err := sandbox.NewDemo(sandbox.Options{CreateOnSight: true, Ledger: ledger})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	})
	return world
}

// normal makes two answers comparable: times, the gateway's random numbers and the order of members are left out. A body
// that is JSON inside of a string is unfolded.
func normal(t *testing.T, answer []byte) string {
	t.Helper()
	var tree any
	if err := json.Unmarshal(answer, &tree); err != nil {
		t.Fatalf("the answer is not JSON: %q", answer)
	}
	text, err := json.MarshalIndent(clean(tree), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func clean(tree any) any {
	switch v := tree.(type) {
	case []any:
		for i := range v {
			v[i] = clean(v[i])
		}
	case map[string]any:
		for name, value := range v {
			switch {
			case name == "at" || name == "request_id" && value != "":
				v[name] = "(any)"
			case name == "body":
				var inner any
				if body, ok := value.(string); ok && json.Unmarshal([]byte(body), &inner) == nil {
					v[name] = clean(inner)
				}
			default:
				v[name] = clean(value)
			}
		}
	}
	return tree
}

// settled returns what the functions published on a world's bus, which they did before they answered.
func settled(t *testing.T, world *sandbox.Demo) []string {
	t.Helper()
	var details []string
	for _, event := range fromKesu(world) {
		details = append(details, event.DetailType+" "+normal(t, event.Detail))
	}
	slices.Sort(details)
	return details
}

func fromKesu(world *sandbox.Demo) []sandbox.Event {
	var ours []sandbox.Event
	for _, event := range world.Bus.Events() {
		if event.Source == "kesu" {
			ours = append(ours, event)
		}
	}
	return ours
}

// post sends a request to a gateway and returns its answer as status, the headers that matter and the body.
func post(t *testing.T, url, path, contentType, body string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second) // sam local may start a container for it
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join([]string{strconv.Itoa(response.StatusCode), response.Header.Get("Content-Type"), response.Header.Get("Retry-After"), normal(t, text)}, "\n")
}

// sam runs a command of sam local and returns its standard output.
func (s *samSide) sam(t *testing.T, arguments ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	command := s.command(ctx, arguments...)
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("sam local: %v\n%s", err, complaints.Bytes())
	}
	s.said = complaints.String()
	return out
}

// samSide runs sam local on the built template, with the functions' variables set to the sandbox's addresses.
type samSide struct {
	world        *sandbox.Demo
	program      string
	architecture string
	variables    string // a file
	said         string // on standard error, by the last command
}

func newSAMSide(t *testing.T) *samSide {
	t.Helper()
	s := &samSide{world: demo(t, true), program: os.Getenv("KESU_SAM"), architecture: os.Getenv("KESU_SAM_ARCHITECTURE"),
		variables: filepath.Join(t.TempDir(), "variables.json")}
	env := map[string]string{}
	for _, pair := range s.world.Env() {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "AWS_ENDPOINT_URL_") {
			if strings.HasPrefix(value, "http://") {
				value = forInside(t, value)
			}
			env[name] = value
		}
	}
	// The watcher demands a table, because in a container the sandbox is not on the loopback interface. The others keep their
	// ledger in the process, as with make run.
	watch := maps.Clone(env)
	watch["WATCH_QUEUE"] = ""
	env["LEDGER_TABLE"] = ""
	text, err := json.Marshal(map[string]any{"ReplyFunction": env, "CompleteFunction": env, "WatchFunction": watch})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.variables, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *samSide) command(ctx context.Context, arguments ...string) *exec.Cmd {
	arguments = append(arguments, "--template", ".aws-sam/build/template.yaml", "--env-vars", s.variables,
		"--skip-pull-image", "--parameter-overrides", "Architecture="+s.architecture, "ImagecoUrl=https://example.com",
		"Watch=on", "WatchMerchants=acme", "Revision="+strings.Repeat("0", 64))
	command := exec.CommandContext(ctx, s.program, append([]string{"local"}, arguments...)...)
	command.Dir = root
	command.Env = append(os.Environ(), "SAM_CLI_TELEMETRY=0", "AWS_DEFAULT_REGION="+sandbox.Region, "AWS_REGION="+sandbox.Region,
		"AWS_ACCESS_KEY_ID=AKIDSANDBOX", "AWS_SECRET_ACCESS_KEY=sandbox", "AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)
	// An interrupt lets sam end its containers.
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 20 * time.Second
	return command
}
