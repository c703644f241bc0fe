package wire

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// maxMessage bounds a gateway's words in a result, in characters.
const maxMessage = 256

// maxRead bounds the characters that are looked at at all.
const maxRead = 16 * maxMessage

// maxPartial is how many characters before maxRead may be part of something that would have been masked had it been
// seen as a whole: a signature of 64 characters is the longest.
const maxPartial = 64

const mask = "***"

// The patterns are compiled when a gateway's words are first shown, which is after its answer and not at the start.
var (
	// A mainland mobile number, with or without +86, and a separator anywhere in it. Its neighbours are checked in
	// code, because a complaint id may hold eleven such digits in a row.
	phone = pattern(`(?:(?:\+|00)?86[ .‐-―－-]?|0)?1[ .‐-―－-]?[3-9](?:[ .‐-―－-]?[0-9]){9}`)
	// A WeChat openid: 28 characters that begin with o.
	openid = pattern(`o[0-9A-Za-z_-]{27}`)
	// What a signature looks like: an MD5 in hex, or the base64 of anything of 48 bytes or more.
	signature = pattern(`[0-9A-Fa-f]{32,}|[0-9A-Za-z+/]{64,}={0,2}`)
)

func pattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

// Message makes a gateway's own words fit to be shown: on one line, bounded, and without payers' phone numbers and
// openids, anything that looks like a signature, and the given secrets.
//
// A transaction id of 32 hex digits, like the ones that Kesu derives, looks like a signature and is masked as well; the
// result names it in a member of its own.
func Message(text string, secrets ...string) string {
	text, whole := oneLine(without(text, secrets))
	// Once more: the text may have had invisible characters in the middle of one. A secret that is no UTF-8 may tear one.
	text = strings.ToValidUTF8(without(text, secrets), "")
	text = signature().ReplaceAllString(text, mask)
	text = maskAlone(text, phone(), isDigit)
	text = maskAlone(text, openid(), isAlphanumeric) // after the numbers: one may stand right beside it

	runes := []rune(text)
	if !whole {
		runes = runes[:max(0, len(runes)-maxPartial)]
	}
	if whole && len(runes) <= maxMessage {
		return text
	}
	// A number that is cut short is another number.
	return strings.TrimRight(string(runes[:min(len(runes), maxMessage)]), "0123456789 ") + "…"
}

func without(text string, secrets []string) string {
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, mask)
		}
	}
	return text
}

// oneLine puts one space for any run of white space, control characters and bytes that are not UTF-8, leaves out
// invisible characters, and writes full-width digits as the digits they are. It stops after maxRead characters, and
// then whole is false.
func oneLine(text string) (line string, whole bool) {
	var out strings.Builder
	gap, written := false, 0
	for _, r := range text {
		switch {
		case unicode.Is(unicode.Cf, r): // a zero-width space, a change of direction
			continue
		case unicode.IsSpace(r) || unicode.IsControl(r) || r == replacementMark:
			gap = written > 0
			continue
		case r >= '０' && r <= '９':
			r += '0' - '０'
		}
		if written >= maxRead {
			return out.String(), false
		}
		if gap {
			out.WriteByte(' ')
			written++
			gap = false
		}
		out.WriteRune(r)
		written++
	}
	return out.String(), true
}

// maskAlone masks what matches the pattern and is not part of something longer, as its neighbours tell.
func maskAlone(text string, pattern *regexp.Regexp, isPart func(byte) bool) string {
	var out strings.Builder
	for from := 0; ; {
		at := pattern.FindStringIndex(text[from:])
		if at == nil {
			out.WriteString(text[from:])
			return out.String()
		}
		start, end := from+at[0], from+at[1]
		if start > 0 && isPart(text[start-1]) || end < len(text) && isPart(text[end]) {
			out.WriteString(text[from : start+1])
			from = start + 1
			continue
		}
		out.WriteString(text[from:start] + mask)
		from = end
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isAlphanumeric(c byte) bool { return isDigit(c) || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' }
