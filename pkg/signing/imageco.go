package signing

import (
	"crypto/md5"
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"strings"
)

// Member is one top-level member of a 翼码 JSON message whose value is a string. Value holds the bytes that are signed:
// a merchant that signs in GBK hands in GBK.
type Member struct{ Name, Value string }

// upperHex are the digits of both gateways' upper-case hex; encoding/hex writes lower case only.
const upperHex = "0123456789ABCDEF"

// ImagecoJSON returns the sign of a 翼码 JSON message as 32 upper-case hex digits: MD5 over the key, each member's name
// and value in the order of the names' bytes with nothing between them, and the key again.
//
// A member named "sign" takes no part, so that the same call checks an answer; compare with [EqualMD5]. members is left
// as it was. Nested objects and arrays take no part either and are not to be handed in. The rule is 翼码's open platform
// documentation, reproduced with the three signatures printed there (testdata/imageco.json).
func ImagecoJSON(key string, members []Member) string {
	var few [24]Member // both arrays keep a usual message off the heap
	sorted := append(few[:0], members...)
	slices.SortStableFunc(sorted, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })

	var short [2048]byte
	text := append(short[:0], key...)
	for _, m := range sorted {
		if m.Name == "sign" {
			continue
		}
		text = append(text, m.Name...)
		text = append(text, m.Value...)
	}
	text = append(text, key...)

	var sign [2 * md5.Size]byte
	for i, b := range md5.Sum(text) {
		sign[2*i], sign[2*i+1] = upperHex[b>>4], upperHex[b&15]
	}
	return string(sign[:])
}

// ImagecoXML returns the mac of a 翼码 XML message as 32 lower-case hex digits: MD5 over the key, the XML bytes exactly
// as they are sent, and the key again (inferred from 翼码's sibling platform; contract, section 4).
func ImagecoXML(key string, xml []byte) string {
	h := md5.New()
	h.Write([]byte(key))
	h.Write(xml)
	h.Write([]byte(key))
	return hex.EncodeToString(h.Sum(nil))
}

// EqualMD5 says whether a and b are the same MD5 digest in 32 hex digits, in either case. It takes the same time
// wherever they differ. Anything that is not 32 hex digits equals nothing, not even itself.
func EqualMD5(a, b string) bool {
	x, okX := decodeMD5(a)
	y, okY := decodeMD5(b)
	return okX && okY && subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

func decodeMD5(s string) (sum [md5.Size]byte, ok bool) {
	if len(s) != hex.EncodedLen(md5.Size) {
		return sum, false
	}
	_, err := hex.Decode(sum[:], []byte(s))
	return sum, err == nil
}
