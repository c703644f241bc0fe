package merchant

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/kesu-go/kesu/pkg/strictjson"
)

// MaxPack bounds a pack's text in bytes: Secrets Manager keeps no longer one
// (https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html).
const MaxPack = maxSecret

// PackName is the id of the pack that holds a merchant, without the prefix: "packs/64/17". The number is the first
// eight bytes of the SHA-256 of the merchant's name, taken as an unsigned number with the highest byte first, modulo
// the number of packs.
//
// The number of packs stands in the id, so a store with more packs is another set of secrets beside the first one: it
// is filled while the first one serves, and serves as soon as a function is told its number.
func PackName(packs int, merchant string) string {
	sum := sha256.Sum256([]byte(merchant))
	number := binary.BigEndian.Uint64(sum[:8]) % uint64(packs)
	return PackPath(packs) + strconv.FormatUint(number, 10)
}

// PackPath is what the ids of a store's packs begin with after the prefix: "packs/64/".
func PackPath(packs int) string { return fmt.Sprintf("packs/%d/", packs) }

// Entry is one merchant of a pack. A name that stands twice has no Secret: which of the two is meant nobody can say.
type Entry struct {
	Name   string
	Secret json.RawMessage // the merchant's own JSON, not looked into; a part of the pack's text
}

// ParsePack takes a pack's text apart, {"merchants": {"acme": {…}, …}}, and leaves each merchant's secret as it is. Its
// errors are [*FieldError].
func ParsePack(text string) ([]Entry, error) {
	whole, err := parseSecret(text, "merchants")
	if err != nil {
		return nil, err
	}
	raw, ok := whole.members["merchants"]
	if !ok {
		return nil, &FieldError{"merchants", "is missing, so this is no pack"}
	}
	members, ok := strictjson.Members(raw) // not bounded in depth, or one merchant's note would take all with it
	if !ok {
		return nil, &FieldError{"merchants", "is not a JSON object"}
	}
	entries, at := make([]Entry, 0, len(members)), make(map[string]int, len(members))
	for _, m := range members {
		if i, twice := at[m.Name]; twice {
			entries[i].Secret = nil
			continue
		}
		at[m.Name] = len(entries)
		entries = append(entries, Entry{m.Name, m.Value})
	}
	return entries, nil
}

// FormatPack is the text of a pack with these entries, in their order. Each Secret must be valid JSON.
func FormatPack(entries []Entry) string {
	text := []byte(`{"merchants":{`)
	for i, e := range entries {
		if i > 0 {
			text = append(text, ',')
		}
		name, _ := json.Marshal(e.Name) // a string always has a JSON form
		text = append(append(append(text, name...), ':'), e.Secret...)
	}
	return string(append(text, "}}"...))
}
