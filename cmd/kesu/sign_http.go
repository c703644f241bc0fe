package main

import (
	"bytes"
	"errors"
	"net/textproto"
	"regexp"
	"strings"
)

// httpMessage is a request or an answer as it went over the wire, read without doing anything about what is odd in it.
type httpMessage struct {
	start  string // the first line
	header map[string]string
	body   []byte
}

var startLine = regexp.MustCompile(`^([A-Za-z]+ \S+( HTTP/[0-9.]+)?|HTTP/[0-9.]+ [0-9]{3}.*)$`)

// splitHTTP tells an HTTP message from a body alone, and takes it apart.
func splitHTTP(message []byte) (httpMessage, []byte, bool) {
	message = bytes.TrimLeft(message, "\r\n")
	first, rest, _ := bytes.Cut(message, []byte("\n"))
	m := httpMessage{start: strings.TrimSpace(string(first)), header: map[string]string{}}
	if !startLine.MatchString(m.start) {
		return m, message, false
	}
	for {
		line, next, more := bytes.Cut(rest, []byte("\n"))
		rest = next
		text := strings.TrimSuffix(string(line), "\r")
		if text == "" {
			m.body = rest
			return m, rest, true
		}
		name, value, ok := strings.Cut(text, ":")
		if !ok {
			return m, message, false
		}
		m.header[textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))] = strings.TrimSpace(value)
		if !more {
			return m, nil, true
		}
	}
}

// answer tells an answer from a request.
func (m httpMessage) answer() bool { return strings.HasPrefix(m.start, "HTTP/") }

// wechatMessage is what WeChat Pay's signature is made over, with the signature and the key's id, as far as given.
type wechatMessage struct {
	answer            bool
	method, target    string // of a request
	timestamp, nonce  string
	serial, signature string
	body              string
	problem           string // of the Authorization header's form
}

var parameter = regexp.MustCompile(`([a-z_]+)="([^"]*)"`)

// readWechat reads a message of WeChat Pay from an HTTP message, or from a body and flags.
func (c signCommand) readWechat(message []byte) (wechatMessage, error) {
	var w wechatMessage
	m, body, ok := splitHTTP(message)
	w.body = string(body)
	if ok {
		w.answer = m.answer()
	}
	switch {
	case !ok:
	case w.answer:
		w.timestamp, w.nonce = m.header["Wechatpay-Timestamp"], m.header["Wechatpay-Nonce"]
		w.serial, w.signature = m.header["Wechatpay-Serial"], m.header["Wechatpay-Signature"]
	default:
		fields := strings.Fields(m.start)
		w.method, w.target = fields[0], fields[1]
		authorization := m.header["Authorization"]
		w.problem = authorizationProblem(authorization)
		for _, p := range parameter.FindAllStringSubmatch(authorization, -1) {
			if into := map[string]*string{"timestamp": &w.timestamp, "nonce_str": &w.nonce, "serial_no": &w.serial, "signature": &w.signature}[p[1]]; into != nil {
				*into = p[2]
			}
		}
	}
	for _, flag := range []struct {
		value string
		into  *string
	}{{c.Method, &w.method}, {c.URL, &w.target}, {c.Timestamp, &w.timestamp}, {c.Nonce, &w.nonce}, {c.Signature, &w.signature}} {
		if flag.value != "" {
			*flag.into = flag.value
		}
	}
	return w, w.complete()
}

// complete says what is missing before anything can be signed.
func (w wechatMessage) complete() error {
	switch {
	case w.answer && (w.timestamp == "" || w.nonce == ""):
		return errors.New("the answer has no Wechatpay-Timestamp or no Wechatpay-Nonce, so nothing in it is signed; give the file all headers of the answer")
	case !w.answer && (w.method == "" || w.target == ""):
		return errors.New("a request's signature covers its method and path: let the file begin with a line like \"POST /v3/… HTTP/1.1\", or give --method and --url")
	case w.timestamp == "" || w.nonce == "":
		return errors.New("a request's signature covers its timestamp and nonce_str: let the file have the Authorization header, or give --timestamp and --nonce")
	}
	return nil
}
