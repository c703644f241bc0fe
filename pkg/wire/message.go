package wire

import (
	"regexp"
	"strings"
	"unicode"
)

// maxMessage bounds a gateway's words in a result, in characters.
const maxMessage = 256

// maxRaw bounds the bytes that are looked at at all.
const maxRaw = 16 * maxMessage

const mask = "***"

var (
	// A mainland mobile number, with or without +86 and separators. Its neighbours are checked in code, because a
	// complaint id may hold eleven such digits in a row.
	phone = regexp.MustCompile(`(?:(?:\+|00)?86[- ]?|0)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}`)
	// A WeChat openid: 28 characters that begin with o.
	openid = regexp.MustCompile(`\bo[0-9A-Za-z_-]{27}\b`)
	// What a signature looks like: an MD5 in hex, or the base64 of anything of 48 bytes or more.
	signature = regexp.MustCompile(`[0-9A-Fa-f]{32,}|[0-9A-Za-z+/]{64,}={0,2}`)
)

// Message makes a gateway's own words fit to be shown: on one line, bounded, and without payers' phone numbers and
// openids, anything that looks like a signature, and the given secrets.
func Message(text string, secrets ...string) string {
	if len(text) > maxRaw { // what lies beyond would be cut off at the end anyway
		text = text[:maxRaw]
	}
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, mask)
		}
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == replacementMark {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, " "))
	text = signature.ReplaceAllString(text, mask)
	text = openid.ReplaceAllString(text, mask)
	text = maskPhones(text)
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxMessage {
		text = string(runes[:maxMessage]) + "…"
	}
	return text
}

func maskPhones(text string) string {
	var out strings.Builder
	for from := 0; ; {
		at := phone.FindStringIndex(text[from:])
		if at == nil {
			out.WriteString(text[from:])
			return out.String()
		}
		start, end := from+at[0], from+at[1]
		if digitBefore(text, start) || digitAt(text, end) { // part of a longer number
			out.WriteString(text[from : start+1])
			from = start + 1
			continue
		}
		out.WriteString(text[from:start] + mask)
		from = end
	}
}

func digitBefore(text string, i int) bool { return i > 0 && digitAt(text, i-1) }

func digitAt(text string, i int) bool { return i < len(text) && text[i] >= '0' && text[i] <= '9' }
