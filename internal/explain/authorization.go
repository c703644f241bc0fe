package explain

import (
	"regexp"
	"strings"

	"github.com/kesu-go/kesu/internal/advice"
	"github.com/kesu-go/kesu/pkg/signing"
)

// The parameters of an Authorization header as people paste it: blanks anywhere, quotes of any kind or none.
var (
	parameter = regexp.MustCompile(`([a-z_]+)\s*=\s*(?:"([^"]*)"|“([^”]*)”|'([^']*)'|([^",\s]+))`)
	blanks    = regexp.MustCompile(`\s*([,=])\s*`)
)

const authorizationScheme = "WECHATPAY2-SHA256-RSA2048"

// authorization reads a request's Authorization header, and names what is wrong with its form.
func (r *Report) authorization(w *wechatMessage, header string) {
	if header == "" {
		return
	}
	header = unwrapHeader(header)
	values := map[string]string{}
	for _, p := range parameter.FindAllStringSubmatch(strings.TrimPrefix(header, "Authorization:"), -1) {
		values[p[1]] = p[2] + p[3] + p[4] + p[5]
	}
	w.mchid, w.nonce, w.timestamp, w.serial, w.signature = values["mchid"], values["nonce_str"], values["timestamp"], values["serial_no"], values["signature"]
	strict := header
	if scheme, rest, ok := strings.Cut(header, " "); ok {
		// Blanks between parameters come from wrapping and from code alike. WeChat Pay's page shows none.
		strict = scheme + " " + blanks.ReplaceAllString(strings.TrimSpace(rest), "$1")
	}
	if strict != header {
		r.note(noteBlanks)
	}
	scheme, _, _ := strings.Cut(header, " ")
	switch {
	case strings.HasPrefix(strings.ToLower(header), "authorization"):
		w.problems = append(w.problems, found{"header.name", nil})
	case scheme != authorizationScheme:
		w.problems = append(w.problems, found{"header.scheme", []any{authorizationScheme}})
	case w.serial == "":
		w.problems = append(w.problems, found{"header.missing", []any{"serial_no"}})
	case w.mchid == "":
		w.problems = append(w.problems, found{"header.missing", []any{"mchid"}})
	case w.signature == "":
		w.problems = append(w.problems, found{"header.missing", []any{"signature"}})
	case strings.ContainsAny(header, "“”'") || strings.Count(header, `"`) != 10:
		w.problems = append(w.problems, found{"header.quotes", nil})
	default:
		// The signature's own form and the ids are judged where they are compared.
		plain := parameter.ReplaceAllStringFunc(strict, func(p string) string {
			name, _, _ := strings.Cut(p, "=")
			switch strings.TrimSpace(name) {
			case "signature":
				return `signature="AAAA"`
			case "timestamp":
				return `timestamp="1"`
			}
			return p
		})
		if _, err := signing.ParseAuthorization(plain); err != nil {
			w.problems = append(w.problems, found{"header.form", []any{strings.TrimPrefix(err.Error(), "authorization: ")}})
		}
	}
}

// unwrapHeader joins the lines of a header that a terminal or a mail wrapped. The lines that a MIME encoder makes of a
// signature, of 64 or 76 characters each, are what was sent, and stay.
func unwrapHeader(header string) string {
	if !strings.Contains(header, "\n") {
		return header
	}
	if _, signature, ok := strings.Cut(header, `signature="`); ok {
		lines := strings.Split(signature, "\n")
		encoder := len(lines) > 2
		for _, line := range lines[:len(lines)-1] {
			encoder = encoder && len(line) == len(lines[0]) && (len(line) == 64 || len(line) == 76)
		}
		if encoder {
			return header
		}
	}
	first, _, _ := strings.Cut(header, "\n")
	if strings.TrimSpace(first) == authorizationScheme {
		header = strings.Replace(header, "\n", " ", 1)
	}
	return strings.ReplaceAll(header, "\n", "")
}

// missingHeaders tells which of an answer's headers are missing.
func missingHeaders(header map[string]string) []found {
	for _, name := range []string{"Wechatpay-Signature", "Wechatpay-Serial"} {
		if header[name] == "" {
			return []found{{"answer.unsigned", []any{name}}}
		}
	}
	return nil
}

var noteBlanks = advice.Words{
	EN: "blanks between the parameters of Authorization were read over; WeChat Pay's page shows none, and whether it takes them is not proved",
	ZH: "Authorization 各参数之间的空白已忽略；微信支付的文档里没有空白，它是否接受未经证实"}
