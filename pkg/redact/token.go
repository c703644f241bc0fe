package redact

const (
	maxCode = 64  // bounds a code, in characters
	maxID   = 128 // bounds an id, in characters
)

// Code lets a gateway's code through, and gives "" for what is none: a code is 1 to 64 of the characters 0-9, A-Z, a-z,
// _, - and ., and has no secret, signature, phone number or openid in it.
func (s Secrets) Code(code string) string {
	if code == "" || len(code) > maxCode || !madeOf(code, codeCharacter) || s.holds(code) ||
		signature().MatchString(code) {
		return ""
	}
	return code
}

// ID lets the name of a thing of a gateway's through, such as its Request-ID or the serial number of its key, and gives
// "" for what is none: at most 128 of a code's characters, : and /. WeChat Pay's are long hex numbers, so what only
// looks like a signature may pass; a secret, a phone number or an openid may not.
func (s Secrets) ID(id string) string {
	if len(id) > maxID || !madeOf(id, idCharacter) || s.holds(id) {
		return ""
	}
	return id
}

// AWSCode lets the code of an error of AWS's through, and gives "unknown error" for what is none. They are a few words
// written together, "AccessDeniedException"; a key of that form is as good as none.
func AWSCode(code string) string {
	if len(code) < 3 || len(code) > maxCode ||
		!madeOf(code, func(c byte) bool { return isAlphanumeric(c) && !isDigit(c) || c == '.' }) {
		return "unknown error"
	}
	return code
}

func codeCharacter(c byte) bool { return isAlphanumeric(c) || c == '_' || c == '-' || c == '.' }

func idCharacter(c byte) bool { return codeCharacter(c) || c == ':' || c == '/' }

func madeOf(text string, kind func(byte) bool) bool {
	for i := range len(text) {
		if !kind(text[i]) {
			return false
		}
	}
	return true
}
