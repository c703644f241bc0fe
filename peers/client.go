package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// The operations, in the order of the table's columns. A client reads the complaint, replies with a picture, and reads the
// history; another complaint is the one that it completes.
var operations = []string{"read", "list", "upload", "reply", "history", "complete", "echo", "notification", "certificates"}

const (
	replyText = "已与用户沟通解决"
	echoText  = "回声"
)

// env is what a client is given: one merchant of the sandbox and one kind of keys.
type env struct {
	URL, Dir, Mchid, SerialNo, APIv3Key, PublicKeyID, CertificateSerial string

	Public    bool   // verifies with the public key; otherwise with the certificate
	Complaint string // to be read and replied to; with "-done" behind it, the one to be completed
	Merchant  string
	Picture   string // a file
}

func (e *env) path(name string) string { return filepath.Join(e.Dir, name) }

// done is what became of one operation: a value that proves it, or why the client cannot do it, or an error.
type done struct {
	Operation string `json:"operation"`
	Value     string `json:"value"`
	Cannot    string `json:"cannot"`
	Failed    string `json:"failed"`
}

// script does the operations one after the other; one that fails does not keep the others from being tried.
type script struct{ all []done }

func (s *script) do(operation string, f func() (string, error)) string {
	value, err := f()
	d := done{Operation: operation, Value: value}
	if err != nil {
		d.Failed = err.Error()
	}
	s.all = append(s.all, d)
	return value
}

// notification fetches a notification as WeChat Pay would send it, as a request to us.
func (e *env) notification(ctx context.Context) (*http.Request, error) {
	serial := e.CertificateSerial
	if e.Public {
		serial = e.PublicKeyID
	}
	query := "?merchant=" + e.Merchant + "&complaint_id=" + e.Complaint + "&serial=" + serial
	resp, err := http.Get(e.URL + "/sandbox/notification" + query)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var n sandbox.Notification
	if err := json.NewDecoder(resp.Body).Decode(&n); err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://shop.example/notify", stringBody(n.Body))
	if err != nil {
		return nil, err
	}
	r.Header = n.Header
	return r, nil
}

// picture is a small PNG.
var picture = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89" +
	"\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82")

func writePicture(dir string) (string, error) {
	path := filepath.Join(dir, "picture.png")
	return path, os.WriteFile(path, picture, 0o600)
}
