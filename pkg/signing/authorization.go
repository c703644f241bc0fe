package signing

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxAuthorization bounds an Authorization header in bytes; the signature of a 16384-bit key takes 2.7 KiB of it.
const maxAuthorization = 4 << 10

// Authorization is what the Authorization header of a request to WeChat Pay APIv3 says, as the gateway reads it.
type Authorization struct {
	Mchid     string
	Nonce     string // nonce_str
	SerialNo  string
	At        time.Time // timestamp, whole seconds
	Signature []byte    // decoded
}

// SecretsOf are the parts of an Authorization header of our own that must not be shown: its signature, and its nonce,
// which stands in the text that was signed.
func SecretsOf(header string) []string {
	var parts []string
	for _, name := range []string{`signature="`, `nonce_str="`} {
		if _, rest, found := strings.Cut(header, name); found {
			value, _, _ := strings.Cut(rest, `"`)
			parts = append(parts, value)
		}
	}
	return parts
}

// ParseAuthorization reads an Authorization header as strictly as it can be read: the scheme, one space, then mchid,
// nonce_str, timestamp, serial_no and signature in any order, each exactly once as name="value" with one comma between
// them. It does not check the signature, see [Authorization.Verify]. Its errors name the parameter and quote nothing.
func ParseAuthorization(header string) (Authorization, error) {
	if len(header) > maxAuthorization {
		return Authorization{}, fmt.Errorf("authorization: longer than %d bytes", maxAuthorization)
	}
	list, ok := strings.CutPrefix(header, scheme+" ")
	if !ok {
		return Authorization{}, errors.New("authorization: the scheme is not " + scheme)
	}
	parameters, err := splitParameters(list)
	if err != nil {
		return Authorization{}, fmt.Errorf("authorization: %w", err)
	}
	a := Authorization{Mchid: parameters["mchid"], Nonce: parameters["nonce_str"], SerialNo: parameters["serial_no"]}
	for _, name := range []string{"mchid", "nonce_str", "serial_no"} {
		if !quotable(parameters[name]) {
			return Authorization{}, fmt.Errorf(
				"authorization: %s is empty, too long, or holds a character that cannot stand there", name)
		}
	}
	if a.At, ok = parseSeconds(parameters["timestamp"]); !ok {
		return Authorization{}, errors.New("authorization: timestamp is not a number of seconds")
	}
	a.Signature, err = base64.StdEncoding.DecodeString(parameters["signature"])
	if err != nil || len(a.Signature) == 0 {
		return Authorization{}, errors.New("authorization: signature is not base64")
	}
	return a, nil
}

// Verify checks the signature over the request that the header came with. verify gets the SHA256 digest of the request
// and the signature; [PlatformKey] holds such a function. The error is [ErrBadSignature].
func (a Authorization) Verify(method, target string, body []byte, verify func(digest, signature []byte) error) error {
	digest := sha256.Sum256(RequestMessage(method, target, body, a.At, a.Nonce))
	if verify(digest[:], a.Signature) != nil {
		return ErrBadSignature
	}
	return nil
}

// splitParameters reads name="value" pairs with one comma between them; exactly the five known ones, in any order.
func splitParameters(list string) (map[string]string, error) {
	parameters := make(map[string]string, 5)
	for pair := range strings.SplitSeq(list, ",") {
		name, quoted, ok := strings.Cut(pair, "=")
		if !ok || len(quoted) < 2 || quoted[0] != '"' || quoted[len(quoted)-1] != '"' {
			return nil, errors.New(`a parameter is not of the form name="value"`)
		}
		switch name {
		case "mchid", "nonce_str", "timestamp", "serial_no", "signature":
		default:
			return nil, errors.New("there is an unknown parameter")
		}
		if _, twice := parameters[name]; twice {
			return nil, errors.New(name + " stands twice")
		}
		parameters[name] = quoted[1 : len(quoted)-1]
	}
	for _, name := range []string{"mchid", "nonce_str", "timestamp", "serial_no", "signature"} {
		if _, ok := parameters[name]; !ok {
			return nil, errors.New(name + " is missing")
		}
	}
	return parameters, nil
}

// parseSeconds reads unix seconds in the one way they are written: digits without sign or leading zero, at most 11,
// which lasts until the year 5138. Anything else would be signed as one text and read as another.
func parseSeconds(s string) (time.Time, bool) {
	seconds, err := strconv.ParseUint(s, 10, 64) // takes digits only
	if err != nil || len(s) > 11 || s[0] == '0' && len(s) > 1 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}
