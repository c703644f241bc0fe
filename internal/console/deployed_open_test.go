package console

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// open is an API whose answer is lost, or is API Gateway's own.
type open struct {
	text string
	err  error
}

func (a open) Send(context.Context, string, string, string, []byte) (int, []byte, error) {
	return http.StatusGatewayTimeout, []byte(a.text), a.err
}

func (open) Upload(context.Context, string, string, string, []byte) (int, []byte, error) {
	return 0, nil, errors.New("not asked")
}

func (open) Put(context.Context, string, []byte) (string, error) { return "", errors.New("not asked") }

// maybe is an error after which nobody knows what became of the command.
type maybe bool

func (maybe) Error() string     { return "no answer came" }
func (m maybe) MaybeDone() bool { return bool(m) }

func TestAReplyWithoutAnAnswerWaitsForAPersonAtADeployedDesk(t *testing.T) {
	for _, test := range []struct {
		name    string
		api     open
		status  int
		unknown string
	}{
		{"the answer is lost", open{err: maybe(true)}, http.StatusOK, "reply"},
		{"API Gateway did not wait", open{text: `{"outcome":"unknown","code":"OUTCOME_UNKNOWN","attempts":0}`}, http.StatusOK, "reply"},
		{"nothing was sent", open{err: maybe(false)}, http.StatusBadGateway, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := NewDeployed(test.api, "")
			defer d.Close()
			d.Hear(heardEvent("a", "ComplaintReceived", `{"merchant":"acme","complaint_id":"1","complaint_state":"PENDING"}`, time.Now()))
			request := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/console/send",
				strings.NewReader(`{"merchant":"acme","complaint_id":"1","action":"reply","body":{"response_content":"好"}}`))
			request.RemoteAddr, request.Host = "127.0.0.1:9999", "127.0.0.1"
			request.Header.Set("Content-Type", "application/json")
			answered := httptest.NewRecorder()
			d.send(answered, request)
			if answered.Code != test.status {
				t.Errorf("answered %d %s", answered.Code, answered.Body)
			}
			if x := d.complaints[complaintKey{"acme", "1"}]; x.Unknown != test.unknown {
				t.Errorf("unknown is %q, want %q", x.Unknown, test.unknown)
			}
		})
	}
}

func TestADeployedDeskThatIsFullSaysSo(t *testing.T) {
	d := NewDeployed(open{}, "from.now")
	defer d.Close()
	desk := httptest.NewServer(d)
	defer desk.Close()
	page, err := (&http.Client{Timeout: time.Minute}).Get(desk.URL + "/console/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer page.Body.Close()
	d.mu.Lock()
	for i := range deployedMost {
		d.complaints[complaintKey{"acme", strconv.Itoa(i)}] = &deployed{}
	}
	d.mu.Unlock()
	d.Hear(heardEvent("known", "ComplaintReceived", `{"merchant":"acme","complaint_id":"1"}`, time.Now()))
	d.Hear(heardEvent("new", "ComplaintReceived", `{"merchant":"acme","complaint_id":"one too many"}`, time.Now()))
	for lines := bufio.NewScanner(page.Body); lines.Scan(); {
		if strings.Contains(lines.Text(), `"notice":"full"`) {
			return
		}
	}
	t.Error("no page was told")
}
