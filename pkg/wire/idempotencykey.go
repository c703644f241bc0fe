package wire

import "strings"

const differentKeys = "the request names two different keys (header and body, or the header twice)"

// keyHeader is what the values of the Idempotency-Key header come to.
//
// A header that stands twice arrives as two values in one shape of event and joined with a comma in another, so every
// value is split at its commas: a key is read in one way, however it came. Each part is a key, in double quotes (the
// form of https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/) or bare. The parts must all be
// the same key. problem says what is wrong, and is empty when nothing is.
func keyHeader(values []string) (key, problem string) {
	first := true
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			one, problem := keyPart(strings.Trim(part, " \t"))
			switch {
			case problem != "":
				return "", "the Idempotency-Key header " + problem
			case !first && one != key:
				return "", differentKeys
			}
			key, first = one, false
		}
	}
	return key, ""
}

func keyPart(part string) (key, problem string) {
	key = part
	if len(part) >= 2 && part[0] == '"' && part[len(part)-1] == '"' {
		key = part[1 : len(part)-1]
	}
	if problems := keyText.problems(key); len(problems) > 0 {
		return "", problems[0]
	}
	if strings.ContainsAny(key, `"\`) {
		return "", `may hold quotes only around a key, and no backslash; ` +
			`such a key, or one with a comma, is for the body`
	}
	return key, ""
}
