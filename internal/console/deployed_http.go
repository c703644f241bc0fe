package console

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
	"github.com/kesu-go/kesu/pkg/wire"
)

// NewDeployed makes the desk of a deployed Kesu. notice names something that the page says all the time, "" for nothing:
// "watch.off" or "from.now". Close it when it is no longer served.
func NewDeployed(api API, notice string) *Deployed {
	d := &Deployed{api: api, notice: notice, mux: http.NewServeMux(), complaints: map[complaintKey]*deployed{}, heard: map[string]bool{}}
	ending, end := context.WithCancel(context.Background())
	d.end, d.pages = end, streams{make(chan struct{}, streamLimit), ending, d.next}
	d.mux.HandleFunc("GET /console", serveFile)
	d.mux.HandleFunc("GET /console/{file}", serveFile)
	d.mux.Handle("GET /{$}", http.RedirectHandler("/console", http.StatusFound))
	d.mux.HandleFunc("GET /console/stream", d.serveStream)
	d.mux.HandleFunc("GET /console/complaints/{merchant}/{id}", d.serveTalk)
	d.mux.HandleFunc("GET /console/pictures/{id}", d.servePicture)
	d.mux.HandleFunc("POST /console/handled", d.handle)
	d.mux.HandleFunc("POST /console/send", d.send)
	d.mux.HandleFunc("POST /console/images", d.upload)
	d.mux.HandleFunc("POST /events", d.put)
	return d
}

// Close ends the open streams.
func (d *Deployed) Close() { d.end() }

// ServeHTTP answers this machine's programs and this page only.
func (d *Deployed) ServeHTTP(w http.ResponseWriter, r *http.Request) { guard(d.mux).ServeHTTP(w, r) }

func (d *Deployed) serveStream(w http.ResponseWriter, r *http.Request) {
	begun, told, notice := false, int64(0), ""
	d.pages.serve(w, r, func() (news, bool, error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		n := news{Now: time.Now(), First: !begun}
		for _, x := range d.complaints {
			if x.version > told {
				n.Complaints = append(n.Complaints, x.row)
			}
		}
		fresh := n.First || len(n.Complaints) > 0 || notice != d.notice
		if fresh {
			n.Mode, n.Notice, n.Merchants = "deployed", d.notice, d.merchants()
		}
		begun, told, notice = true, d.version, d.notice
		return n, fresh, nil
	})
}

// merchants are those that complaints came from. How their replies travel stands in their secrets, which the desk does not
// read: it warns by 翼码's limits, which are the narrower ones. The lock is held.
func (d *Deployed) merchants() []carrier {
	names := map[string]bool{}
	for key := range d.complaints {
		names[key.merchant] = true
	}
	all := []carrier{}
	for name := range names {
		all = append(all, carrier{Name: name, Through: string(wire.Imageco)})
	}
	slices.SortFunc(all, func(a, b carrier) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return all
}

func (d *Deployed) serveTalk(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	x := d.complaints[complaintKey{r.PathValue("merchant"), r.PathValue("id")}]
	if x == nil {
		refuse(w, http.StatusNotFound, "there is no such complaint")
		return
	}
	view := talk{row: x.row, Words: cut(x.told.ComplaintDetail, wordsLimit), Immediate: x.told.NeedImmediateService,
		Results: append([]outcome{}, x.results...), Events: append([]notice{}, x.events...)}
	view.Items = append([]item{{Kind: "complained", At: time.UnixMilli(x.Created), Text: view.Words}}, x.replies...)
	if x.Processed > 0 {
		view.Items = append(view.Items, item{Kind: "done", At: time.UnixMilli(x.Processed)})
	}
	answer(w, http.StatusOK, "application/json", view)
}

func (d *Deployed) servePicture(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.IndexFunc(d.pictures, func(p keptPicture) bool { return p.id == r.PathValue("id") })
	if i < 0 {
		refuse(w, http.StatusNotFound, "there is no such picture")
		return
	}
	w.Header().Set("Content-Type", d.pictures[i].Media)
	_, _ = w.Write(d.pictures[i].Data)
}

func (d *Deployed) handle(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Merchant    string `json:"merchant"`
		ComplaintID string `json:"complaint_id"`
	}
	if !readJSON(w, r, &in) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	x := d.complaints[complaintKey{in.Merchant, in.ComplaintID}]
	if x == nil {
		refuse(w, http.StatusNotFound, "there is no such complaint")
		return
	}
	x.handled = time.Now()
	d.show(x)
	answer(w, http.StatusOK, "application/json", struct{}{})
}

// send passes a command on to the deployed API.
func (d *Deployed) send(w http.ResponseWriter, r *http.Request) {
	in, ok := readCommand(w, r)
	if !ok {
		return
	}
	status, text, err := d.api.Send(r.Context(), in.Merchant, in.ComplaintID, in.Action, in.Body)
	// Without an answer nobody knows whether it was carried out; then it waits for a person as any unknown one does.
	var open interface{ MaybeDone() bool }
	if errors.As(err, &open) && open.MaybeDone() {
		if text, err = lostAnswer(in.Action, err); err == nil {
			status = http.StatusGatewayTimeout
		}
	}
	if d.tell(w, status, text, err) {
		d.sent(complaintKey{in.Merchant, in.ComplaintID}, in.Action, in.Body, text, time.Now())
	}
}

// lostAnswer is a result in place of an answer that did not come.
func lostAnswer(action string, cause error) ([]byte, error) {
	return json.Marshal(map[string]string{"action": action, "outcome": string(wire.Unknown), "code": wire.CodeOutcomeUnknown,
		"message": cause.Error()})
}

// tell answers the page with what the API said, and reports whether that was a result. What an error tells is for the
// operator, who may know the account.
func (d *Deployed) tell(w http.ResponseWriter, status int, text []byte, err error) bool {
	if err != nil {
		refuse(w, http.StatusBadGateway, err.Error())
		return false
	}
	var result struct {
		Outcome string `json:"outcome"`
	}
	if json.Unmarshal(text, &result) != nil {
		text = []byte("{}")
	}
	answer(w, http.StatusOK, "application/json", map[string]any{"status": status, "answer": json.RawMessage(text), "call": ""})
	return result.Outcome != ""
}

func (d *Deployed) upload(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, wire.MaxPicture))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "the body is too large")
		return
	}
	query, media := r.URL.Query(), r.Header.Get("Content-Type")
	status, text, err := d.api.Upload(r.Context(), query.Get("merchant"), query.Get("filename"), media, data)
	var result struct {
		MediaID string `json:"media_id"`
	}
	if d.tell(w, status, text, err) && json.Unmarshal(text, &result) == nil && result.MediaID != "" && slices.Contains(shownTypes, media) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.pictures = append(d.pictures, keptPicture{result.MediaID, sandbox.Picture{Media: media, Data: data}})
		d.pictures = d.pictures[max(0, len(d.pictures)-pictureMost):]
	}
}

// put puts an event on the deployed bus, and answers as the sandbox's own endpoint does.
func (d *Deployed) put(w http.ResponseWriter, r *http.Request) {
	var in sandbox.Entry
	if !readJSON(w, r, &in) {
		return
	}
	if !slices.Contains([]string{wire.Reply.DetailType(), wire.Complete.DetailType()}, in.DetailType) || !json.Valid([]byte(in.Detail)) {
		refuse(w, http.StatusBadRequest, "the action is neither reply nor complete")
		return
	}
	id, err := d.api.Put(r.Context(), in.DetailType, []byte(in.Detail))
	if err != nil {
		refuse(w, http.StatusBadGateway, err.Error())
		return
	}
	answer(w, http.StatusOK, "application/json", sandbox.PutResult{Entries: []sandbox.PutResultEntry{{EventId: id}}})
}
