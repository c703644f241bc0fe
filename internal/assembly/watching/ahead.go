package watching

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/kesu-go/kesu/internal/budget"
)

// ahead opens the process's first connection to the bus while a notification's claim is on its way, which saves two
// round trips of a cold start. Later connections are the transport's business.
type ahead struct {
	target func() (address string, ok bool) // where the bus is, if it is reached by TLS and without a proxy
	tls    *tls.Config
	once   sync.Once

	mu    sync.Mutex
	first *opening // nil before it is begun, and once it was taken
}

// opening is a connection on its way.
type opening struct {
	address string
	began   time.Time
	conn    chan net.Conn // gets one: nil when it could not be opened
}

// freshFor is how long an opened connection may wait to be used: a frozen process may come back to one that is dead. It
// is longer than opening one may take.
const freshFor = 5 * time.Second

// aheadBus is an EventBridge client, and what opens its first connection.
func aheadBus(config aws.Config) (*eventbridge.Client, func(context.Context)) {
	base, ok := config.HTTPClient.(*awshttp.BuildableClient)
	if config.HTTPClient == nil {
		base, ok = awshttp.NewBuildableClient(), true // the SDK makes the same
	}
	if !ok { // somebody else's, whose connections are not ours to open
		return eventbridge.NewFromConfig(config), func(context.Context) {}
	}
	a := &ahead{tls: base.GetTransport().TLSClientConfig.Clone()}
	client := eventbridge.NewFromConfig(config, func(o *eventbridge.Options) {
		o.HTTPClient = base.WithTransportOptions(func(t *http.Transport) { t.DialTLSContext = a.dial })
	})
	options := client.Options()
	a.target = func() (string, bool) {
		e, err := eventbridge.NewDefaultEndpointResolverV2().
			ResolveEndpoint(context.Background(), eventbridge.EndpointParameters{
				Region: aws.String(options.Region), Endpoint: options.BaseEndpoint,
				UseFIPS: aws.Bool(options.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
				UseDualStack: aws.Bool(
					options.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled)})
		if err != nil {
			return "", false
		}
		return addressOf(&e.URI)
	}
	return client, a.open
}

// addressOf is where a URL is dialled; false for one without TLS, or behind a proxy.
func addressOf(u *url.URL) (string, bool) {
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u})
	if u.Scheme != "https" || err != nil || proxy != nil {
		return "", false
	}
	if u.Port() != "" {
		return u.Host, true
	}
	return net.JoinHostPort(u.Hostname(), "443"), true
}

// open begins to open the connection, once in the life of the process. What fails here is told by the call itself.
func (a *ahead) open(ctx context.Context) {
	a.once.Do(func() {
		address, ok := a.target()
		if !ok {
			return
		}
		o := &opening{address, time.Now(), make(chan net.Conn, 1)}
		a.mu.Lock()
		a.first = o
		a.mu.Unlock()
		go func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), budget.AWS)
			defer cancel()
			conn, err := a.dialTLS(ctx, "tcp", address)
			if err != nil {
				conn = nil
			}
			o.conn <- conn
		}()
	})
}

// take gives the connection that was opened ahead to whoever asks for its address first; nil to everybody else.
func (a *ahead) take(address string) *opening {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.first == nil || a.first.address != address {
		return nil
	}
	o := a.first
	a.first = nil
	return o
}

// dial gives the transport the connection that was opened ahead, or a new one.
func (a *ahead) dial(ctx context.Context, network, address string) (net.Conn, error) {
	o := a.take(address)
	if o == nil {
		return a.dialTLS(ctx, network, address)
	}
	conn := <-o.conn // within budget.AWS of its beginning
	if conn != nil && time.Since(o.began) < freshFor {
		return conn, nil
	}
	if conn != nil {
		_ = conn.Close()
	}
	return a.dialTLS(ctx, network, address)
}

func (a *ahead) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := tls.Dialer{Config: a.tls}
	return dialer.DialContext(ctx, network, address)
}
