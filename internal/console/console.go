package console

import (
	"context"
	"embed"
	"encoding/json"
	"io"
	"mime"
	"net"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/kesu-go/kesu/internal/sandbox"
)

//go:embed page
var files embed.FS

// bodyLimit bounds a request to the console, in bytes: 10,000 characters, each escaped.
const bodyLimit = 128 << 10

// Console serves the page and what the page asks for, at /console and below. It may be used by several goroutines at once.
type Console struct {
	world   *sandbox.Demo
	journal *Journal
	mux     *http.ServeMux

	ending  context.Context
	end     context.CancelFunc
	streams chan struct{} // holds one thing for each open stream

	mu       sync.Mutex
	switches switches
	older    map[string][]string // earlier texts of merchants' secrets, the latest first

	foreigners foreigners
	board      board

	arming  sync.Mutex
	armed   context.CancelFunc // disarms the crash that was asked for last
	crashes sync.WaitGroup
}

// streamLimit is how many pages may listen at once.
const streamLimit = 16

// New makes the console of a world whose functions have been started and tell the journal. Close it before the world.
func New(world *sandbox.Demo, journal *Journal) *Console {
	c := &Console{world: world, journal: journal, mux: http.NewServeMux(), streams: make(chan struct{}, streamLimit),
		switches: noFaults(), older: map[string][]string{}}
	c.ending, c.end = context.WithCancel(context.Background())
	c.mux.HandleFunc("GET /console", serveFile)
	c.mux.HandleFunc("GET /console/{file}", serveFile)
	c.mux.Handle("GET /console/{$}", http.RedirectHandler("/console", http.StatusPermanentRedirect))
	c.mux.HandleFunc("GET /console/stream", c.serveStream)
	c.mux.HandleFunc("GET /console/calls/{id}", c.serveCall)
	c.mux.HandleFunc("POST /console/complaints", c.openComplaint)
	c.mux.HandleFunc("POST /console/samples", c.openSamples)
	c.mux.HandleFunc("GET /console/complaints/{merchant}/{id}", c.serveTalk)
	c.mux.HandleFunc("POST /console/handled", c.handle)
	c.mux.HandleFunc("POST /console/images", c.upload)
	c.mux.HandleFunc("GET /console/pictures/{id}", c.servePicture)
	c.mux.HandleFunc("POST /console/faults", c.setFaults)
	c.mux.HandleFunc("POST /console/crash", c.armCrash)
	c.mux.HandleFunc("POST /console/rotate", c.rotate)
	c.mux.HandleFunc("POST /console/send", c.send)
	c.duplicate()
	c.watching()
	return c
}

// Close ends the open streams and disarms what was armed.
func (c *Console) Close() error {
	c.end()
	c.arm(false)
	return nil
}

// policy lets the page use its own files and its own origin, and nothing else: no script or style in the page itself, no
// text taken for HTML, no frame, no other host.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " +
	"form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// ServeHTTP answers this machine's programs and this page only.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { guard(c.mux).ServeHTTP(w, r) }

// guard lets this machine's programs and this page's own requests through to next.
func guard(next http.Handler) http.Handler {
	local := sandbox.LocalOnly(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if admit(w, r) {
			next.ServeHTTP(w, r)
		}
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		local.ServeHTTP(w, r)
	})
}

// admit reports whether a request may go on; else it has been answered.
func admit(w http.ResponseWriter, r *http.Request) bool {
	if address, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && !loopback(address) {
		refuse(w, http.StatusForbidden, "the console answers on the loopback interface only")
		return false
	}
	if !fromHere(r) {
		refuse(w, http.StatusForbidden, "pages of another origin may not use the console")
		return false
	}
	if r.Method == http.MethodPost { // a form of another origin's can send neither JSON nor a picture
		media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		picture := r.URL.Path == "/console/images" && strings.HasPrefix(media, "image/")
		if err != nil || media != "application/json" && !picture {
			refuse(w, http.StatusUnsupportedMediaType, "the Content-Type must be application/json")
			return false
		}
	}
	return true
}

// loopback tells whether a connection came in on the loopback interface.
func loopback(address net.Addr) bool {
	tcp, ok := address.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// fromHere looks at what a browser says about where a request is from, which no page can forge. A page of another origin
// may lead here by a link, but take nothing from here as a script, an image or a style.
func fromHere(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return true
	}
	return r.Method == http.MethodGet && (r.URL.Path == "/console" || r.URL.Path == "/console/bench") && r.Header.Get("Sec-Fetch-Dest") == "document"
}

// types are the page's files by their ending.
var types = map[string]string{".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

func serveFile(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	if name == "" || name == "bench" {
		name = map[string]string{"": "desk.html", "bench": "bench.html"}[name]
	}
	text, err := files.ReadFile("page/" + name)
	kind := types[path.Ext(name)]
	if err != nil || kind == "" {
		refuse(w, http.StatusNotFound, "there is nothing at this path; the console is at /console")
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(text)
}

// refuse answers with application/problem+json (RFC 9457), as everything here does.
func refuse(w http.ResponseWriter, status int, detail string) {
	answer(w, status, "application/problem+json", map[string]any{"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail})
}

func answer(w http.ResponseWriter, status int, kind string, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "the answer cannot be encoded", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// readJSON reads a request's one JSON object into v, and answers when it is not one.
func readJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyLimit))
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if err == nil {
		if _, more := dec.Token(); more != io.EOF {
			refuse(w, http.StatusBadRequest, "there is more than one JSON object")
			return false
		}
		return true
	}
	detail := "the body must be a JSON object with the members that the console knows"
	if strings.Contains(err.Error(), "too large") {
		refuse(w, http.StatusRequestEntityTooLarge, "the body is too large")
		return false
	}
	refuse(w, http.StatusBadRequest, detail)
	return false
}
