package console

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// send passes a command on to the gateway that stands before the functions, as a request of any other caller's, and gives
// its status and its body as they are, with the id of the call: POST {"merchant","complaint_id","action","body"}. The page could ask the gateway
// itself, but a browser counts every refusal as an error of the page's.
func (c *Console) send(w http.ResponseWriter, r *http.Request) {
	in, ok := readCommand(w, r)
	if !ok {
		return
	}
	path := "/merchants/" + url.PathEscape(in.Merchant) + "/complaints/" + url.PathEscape(in.ComplaintID) + "/" + in.Action
	request, err := http.NewRequestWithContext(r.Context(), http.MethodPost, "http://"+r.Host+path, bytes.NewReader(in.Body))
	if err != nil {
		refuse(w, http.StatusBadRequest, "the merchant or the complaint cannot stand in a path")
		return
	}
	request.Header.Set("Content-Type", "application/json")
	c.pass(w, r, request)
}

// wanted is what a page sends.
type wanted struct {
	Merchant    string          `json:"merchant"`
	ComplaintID string          `json:"complaint_id"`
	Action      string          `json:"action"`
	Body        json.RawMessage `json:"body"`
}

// readCommand reads what a page sends. What is none it refuses.
func readCommand(w http.ResponseWriter, r *http.Request) (in wanted, ok bool) {
	if !readJSON(w, r, &in) {
		return in, false
	}
	if !slices.Contains([]string{"reply", "complete"}, in.Action) {
		refuse(w, http.StatusBadRequest, "the action is neither reply nor complete")
		return in, false
	}
	return in, true
}

// noting notes the id of the one invocation that it is asked for.
type noting struct {
	sandbox.Invoker
	id *string
}

func (n noting) Invoke(ctx context.Context, payload []byte, timeout time.Duration) (sandbox.Invocation, error) {
	result, err := n.Invoker.Invoke(ctx, payload, timeout)
	*n.id = result.RequestID
	return result, err
}

// kept is an answer that is kept instead of sent.
type kept struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (k *kept) Header() http.Header { return k.header }

func (k *kept) WriteHeader(status int) { k.status = status }

func (k *kept) Write(p []byte) (int, error) {
	if k.status == 0 {
		k.status = http.StatusOK
	}
	return k.body.Write(p)
}
