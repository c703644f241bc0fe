package gateway

import "testing"

func TestTheOnlyHostIsAskedHoweverOftenItFailed(t *testing.T) {
	hosts := NewHosts("http://only")
	for n := range 5 {
		host, report := hosts.pick(hosts.list[0])
		if host != hosts.list[0] {
			t.Fatalf("attempt %d went to %v", n, host)
		}
		report(errNoAnswer)
	}
}
