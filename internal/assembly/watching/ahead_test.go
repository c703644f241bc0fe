package watching

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// aBus serves PutEvents over TLS, and counts the connections.
func aBus(t *testing.T) (aws.Config, *atomic.Int32) {
	t.Helper()
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}`))
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	base := awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
		tr.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	})
	return aws.Config{Region: "ap-east-1", BaseEndpoint: &server.URL, HTTPClient: base, Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")}, &connections
}

func put(t *testing.T, client *eventbridge.Client) {
	t.Helper()
	_, err := client.PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{Source: aws.String("kesu"),
		DetailType: aws.String("x"), Detail: aws.String("{}")}}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheFirstConnectionToTheBusIsTheOneThatWasOpenedAhead(t *testing.T) {
	config, connections := aBus(t)
	client, open := aheadBus(config)
	ctx, cancel := context.WithCancel(t.Context())
	open(ctx)
	open(ctx) // once in the life of the process
	cancel()  // it belongs to no invocation
	// Only the first call counts. Whether a connection is used again is decided between net/http and the SDK, which on a
	// busy machine at times closes a request's body first.
	put(t, client)
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestTheBusIsReachedWithoutAConnectionThatWasOpenedAhead(t *testing.T) {
	config, connections := aBus(t)
	client, open := aheadBus(config)
	put(t, client) // nothing was opened
	open(t.Context())
	put(t, client)
	if n := connections.Load(); n > 2 {
		t.Errorf("%d connections", n)
	}
	config.HTTPClient = http.DefaultClient // somebody else's
	if _, open := aheadBus(config); open == nil {
		t.Error("there is nothing to call")
	} else {
		open(t.Context())
	}
}

func TestAConnectionThatWaitedTooLongIsNotUsed(t *testing.T) {
	config, connections := aBus(t)
	address, ok := addressOf(must(url.Parse(*config.BaseEndpoint)))
	if !ok {
		t.Fatal("a TLS address is not dialled ahead")
	}
	base := config.HTTPClient.(*awshttp.BuildableClient)
	a := &ahead{tls: base.GetTransport().TLSClientConfig, target: func() (string, bool) { return address, true }}
	a.open(t.Context())
	a.first.began = time.Now().Add(-freshFor)
	conn, err := a.dial(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, isTLS := conn.(*tls.Conn); !isTLS || a.first != nil {
		t.Errorf("%T", conn)
	}
	if n := connections.Load(); n != 2 {
		t.Errorf("%d connections", n)
	}
}

func must(u *url.URL, _ error) *url.URL { return u }

func TestWhereABusIsNotDialledAhead(t *testing.T) {
	for address, want := range map[string]string{"http://127.0.0.1:1": "", "https://events.ap-east-1.amazonaws.com": "events.ap-east-1.amazonaws.com:443",
		"https://127.0.0.1:8443/x": "127.0.0.1:8443"} {
		if got, _ := addressOf(must(url.Parse(address))); got != want {
			t.Errorf("%s: %q", address, got)
		}
	}
}
