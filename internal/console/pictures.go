package console

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	"github.com/kesu-go/kesu/internal/sandbox"
	"github.com/kesu-go/kesu/pkg/wire"
)

// upload passes a picture on to the gateway that stands before the functions, and gives the status and the body of its
// answer: POST /console/images?merchant=…&filename=…, with the bytes of the picture as the body.
func (c *Console) upload(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	name := url.QueryEscape(query.Get("filename"))
	path := "/merchants/" + url.PathEscape(query.Get("merchant")) + "/images?filename=" + name
	body := http.MaxBytesReader(w, r.Body, wire.MaxPicture+1) // one byte more: the function says that it is too much
	request, err := http.NewRequestWithContext(r.Context(), http.MethodPost, "http://"+r.Host+path, body)
	if err != nil {
		refuse(w, http.StatusBadRequest, "the merchant cannot stand in a path")
		return
	}
	request.Header.Set("Content-Type", r.Header.Get("Content-Type"))
	c.pass(w, r, request)
}

// pass gives a request of the page's to the gateway, and answers with what it said and the id of the call.
func (c *Console) pass(w http.ResponseWriter, r, request *http.Request) {
	request.Header.Set("User-Agent", r.UserAgent())
	request.RemoteAddr = r.RemoteAddr
	call := ""
	gateway := &sandbox.APIGateway{Reply: noting{c.world.Reply, &call}, Complete: noting{c.world.Complete, &call},
		Timeout: c.world.ReplyDelivery.Timeout}
	said := &kept{header: http.Header{}}
	gateway.ServeHTTP(said, request)
	text := json.RawMessage(bytes.TrimSpace(said.body.Bytes()))
	if !json.Valid(text) {
		text = json.RawMessage("{}")
	}
	answer(w, http.StatusOK, "application/json", map[string]any{"status": said.status, "answer": text, "call": call})
}

// shownTypes are the media types that a browser may take a picture for.
var shownTypes = []string{"image/jpeg", "image/png", "image/bmp"}

// servePicture gives the bytes of a picture that was uploaded to the sandbox.
func (c *Console) servePicture(w http.ResponseWriter, r *http.Request) {
	p, ok := c.world.State.Picture(r.PathValue("id"))
	if !ok || !slices.Contains(shownTypes, p.Media) {
		refuse(w, http.StatusNotFound, "there is no such picture")
		return
	}
	w.Header().Set("Content-Type", p.Media)
	_, _ = w.Write(p.Data)
}
