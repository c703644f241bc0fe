package bench

import (
	"context"
	"fmt"
	"time"
)

// World is everything that a compiled function calls, at a distance.
type World struct {
	RoundTrip                                time.Duration
	keys                                     *Keys
	authority                                *authority
	secrets, table, imageco, primary, backup *standIn
	bus, reading                             *standIn // of functions/watch
}

// NewWorld starts the stand-ins; dir is for the files of its certificates.
func NewWorld(dir string, keys *Keys, roundTrip time.Duration) (*World, error) {
	w := &World{RoundTrip: roundTrip, keys: keys}
	var err error
	if w.authority, err = newAuthority(dir); err != nil {
		return nil, err
	}
	settle, err := keys.wechatpayAnswer()
	if err != nil {
		return nil, err
	}
	complaint, err := keys.complaintAnswer()
	if err != nil {
		return nil, err
	}
	for _, s := range []struct {
		into   **standIn
		answer answerer
	}{{&w.secrets, secretAnswer(keys.Secret)}, {&w.table, tableAnswer}, {&w.imageco, imagecoAnswer}, {&w.primary, settle}, {&w.backup, settle},
		{&w.bus, busAnswer}, {&w.reading, complaint}} {
		if *s.into, err = newStandIn(w.authority.certificate, roundTrip, s.answer); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// Close ends the stand-ins.
func (w *World) Close() {
	for _, s := range []*standIn{w.secrets, w.table, w.imageco, w.primary, w.backup, w.bus, w.reading} {
		s.close()
	}
}

// setting is how a function is run.
type setting struct {
	prefetch, ledger, directories bool
	env                           []string
}

func (w *World) environment(s setting) []string {
	env := append([]string{
		"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + w.secrets.URL, "AWS_ENDPOINT_URL_DYNAMODB=" + w.table.URL,
		"IMAGECO_URL=" + w.imageco.URL + "/gateway", "WECHATPAY_URL=" + w.primary.URL, "WECHATPAY_BACKUP_URL=" + w.backup.URL,
	}, w.authority.environment(s.directories)...)
	if s.prefetch {
		env = append(env, "PREFETCH_MERCHANTS=acme")
	}
	if s.ledger {
		env = append(env, "LEDGER_TABLE=kesu-ledger") // the pace is kept there too
	} else {
		env = append(env, "REPLY_RATE_PER_MINUTE=0", "COMPLETE_RATE_PER_MINUTE=0") // many commands are sent
	}
	return append(env, s.env...)
}

// event is a command that no other one of the run is like.
func event(program string, n int) []byte {
	if program == Reply {
		return fmt.Appendf(nil, `{"merchant":"acme","complaint_id":"2002012018112612534%07d","response_content":"您好，您的问题已处理，退款将在三个工作日内到账。"}`, n)
	}
	return fmt.Appendf(nil, `{"merchant":"acme","complaint_id":"2002012018112612534%07d"}`, n)
}

// Cold is one cold start and the first invocation, in milliseconds.
type Cold struct {
	Start float64 // from exec to the first poll
	First float64 // the first invocation
	Total float64 // from exec to the answer, less the time in which there was no event

	Own                          float64 // the gateway's own time within First
	Connect, Secret, Dial, Reply float64 // the parts of First, in order; see parts
	Warm                         Sample  // further invocations, less the gateway's own time
	CPU                          float64 // processor time until the end of all that
}

// gateway is the stand-in that a program's commands go to.
func (w *World) gateway(program string) *standIn {
	if program == Reply && !w.keys.direct {
		return w.imageco
	}
	return w.primary
}

// ColdStart runs a program once: it starts it, sends the first command and then warm more.
func (w *World) ColdStart(ctx context.Context, path, program string, s setting, warm int) (c Cold, err error) {
	gateway := w.gateway(program)
	p, err := start(ctx, path, w.environment(s))
	if err != nil {
		return Cold{}, err
	}
	defer func() { c.CPU = milliseconds(p.stop()) }()
	c.Start = milliseconds(p.ready.Sub(p.started))
	gateway.forget()
	if !s.prefetch {
		w.secrets.forget()
	}
	first, err := p.invoke(event(program, 0), `"succeeded"`)
	if err != nil {
		return Cold{}, err
	}
	c.First = milliseconds(first.took())
	c.Total = c.Start + c.First
	call := gateway.visit()
	c.Own = milliseconds(call.answered.Sub(call.read))
	if !s.prefetch {
		c.parts(first, w.secrets.visit(), call, w.RoundTrip/2)
	}
	for i := range warm {
		next, err := p.invoke(event(program, i+1), `"succeeded"`)
		if err != nil {
			return Cold{}, err
		}
		call := gateway.visit()
		c.Warm = append(c.Warm, milliseconds(next.took()-call.answered.Sub(call.read)))
	}
	return c, nil
}

// parts splits the first invocation at the moments that the caller sees: oneWay before a stand-in has read a request,
// and oneWay after it has answered.
func (c *Cold) parts(first invocation, secret, gateway visit, oneWay time.Duration) {
	asked, told := secret.read.Add(-oneWay), secret.answered.Add(oneWay)
	sent, heard := gateway.read.Add(-oneWay), gateway.answered.Add(oneWay)
	c.Connect = milliseconds(asked.Sub(first.from))
	c.Secret = milliseconds(told.Sub(asked))
	c.Dial = milliseconds(sent.Sub(told))
	c.Reply = milliseconds(heard.Sub(sent))
}
