package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"
)

// identity is what a sandbox says of itself at /sandbox, so that a second one can say who holds its port.
type identity struct {
	Program string `json:"program"`
	Process int    `json:"process"`
	Folder  string `json:"folder"`
}

const program = "kesu sandbox"

// heldBy says who holds a port that could not be listened on.
func heldBy(address string, err error) error {
	holder := "another program"
	if who, ok := askIdentity(address); ok {
		holder = fmt.Sprintf("%s (process %d, folder %s)", program, who.Process, who.Folder)
	} else if name := processOn(address); name != "" {
		holder = name
	}
	return fmt.Errorf("%s is held by %s; end it, or choose other ports with --port: %w", address, holder, err)
}

func askIdentity(address string) (identity, bool) {
	client := &http.Client{Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true}, Timeout: time.Second}
	resp, err := client.Get("http://" + address + "/sandbox")
	if err != nil {
		return identity{}, false
	}
	defer resp.Body.Close()
	var who identity
	err = json.NewDecoder(http.MaxBytesReader(nil, resp.Body, 64<<10)).Decode(&who)
	return who, err == nil && who.Program == program
}

// control serves what a real gateway does not have, below /sandbox.
func (w *World) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sandbox", func(rw http.ResponseWriter, _ *http.Request) {
		sayJSON(rw, identity{program, os.Getpid(), w.dir()})
	})
	mux.HandleFunc("GET /sandbox/notification", func(rw http.ResponseWriter, r *http.Request) {
		values := r.URL.Query()
		action := orElse(values.Get("action_type"), "CREATE_COMPLAINT")
		n, err := w.WechatPay.Notification(values.Get("merchant"), values.Get("complaint_id"), action, values.Get("serial"), Fault{})
		if err != nil {
			problem(rw, http.StatusBadRequest, err.Error())
			return
		}
		sayJSON(rw, n)
	})
	return localOnly(mux)
}

func (w *World) dir() string {
	if w.folder == nil {
		return ""
	}
	return w.folder.dir
}

func sayJSON(rw http.ResponseWriter, v any) {
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = rw.Write(append(jsonText(v), '\n'))
}
