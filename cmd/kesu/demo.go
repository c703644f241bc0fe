package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/kesu-go/kesu/internal/doctor"
	"github.com/kesu-go/kesu/internal/sandbox"
)

// stepLimit is how long the demo waits for one step.
const stepLimit = 10 * time.Second

type demoCommand struct {
	functionsFlag
}

// row is one step of the demo: what is done and what is expected of it. Status 0 is a step by event.
type row struct {
	what, merchant string
	do             func(context.Context, *demo) (result, error)
	want           result
}

// result is what the demo looks at in a normalized result (contract, section 3).
type result struct {
	Action      string `json:"action"`
	Merchant    string `json:"merchant"`
	ComplaintID string `json:"complaint_id"`
	Outcome     string `json:"outcome"`
	Code        string `json:"code"`
	MediaID     string `json:"media_id"`
	Attempts    int    `json:"attempts"`
	Verified    bool   `json:"verified"`

	status int // of the HTTP answer; 0 for a settled event
}

// demo is a running demo.
type demo struct {
	*sandbox.Demo
	url     string
	client  *http.Client
	picture string // the media_id of the picture that was uploaded
}

// Run does every step, prints the table, and fails when a step came out other than it should.
func (c demoCommand) Run(ctx context.Context, t terminal) error {
	programs, err := c.programs()
	if err != nil {
		return err
	}
	programs.Env = []string{"LOG_LEVEL=error"}
	if programs.Rules, err = rulesOf(firstReply, "wecom"); err != nil {
		return err
	}
	var log bytes.Buffer
	world, url, err := startDemo(ctx, sandbox.Options{CreateOnSight: true, Output: &syncWriter{to: &log}}, programs, "127.0.0.1:0")
	if err != nil {
		_, _ = t.err.Write(log.Bytes()) // a function that does not start says why
		return err
	}
	direct, err := world.AddMerchant("acme-direct", sandbox.MerchantOptions{}) // replies through WeChat Pay alone
	if err != nil {
		return errors.Join(err, world.Close())
	}
	direct.ReplyThrough, direct.Imageco = "wechatpay", nil
	world.Store(direct)
	world.AddRules(settleWhenAnswered)
	client := &http.Client{Transport: &http.Transport{Proxy: nil}, Timeout: stepLimit}
	d := &demo{Demo: world, url: url, client: client}
	rows, wrong := d.play(ctx)
	client.CloseIdleConnections()
	if err := world.Close(); err != nil {
		return err
	}
	fmt.Fprint(t.out, table(rows, painter(t.colour)))
	if err := ctx.Err(); err != nil {
		return errors.New("interrupted")
	}
	if wrong > 0 {
		fmt.Fprintf(t.err, "\nThe functions' log:\n%s\n", log.Bytes())
		return fmt.Errorf("%d of %d steps came out other than they should", wrong, len(rows)-1)
	}
	fmt.Fprintf(t.out, "\nAll %d steps came out as they should.\n", len(rows)-1)
	return nil
}

// play does the steps and returns the table's rows, with the number of those that came out wrong.
func (d *demo) play(ctx context.Context) (rows [][]string, wrong int) {
	rows = [][]string{{"what", "merchant", "outcome", "code", "HTTP", "attempts", "verified", "as expected"}}
	for _, step := range steps {
		limited, cancel := context.WithTimeout(ctx, stepLimit)
		got, err := step.do(limited, d)
		cancel()
		mark := "✓"
		if difference := step.difference(got, err); difference != "" {
			mark = "✗ " + difference
			wrong++
		}
		status := "event"
		if got.status != 0 {
			status = strconv.Itoa(got.status)
		}
		verified := map[bool]string{true: "yes", false: "no"}[got.Verified]
		rows = append(rows, []string{step.what, step.merchant, got.Outcome, got.Code, status, strconv.Itoa(got.Attempts), verified, mark})
	}
	return rows, wrong
}

// difference says how a step came out other than it should; "" when it did not.
func (r row) difference(got result, err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("nothing within %s", stepLimit)
	case err != nil:
		return err.Error()
	case got.Outcome != r.want.Outcome || got.Code != r.want.Code:
		return fmt.Sprintf("should be %s %s", r.want.Outcome, r.want.Code)
	case got.status != r.want.status:
		return fmt.Sprintf("should be HTTP %d", r.want.status)
	case got.Attempts != r.want.Attempts || got.Verified != r.want.Verified:
		return fmt.Sprintf("should be attempts %d, verified %t", r.want.Attempts, r.want.Verified)
	}
	return ""
}

// post sends a request to the local gateway and reads the result from its answer.
func (d *demo) post(ctx context.Context, path, mediaType, body string) (result, error) {
	var got result
	status, err := d.send(ctx, path, mediaType, body, &got)
	got.status = status
	return got, err
}

func (d *demo) send(ctx context.Context, path, mediaType, body string, into any) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", mediaType)
	resp, err := d.client.Do(req)
	if err != nil {
		return 0, err
	}
	answer, err := doctor.ReadBody(ctx, resp.Body, fileLimit)
	if err != nil || json.Unmarshal(answer, into) != nil {
		return resp.StatusCode, fmt.Errorf("HTTP %d without a readable answer", resp.StatusCode)
	}
	return resp.StatusCode, nil
}

// put puts an event on the bus, as POST /events does, and waits for the settled event about the same complaint.
func (d *demo) put(ctx context.Context, detailType, settledType string, detail map[string]any) (result, error) {
	text, err := json.Marshal(detail)
	if err != nil {
		return result{}, err
	}
	entry, err := json.Marshal(sandbox.Entry{Source: "shop", DetailType: detailType, Detail: string(text)})
	if err != nil {
		return result{}, err
	}
	var taken sandbox.PutResult
	if status, err := d.send(ctx, "/events", jsonType, string(entry), &taken); err != nil || status != http.StatusOK {
		return result{}, fmt.Errorf("the bus answered HTTP %d: %w", status, errors.Join(err))
	}
	complaint, _ := detail["complaint_id"].(string)
	return d.settled(ctx, settledType, complaint)
}

// painter colours the last column's mark and greys the heading, on a terminal.
func painter(colour bool) func(int, int, string) string {
	return func(r, column int, cell string) string {
		switch {
		case !colour:
			return cell
		case r == 0:
			return "\x1b[2m" + cell + "\x1b[0m"
		case column == 7 && cell == "✓":
			return "\x1b[32m" + cell + "\x1b[0m"
		case column == 7:
			return "\x1b[31m" + cell + "\x1b[0m"
		}
		return cell
	}
}
