package bench

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// loseAnswers makes the gateway of replies close the connection when it was sent one, and WeChat Pay show the reply in
// the complaint's history. A request without a body is a look.
func (w *World) loseAnswers() {
	lose := func(body []byte, h http.Header) (int, []byte) {
		if len(body) > 0 {
			return hangUp, nil
		}
		text := []byte(`{"total_count":1,"offset":0,"limit":100,"data":[{"log_id":"300285320210322170000071077","operator":"商家",` +
			`"operate_time":"` + time.Now().Format(time.RFC3339) + `","operate_type":"MERCHANT_RESPONSE","operate_details":"` + sampleContent + `"}]}`)
		signed, err := w.keys.signedOver(text)
		must(err)
		for name, values := range signed {
			h[name] = values
		}
		h.Set("Content-Type", "application/json")
		return http.StatusOK, text
	}
	for _, s := range []*standIn{w.imageco, w.primary, w.backup} {
		s.answer.Store(&lose)
	}
}

// Lost is a reply whose answer is lost, from its sending to the result that says that it was seen, in milliseconds.
func (w *World) Lost(ctx context.Context, path string, env []string) (float64, error) {
	p, err := start(ctx, path, w.environment(setting{directories: true, ledger: true, env: env}))
	if err != nil {
		return 0, err
	}
	defer p.stop()
	w.gateway(Reply).forget()
	seen, err := p.invoke(event(Reply, 0), `"SEEN_IN_HISTORY"`)
	if err != nil {
		return 0, err
	}
	sent := w.gateway(Reply).visit().read.Add(-w.RoundTrip / 2)
	return milliseconds(seen.to.Sub(sent)), nil
}

// leastLost takes the round trips between a reply's sending and its sighting that cannot be avoided: the reply and the
// end of its connection; the settle as unknown, while the connection for the look is opened; the look; what the ledger
// knows of it; that the item is this reply's; the settle as seen.
func (w *World) leastLost() (time.Duration, error) {
	open := func(s *standIn) (net.Conn, error) {
		return tls.Dial("tcp", strings.TrimPrefix(s.URL, "https://"), &tls.Config{RootCAs: w.authority.pool})
	}
	gateway, err := open(w.gateway(Reply))
	if err != nil {
		return 0, err
	}
	defer gateway.Close()
	table, err := open(w.table)
	if err != nil {
		return 0, err
	}
	defer table.Close()
	started := time.Now()
	if err := askOnce(gateway, w.gateway(Reply).URL); err == nil {
		return 0, fmt.Errorf("the answer is not lost")
	}
	var group sync.WaitGroup
	var settled, opened error
	var history net.Conn
	group.Go(func() { settled = askOnce(table, w.table.URL) })
	group.Go(func() { history, opened = open(w.primary) })
	group.Wait()
	if opened != nil {
		return 0, opened
	}
	defer history.Close()
	if settled != nil {
		return 0, settled
	}
	if err := ask(history, http.MethodGet, w.primary.URL, ""); err != nil {
		return 0, err
	}
	for range 3 {
		if err := askOnce(table, w.table.URL); err != nil {
			return 0, err
		}
	}
	return time.Since(started), nil
}

// lost measures how long a lost answer stays unknown when the reply was carried out, through both carriers.
func (s *Suite) lost(ctx context.Context) error {
	for _, j := range journeys[:2] {
		w, err := s.worldOf(s.keys.of(j), distance)
		if err != nil {
			return err
		}
		defer w.Close()
		w.loseAnswers()
		err = s.journey(Row{Figure: j.figure + ": from the sending to `succeeded` by sight, the answer lost, 20 ms a round trip",
			Note: "seven: the reply and the end of its connection; TCP, TLS and request of the look, with the settle as unknown beside them; the ledger's " +
				"three: what it knows of these words, whose the item is, the settle as seen"},
			w.leastLost, func() (float64, error) { return w.Lost(ctx, s.paths[Reply], j.env) })
		if err != nil {
			return err
		}
	}
	return nil
}
