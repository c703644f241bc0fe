package wire

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// The limits of a host's name, in octets: RFC 1035, section 2.3.4, without the dots of the length-prefixed form.
const (
	labelMax = 63
	hostMax  = 253
)

// jumpURL says what keeps a URL from being opened on a phone; "" when nothing does. It takes an absolute https URL of
// RFC 3986 with a host that exists by its form. It parses by itself because net/url repairs and accepts what browsers
// do not: control characters apart, it takes any character in a path and any text as a host.
func jumpURL(value string) string {
	if p := badURLCharacter(value); p != "" {
		return p
	}
	const scheme = "https://"
	if len(value) < len(scheme) || !strings.EqualFold(value[:len(scheme)], scheme) {
		return "must be an https URL with a host"
	}
	authority := value[len(scheme):]
	if end := strings.IndexAny(authority, "/?#"); end >= 0 {
		authority = authority[:end]
	}
	if strings.Contains(authority, "@") {
		return "must not carry a user name or password"
	}
	host, port, hasPort := authority, "", false
	if colon := strings.LastIndexByte(authority, ':'); colon > strings.LastIndexByte(authority, ']') {
		host, port, hasPort = authority[:colon], authority[colon+1:], true
	}
	if host == "" {
		return "must be an https URL with a host"
	}
	if !validHost(host) {
		return "has a host that cannot exist: it must be an address, or a name of letters, digits and hyphens with " +
			"dots between (other letters in Punycode, xn--)"
	}
	if n, err := strconv.ParseUint(port, 10, 16); hasPort && (err != nil || n == 0 || len(port) > 5) {
		return "has a port outside of 1 to 65535"
	}
	return ""
}

// badURLCharacter finds the first character that RFC 3986 (section 2) does not have in a URL, and the first percent
// sign that begins no escape.
func badURLCharacter(value string) string {
	position := 0
	for at, r := range value {
		position++
		switch {
		case r == '%':
			if at+2 >= len(value) || !isHex(value[at+1]) || !isHex(value[at+2]) {
				return fmt.Sprintf("character %d (%%) begins no escape of two hex digits", position)
			}
		case r > '~' || !isAlphanumeric(byte(r)) && !strings.ContainsRune("-._~:/?#[]@!$&'()*+,;=", r):
			return fmt.Sprintf("character %d (U+%04X) is none of a URL (RFC 3986); percent-encode it", position, r)
		}
	}
	return ""
}

func isHex(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

// validHost reports whether host can be a name of the DNS (RFC 1123, section 2.1) or is an address. A name that ends in
// a number is an address to browsers, and nothing if it is not a whole one:
// https://url.spec.whatwg.org/#ends-in-a-number-checker.
func validHost(host string) bool {
	if inner, isLiteral := strings.CutPrefix(host, "["); isLiteral {
		inner, closed := strings.CutSuffix(inner, "]")
		address, err := netip.ParseAddr(inner)
		return closed && err == nil && address.Is6() && address.Zone() == ""
	}
	labels := strings.Split(host, ".")
	if isNumber(labels[len(labels)-1]) {
		address, err := netip.ParseAddr(host)
		return err == nil && address.Is4()
	}
	for _, label := range labels {
		if label == "" || len(label) > labelMax || label[0] == '-' || label[len(label)-1] == '-' ||
			!madeOf(label, hostCharacter) {
			return false
		}
	}
	return len(host) <= hostMax
}

func hostCharacter(c byte) bool { return isAlphanumeric(c) || c == '-' }

// isNumber reports whether browsers take a label for a number: digits, or hex digits behind 0x.
func isNumber(label string) bool {
	if hex, isHexadecimal := strings.CutPrefix(strings.ToLower(label), "0x"); isHexadecimal {
		return madeOf(hex, isHex)
	}
	return label != "" && madeOf(label, isDigit)
}
