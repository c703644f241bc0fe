package bench

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// heardID is the complaint of every notification; the ledger's stand-in takes each claim.
const heardID = "200201820180112612534000000"

// busAnswer takes one event.
func busAnswer(_ []byte, h http.Header) (int, []byte) {
	h.Set("Content-Type", "application/x-amz-json-1.1")
	return http.StatusOK, []byte(`{"FailedEntryCount":0,"Entries":[{"EventId":"5f3c6a1e-8c3f-4f0e-9d55-0c2b7d1a4001"}]}`)
}

// complaintAnswer tells of the complaint, signed ahead as the other answers are.
func (k *Keys) complaintAnswer() (answerer, error) {
	text := []byte(`{"complaint_id":"` + heardID + `","complaint_time":"` + time.Now().Format(time.RFC3339) + `","complaint_state":"PENDING",` +
		`"complaint_detail":"付款后一直没有收到货","complainted_mchid":"1900000001","user_complaint_times":1,"problem_type":"REFUND"}`)
	ahead := make(chan http.Header, signedAhead/4)
	for range cap(ahead) {
		signed, err := k.signedOver(text)
		if err != nil {
			return nil, err
		}
		ahead <- signed
	}
	return func(_ []byte, h http.Header) (int, []byte) {
		var signed http.Header
		select {
		case signed = <-ahead:
		default:
			signed, _ = k.signedOver(text) // it did not fail before
		}
		for name, values := range signed {
			h[name] = values
		}
		h.Set("Content-Type", "application/json")
		return http.StatusOK, text
	}, nil
}

// notification is a call of WeChat Pay's as an HTTP API hands it over.
func (k *Keys) notification() ([]byte, error) {
	block, err := aes.NewCipher([]byte(k.APIv3Key))
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	nonce := rand.Text()[:12]
	hidden := gcm.Seal(nil, []byte(nonce), []byte(`{"complaint_id":"`+heardID+`","action_type":"CREATE_COMPLAINT"}`), []byte("complaint"))
	body, err := json.Marshal(map[string]any{"id": "EV-" + rand.Text(), "create_time": time.Now().Format(time.RFC3339), "resource_type": "encrypt-resource",
		"event_type": "COMPLAINT.CREATE", "summary": "产生新投诉", "resource": map[string]any{"algorithm": "AEAD_AES_256_GCM", "nonce": nonce,
			"associated_data": "complaint", "ciphertext": base64.StdEncoding.EncodeToString(hidden)}})
	if err != nil {
		return nil, err
	}
	signed, err := k.signedOver(body)
	if err != nil {
		return nil, err
	}
	headers := map[string]string{"content-type": "application/json"}
	for name, values := range signed {
		headers[strings.ToLower(name)] = values[0]
	}
	const path = "/merchants/acme/notifications"
	return json.Marshal(map[string]any{"version": "2.0", "routeKey": "POST /merchants/{merchant}/notifications", "rawPath": path, "headers": headers,
		"pathParameters": map[string]string{"merchant": "acme"}, "body": string(body), "isBase64Encoded": false,
		"requestContext": map[string]any{"stage": "$default", "http": map[string]any{"method": "POST", "path": path}}})
}

// Heard is a cold start of functions/watch and its first notification, from exec to the 204, less the time in which there
// was no event, in milliseconds.
func (w *World) Heard(ctx context.Context, path string) (float64, error) {
	env := append(w.environment(setting{directories: true, ledger: true}), "WECHATPAY_URL="+w.reading.URL, "WECHATPAY_BACKUP_URL="+w.reading.URL,
		"AWS_ENDPOINT_URL_EVENTBRIDGE="+w.bus.URL, "RESULT_BUS=kesu", "WATCH_MERCHANTS=acme")
	p, err := start(ctx, path, env)
	if err != nil {
		return 0, err
	}
	defer p.stop()
	event, err := w.keys.notification()
	if err != nil {
		return 0, err
	}
	first, err := p.invoke(event, `"statusCode":204`)
	if err != nil {
		return 0, err
	}
	return milliseconds(p.ready.Sub(p.started)) + milliseconds(first.took()), nil
}

// leastHeard takes the round trips that cannot be avoided, as fast as they can be. Before the signature verified only the
// secret is asked for, so that a stranger costs nothing; then the claim of the notification, while the connections to
// WeChat Pay and to the bus are opened; then the reading, the claim of the event, the bus, and both settles beside each
// other.
func (w *World) leastHeard() (time.Duration, error) {
	started := time.Now()
	opened := make(map[*standIn]net.Conn)
	defer func() {
		for _, conn := range opened {
			_ = conn.Close()
		}
	}()
	var mu sync.Mutex
	open := func(s *standIn, ask bool) error {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(s.URL, "https://"), &tls.Config{RootCAs: w.authority.pool})
		if err != nil {
			return err
		}
		mu.Lock()
		opened[s] = conn
		mu.Unlock()
		if ask {
			return askOnce(conn, s.URL)
		}
		return nil
	}
	if err := open(w.secrets, true); err != nil {
		return 0, err
	}
	var failed [3]error
	var group sync.WaitGroup
	group.Go(func() { failed[0] = open(w.table, true) })
	group.Go(func() { failed[1] = open(w.reading, false) })
	group.Go(func() { failed[2] = open(w.bus, false) })
	group.Wait()
	for _, err := range failed {
		if err != nil {
			return 0, err
		}
	}
	for _, s := range []*standIn{w.reading, w.table, w.bus, w.table} {
		if err := askOnce(opened[s], s.URL); err != nil {
			return 0, err
		}
	}
	return time.Since(started), nil
}

// heard measures from exec to the 204 of the first notification, with a round trip that counts.
func (s *Suite) heard(ctx context.Context) error {
	w, err := s.world(distance)
	if err != nil {
		return err
	}
	defer w.Close()
	return s.journey(Row{Figure: "watch: start + first notification, 20 ms a round trip, prefetch off", Limit: 1.25,
		Note: "ten: TCP, TLS and request to Secrets Manager and to the ledger, the reading, the second claim, the bus, the settles"},
		w.leastHeard, func() (float64, error) { return w.Heard(ctx, s.paths[Watch]) })
}
