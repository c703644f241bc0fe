package config

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// everybody is the WATCH_MERCHANTS that means every merchant with a secret.
const everybody = "*"

// mostWarnings bounds WATCH_WARN_BEFORE.
const mostWarnings = 10

// ReadWatch reads the settings of functions/watch. It does not start without a bus, because it would have nobody to
// tell, nor without a table, because each process would tell of every complaint anew.
func ReadWatch(getenv func(string) string) (Watch, error) {
	r := &reader{getenv: getenv}
	c := Watch{Common: r.common(readRate, 180), Hosts: r.hosts(), Queue: r.queue()}
	c.LedgerTTL = r.duration(watchTTL, 35*24*time.Hour, 5*24*time.Hour) // a sweep looks four days back
	if c.Everybody = strings.TrimSpace(getenv(watchMerchants)) == everybody; !c.Everybody {
		c.Merchants = r.merchants(watchMerchants)
	}
	if c.Everybody && c.MerchantPacks > 0 {
		r.fail(watchMerchants,
			"must name the merchants where "+merchantKeys+" is packed: packs cannot be listed by merchant")
	}
	if c.WarnBefore = r.warnings(); c.ResultBus == "" {
		r.fail(resultBus, "is required: the event bus that is told of complaints")
	}
	if c.LedgerTable == "" && !endpointsAreLocal(getenv) {
		r.fail(ledgerTable, "is required: the table that remembers which complaints were told")
	}
	return c, r.err
}

// endpointsAreLocal reports whether the bus that is told stands on this machine: a person is trying the function.
func endpointsAreLocal(getenv func(string) string) bool {
	for _, name := range []string{"AWS_ENDPOINT_URL_EVENTBRIDGE", "AWS_ENDPOINT_URL"} {
		if value := getenv(name); value != "" {
			u, err := url.Parse(value)
			return err == nil && loopback(u.Hostname())
		}
	}
	return false
}

// queue reads a queue's URL. Only SQS is ever asked for it, at the SDK's own address.
func (r *reader) queue() string {
	value := r.getenv(watchQueue)
	if value == "" {
		return ""
	}
	if u, err := url.Parse(value); err != nil || u.Hostname() == "" || u.User != nil || len(value) > 1024 ||
		u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		r.fail(watchQueue, "is not a queue's URL")
	}
	return value
}

// warnings reads how long before the end of a complaint's time somebody is told.
func (r *reader) warnings() []time.Duration {
	value := r.getenv(watchWarn)
	if value == "" {
		return []time.Duration{4 * time.Hour, time.Hour}
	}
	var list []time.Duration
	for text := range strings.SplitSeq(value, ",") {
		d, err := time.ParseDuration(strings.TrimSpace(text))
		if err != nil || d <= 0 || d >= 24*time.Hour || len(list) == mostWarnings {
			r.fail(watchWarn, "must be at most 10 Go durations below 24h with commas between, like 4h,1h")
			return nil
		}
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b time.Duration) int { return int(b - a) })
	return slices.Compact(list)
}
