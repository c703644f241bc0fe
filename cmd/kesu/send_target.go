package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/internal/doctor"
	"github.com/kesu-go/kesu/internal/operate"
	"github.com/kesu-go/kesu/internal/version"
	"github.com/kesu-go/kesu/pkg/redact"
)

const (
	localGateway = "http://127.0.0.1:3000"
	sendLimit    = 40 * time.Second // more than API Gateway waits
	eventSource  = "kesu-send"      // not "kesu", which is the source of settled events
	tokenName    = "KESU_TOKEN"
)

// targetFlags say where a command goes.
type targetFlags struct {
	URL   string `name:"url" placeholder:"URL" help:"Address of the API; by default the local gateway that kesu run starts, http://127.0.0.1:3000."`
	Stack string `placeholder:"NAME" help:"Take the API's address, or the bus, from the outputs of a deployed stack."`
	Via   string `enum:"http,bus" default:"http" help:"Send by http, or put an event on the bus (${enum})."`
	Bus   string `placeholder:"NAME" help:"Put an event on this bus; a name or an ARN."`
	Auth  string `enum:"auto,iam,token,none" default:"auto" help:"How the API knows the caller: SigV4 (iam), the token in KESU_TOKEN (token), or not at all; auto takes none on this machine, the token when there is one, and else iam."`
}

// target is a place that takes commands.
type target struct {
	base    string // of the API; "" for AWS's bus
	bus     string // AWS's bus
	local   bool   // the local gateway's bus
	auth    string
	account operate.AWS
}

// find works out where the command goes.
func (f targetFlags) find(ctx context.Context, account operate.AWS) (target, error) {
	found := target{base: strings.TrimRight(f.URL, "/"), bus: f.Bus, account: account}
	if f.URL != "" && (f.Stack != "" || f.Bus != "") || f.Stack != "" && f.Bus != "" {
		return found, usage("give one of --url, --stack and --bus")
	}
	if f.Stack != "" {
		s, err := operate.DescribeStack(ctx, account, f.Stack)
		if err != nil {
			return found, err
		}
		output := map[string]string{"http": "ApiUrl", "bus": "BusName"}[f.Via]
		value := s.Outputs[output]
		if value == "" {
			return found, fmt.Errorf("the stack %s has no output %s", f.Stack, output)
		}
		if f.Via == "bus" {
			found.bus = value
		} else {
			found.base = strings.TrimRight(value, "/")
		}
	}
	if found.bus != "" {
		return found, nil
	}
	if found.base == "" {
		found.base = localGateway
	}
	found.local = f.Via == "bus"
	return found, found.check(f.Auth)
}

// check refuses an address that words and signatures should not travel to, and finds how the caller is known there.
func (t *target) check(auth string) error {
	rules, _ := config.ReadReply(func(string) string { return "" }) // for its rule about URLs alone
	if err := rules.CheckGatewayURL(t.base); err != nil || strings.ContainsAny(t.base, "?") {
		return usage("--url must be an https address without a query; http is for this machine only")
	}
	u, err := url.Parse(t.base)
	if err != nil {
		return usage("--url is not a URL")
	}
	ip := net.ParseIP(u.Hostname())
	switch t.auth = auth; {
	case auth != "auto":
	case u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()):
		t.auth = "none"
	case os.Getenv(tokenName) != "":
		t.auth = "token"
	default:
		t.auth = "iam"
	}
	if t.auth == "token" && os.Getenv(tokenName) == "" {
		return usage("--auth token needs the token in " + tokenName)
	}
	return nil
}

// path is where the API takes the command.
func (t target) address(o order) string {
	if t.local {
		return t.base + "/events"
	}
	return t.base + "/merchants/" + o.command.Merchant + "/complaints/" + o.command.ComplaintID + "/" + string(o.command.Action)
}

// entry is the event as PutEvents takes it.
func (t target) entry(o order) map[string]string {
	e := map[string]string{"Source": eventSource, "DetailType": o.command.Action.DetailType(), "Detail": string(o.detail)}
	if t.bus != "" {
		e["EventBusName"] = t.bus
	}
	return e
}

// show tells what would be sent, without sending it.
func (t target) show(term terminal, o order, asJSON bool) error {
	if t.bus != "" || t.local {
		where := "PutEvents on " + t.bus
		if t.local {
			where = "POST " + t.address(o)
		}
		if asJSON {
			return writeJSON(term.out, map[string]any{"to": where, "entry": t.entry(o)})
		}
		fmt.Fprintf(term.out, "%s\nSource: %s\nDetailType: %s\nDetail: %s\n", clean(where), eventSource, o.command.Action.DetailType(), clean(string(o.detail)))
		return nil
	}
	if asJSON {
		return writeJSON(term.out, map[string]any{"to": "POST " + t.address(o), "auth": t.auth, "body": string(o.body)})
	}
	fmt.Fprintf(term.out, "POST %s\nContent-Type: application/json\n", clean(t.address(o)))
	if auth := map[string]string{"iam": "AWS4-HMAC-SHA256 (SigV4)", "token": "the token in " + tokenName}[t.auth]; auth != "" {
		fmt.Fprintf(term.out, "Authorization: %s\n", auth)
	}
	fmt.Fprintf(term.out, "\n%s\n", clean(string(o.body)))
	return nil
}

// post sends a body to the API. Its error is an operate.Error that tells whether anything may have been done.
func (t target) post(ctx context.Context, address string, body []byte) (status int, header http.Header, answer []byte, err error) {
	return t.postAs(ctx, address, "application/json", body)
}

// postAs is post for a body of any media type.
func (t target) postAs(ctx context.Context, address, mediaType string, body []byte) (status int, header http.Header, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, usage("--url is not a URL")
	}
	request.Header.Set("Content-Type", mediaType)
	request.Header.Set("User-Agent", "kesu-send/"+version.String())
	if err := t.authorize(ctx, request, body); err != nil {
		return 0, nil, nil, err
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, nil, lost(err, t.base)
	}
	answer, err = doctor.ReadBody(ctx, response.Body, fileLimit)
	if err != nil {
		return 0, nil, nil, operate.New(operate.Unknown, "the answer broke off; "+mayBeDone)
	}
	return response.StatusCode, response.Header, answer, nil
}

// lost words a call without an answer.
func lost(err error, base string) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		advice := "check the address and the network"
		if base == localGateway {
			advice = "start it with kesu run, or give --url or --stack"
		}
		return operate.New(operate.Retryable, doctor.HostOf(base)+" cannot be reached, nothing was sent; "+advice)
	}
	return operate.New(operate.Unknown, "no answer came from "+doctor.HostOf(base)+"; "+mayBeDone)
}

func (t target) authorize(ctx context.Context, request *http.Request, body []byte) error {
	switch t.auth {
	case "token":
		request.Header.Set("Authorization", os.Getenv(tokenName))
	case "iam":
		c, err := t.account.Config(ctx)
		if err != nil {
			return err
		}
		credentials, err := c.Credentials.Retrieve(ctx)
		if err != nil {
			return errors.New("there are no AWS credentials to sign the request with; see `aws sts get-caller-identity`, or --auth")
		}
		region := c.Region
		if parts := strings.Split(request.URL.Hostname(), "."); len(parts) > 3 && parts[1] == "execute-api" {
			region = parts[2]
		}
		sum := sha256.Sum256(body)
		if err := v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), "execute-api", region, time.Now()); err != nil {
			return errors.New("the request cannot be signed with these AWS credentials")
		}
	}
	return nil
}

// put puts the event on AWS's bus and returns its id.
func (t target) put(ctx context.Context, detailType, source string, detail []byte) (string, error) {
	c, err := t.account.Config(ctx)
	if err != nil {
		return "", err
	}
	out, err := eventbridge.NewFromConfig(c).PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		EventBusName: aws.String(t.bus), Source: aws.String(source), DetailType: aws.String(detailType), Detail: aws.String(string(detail)),
	}}})
	switch {
	case err != nil:
		return "", operate.Problem("put the event on the bus "+t.bus, err)
	case out.FailedEntryCount > 0 && len(out.Entries) > 0:
		return "", operate.New(operate.Retryable, "the bus did not take the event: "+redact.AWSCode(aws.ToString(out.Entries[0].ErrorCode))+"; nothing was sent")
	case len(out.Entries) == 0:
		return "", operate.New(operate.Retryable, "the bus did not take the event; nothing was sent")
	}
	return aws.ToString(out.Entries[0].EventId), nil
}
