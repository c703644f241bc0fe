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
	"github.com/kesu-go/kesu/internal/deployed"
	"github.com/kesu-go/kesu/internal/sandbox"
)

type runCommand struct {
	functionsFlag
	Port       uint16 `default:"3000" help:"Port of the gateway on 127.0.0.1; 0 takes a free one."`
	FirstReply string `placeholder:"TEXT" help:"Words that every new complaint is answered with at once, by the rule of template.yaml. By default none is."`
	Robot      string `enum:"wecom,dingtalk,feishu" default:"wecom" help:"Whose robot the console shows the alerts of (${enum}). None is called."`
	SandboxDir string `type:"path" placeholder:"DIR" help:"Folder that keeps the sandbox's ports, keys and complaints between starts, as kesu sandbox has it. By default nothing is kept."`
}

// Run serves until the context ends.
func (c runCommand) Run(ctx context.Context, t terminal) (err error) {
	programs, err := c.programs()
	if err != nil {
		return err
	}
	if programs.Rules, err = rulesOf(c.FirstReply, c.Robot); err != nil {
		return err
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(int(c.Port)))
	journal := console.NewJournal()
	out := &syncWriter{to: t.out}
	told := &teller{out: out, only: console.Foreign} // the functions' own calls are in their log and on the console
	output := &syncWriter{to: io.MultiWriter(journal, t.err)}
	d, url, err := startDemo(ctx, sandbox.Options{CreateOnSight: true, Output: output, Watcher: journal, Ledger: true, Folder: c.SandboxDir, Told: told.tell}, programs, address)
	if err != nil {
		return err
	}
	told.world.Store(d)
	d.Notifier.Stand(sandbox.NotificationFault{SignTest: true}, signTestEvery)
	page := console.New(d, journal)
	d.Mount("/console", page)
	defer func() {
		if failed := errors.Join(page.Close(), d.Close()); err == nil {
			err = failed
		}
	}()
	if err := welcome.Execute(out, map[string]any{"URL": url, "Demo": d, "Kept": c.SandboxDir,
		"Operator": d.Operator(), "Attention": sandbox.QueueURL(sandbox.AttentionQueue),
		"Replies": sandbox.QueueURL(sandbox.ReplyQueue), "Bus": sandbox.BusName}); err != nil {
		return err
	}
	<-ctx.Done()
	fmt.Fprintln(out, "\nEnding everything that was started.")
	return nil
}

// signTestEvery is how often a notification comes with a signature that is wrong on purpose first, as WeChat Pay sends some.
const signTestEvery = 5

// rulesOf are the rules of the bus, with a first reply unless its words are empty, and with alerts for a robot of a kind,
// which are kept and sent to nobody.
func rulesOf(firstReply, robot string) ([]sandbox.BusRule, error) {
	return deployed.Rules(map[string]string{"Watch": "on", "FirstReply": firstReply, "AlertWebhookKind": robot,
		"AlertWebhookUrl": "https://robot.invalid"})
}

var welcome = template.Must(template.New("welcome").Parse(`Kesu runs on this machine. Nothing leaves it; every key {{with .Kept}}is in {{.}} and{{else}}was made just now and{{end}} is worth nothing.

  console            {{.URL}}/console
  gateway            {{.URL}}
  events             {{.URL}}/events
  翼码 sandbox       {{.Demo.ImagecoHost.URL}}
  WeChat Pay sandbox {{.Demo.Primary.URL}} and {{.Demo.Backup.URL}}
  Secrets Manager    {{.Demo.Secrets.URL}}
  notifications      {{.URL}}/merchants/MERCHANT/notifications

Merchants: acme (JSON, public key), acme-xml (GBK XML, certificate), acme-wrong-key (its secret holds other keys than the
gateways know). Any complaint id can be tried; one that ends in 404 does not exist. A complaint that is made in the console
is notified as WeChat Pay does it; what no notification told is found by the sweep, every 15 minutes.

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

Let something wait for a person (an event for a complaint that does not exist):
  curl -sS {{.URL}}/events -H 'Content-Type: application/json' -d '{"Source":"shop","DetailType":"ComplaintReplyRequested","Detail":"{\"merchant\":\"acme\",\"complaint_id\":\"2006404\",\"response_content\":\"已处理\"}"}'
See what waits for a person, and settle it, in another terminal:
  export {{range .Operator}}{{.}} {{end}}
  bin/kesu attention list --look --queue {{.Attention}}
  bin/kesu attention answer --queue {{.Attention}} ID --drop --note "the consumer was called" --bus {{.Bus}}
An unknown reply can be sent again, too:
  bin/kesu attention answer --queue {{.Attention}} ID --resend --to {{.Replies}}

The functions' log follows, and a line for each call of another program to the gateways. Ctrl-C ends everything.
`))
