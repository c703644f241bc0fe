package sandbox

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// problem answers with application/problem+json (RFC 9457).
func problem(w http.ResponseWriter, status int, detail string) {
	text, err := json.Marshal(map[string]any{"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail})
	if err != nil {
		http.Error(w, detail, status)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}

// localOnly lets through what a program on this machine sends. A page from elsewhere in a browser on this machine could
// reach the loopback interface too: with a name of its own that resolves to it (DNS rebinding, seen in Host), or straight
// across origins (seen in Origin).
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopbackHost(r.Host) {
			problem(w, http.StatusMisdirectedRequest, "the Host is not this machine's loopback interface")
			return
		}
		if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+r.Host {
			problem(w, http.StatusForbidden, "pages of another origin may not call this")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// loopbackHost tells whether a Host header names the loopback interface, with or without a port.
func loopbackHost(host string) bool {
	u, err := url.Parse("http://" + host)
	if err != nil || u.Host != host {
		return false
	}
	name := strings.ToLower(u.Hostname())
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && ip.IsLoopback()
}
