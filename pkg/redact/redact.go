// Package redact is the one door through which text from outside gets into an answer, a log line, an error or a
// terminal: a gateway's words, its codes, its ids, the codes of AWS's errors.
//
// What is let through is on one line and bounded, and has none of these in it:
//
//   - the secrets that the caller names: a merchant's keys, the signature of the request that is being answered, and
//     any 12 letters and digits of one, in pieces and in the usual encodings too;
//   - anything that looks like a signature: 32 hex digits, the base64 of 48 bytes or more;
//   - a phone number of mainland China, whatever separates its digits and in whichever digits it is written;
//   - a WeChat openid.
//
// [Secrets.Text] masks these in words. [Secrets.Code] and [Secrets.ID] are for what is a token: masking would make
// another one of it, so they let it through whole or not at all.
package redact

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// maxText bounds words that are shown, in characters.
const maxText = 256

// maxRead bounds the characters that are looked at at all.
const maxRead = 16 * maxText

// maxPartial is how many characters before maxRead may be part of something that would have been masked had it been
// seen as a whole: a signature of 64 characters is the longest.
const maxPartial = 64

// Mask stands in the place of what must not be shown.
const Mask = "***"

// The patterns are compiled when they are first needed, which is after a gateway's answer and not at the start.
var (
	// A WeChat openid: 28 characters that begin with o.
	openid = pattern(`o[0-9A-Za-z_-]{27}`)
	// What a signature looks like: an MD5 in hex, or the base64 of anything of 48 bytes or more.
	signature = pattern(`[0-9A-Fa-f]{32,}|[0-9A-Za-z+/]{64,}={0,2}`)
)

func pattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

// Secrets are texts that must not be shown. The zero value has none, and still masks what looks like one. It is
// immutable, and safe for concurrent use.
type Secrets struct {
	below  *Secrets // the set that this one adds to
	exact  []string // as they are
	lookup *lookup  // of their letters and digits alone; nil when the set adds no secret that has enough of them
	need   int      // the fewest letters and digits that are a part of any secret, those below included; 0: none
}

const (
	// leastFolded is the shortest secret, in letters and digits, that is found however it is written.
	leastFolded = 8
	// leastLine is the shortest line of a secret that is a secret by itself: a line of a private key.
	leastLine = 16
)

// Of makes a set of secrets. Empty texts are none. Of a text of several lines, such as a PEM, each line counts by
// itself.
func Of(texts ...string) Secrets { return Secrets{}.With(texts...) }

// With is the set with more secrets.
func (s Secrets) With(texts ...string) Secrets {
	more := Secrets{below: &s, exact: make([]string, 0, len(texts)), need: s.need}
	folded := make([][]byte, 0, len(texts))
	for _, text := range texts {
		if text == "" {
			continue
		}
		more.exact = append(more.exact, text)
		if strings.Contains(text, "\n") {
			more.exact = append(more.exact, linesOf(text)...)
		}
		if f := foldOf(withoutLabels(text)); len(f) >= leastFolded {
			folded = append(folded, f)
			if need := needed(f); more.need == 0 || need < more.need {
				more.need = need
			}
		}
	}
	more.lookup = newLookup(folded)
	return more
}

// linesOf are the lines of a text that are secrets by themselves. Folded, each is a part of the whole.
func linesOf(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); len(line) >= leastLine && !strings.HasPrefix(line, "-----") {
			lines = append(lines, line)
		}
	}
	return lines
}

// withoutLabels is what a PEM holds: anyone may write BEGIN PRIVATE KEY.
func withoutLabels(text string) string {
	if strings.Count(text, "-----") < 2 {
		return text
	}
	parts := strings.Split(text, "-----")
	var inside strings.Builder
	for i := 0; i < len(parts); i += 2 {
		inside.WriteString(parts[i])
	}
	return inside.String()
}

// Text makes words from outside fit to be shown: on one line, at most 256 characters, with *** in place of what must
// not be seen.
//
// A transaction id of 32 hex digits, like the ones that Kesu derives, looks like a signature and is masked as well; a
// result names it in a member of its own.
func (s Secrets) Text(text string) string {
	text, whole := oneLine(s.withoutExact(text))
	// Once more: the text may have had invisible characters in the middle of one. A secret that is no UTF-8 may tear
	// one.
	text = strings.ToValidUTF8(s.withoutExact(text), "")
	text = maskSpans(text, s.parts(text))
	if len(text) >= 32 {
		text = signature().ReplaceAllString(text, Mask)
	}
	text = maskSpans(text, phones(text))
	text = maskAlone(text, openid, isAlphanumeric) // after the numbers: one may stand right beside it

	runes := []rune(text)
	if !whole {
		runes = runes[:max(0, len(runes)-maxPartial)]
	}
	if whole && len(runes) <= maxText {
		return text
	}
	// A number that is cut short is another number.
	return strings.TrimRight(string(runes[:min(len(runes), maxText)]), "0123456789 ") + "…"
}

// holds reports whether a token has something in it that must not be shown, or is itself a part of a secret.
func (s Secrets) holds(token string) bool {
	return s.In(token) || maskAlone(token, openid, isAlphanumeric) != token || len(phones(token)) > 0
}

// In reports whether a token holds one of the secrets or a part of one.
func (s Secrets) In(token string) bool {
	return s.withoutExact(token) != token || s.partIn(token)
}

func (s Secrets) withoutExact(text string) string {
	for set := &s; set != nil; set = set.below {
		for _, secret := range set.exact {
			text = strings.ReplaceAll(text, secret, Mask)
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
		case unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError:
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
func maskAlone(text string, pattern func() *regexp.Regexp, isPart func(byte) bool) string {
	if !strings.ContainsRune(text, 'o') {
		return text
	}
	var out strings.Builder
	for from := 0; ; {
		at := pattern().FindStringIndex(text[from:])
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
		out.WriteString(text[from:start] + Mask)
		from = end
	}
}

// span is a part of a text, in bytes: of a text that is bounded, and there are many.
type span struct{ start, end int32 }

// maskSpans masks parts of a text, which may overlap.
func maskSpans(text string, spans []span) string {
	if len(spans) == 0 {
		return text
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	var out strings.Builder
	from := int32(0)
	for i := 0; i < len(spans); {
		start, end := spans[i].start, spans[i].end
		for i++; i < len(spans) && spans[i].start < end; i++ {
			end = max(end, spans[i].end)
		}
		out.WriteString(text[from:start] + Mask)
		from = end
	}
	return out.String() + text[from:]
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isAlphanumeric(c byte) bool { return isDigit(c) || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' }
