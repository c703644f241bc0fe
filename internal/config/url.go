package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

func (r *reader) url(name, fallback string) string {
	value := r.getenv(name)
	if value == "" {
		return fallback
	}
	if err := gatewayURL(r.getenv(samLocalName) == "true")(value); err != nil {
		r.fail(name, err.Error())
	}
	return value
}

// gatewayURL checks the address of a gateway: https, because a reply and a key's signature travel there; http only to
// this very machine, or, with samLocal, from a container to a sandbox on its host.
func gatewayURL(samLocal bool) func(string) error {
	return func(value string) error {
		u, err := url.Parse(value)
		switch {
		case err != nil || u.Hostname() == "":
			return errors.New("is not a URL with a host")
		case u.User != nil:
			return errors.New("must not carry a user name or password")
		case !validPort(u.Port()):
			return errors.New("has a port outside of 1 to 65535")
		case strings.Contains(value, "#"): // an empty fragment would still swallow a path that is put behind it
			return errors.New("must not have a fragment")
		case u.Scheme == "https":
			return nil
		case u.Scheme == "http" && (samLocal || loopback(u.Hostname())):
			return nil
		case u.Scheme == "http":
			return fmt.Errorf("must be https; http is for loopback only (or with %s=true)", samLocalName)
		}
		return errors.New("must be an https URL")
	}
}

// validPort takes no port as well: the scheme's own is meant then.
func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

// loopback tells whether host is this machine, without asking DNS.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
