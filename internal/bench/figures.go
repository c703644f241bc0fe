package bench

import (
	"context"
	"crypto"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"math"
	"net/http"
	"runtime"
	"strconv"
	"time"

	messages "github.com/kesu-go/kesu/pkg/wire/wechatpay"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/lambdaio"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/pipeline"
	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/wire"
)

// sign is the one RSA signature that a completion cannot avoid, verify the check of its answer's.
func (k *Keys) sign(digest []byte) []byte {
	signature, err := rsa.SignPKCS1v15(rand.Reader, k.Merchant, crypto.SHA256, digest)
	must(err)
	return signature
}

func (k *Keys) verify(digest, signature []byte) {
	must(rsa.VerifyPKCS1v15(&k.Platform.PublicKey, crypto.SHA256, digest, signature))
}

// raw gives a digest and WeChat Pay's signature of it.
func (k *Keys) raw() (digest, signature []byte) {
	sum := sha256.Sum256([]byte("kesu"))
	signature, err := rsa.SignPKCS1v15(rand.Reader, k.Platform, crypto.SHA256, sum[:])
	must(err)
	return sum[:], signature
}

// counter numbers commands, so that no reply is like another.
type counter int

func (c *counter) event(program string) []byte {
	*c++
	return event(program, int(*c))
}

func (s *Suite) warm(context.Context) error {
	transport, err := s.keys.Settled()
	if err != nil {
		return err
	}
	digest, signature := s.keys.raw()
	complete := s.keys.CompleteHandler(transport, wechatpayURL)
	command := event(Complete, 0)
	ours, its := beside(2*s.Rounds, 4*s.Slice, func() { invoke(complete, command) }, func() {
		s.keys.sign(digest)
		s.keys.verify(digest, signature)
	})
	s.row(Row{Figure: "warm completion, in-memory transport: the whole invocation", Yardstick: "raw `rsa.SignPKCS1v15` + `VerifyPKCS1v15`, 2048 bit",
		Unit: "µs", Ours: ours, Its: its, Limit: 1.05})

	for _, format := range []struct {
		name, secret string
		transport    memory
		bothWays     func()
	}{{"JSON", s.keys.Secret, inJSON(), jsonBothWays}, {"XML", s.keys.XMLSecret(), inXML(), xmlBothWays}} {
		m, err := replyWork(format.transport).Open(format.secret)
		if err != nil {
			return err
		}
		send := SendReply(m)
		ours, its := beside(s.Rounds, s.Slice, send, format.bothWays)
		yardstick := "`encoding/" + map[string]string{"JSON": "json", "XML": "xml"}[format.name] + "` of the same messages both ways"
		s.row(Row{Figure: "warm reply, " + format.name + ", in-memory transport: sign, send, read, judge, log", Yardstick: yardstick,
			Unit: "µs", Ours: ours, Its: its, Limit: 2})
		var n counter
		h := ReplyHandler(format.transport, format.secret)
		ours, its = beside(s.Rounds, s.Slice, func() { invoke(h, n.event(Reply)) }, format.bothWays)
		s.row(Row{Figure: "warm reply, " + format.name + ", the whole invocation: event, rules, ledger, log lines and metrics too", Yardstick: yardstick,
			Unit: "µs", Ours: ours, Its: its, Limit: 2})
	}
	return nil
}

// SendReply is one reply without what is around it.
func SendReply(m pipeline.Merchant) func() {
	call := pipeline.Call{TransactionID: sampleTransaction, Command: &wire.Command{Action: wire.Reply,
		Merchant: "acme", ComplaintID: sampleComplaint, ReplyContent: wire.ReplyContent{ResponseContent: sampleContent}}}
	return func() {
		report, err := m.Send(context.Background(), call)
		must(err)
		if report.Last.Effect != gateway.Done {
			panic("bench: the reply was not done: " + report.Last.Message)
		}
	}
}

// SendCompletion is one completion without what is around it: a signed request and a verified 204.
func SendCompletion(m pipeline.Merchant) func() {
	call := pipeline.Call{Command: &wire.Command{Action: wire.Complete, Merchant: "acme", ComplaintID: sampleComplaint}}
	return func() {
		report, err := m.Send(context.Background(), call)
		must(err)
		if !report.Last.Verified {
			panic("bench: the answer was not verified: " + report.Last.Message)
		}
	}
}

// loopback measures a completion over TLS on this machine, beside the least that a Go program can do.
func (s *Suite) loopback(context.Context) error {
	w, err := s.world(0)
	if err != nil {
		return err
	}
	defer w.Close()
	config := &tls.Config{RootCAs: w.authority.pool}
	h := s.keys.CompleteHandler(gateway.NewTransport(config), w.primary.URL)
	command := event(Complete, 0)
	least := s.keys.leastClient(&http.Transport{TLSClientConfig: config}, w.primary.URL)
	ours, its := beside(2*s.Rounds, 4*s.Slice, func() { invoke(h, command) }, least)
	s.row(Row{Figure: "warm completion, loopback TLS: the whole invocation", Yardstick: "the same request by a minimal `net/http` client with the same crypto",
		Unit: "µs", Ours: ours, Its: its, Limit: 1.1})
	return nil
}

// leastClient signs with the project's own signer, sends with net/http, and verifies the answer.
func (k *Keys) leastClient(transport http.RoundTripper, base string) func() {
	m, err := merchant.ParseWechatPay(k.Secret)
	must(err)
	client := &http.Client{Transport: transport}
	return func() { must(completeOnce(client, m, base)) }
}

func (s *Suite) allocations(context.Context) error {
	count := func(call func()) (Sample, Sample) {
		allocations, bytes := Taken(500, call)
		return Sample{math.Round(allocations)}, Sample{bytes / 1024}
	}
	transport, err := s.keys.Settled()
	if err != nil {
		return err
	}
	m, err := merchant.ParseWechatPay(s.keys.Secret)
	if err != nil {
		return err
	}
	n, bytes := count(SendCompletion(NewCompletion(transport, wechatpayURL, m)))
	s.row(Row{Figure: "signed request + verified 204, in-memory transport: allocations", Unit: "allocations", Ours: n, Limit: 72, Absolute: true})
	s.row(Row{Figure: "the same: bytes", Unit: "KiB", Ours: bytes, Limit: 10, Absolute: true})
	body := messages.CompleteBody("1900000001")
	n, bytes = count(func() {
		_, err := m.Requester.Authorization(http.MethodPost, "/v3/merchant-service/complaints-v2/"+sampleComplaint+"/complete", body, time.Now(), "0123456789ABCDEF0123456789ABCDEF")
		must(err)
	})
	s.row(Row{Figure: "`Authorization` header: allocations", Unit: "allocations", Ours: n, Limit: 6, Absolute: true})
	s.row(Row{Figure: "the same: bytes", Unit: "KiB", Ours: bytes, Limit: 1.2, Absolute: true})
	members, text := sampleMembers()
	n, _ = count(func() { signing.ImagecoJSON("0123456789abcdef", members) })
	s.row(Row{Figure: "翼码 JSON sign: allocations", Unit: "allocations", Ours: n, Limit: 3, Absolute: true})
	ours, its := beside(s.Rounds, s.Slice/4, func() { signing.ImagecoJSON("0123456789abcdef", members) }, func() { md5.Sum(text) })
	s.row(Row{Figure: "翼码 JSON sign: time", Yardstick: "MD5 of the same bytes", Unit: "µs", Ours: ours, Its: its})
	return nil
}

// sampleMembers are a usual reply's members and the text that is signed for it.
func sampleMembers() (members []signing.Member, text []byte) {
	m := sampleMessage()
	members = []signing.Member{{Name: "request_type", Value: m.RequestType}, {Name: "isspid", Value: m.ISSPID}, {Name: "transaction_id", Value: m.TransactionID},
		{Name: "system_id", Value: m.SystemID}, {Name: "seller_account", Value: m.SellerAccount}, {Name: "complaint_id", Value: m.ComplaintID},
		{Name: "response_content", Value: m.ResponseContent}}
	text = []byte("0123456789abcdef0123456789abcdef") // the key, twice
	for _, member := range members {
		text = append(append(text, member.Name...), member.Value...)
	}
	return members, text
}

// throughput compares how many commands and how many bare signatures so many processors make in a second.
func (s *Suite) throughput(context.Context) error {
	transport, err := s.keys.Settled()
	if err != nil {
		return err
	}
	h := s.keys.CompleteHandler(transport, wechatpayURL)
	digest, _ := s.keys.raw()
	command := event(Complete, 0)
	for n := 1; n <= min(2, runtime.NumCPU()); n++ {
		var ours, its Sample
		cores(n, func() {
			for range 2 * s.Rounds {
				its = append(its, rate(n, 4*s.Slice, func() { s.keys.sign(digest) }))
				ours = append(ours, rate(n, 4*s.Slice, func() { invoke(h, command) }))
			}
		})
		plural := ""
		if n > 1 {
			plural = "s"
		}
		s.row(Row{Figure: fmt.Sprintf("throughput, %d core%s", n, plural), Yardstick: "raw signing rate of as many cores", Unit: "/s", Ours: ours, Its: its, Limit: 0.9, AtLeast: true})
	}
	return nil
}

// rate is how many calls a second so many goroutines make.
func rate(goroutines int, slice time.Duration, call func()) float64 {
	counts := make(chan int, goroutines)
	started := time.Now()
	for range goroutines {
		go func() {
			n := 0
			for time.Since(started) < slice {
				call()
				n++
			}
			counts <- n
		}()
	}
	total := 0
	for range goroutines {
		total += <-counts
	}
	return float64(total) / time.Since(started).Seconds()
}

// Scale is how the cost of one command grows.
type Scale struct {
	What  string // what there is more of
	N     int
	Cost  Sample
	Unit  string
	Bytes float64 // a merchant's share of the heap, where that is asked
}

// merchants fills the cache.
func (s *Suite) merchants(ctx context.Context) error {
	for _, n := range []int{1, 10, 100, 1_000, 10_000} {
		before := heap()
		keys := merchant.NewStore(merchant.Options[*merchant.WechatPay]{Client: secretIn(s.keys.Secret), Prefix: "kesu/merchants/",
			Parse: merchant.ParseWechatPay, SoftTTL: time.Hour, HardTTL: time.Hour, Now: time.Now})
		names := make([]string, n)
		for i := range names {
			names[i] = "merchant-" + strconv.Itoa(i)
			if _, err := keys.Load(ctx, names[i]); err != nil {
				return err
			}
		}
		share := (heap() - before) / float64(n)
		i := 0
		look := func() {
			if _, err := keys.Load(ctx, names[i%n]); err != nil {
				panic("bench: " + err.Error())
			}
			i += 7919 // a prime, so that the merchants come in no order
		}
		cost, _ := beside(s.Rounds, s.Slice/4, look, func() {})
		runtime.KeepAlive(keys)
		s.scale(Scale{What: "merchants in the cache: one look-up", N: n, Cost: cost.scaled(1000), Unit: "ns", Bytes: share})
	}
	return nil
}

func (s *Suite) scale(sc Scale) {
	s.Report.Scale = append(s.Report.Scale, sc)
	s.Log("  %-50s %6d %s %.0f bytes", sc.What, sc.N, cell(sc.Cost, sc.Unit), sc.Bytes)
}

func heap() float64 {
	runtime.GC()
	runtime.GC() // what finalizers and pools kept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// batches measures the cost of one command in batches and with several invocations at once.
func (s *Suite) batches(context.Context) error {
	transport, err := s.keys.Settled()
	if err != nil {
		return err
	}
	h := s.keys.CompleteHandler(transport, wechatpayURL)
	for _, n := range []int{1, 10} {
		batch := 0
		cost, _ := beside(s.Rounds, 4*s.Slice, func() { invokeBatch(h, batch, n); batch++ }, func() {})
		s.scale(Scale{What: "records in an SQS batch: one command", N: n, Cost: cost.scaled(1 / float64(n)), Unit: "µs"})
	}
	command := event(Complete, 0)
	for _, n := range []int{1, 2, 4, 8} {
		var cost Sample
		for range s.Rounds {
			cost = append(cost, 1e6/rate(n, 4*s.Slice, func() { invoke(h, command) }))
		}
		s.scale(Scale{What: "invocations at once: one command", N: n, Cost: cost, Unit: "µs"})
	}
	return nil
}

// invokeBatch carries out a batch, none of whose records may fail.
func invokeBatch(h *lambdaio.Handler, batch, records int) {
	answer, err := h.Invoke(context.Background(), batchOf(batch, records))
	must(err)
	if string(answer) != `{"batchItemFailures":[]}` {
		panic("bench: " + string(answer))
	}
}
