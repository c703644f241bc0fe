package pasted

import (
	"bytes"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
)

// What can be forgiven in an HTTP message.
const (
	CurlVerbose   Forgiven = "curl-v"             // the marks > < * that curl -v puts before lines
	CurlCommand   Forgiven = "curl-command"       // a command line of curl, as browsers copy it
	Browser       Forgiven = "browser-headers"    // names and values as a browser's tools show them
	NoFirstLine   Forgiven = "no-first-line"      // headers without the line before them
	WrappedHeader Forgiven = "wrapped-header"     // a header that goes on in the next line
	EditorsEnd    Forgiven = "line-feed-at-end"   // a line feed behind the body that Content-Length does not count
	MissingBody   Forgiven = "body-not-in-paste"  // Content-Length counts a body that is not there
	ShortBody     Forgiven = "body-cut-off"       // Content-Length counts more than is there
	TwoMessages   Forgiven = "request-and-answer" // both stand in the text, and one was taken
)

// Authorization keeps a line feed where it was wrapped, because an encoder that breaks lines leaves them there too.
const wrappedHeader = "Authorization"

// HTTP is one message as it went over the wire, read without doing anything about what is odd in it.
type HTTP struct {
	Answer         bool
	Method, Target string // of a request; Target is a path with its query, or a whole URL
	Status         int    // of an answer
	Header         map[string]string
	Body           []byte
	Forgiven       []Forgiven
}

var (
	startLine   = regexp.MustCompile(`^([A-Za-z]+) (\S+)( HTTP/[0-9.]+)?$`)
	statusLine  = regexp.MustCompile(`^HTTP/[0-9.]+ ([0-9]{3})( .*)?$`)
	headerLine  = regexp.MustCompile(`^:?[A-Za-z][A-Za-z0-9-]*:( |\t|$|\S)`)
	curlHeader  = regexp.MustCompile(`(?m)^\s*[<>] ?\S`)
	curlRequest = regexp.MustCompile(`(?m)^\s*> ?([A-Za-z]+ \S+( HTTP/[0-9.]+)?)\r?$`)
	curlNoise   = regexp.MustCompile(`^(\*|[{}] \[[0-9]+ bytes data\]|\s*%\s+Total|\s*Dload)`)
	methods     = regexp.MustCompile(`^(GET|POST|PUT|PATCH|DELETE|HEAD)$`)
)

// ReadHTTP tells an HTTP message from a body alone, and takes it apart. wanted is "request" or "answer" when the text may
// hold both; "" takes the answer when it is signed and else the request.
func ReadHTTP(raw []byte, wanted string) (HTTP, bool) {
	text := bytes.TrimLeft(raw, "\r\n")
	switch {
	case isCurlCommand(text) && !curlRequest.Match(text):
		return readCurl(string(text))
	case curlRequest.Match(text) || curlHeader.Match(text) && bytes.Contains(text, []byte("< HTTP/")):
		return readVerbose(text, wanted)
	}
	lines := splitLines(text)
	if len(lines) == 0 {
		return HTTP{}, false
	}
	if m, ok := first(lines[0]); ok {
		m.take(text[len(lines[0]):])
		return m, true
	}
	if !headerLine.Match(lines[0]) && !browserName(lines) {
		return HTTP{}, false
	}
	m := HTTP{Header: map[string]string{}}
	m.take(text)
	if m.Header["Authorization"] == "" && m.Header["Wechatpay-Signature"] == "" {
		return HTTP{}, false
	}
	m.Answer = m.Header["Authorization"] == ""
	if m.Method == "" {
		m.Forgiven = append(m.Forgiven, NoFirstLine)
	}
	return m, true
}

// first reads the first line of a message.
func first(line []byte) (HTTP, bool) {
	text := strings.TrimSpace(string(line))
	m := HTTP{Header: map[string]string{}}
	if match := statusLine.FindStringSubmatch(text); match != nil {
		m.Answer = true
		m.Status, _ = strconv.Atoi(match[1])
		return m, true
	}
	if match := startLine.FindStringSubmatch(text); match != nil && (match[3] != "" || strings.ContainsAny(match[2][:1], "/h")) {
		m.Method, m.Target = match[1], match[2]
		return m, true
	}
	return m, false
}

// splitLines cuts a text behind each line feed.
func splitLines(text []byte) [][]byte {
	var lines [][]byte
	for line := range bytes.Lines(text) {
		lines = append(lines, line)
	}
	return lines
}

// browserName tells the form in which a browser's tools show headers: a name in one line, and its value in the next.
func browserName(lines [][]byte) bool {
	for i := 0; i+1 < len(lines) && i < 40; i += 2 {
		if strings.EqualFold(strings.TrimSuffix(strings.TrimSpace(string(lines[i])), ":"), "authorization") {
			return true
		}
	}
	return false
}

// take reads headers and body; rest begins behind the first line.
func (m *HTTP) take(rest []byte) {
	defer func() {
		for name, value := range m.Header {
			if name != wrappedHeader && strings.Contains(value, "\n") {
				m.Header[name] = strings.ReplaceAll(value, "\n", "")
			}
		}
	}()
	lastName := ""
	alternate := browserName(splitLines(rest))
	if alternate {
		m.Forgiven = append(m.Forgiven, Browser)
	}
	for len(rest) > 0 {
		line, next, more := bytes.Cut(rest, []byte("\n"))
		text := strings.TrimSuffix(string(line), "\r")
		if strings.TrimSpace(text) == "" {
			m.Body = next
			m.judgeLength()
			return
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(text, ":"), ":")
		switch {
		case alternate && (!ok || strings.TrimSpace(value) == "") && more:
			name = strings.Trim(text, ":")
			line, next, more = bytes.Cut(next, []byte("\n"))
			value = strings.TrimSuffix(string(line), "\r")
		case lastName != "" && (!ok || !headerLine.MatchString(text)):
			// A terminal, a chat or a mail wrapped the header.
			if len(m.Forgiven) == 0 || m.Forgiven[len(m.Forgiven)-1] != WrappedHeader {
				m.Forgiven = append(m.Forgiven, WrappedHeader)
			}
			m.Header[lastName] += "\n" + strings.TrimSpace(text)
			rest = next
			continue
		case !ok:
			m.Body = rest // no header: the empty line was lost
			return
		}
		lastName = m.header(name, value)
		rest = next
		if !more {
			return
		}
	}
}

// header keeps one header, and returns its name in canonical form. HTTP/2's own names are the first line.
func (m *HTTP) header(name, value string) string {
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	switch strings.ToLower(name) {
	case "method":
		if methods.MatchString(value) {
			m.Method = value
		}
	case "path":
		if strings.HasPrefix(value, "/") {
			m.Target = value
		}
	}
	name = textproto.CanonicalMIMEHeaderKey(name)
	m.Header[name] = value
	return name
}

// judgeLength holds the body against Content-Length: what is there beyond it was put there by an editor, and what is
// missing was not pasted.
func (m *HTTP) judgeLength() {
	length, err := strconv.Atoi(m.Header["Content-Length"])
	switch {
	case err != nil || m.Header["Content-Encoding"] != "":
	case length > 0 && len(bytes.TrimSpace(m.Body)) == 0:
		m.Forgiven, m.Body = append(m.Forgiven, MissingBody), nil
	case length > len(m.Body):
		m.Forgiven = append(m.Forgiven, ShortBody)
	case length < len(m.Body) && len(bytes.TrimRight(m.Body, "\r\n")) <= length:
		m.Forgiven, m.Body = append(m.Forgiven, EditorsEnd), m.Body[:length]
	}
}

// readVerbose reads what curl -v prints: the request behind >, the answer behind <, remarks behind *, and the answer's
// body without a mark. The request's body is not in it.
func readVerbose(text []byte, wanted string) (HTTP, bool) {
	var request, answer, body []byte
	command := ""
	for line := range bytes.Lines(text) {
		trimmed := bytes.TrimLeft(line, " \t")
		switch {
		case bytes.HasPrefix(trimmed, []byte("> ")) || bytes.Equal(bytes.TrimSpace(trimmed), []byte(">")):
			request = append(request, bytes.TrimPrefix(bytes.TrimPrefix(trimmed, []byte(">")), []byte(" "))...)
		case bytes.HasPrefix(trimmed, []byte("< ")) || bytes.Equal(bytes.TrimSpace(trimmed), []byte("<")):
			if bytes.HasPrefix(trimmed, []byte("< HTTP/")) {
				answer, body = nil, nil // 100 Continue came before
			}
			answer = append(answer, bytes.TrimPrefix(bytes.TrimPrefix(trimmed, []byte("<")), []byte(" "))...)
		case curlNoise.Match(trimmed):
		case len(answer) > 0:
			body = append(body, line...)
		case isCurlCommand(bytes.TrimPrefix(trimmed, []byte("$ "))):
			command += string(bytes.TrimPrefix(trimmed, []byte("$ ")))
		case command != "":
			command += string(line)
		}
	}
	out, _ := readPlain(answer, body)
	in, _ := readPlain(request, nil)
	if given, ok := readCurl(command); ok && len(given.Body) > 0 {
		in.Body = given.Body
		in.Forgiven = without(in.Forgiven, MissingBody)
	}
	chosen := in
	if in.Header == nil || out.Header != nil && (wanted == "answer" || wanted == "" && out.Header["Wechatpay-Signature"] != "") {
		chosen = out
	}
	chosen.Forgiven = append(chosen.Forgiven, CurlVerbose)
	if in.Header != nil && out.Header != nil {
		chosen.Forgiven = append(chosen.Forgiven, TwoMessages)
	}
	return chosen, chosen.Header != nil
}

// readPlain reads a message whose head and body were told apart.
func readPlain(head, body []byte) (HTTP, bool) {
	lines := splitLines(head)
	if len(lines) == 0 {
		return HTTP{}, false
	}
	m, ok := first(lines[0])
	if !ok {
		return HTTP{}, false
	}
	m.take(append(bytes.TrimRight(head[len(lines[0]):], "\r\n"), append([]byte("\n\n"), body...)...))
	return m, true
}

func without(list []Forgiven, one Forgiven) []Forgiven {
	var rest []Forgiven
	for _, f := range list {
		if f != one {
			rest = append(rest, f)
		}
	}
	return rest
}
