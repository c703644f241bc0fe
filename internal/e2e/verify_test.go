package e2e

import (
	"crypto"
	"crypto/md5"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// stub is a gateway that gives exactly the answers that a test writes.
type stub struct {
	*httptest.Server
	mu     sync.Mutex
	answer func(rw http.ResponseWriter, c sandbox.Call)
	calls  []sandbox.Call
	conns  map[string]bool // those that are open
	opened int             // all that ever were
}

// newStub serves answer, which may be changed with says.
func (w *world) newStub(answer func(rw http.ResponseWriter, c sandbox.Call)) *stub {
	s := &stub{answer: answer, conns: map[string]bool{}}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the caller hung up
		}
		s.mu.Lock()
		c := sandbox.Call{N: len(s.calls) + 1, Method: r.Method, Target: r.RequestURI, Header: r.Header.Clone(), Body: body, At: time.Now()}
		s.calls = append(s.calls, c)
		answer := s.answer
		s.mu.Unlock()
		w.transcript.sent(c.Method, c.Target, c.Header, c.Body)
		answer(rw, c)
		if signature := rw.Header().Get("Wechatpay-Signature"); signature != "" {
			w.transcript.hide("an answer's signature", signature)
		}
	}))
	s.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch state {
		case http.StateNew:
			s.opened++
			s.conns[conn.RemoteAddr().String()] = true
		case http.StateClosed, http.StateHijacked:
			delete(s.conns, conn.RemoteAddr().String())
		}
	}
	s.Start()
	w.t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

// says changes the answer for the calls from now on.
func (s *stub) says(answer func(rw http.ResponseWriter, c sandbox.Call)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *stub) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

func (s *stub) everOpened() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}

func (s *stub) received() []sandbox.Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]sandbox.Call{}, s.calls...)
}

// imagecoSign is 翼码's JSON sign, written here once more with nothing but crypto/md5.
func imagecoSign(key string, all map[string]any) string {
	sum := md5.Sum([]byte(key + concatenated(all) + key))
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

func imagecoMac(key, document string) string {
	sum := md5.Sum([]byte(key + document + key))
	return hex.EncodeToString(sum[:])
}

// imagecoAnswer is a JSON answer about the message that was sent, with changes, signed.
func imagecoAnswer(key string, sent []byte, id, comment string, change func(all map[string]any)) []byte {
	var message map[string]any
	_ = json.Unmarshal(sent, &message) // an unreadable message gives an answer without ids
	all := map[string]any{"response_type": "risk_complaints_resp_response", "result": map[string]any{"id": id, "comment": comment}}
	for _, name := range []string{"isspid", "transaction_id", "seller_account", "complaint_id"} {
		all[name] = message[name]
	}
	all["sign"] = imagecoSign(key, all)
	if change != nil {
		change(all)
	}
	text, _ := json.Marshal(all)
	return text
}

var authorizationMember = regexp.MustCompile(`([a-z_]+)="([^"]*)"`)

func authorizationMembers(header string) map[string]string {
	all := map[string]string{}
	for _, found := range authorizationMember.FindAllStringSubmatch(header, -1) {
		all[found[1]] = found[2]
	}
	return all
}

var (
	authorizationForm = regexp.MustCompile(`^WECHATPAY2-SHA256-RSA2048 mchid="[^"]+",nonce_str="[^"]+",timestamp="[0-9]+",serial_no="[^"]+",signature="[^"]+"$`)
	nonceForm         = regexp.MustCompile(`^[0-9A-Za-z]{32}$`)
)

// checkWechatPayRequest verifies a request as WeChat Pay does, with nothing but crypto/rsa.
func checkWechatPayRequest(t testing.TB, c sandbox.Call, m *sandbox.Merchant) (nonce string) {
	t.Helper()
	header := c.Header.Get("Authorization")
	if !authorizationForm.MatchString(header) || len(c.Header.Values("Authorization")) != 1 {
		t.Fatal("the Authorization header does not have the contract's form")
	}
	v := authorizationMembers(header)
	if v["mchid"] != m.WechatPay.Mchid || v["serial_no"] != m.WechatPay.SerialNo || !nonceForm.MatchString(v["nonce_str"]) {
		t.Errorf("mchid %s, serial_no %s, nonce_str %s", v["mchid"], v["serial_no"], v["nonce_str"])
	}
	seconds, err := strconv.ParseInt(v["timestamp"], 10, 64)
	if err != nil || time.Since(time.Unix(seconds, 0)).Abs() > time.Minute {
		t.Errorf("the timestamp is %s", v["timestamp"])
	}
	signature, err := base64.StdEncoding.DecodeString(v["signature"])
	if err != nil {
		t.Fatal("the signature is not base64")
	}
	digest := sha256.Sum256([]byte(c.Method + "\n" + c.Target + "\n" + v["timestamp"] + "\n" + v["nonce_str"] + "\n" + string(c.Body) + "\n"))
	if rsa.VerifyPKCS1v15(&m.Key.PublicKey, crypto.SHA256, digest[:], signature) != nil {
		t.Error("the signature is wrong")
	}
	return v["nonce_str"]
}

// signer signs answers as WeChat Pay does.
type signer struct {
	id  string
	key *rsa.PrivateKey
}

func (w *world) signer() signer { return signer{w.PublicKey.ID, w.PublicKey.Key} }

// answer writes a signed answer; change may spoil its headers.
func (s signer) answer(rw http.ResponseWriter, status int, body string, change func(h http.Header)) {
	s.answerAt(rw, time.Now(), status, body, change)
}

func (s signer) answerAt(rw http.ResponseWriter, at time.Time, status int, body string, change func(h http.Header)) {
	timestamp, nonce := strconv.FormatInt(at.Unix(), 10), fmt.Sprintf("%032d", at.UnixNano())
	digest := sha256.Sum256([]byte(timestamp + "\n" + nonce + "\n" + body + "\n"))
	signature, err := rsa.SignPKCS1v15(nil, s.key, crypto.SHA256, digest[:])
	if err != nil {
		panic(err) // a 2048-bit key signs a SHA-256 digest
	}
	h := rw.Header()
	h.Set("Wechatpay-Timestamp", timestamp)
	h.Set("Wechatpay-Nonce", nonce)
	h.Set("Wechatpay-Serial", s.id)
	h.Set("Wechatpay-Signature", base64.StdEncoding.EncodeToString(signature))
	h.Set("Request-ID", "08F0E1")
	if body != "" {
		h.Set("Content-Type", "application/json")
	}
	if change != nil {
		change(h)
	}
	rw.WriteHeader(status)
	_, _ = io.WriteString(rw, body)
}

// silent is a gateway that answers every call with nothing.
func silent(http.ResponseWriter, sandbox.Call) {}

// tooManyRequests is a gateway that takes no more calls.
func tooManyRequests(rw http.ResponseWriter, _ sandbox.Call) {
	rw.WriteHeader(http.StatusTooManyRequests)
}

// untilHangUp answers nothing for as long as the caller waits.
func untilHangUp(rw http.ResponseWriter) {
	conn, _, err := http.NewResponseController(rw).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = io.Copy(io.Discard, conn) // ends with the connection
}

// newTLSStub is a server with a certificate that nobody trusts.
func (w *world) newTLSStub() *httptest.Server {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that fail are what it is for
	s.StartTLS()
	w.t.Cleanup(s.Close)
	return s
}
