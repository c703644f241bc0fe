package main

import (
	"context"
	"fmt"
	"os"

	"github.com/kesu-go/kesu/internal/operate"
	"github.com/kesu-go/kesu/internal/send"
)

// targetFlags say where a command goes.
type targetFlags struct {
	URL   string `name:"url" placeholder:"URL" help:"Address of the API; by default the local gateway that kesu run starts, http://127.0.0.1:3000."`
	Stack string `placeholder:"NAME" help:"Take the API's address, or the bus, from the outputs of a deployed stack."`
	Via   string `enum:"http,bus" default:"http" help:"Send by http, or put an event on the bus (${enum})."`
	Bus   string `placeholder:"NAME" help:"Put an event on this bus; a name or an ARN."`
	Auth  string `enum:"auto,iam,token,none" default:"auto" help:"How the API knows the caller: SigV4 (iam), the token in KESU_TOKEN (token), or not at all; auto takes none on this machine, the token when there is one, and else iam."`
}

// find works out where the command goes.
func (f targetFlags) find(ctx context.Context, account operate.AWS) (send.Target, error) {
	return send.Find(ctx, send.Options{URL: f.URL, Stack: f.Stack, Event: f.Via == "bus", Bus: f.Bus,
		Auth: f.Auth, Token: os.Getenv(send.TokenName), AWS: account})
}

// preview prints what would be sent.
func preview(term terminal, p send.Preview, asJSON bool) error {
	switch {
	case p.Entry != nil && asJSON:
		return writeJSON(term.out, map[string]any{"to": p.To, "entry": p.Entry})
	case p.Entry != nil:
		fmt.Fprintf(term.out, "%s\nSource: %s\nDetailType: %s\nDetail: %s\n", clean(p.To), p.Entry.Source, p.Entry.DetailType, clean(p.Entry.Detail))
		return nil
	case asJSON:
		return writeJSON(term.out, map[string]any{"to": p.To, "auth": p.Auth, "body": string(p.Body)})
	}
	fmt.Fprintf(term.out, "%s\nContent-Type: application/json\n", clean(p.To))
	if auth := map[string]string{"iam": "AWS4-HMAC-SHA256 (SigV4)", "token": "the token in " + send.TokenName}[p.Auth]; auth != "" {
		fmt.Fprintf(term.out, "Authorization: %s\n", auth)
	}
	fmt.Fprintf(term.out, "\n%s\n", clean(string(p.Body)))
	return nil
}
