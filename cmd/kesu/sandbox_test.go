package main

import (
	"bufio"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
	"github.com/kesu-go/kesu/pkg/signing"
)

// serve starts a sandbox and waits until it serves; kill ends it as kill -9 does, and lines is what it goes on to print.
func serve(t *testing.T, args ...string) (kill func(), lines *bufio.Scanner) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(programs, "kesu"), args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	}
	t.Cleanup(kill)
	for lines = bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), "Ctrl-C ends") {
			return kill, lines
		}
	}
	t.Fatal("it ended before it served")
	return nil, nil
}

// place is what a program reads in sandbox.json, with a key out of a file.
type place struct {
	URL       string `json:"wechatpay_url"`
	PublicKey string `json:"wechatpay_public_key_id"`
	Merchants []struct {
		Name, Mchid string
		SerialNo    string `json:"serial_no"`
		Files       map[string]string
	}
	key *rsa.PrivateKey
}

func readPlace(t *testing.T, dir string) place {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "sandbox.json"))
	if err != nil {
		t.Fatal(err)
	}
	var p place
	if err := json.Unmarshal(text, &p); err != nil || len(p.Merchants) == 0 || p.Merchants[0].Name != "acme" {
		t.Fatalf("%v, %s", err, text)
	}
	held, err := os.ReadFile(filepath.Join(dir, p.Merchants[0].Files["apiclient_key.pem"]))
	if err != nil {
		t.Fatal(err)
	}
	if p.key, err = signing.ParsePrivateKey(string(held)); err != nil {
		t.Fatal(err)
	}
	return p
}

// complete sends a completion as a stranger's program would.
func (p place) complete(t *testing.T, id string) int { return p.completeSigning(t, id, "") }

// completeSigning signs another body than it sends: more comes behind it.
func (p place) completeSigning(t *testing.T, id, more string) int {
	t.Helper()
	target, body := "/v3/merchant-service/complaints-v2/"+id+"/complete", `{"complainted_mchid":"`+p.Merchants[0].Mchid+`"}`
	requester := signing.Requester{Mchid: p.Merchants[0].Mchid, SerialNo: p.Merchants[0].SerialNo, Key: p.key}
	authorization, err := requester.Authorization("POST", target, []byte(body+more), time.Now(), strconv.FormatInt(time.Now().UnixNano(), 16))
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), "POST", p.URL+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Authorization": {authorization}, "Accept": {"*/*"}, "Content-Type": {"application/json"}}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestASandboxThatIsKilledComesBackAsItWas(t *testing.T) {
	dir, port := filepath.Join(t.TempDir(), "box"), sandboxPorts(t)
	kill, lines := serve(t, "sandbox", "--dir", dir, "--port", strconv.Itoa(port))
	before := readPlace(t, dir)
	if status := before.complete(t, "1"); status != http.StatusNoContent {
		t.Fatalf("the completion: %d", status)
	}
	if !lines.Scan() || !strings.HasSuffix(lines.Text(), " wechatpay POST /v3/merchant-service/complaints-v2/1/complete acme 204 OK") {
		t.Errorf("it prints %q of the call", lines.Text())
	}
	if status := before.completeSigning(t, "2", "\n"); status != http.StatusUnauthorized {
		t.Fatalf("a line feed more was signed than was sent: %d", status)
	}
	if !lines.Scan() || !strings.Contains(lines.Text(), "/2/complete acme 401 SIGN_ERROR ") || !strings.Contains(lines.Text(), " → ") {
		t.Errorf("it prints %q of the call with a wrong signature", lines.Text())
	}
	o := process{args: []string{"sandbox", "--dir", filepath.Join(t.TempDir(), "second"), "--port", strconv.Itoa(port)}}.run(t)
	if o.code != 1 || !strings.Contains(o.errors, "is held by kesu sandbox (process ") || !strings.Contains(o.errors, "folder "+dir) {
		t.Errorf("a second one says %q with code %d", o.errors, o.code)
	}
	kill()
	_, lines = serve(t, "run", "--port", "0", "--sandbox-dir", dir)
	after := readPlace(t, dir)
	if after.URL != before.URL || after.PublicKey != before.PublicKey || !after.key.Equal(before.key) {
		t.Errorf("it is %s %s, was %s %s", after.URL, after.PublicKey, before.URL, before.PublicKey)
	}
	if status := after.complete(t, "1"); status != http.StatusBadRequest {
		t.Errorf("the complaint that was completed can be completed again: %d", status)
	}
	if !lines.Scan() || !strings.Contains(lines.Text(), "/1/complete acme 400 INVALID_REQUEST 投诉单已完结") {
		t.Errorf("kesu run prints %q of another program's call", lines.Text())
	}
}

// sandboxPorts are five ports in a row that are free now, below those that the system hands out by itself.
func sandboxPorts(t *testing.T) int {
	t.Helper()
	for first := 10000 + os.Getpid()%20000; first < 32000; first += 5 {
		free := true
		for port := first; port < first+5 && free; port++ {
			l, err := sandbox.Listen("127.0.0.1:" + strconv.Itoa(port))
			if free = err == nil; free {
				l.Close()
			}
		}
		if free {
			return first
		}
	}
	t.Fatal("there are no five free ports in a row")
	return 0
}
