package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"text/template"

	"github.com/kesu-go/kesu/internal/console"
	"github.com/kesu-go/kesu/internal/sandbox"
)

type runCommand struct {
	functionsFlag
	Port uint16 `default:"3000" help:"Port of the gateway on 127.0.0.1; 0 takes a free one."`
}

// Run serves until the context ends.
func (c runCommand) Run(ctx context.Context, t terminal) (err error) {
	programs, err := c.programs()
	if err != nil {
		return err
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(int(c.Port)))
	journal := console.NewJournal()
	output := &syncWriter{to: io.MultiWriter(journal, t.err)}
	d, url, err := startDemo(ctx, sandbox.Options{CreateOnSight: true, Output: output, Watcher: journal, Ledger: true}, programs, address)
	if err != nil {
		return err
	}
	page := console.New(d, journal)
	d.Mount("/console", page)
	defer func() {
		if failed := errors.Join(page.Close(), d.Close()); err == nil {
			err = failed
		}
	}()
	if err := welcome.Execute(t.out, map[string]any{"URL": url, "Demo": d}); err != nil {
		return err
	}
	<-ctx.Done()
	fmt.Fprintln(t.out, "\nEnding everything that was started.")
	return nil
}

var welcome = template.Must(template.New("welcome").Parse(`Kesu runs on this machine. Nothing leaves it; every key was made just now and is worth nothing.

  console            {{.URL}}/console
  gateway            {{.URL}}
  events             {{.URL}}/events
  翼码 sandbox       {{.Demo.ImagecoHost.URL}}
  WeChat Pay sandbox {{.Demo.Primary.URL}} and {{.Demo.Backup.URL}}
  Secrets Manager    {{.Demo.Secrets.URL}}

Merchants: acme (JSON, public key), acme-xml (GBK XML, certificate), acme-wrong-key (its secret holds other keys than the
gateways know). Any complaint id can be tried; one that ends in 404 does not exist.

Reply, in JSON to 翼码:
  curl -sS {{.URL}}/merchants/acme/complaints/2001/reply -H 'Content-Type: application/json' -d '{"response_content":"已与用户沟通解决"}'
Reply, in GBK XML, with a link:
  curl -sS {{.URL}}/merchants/acme-xml/complaints/2002/reply -H 'Content-Type: application/json' -d '{"response_content":"退款已原路退回","jump_url":"https://example.com/orders/1","jump_url_text":"查看订单"}'
Complete:
  curl -sS -X POST {{.URL}}/merchants/acme/complaints/2001/complete
Reply by event:
  curl -sS {{.URL}}/events -H 'Content-Type: application/json' -d '{"Source":"shop","DetailType":"ComplaintReplyRequested","Detail":"{\"merchant\":\"acme\",\"complaint_id\":\"2003\",\"response_content\":\"已处理\"}"}'
Complete by event:
  curl -sS {{.URL}}/events -H 'Content-Type: application/json' -d '{"Source":"shop","DetailType":"ComplaintCompletionRequested","Detail":"{\"merchant\":\"acme\",\"complaint_id\":\"2003\"}"}'
Read the settled events:
  curl -sS {{.URL}}/events
Be refused by the gateway (no such complaint):
  curl -sS {{.URL}}/merchants/acme/complaints/2404/reply -H 'Content-Type: application/json' -d '{"response_content":"已处理"}'
Be refused for a wrong signature:
  curl -sS {{.URL}}/merchants/acme-wrong-key/complaints/2004/reply -H 'Content-Type: application/json' -d '{"response_content":"已处理"}'
Send a bad request, and see every problem at once:
  curl -sS {{.URL}}/merchants/acme/complaints/2005/reply -H 'Content-Type: application/json' -d '{"response_content":"","jump_url":"http://example.com","colour":"red"}'

The functions' log follows. Ctrl-C ends everything.
`))
