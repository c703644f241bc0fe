package samlocal

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestSAMLocalGivesWhatTheLocalGatewayGives needs Docker, sam, a build by sam and the functions in bin/, which scripts/sam-local
// sees to.
func TestSAMLocalGivesWhatTheLocalGatewayGives(t *testing.T) {
	if os.Getenv("KESU_SAM") == "" {
		t.Skip("left out: sam local, which needs Docker (make sam-local runs it)")
	}
	here, there := local(t), newSAMSide(t)
	t.Run("invoke", func(t *testing.T) { compareSamples(t, here, there) })
	t.Run("start-api", func(t *testing.T) {
		url := startAPI(t, there)
		compareRoutes(t, here, url)
		compareNotifications(t, here, there, url)
	})
}

// outcomes are what each sample must come to: equal on both sides is not enough when both are wrong.
var outcomes = map[string]string{
	"complete-command":      `"outcome": "succeeded"`,
	"complete-event":        `"outcome": "succeeded"`,
	"complete-function-url": `"statusCode": 200`,
	"complete-http":         `"statusCode": 200`,
	"complete-queue":        `"batchItemFailures": []`,
	"complete-topic":        `"outcome": "succeeded"`,
	"reply-command":         `"outcome": "succeeded"`,
	"reply-event":           `"outcome": "succeeded"`,
	"reply-http":            `"statusCode": 200`,
	"reply-http-refused":    `"statusCode": 400`,
	"reply-http-v2":         `"statusCode": 200`,
	"reply-list":            `"outcome": "succeeded"`,
	"reply-queue":           `"itemIdentifier": "059f36b4-87a3-44ab-83d2-661975290003"`,
	"reply-queue-wrapped":   `"batchItemFailures": []`,
}

func compareSamples(t *testing.T, here *side, there *samSide) {
	files, err := filepath.Glob(filepath.Join(root, "events", "*.json"))
	files = slices.DeleteFunc(files, func(file string) bool { // what Kesu tells, which is for nobody's function here
		return strings.HasPrefix(filepath.Base(file), "complaint-")
	})
	if err != nil || len(files) != len(outcomes) {
		t.Fatalf("%d samples, and %d are known here: %v", len(files), len(outcomes), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			function := map[bool]string{true: "ReplyFunction", false: "CompleteFunction"}[strings.HasPrefix(name, "reply-")]
			want := normal(t, here.invoke(t, function, file))
			absolute, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			got := normal(t, lastLine(there.sam(t, "invoke", function, "--event", absolute)))
			if got != want {
				t.Errorf("sam local gives\n%s\nthe local gateway gives\n%s", got, want)
			}
			if !strings.Contains(want, outcomes[name]) {
				t.Errorf("should hold %s, and is\n%s", outcomes[name], want)
			}
			for _, secret := range []string{there.world.Acme.Imageco.Key, there.world.XML.Imageco.Key} {
				if strings.Contains(there.said, secret) {
					t.Error("the function's log holds a merchant's key")
				}
			}
		})
	}
	t.Run("settled events", func(t *testing.T) {
		want, got := settled(t, here.world), settled(t, there.world)
		if !slices.Equal(got, want) {
			t.Errorf("sam local's functions published\n%s\nthe local ones\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if len(want) < 6 {
			t.Errorf("only %d settled events", len(want))
		}
	})
}

// lastLine takes the answer from what sam prints: it may be preceded by lines of the log.
func lastLine(out []byte) []byte {
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	return lines[len(lines)-1]
}

var calls = []struct{ name, path, contentType, body, status string }{
	{"a reply", "/merchants/acme/complaints/3001/reply", "application/json", `{"response_content":"已与用户沟通解决"}`, "200"},
	{"a reply in GBK XML", "/merchants/acme-xml/complaints/3002/reply", "application/json",
		`{"response_content":"退款已原路退回","jump_url":"https://example.com/orders/1?a=1&b=2","jump_url_text":"查看订单"}`, "200"},
	{"a completion without a body", "/merchants/acme/complaints/3001/complete", "", "", "200"},
	{"a completion with a key", "/merchants/acme-xml/complaints/3002/complete", "application/json", `{"idempotency_key":"k1"}`, "200"},
	{"a wrong reply", "/merchants/acme/complaints/3003/reply", "application/json", `{"response_content":"","jump_url":"http://example.com","colour":"red"}`, "400"},
	{"a body that is not JSON", "/merchants/acme/complaints/3003/reply", "text/plain", `x`, "415"},
	{"an unknown merchant", "/merchants/nobody/complaints/3003/reply", "application/json", `{"response_content":"x"}`, "404"},
	{"a complaint that does not exist", "/merchants/acme/complaints/3404/reply", "application/json", `{"response_content":"x"}`, "422"},
	{"a wrong key", "/merchants/acme-wrong-key/complaints/3004/reply", "application/json", `{"response_content":"x"}`, "502"},
}

func compareRoutes(t *testing.T, here *side, url string) {
	for _, c := range calls {
		t.Run(c.name, func(t *testing.T) {
			want := post(t, here.url, c.path, c.contentType, c.body)
			got := post(t, url, c.path, c.contentType, c.body)
			if got != want {
				t.Errorf("sam local gives\n%s\nthe local gateway gives\n%s", got, want)
			}
			if !strings.HasPrefix(want, c.status) {
				t.Errorf("should be HTTP %s, and is\n%s", c.status, want)
			}
		})
	}
}

// startAPI starts sam local's gateway on a free port, waits until it listens, and ends it with the test.
func startAPI(t *testing.T, there *samSide) (url string) {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	port := free.Addr().(*net.TCPAddr).Port
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	command := there.command(ctx, "start-api", "--port", strconv.Itoa(port))
	var log bytes.Buffer
	command.Stdout, command.Stderr = &log, &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	t.Cleanup(func() {
		cancel()
		<-ended
		if t.Failed() {
			t.Logf("sam local start-api said:\n%s", log.Bytes())
		}
	})
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); {
		connection, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", address)
		if err == nil {
			_ = connection.Close()
			return "http://" + address
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("sam local start-api ended: %v", err)
		case <-time.After(200 * time.Millisecond): // another process; there is nothing to wait on but its port
		}
	}
	t.Fatal("sam local start-api does not listen")
	return ""
}

func TestAnswersAreComparedWithoutTimesAndRandomNumbers(t *testing.T) {
	body, err := json.Marshal(map[string]any{"at": "2026-11-21T08:00:00Z", "request_id": "r1", "code": "OK"})
	if err != nil {
		t.Fatal(err)
	}
	answer := func(code string, at string) []byte {
		inner := strings.Replace(strings.Replace(string(body), "OK", code, 1), "2026", at, 1)
		text, err := json.Marshal(map[string]any{"statusCode": 200, "body": inner})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if normal(t, answer("OK", "2026")) != normal(t, answer("OK", "2031")) {
		t.Error("another time should not matter")
	}
	if normal(t, answer("OK", "2026")) == normal(t, answer("0000", "2026")) {
		t.Error("another code should matter")
	}
}
