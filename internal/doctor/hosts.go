package doctor

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/version"
	"github.com/kesu-go/kesu/pkg/signing"
)

// hostDate is a gateway's clock against this machine's.
type hostDate struct {
	host string
	off  time.Duration // the gateway's is ahead by this
}

// visit is one call to a host, with what was seen on the way.
type visit struct {
	status               int
	header               http.Header
	body                 []byte
	tls                  *tls.ConnectionState
	connect, shake, took time.Duration
}

// call makes one call. It follows no redirect and waits for nothing for long.
func (d *doctor) call(ctx context.Context, method, address string, header http.Header, body []byte) (visit, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var v visit
	var dialled, shaken time.Time
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		ConnectStart:      func(string, string) { dialled = time.Now() },
		ConnectDone:       func(string, string, error) { v.connect = time.Since(dialled) },
		TLSHandshakeStart: func() { shaken = time.Now() },
		TLSHandshakeDone:  func(tls.ConnectionState, error) { v.shake = time.Since(shaken) },
	})
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return v, err
	}
	request.Header = header.Clone()
	request.Header.Set("User-Agent", "kesu-doctor/"+version.String())
	started := time.Now()
	response, err := d.transport.RoundTrip(request)
	if err != nil {
		return v, err
	}
	v.status, v.header, v.tls, v.took = response.StatusCode, response.Header, response.TLS, time.Since(started)
	if v.body, err = ReadBody(ctx, response.Body, gateway.MaxAnswer); err != nil {
		return v, err
	}
	if at, err := http.ParseTime(v.header.Get("Date")); err == nil {
		// Date has whole seconds: on average half a second has passed since it began.
		off := at.Add(time.Second / 2).Sub(started.Add(v.took / 2))
		d.dates = append(d.dates, hostDate{request.URL.Host, off})
	}
	return v, nil
}

// visitHost looks whether a host can be reached, and how. Any HTTP answer will do.
func (d *doctor) visitHost(ctx context.Context, what, base string) bool {
	v, err := d.call(ctx, http.MethodGet, base, http.Header{}, nil)
	if err != nil {
		id, args := networkProblem(err, base)
		d.fail(what, id, args...)
		return false
	}
	trip := (v.took - v.connect - v.shake).Round(time.Millisecond / 10)
	if v.tls == nil || len(v.tls.PeerCertificates) == 0 {
		d.ok(what, "host.plain", HostOf(base), trip)
		return true
	}
	until := v.tls.PeerCertificates[0].NotAfter
	if time.Until(until) < 7*24*time.Hour {
		d.warn(what, "host.expires", until.Format(time.DateOnly))
		return true
	}
	d.ok(what, "host.tls", HostOf(base), tls.VersionName(v.tls.Version), until.Format(time.DateOnly), trip)
	return true
}

// HostOf is the host of an address.
func HostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return "the host"
	}
	return u.Host
}

// networkProblem finds why a host could not be reached.
func networkProblem(err error, base string) (id string, args []any) {
	var dns *net.DNSError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var record tls.RecordHeaderError
	id = "net.other"
	switch {
	case errors.As(err, &dns):
		id = "net.dns"
	case errors.As(err, &authority):
		id = "net.authority"
	case errors.As(err, &invalid):
		id = "net.invalid"
	case errors.As(err, &name):
		id = "net.name"
	case errors.As(err, &record):
		id = "net.notls"
	case errors.Is(err, context.DeadlineExceeded):
		id = "net.timeout"
	case strings.Contains(err.Error(), "connection refused"):
		id = "net.refused"
	case strings.Contains(err.Error(), "proxy"):
		id = "net.proxy"
	}
	return id, []any{HostOf(base)}
}

// clock compares this machine's clock with the gateways'.
func (d *doctor) clock() {
	var worst hostDate
	for _, date := range d.dates {
		if date.off.Abs() > worst.off.Abs() {
			worst = date
		}
	}
	off := worst.off.Abs().Round(time.Second)
	id := "clock.behind"
	if worst.off < 0 {
		id = "clock.ahead"
	}
	switch {
	case len(d.dates) == 0:
	case off > signing.Tolerance:
		d.fail("clock", id, off, worst.host)
	case off > time.Minute:
		d.warn("clock", id, off, worst.host)
	default:
		d.ok("clock", "clock.ok", max(off, time.Second))
	}
}
