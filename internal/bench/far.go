package bench

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Parts is a cold start and a first invocation in pieces, medians in milliseconds.
type Parts struct {
	Name                                         string
	Start, Connect, Secret, Gateway, Call, After float64
	CPU                                          float64
}

// Total is from exec to the answer.
func (p Parts) Total() float64 {
	return p.Start + p.Connect + p.Secret + p.Gateway + p.Call + p.After
}

func partsOf(name string, runs []Cold) Parts {
	median := func(get func(Cold) float64) float64 {
		var s Sample
		for _, c := range runs {
			s = append(s, get(c))
		}
		return s.Median()
	}
	return Parts{Name: name,
		Start: median(func(c Cold) float64 { return c.Start }), Connect: median(func(c Cold) float64 { return c.Connect }),
		Secret: median(func(c Cold) float64 { return c.Secret }), Gateway: median(func(c Cold) float64 { return c.Dial }),
		Call:  median(func(c Cold) float64 { return c.Reply }),
		After: median(func(c Cold) float64 { return c.First - c.Connect - c.Secret - c.Dial - c.Reply }),
		CPU:   median(func(c Cold) float64 { return c.CPU }),
	}
}

// A journey is a function and what its first command goes through.
type journey struct {
	figure, name, program string // name is that of its bar in the picture
	direct                bool   // WeChat Pay carries the reply
	env                   []string
	note                  string
}

var journeys = []journey{
	{"reply through 翼码", "reply, 翼码", Reply, false, nil, "five round trips of 20 ms: TCP, TLS and request to the ledger, beside the secret; " +
		"the call; the ledger's settle, which comes before the answer. LEDGER_TABLE is set"},
	{"reply through WeChat Pay", "reply, WeChat Pay", Reply, true, []string{"IMAGECO_URL="}, "the same five"},
	{"reply through WeChat Pay where IMAGECO_URL is set, too", "… IMAGECO_URL is set, too", Reply, true, nil,
		"the same five; which gateway carries it stands in the secret only"},
	{"complete", "complete", Complete, false, nil, "four: TCP, TLS and request to Secrets Manager, request to the gateway"},
}

// far measures start and first invocation with a round trip that counts, beside a client that does nothing else.
func (s *Suite) far(ctx context.Context) error {
	for _, j := range journeys {
		if err := s.farOf(ctx, j); err != nil {
			return err
		}
	}
	return nil
}

func (s *Suite) farOf(ctx context.Context, j journey) error {
	w, err := s.worldOf(s.keys.of(j), distance)
	if err != nil {
		return err
	}
	defer w.Close()
	setting := setting{directories: true, ledger: j.program == Reply, env: j.env}
	var runs []Cold
	err = s.journey(Row{Figure: j.figure + ": start + first invocation, 20 ms a round trip, prefetch off", Limit: 1.25, Note: j.note},
		func() (time.Duration, error) { return w.least(j.program) },
		func() (float64, error) {
			c, err := w.ColdStart(ctx, s.paths[j.program], j.program, setting, 0)
			runs = append(runs, c)
			return c.Total, err
		})
	if err != nil {
		return err
	}
	s.Report.Cold = append(s.Report.Cold, partsOf(j.name, runs))
	return nil
}

// least takes the round trips that cannot be avoided, as fast as they can be: the secret, and for a reply the ledger's
// claim beside it, while the gateway's connection is opened; then the call, and for a reply the ledger's settle.
func (w *World) least(program string) (time.Duration, error) {
	started := time.Now()
	type opened struct {
		conn net.Conn
		err  error
	}
	open := func(s *standIn, ask bool) <-chan opened {
		out := make(chan opened, 1)
		go func() {
			conn, err := tls.Dial("tcp", strings.TrimPrefix(s.URL, "https://"), &tls.Config{RootCAs: w.authority.pool})
			if err == nil && ask {
				err = askOnce(conn, s.URL)
			}
			out <- opened{conn, err}
		}()
		return out
	}
	gateway, secret := open(w.gateway(program), false), open(w.secrets, true)
	var table <-chan opened
	if program == Reply {
		table = open(w.table, true)
	}
	if o := <-secret; o.err != nil {
		return 0, o.err
	} else {
		defer o.conn.Close()
	}
	var ledger opened
	if table != nil {
		if ledger = <-table; ledger.err != nil {
			return 0, ledger.err
		}
		defer ledger.conn.Close()
	}
	o := <-gateway
	if o.err != nil {
		return 0, o.err
	}
	defer o.conn.Close()
	if err := askOnce(o.conn, w.gateway(program).URL); err != nil {
		return 0, err
	}
	if table != nil {
		if err := askOnce(ledger.conn, w.table.URL); err != nil {
			return 0, err
		}
	}
	return time.Since(started), nil
}

// askOnce makes one request on an open connection and reads the answer.
func askOnce(conn net.Conn, url string) error { return ask(conn, http.MethodPost, url, "{}") }

func ask(conn net.Conn, method, url, body string) error {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	if err := request.Write(conn); err != nil {
		return err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), request)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

// certificates measures what SSL_CERT_DIR saves on the layout of Amazon Linux 2023. That certificates still verify shows
// in that the invocations succeed.
func (s *Suite) certificates(ctx context.Context) error {
	w, err := s.world(0)
	if err != nil {
		return err
	}
	defer w.Close()
	s.Report.Roots = w.authority.roots
	var with, without, withCPU, withoutCPU Sample
	for range 2 * s.Rounds {
		for _, directories := range []bool{true, false} {
			c, err := w.ColdStart(ctx, s.paths[Complete], Complete, setting{directories: directories}, 0)
			if err != nil {
				return err
			}
			if directories {
				with, withCPU = append(with, c.Total), append(withCPU, c.CPU)
			} else {
				without, withoutCPU = append(without, c.Total), append(withoutCPU, c.CPU)
			}
		}
	}
	s.Report.Extra = append(s.Report.Extra,
		Row{Figure: "start + first completion with `SSL_CERT_DIR=/nonexistent`", Yardstick: "the layout of Amazon Linux 2023 as it is", Unit: "ms", Ours: without, Its: with},
		Row{Figure: "processor time of the same", Yardstick: "the same", Unit: "ms", Ours: withoutCPU, Its: withCPU})
	return nil
}

// journey measures a way over round trips that count, in ms, in turns with a client that makes only those that cannot be
// avoided.
func (s *Suite) journey(row Row, least func() (time.Duration, error), ours func() (float64, error)) error {
	row.Yardstick, row.Unit = "a client that makes only the round trips that cannot be avoided", "ms"
	for range s.Rounds {
		took, err := least()
		if err != nil {
			return err
		}
		ms, err := ours()
		if err != nil {
			return fmt.Errorf("%s: %w", row.Figure, err)
		}
		row.Its, row.Ours = append(row.Its, milliseconds(took)), append(row.Ours, ms)
	}
	s.row(row)
	return nil
}
