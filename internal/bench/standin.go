package bench

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// standIn is one TLS server that the functions call. It notes when it was called.
type standIn struct {
	URL    string
	server *http.Server
	calls  chan visit
	answer atomic.Pointer[answerer]
}

// visit is one request: when it was read, and when its answer was handed to the network.
type visit struct{ read, answered time.Time }

// answerer answers one request: it sets headers and gives status and body.
type answerer = func(body []byte, h http.Header) (int, []byte)

// hangUp is what an answerer gives instead of a status when its answer is lost: the connection is closed.
const hangUp = 0

// connection is the key of a request's connection in its context.
type connection struct{}

// newStandIn serves answer at a distance; every byte of a request is read before it is asked.
func newStandIn(certificate tls.Certificate, roundTrip time.Duration, answer answerer) (*standIn, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &standIn{URL: "https://" + l.Addr().String(), calls: make(chan visit, 64)}
	s.answer.Store(&answer)
	quiet := log.New(io.Discard, "", 0) // a connection that was opened ahead may be closed unused
	s.server = &http.Server{ErrorLog: quiet, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := visit{read: time.Now()}
		body, _ := io.ReadAll(r.Body)
		status, text := (*s.answer.Load())(body, w.Header())
		if status != hangUp {
			w.WriteHeader(status)
			_, _ = w.Write(text)
			if f, ok := w.(http.Flusher); ok {
				f.Flush()
			}
		}
		v.answered = time.Now()
		select {
		case s.calls <- v:
		default: // nobody asks
		}
		if status == hangUp {
			time.Sleep(roundTrip / 2) // the end of a connection travels too; distant holds back bytes only
			_ = r.Context().Value(connection{}).(net.Conn).Close()
		}
	}), ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connection{}, c) }}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"http/1.1"}}
	go func() { _ = s.server.Serve(tls.NewListener(distant{l, roundTrip}, config)) }() // ends with Close
	return s, nil
}

// forget drops the visits so far.
func (s *standIn) forget() {
	for {
		select {
		case <-s.calls:
		default:
			return
		}
	}
}

// visit waits for the next visit to be noted, which may be after its answer has arrived. Each invocation makes one.
func (s *standIn) visit() visit {
	select {
	case v := <-s.calls:
		return v
	case <-time.After(callLimit):
		return visit{}
	}
}

func (s *standIn) close() { _ = s.server.Close() }

// secretAnswer is Secrets Manager's answer, the same one to every question.
func secretAnswer(secret string) answerer {
	text, _ := json.Marshal(map[string]any{ // strings always marshal
		"ARN": "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:kesu/merchants/acme-aB3dE5", "Name": "kesu/merchants/acme",
		"SecretString": secret, "VersionId": "0f3a8c1e-0000-4000-8000-000000000001", "VersionStages": []string{"AWSCURRENT"},
	})
	return func(_ []byte, h http.Header) (int, []byte) {
		h.Set("Content-Type", "application/x-amz-json-1.1")
		return http.StatusOK, text
	}
}

// tableAnswer is DynamoDB's, which takes every write.
func tableAnswer(_ []byte, h http.Header) (int, []byte) {
	h.Set("Content-Type", "application/x-amz-json-1.0")
	return http.StatusOK, []byte("{}")
}

// imagecoAnswer does every reply, without a signature, which is optional.
func imagecoAnswer(body []byte, h http.Header) (int, []byte) {
	h.Set("Content-Type", "application/json; charset=utf-8")
	var sent struct {
		TransactionID string `json:"transaction_id"`
		ComplaintID   string `json:"complaint_id"`
	}
	if json.Unmarshal(body, &sent) != nil {
		return http.StatusBadRequest, nil
	}
	return http.StatusOK, imagecoJSON(sent.TransactionID, sent.ComplaintID)
}

func imagecoJSON(transactionID, complaintID string) []byte {
	var out bytes.Buffer
	out.WriteString(`{"response_type":"risk_complaints_resp_response","isspid":"39493002","transaction_id":"`)
	out.WriteString(transactionID)
	out.WriteString(`","system_id":"8888","complaint_id":"`)
	out.WriteString(complaintID)
	out.WriteString(`","result":{"id":"0000","comment":"回复成功"}}`)
	return out.Bytes()
}
