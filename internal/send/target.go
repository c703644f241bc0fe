package send

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
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/internal/doctor"
	"github.com/kesu-go/kesu/internal/operate"
	"github.com/kesu-go/kesu/internal/version"
)

const (
	localGateway = "http://127.0.0.1:3000" // which kesu run starts
	callLimit    = 40 * time.Second        // more than API Gateway waits
	answerLimit  = 1 << 20                 // of an answer, in bytes
)

// TokenName is the environment variable that a person puts the token for an API into. This package does not read it.
const TokenName = "KESU_TOKEN"

// Options say where commands go, and how the API knows the caller.
type Options struct {
	URL   string // of the API; by default the local gateway's
	Stack string // a deployed stack, whose outputs name its API and its bus
	Event bool   // send by event: to the stack's bus, or to the local gateway's
	Bus   string // send by event to this bus; a name or an ARN

	Auth  string // iam (SigV4), token, none, or auto: none on this machine, the token when there is one, and else iam
	Token string // for the API, as the Authorization header; "" when there is none
	AWS   operate.AWS
}

// Target is a place that takes commands.
type Target struct {
	base  string // of the API, without a slash at its end; "" for AWS's bus
	bus   string // AWS's bus; "" for the API
	local bool   // the local gateway's bus
	auth  string
	token string
	aws   operate.AWS
}

// Find works out where commands go. One of URL, Stack and Bus may be given.
func Find(ctx context.Context, o Options) (Target, error) {
	if o.URL != "" && (o.Stack != "" || o.Bus != "") || o.Stack != "" && o.Bus != "" {
		return Target{}, operate.New(operate.Usage, "give one of --url, --stack and --bus")
	}
	if o.Stack != "" {
		s, err := operate.DescribeStack(ctx, o.AWS, o.Stack)
		if err != nil {
			return Target{}, err
		}
		output, into := "ApiUrl", &o.URL
		if o.Event {
			output, into = "BusName", &o.Bus
		}
		if *into = s.Outputs[output]; *into == "" {
			return Target{}, fmt.Errorf("the stack %s has no output %s", o.Stack, output)
		}
	}
	if o.Bus != "" {
		return Target{bus: o.Bus, aws: o.AWS}, nil
	}
	if strings.TrimRight(o.URL, "/") == "" {
		o.URL = localGateway
	}
	t, err := At(o)
	t.local = o.Event
	return t, err
}

// At is the API at URL; nothing is looked up. It refuses an address that words and signatures should not travel to.
func At(o Options) (Target, error) {
	t := Target{base: strings.TrimRight(o.URL, "/"), auth: o.Auth, token: o.Token, aws: o.AWS}
	rules, _ := config.ReadReply(func(string) string { return "" }) // for its rule about URLs alone
	if err := rules.CheckGatewayURL(t.base); err != nil || strings.Contains(t.base, "?") {
		return t, operate.New(operate.Usage,
			"--url must be an https address without a query; http is for this machine only")
	}
	u, err := url.Parse(t.base)
	if err != nil {
		return t, operate.New(operate.Usage, "--url is not a URL")
	}
	ip := net.ParseIP(u.Hostname())
	switch {
	case t.auth != "auto":
	case u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()):
		t.auth = "none"
	case t.token != "":
		t.auth = "token"
	default:
		t.auth = "iam"
	}
	if t.auth == "token" && t.token == "" {
		return t, operate.New(operate.Usage, "--auth token needs the token in "+TokenName)
	}
	return t, nil
}

// Call sends a body to a path of the API, and returns what was answered. The kind of its error tells whether anything
// may have been done.
func (t Target) Call(ctx context.Context, path, mediaType string, body []byte) (int, http.Header, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, operate.New(operate.Usage, "--url is not a URL")
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
	answer, err := doctor.ReadBody(ctx, response.Body, answerLimit)
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

// authorize lets the API know the caller.
func (t Target) authorize(ctx context.Context, request *http.Request, body []byte) error {
	switch t.auth {
	case "token":
		request.Header.Set("Authorization", t.token)
	case "iam":
		c, err := t.aws.Config(ctx)
		if err != nil {
			return err
		}
		credentials, err := c.Credentials.Retrieve(ctx)
		if err != nil {
			return errors.New("there are no AWS credentials to sign the request with; " +
				"see `aws sts get-caller-identity`, or --auth")
		}
		region := c.Region
		if parts := strings.Split(request.URL.Hostname(), "."); len(parts) > 3 && parts[1] == "execute-api" {
			region = parts[2]
		}
		sum := sha256.Sum256(body)
		hash := hex.EncodeToString(sum[:])
		err = v4.NewSigner().SignHTTP(ctx, credentials, request, hash, "execute-api", region, time.Now())
		if err != nil {
			return errors.New("the request cannot be signed with these AWS credentials")
		}
	}
	return nil
}
