package gateway

import (
	"errors"
	"net/url"
	"time"

	"github.com/sony/gobreaker/v2"
)

// A host is avoided for hostRest after hostFailures network failures in a row, then given one trial.
const (
	hostFailures = 3
	hostRest     = 10 * time.Second
)

// Hosts are the addresses of one gateway, the primary first. When there are several, which of them fail is remembered
// from one call to the next.
type Hosts struct {
	list []*host
}

type host struct {
	base    string
	name    string                                     // host and port, for the log
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}] // nil: there is no other host to go to
}

// NewHosts makes the hosts of a gateway from their base URLs, which were checked when the settings were read.
func NewHosts(bases ...string) *Hosts {
	h := &Hosts{}
	for _, base := range bases {
		name := ""
		if u, err := url.Parse(base); err == nil {
			name = u.Host
		}
		one := &host{base: base, name: name}
		if len(bases) > 1 {
			one.breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
				Name:        name,
				MaxRequests: 1,
				Timeout:     hostRest,
				ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= hostFailures },
			})
		}
		h.list = append(h.list, one)
	}
	return h
}

// Bases are the base URLs, the primary first.
func (h *Hosts) Bases() []string {
	var bases []string
	for _, host := range h.list {
		bases = append(bases, host.base)
	}
	return bases
}

// errNoAnswer is what the breaker counts: a network failure. A gateway that answers, whatever it says, is there.
var errNoAnswer = errors.New("no answer")

// pick chooses the host for the next attempt: the first that is not avoided and did not just fail; else one that just
// failed but is not avoided; when all are avoided, the primary. The caller must report what became of it: nil or
// errNoAnswer.
func (h *Hosts) pick(failed *host) (chosen *host, report func(error)) {
	if len(h.list) == 1 {
		return h.list[0], func(error) {}
	}
	for _, lastResort := range []bool{false, true} {
		for _, candidate := range h.list {
			if (candidate == failed) != lastResort {
				continue
			}
			if done, err := candidate.breaker.Allow(); err == nil {
				return candidate, done
			}
		}
	}
	return h.list[0], func(error) {}
}
