package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"github.com/kesu-go/kesu/internal/gateway"
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
	request.Header.Set("User-Agent", "kesu doctor")
	started := time.Now()
	response, err := d.transport.RoundTrip(request)
	if err != nil {
		return v, err
	}
	defer response.Body.Close()
	v.status, v.header, v.tls, v.took = response.StatusCode, response.Header, response.TLS, time.Since(started)
	if v.body, err = io.ReadAll(io.LimitReader(response.Body, gateway.MaxAnswer)); err != nil {
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
		problem, advice := networkProblem(err, base)
		d.fail(what, problem, advice)
		return false
	}
	how := "without TLS, on this machine"
	if v.tls != nil && len(v.tls.PeerCertificates) > 0 {
		until := v.tls.PeerCertificates[0].NotAfter
		how = tls.VersionName(v.tls.Version) + ", certificate until " + until.Format(time.DateOnly)
		if time.Until(until) < 7*24*time.Hour {
			d.warn(what, "its TLS certificate expires on "+until.Format(time.DateOnly), "tell the gateway's operator")
			return true
		}
	}
	d.ok(what, "%s answers; %s; round trip %s", hostOf(base), how, (v.took - v.connect - v.shake).Round(time.Millisecond/10))
	return true
}

func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return "the host"
	}
	return u.Host
}

// networkProblem words why a host could not be reached.
func networkProblem(err error, base string) (problem, advice string) {
	host := hostOf(base)
	var dns *net.DNSError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &dns):
		return "the name " + host + " cannot be resolved", "check the spelling of the address, and DNS from here (a VPC's functions need a resolver and a NAT gateway)"
	case errors.As(err, &authority):
		return "the TLS certificate of " + host + " is signed by nobody that this machine trusts", "a proxy that opens TLS may stand between; or the address is not the gateway's"
	case errors.As(err, &invalid):
		return "the TLS certificate of " + host + " is not valid (expired, or not yet valid)", "check this machine's date; else tell the gateway's operator"
	case errors.As(err, &name):
		return "the TLS certificate of " + host + " is for another name", "check the address; a proxy or a captive portal may answer in its place"
	case errors.As(err, &record):
		return host + " does not speak TLS on that port", "check the port of the address"
	case errors.Is(err, context.DeadlineExceeded):
		return host + " did not answer within " + limit.String(), "a firewall may drop the packets; allow https to both hosts"
	case strings.Contains(err.Error(), "connection refused"):
		return host + " refuses connections", "check address and port, and a firewall between; both hosts must be reachable"
	case strings.Contains(err.Error(), "proxy"):
		return host + " cannot be reached through the proxy", "check HTTPS_PROXY and NO_PROXY"
	}
	return host + " cannot be reached, or ends the connection without an answer", "check address, firewall and proxy; both hosts must be reachable"
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
	direction := "behind"
	if worst.off < 0 {
		direction = "ahead of"
	}
	message := fmt.Sprintf("this machine's clock is %s %s the one of %s", off, direction, worst.host)
	const advice = "set the clock by NTP; WeChat Pay takes requests only within 5 minutes of its own time. Lambda's clock is another one: if the functions report the same, ask WeChat Pay"
	switch {
	case len(d.dates) == 0:
	case off > signing.Tolerance:
		d.fail("clock", message, advice)
	case off > time.Minute:
		d.warn("clock", message, advice)
	default:
		d.ok("clock", "agrees with the gateways' within %s", max(off, time.Second))
	}
}
