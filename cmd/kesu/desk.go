package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/kesu-go/kesu/internal/console"
	"github.com/kesu-go/kesu/internal/feed"
	"github.com/kesu-go/kesu/internal/operate"
	"github.com/kesu-go/kesu/internal/sandbox"
	"github.com/kesu-go/kesu/internal/send"
)

type deskCommand struct {
	Stack string `placeholder:"NAME" help:"The deployed stack: its API and its bus."`
	URL   string `name:"url" placeholder:"URL" help:"Address of the API, instead of a stack's; with --bus."`
	Bus   string `placeholder:"NAME" help:"The bus that Kesu publishes on, instead of a stack's; with --url."`
	Auth  string `enum:"auto,iam,token,none" default:"auto" help:"How the API knows the caller, as for kesu send."`
	Keep  string `placeholder:"NAME" help:"Keep the rule and the queue as kesu-desk-NAME when the desk is closed: the next one then has the complaints of the last four days."`
	Port  uint16 `default:"3000" help:"Port of the page on 127.0.0.1; 0 takes a free one."`
	awsFlags
}

// Help is the example that kesu help shows.
func (deskCommand) Help() string {
	return `The console's page for a deployed Kesu, on this machine alone: complaints from the events that functions/watch publishes, replies and completions through the deployed API, with your own AWS credentials. Nothing is stored but in memory. Puts a rule on the bus and a queue behind it, and takes both away at the end; a desk that was killed leaves a rule and a queue named kesu-desk-….

It needs events:PutRule, PutTargets, RemoveTargets, DeleteRule on the rule, sqs:CreateQueue, GetQueueAttributes, SetQueueAttributes, ReceiveMessage, ChangeMessageVisibility, DeleteQueue on the queue, execute-api:Invoke on the API, events:PutEvents on the bus to send by event, and cloudformation:DescribeStacks for --stack.

Examples:
  kesu desk --stack kesu
  kesu desk --stack kesu --keep night
  kesu desk --url https://abc123.execute-api.ap-east-1.amazonaws.com/v1 --bus kesu

Exit codes: 0 after Ctrl-C; 1 it cannot start; 2 wrong command line.`
}

// Run serves the page until the context ends.
func (c deskCommand) Run(ctx context.Context, t terminal) (err error) {
	where, notice, err := c.find(ctx)
	if err != nil {
		return err
	}
	l, err := sandbox.Listen(net.JoinHostPort("127.0.0.1", strconv.Itoa(int(c.Port))))
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d is in use by another program; end it, or choose another with --port", c.Port)
	}
	if err != nil {
		return err
	}
	account, err := c.account().Config(ctx)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	events, err := feed.Open(ctx, feed.Options{AWS: account, Bus: where.bus, Keep: c.Keep})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer func() {
		if failed := events.Close(); err == nil {
			err = failed
		}
	}()
	desk := console.NewDeployed(where, notice)
	server := &http.Server{Handler: desk, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	defer func() { // the open streams first
		desk.Close()
		_ = server.Close()
		<-served
	}()
	fmt.Fprintf(t.out, "The desk is at http://%s/console, for this machine alone. Ctrl-C ends it.\n", l.Addr())
	return events.Listen(ctx, desk.Hear, func(err error) { fmt.Fprintln(t.err, "kesu:", clean(err.Error())) })
}

// find works out the API and the bus, and what the page has to say about them.
func (c deskCommand) find(ctx context.Context) (where deskAPI, notice string, err error) {
	switch {
	case c.Stack != "" && c.URL == "" && c.Bus == "":
		s, err := operate.DescribeStack(ctx, c.account(), c.Stack)
		if err != nil {
			return where, "", err
		}
		c.URL, c.Bus = s.Outputs["ApiUrl"], s.Outputs["BusName"]
		if c.URL == "" || c.Bus == "" {
			return where, "", fmt.Errorf("the stack %s lacks the output ApiUrl or BusName", c.Stack)
		}
		if s.Parameters["Watch"] != "on" {
			notice = "watch.off"
		}
	case c.Stack != "" || c.URL == "" || c.Bus == "":
		return where, "", usage("give --stack NAME, or both --url and --bus")
	}
	if notice == "" && c.Keep == "" {
		notice = "from.now"
	}
	api, err := send.At(send.Options{URL: c.URL, Auth: c.Auth, Token: os.Getenv(send.TokenName), AWS: c.account()})
	return deskAPI{api: api, bus: c.Bus, account: c.account()}, notice, err
}
