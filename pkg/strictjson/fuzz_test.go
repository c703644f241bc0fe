package strictjson_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/kesu-go/kesu/pkg/strictjson"
)

// An object that is taken is JSON, an object that is refused has a reason that encoding/json does not see or is not
// JSON, and the members put together again are the object.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1,"b":[{"c":null}],"a":"\ud83d\ude00"}`, `{"a":1,}`, `{"a" 1}`, `[]`, ` { "x" : -1.5e3 } `, `{"a":"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		members, err := strictjson.Pairs(raw)
		if err != nil {
			if strings.Contains(err.Error(), "is not JSON") && json.Valid(raw) && utf8.Valid(raw) {
				t.Fatalf("%v", err)
			}
			return
		}
		if !json.Valid(raw) || !utf8.Valid(raw) {
			t.Fatal("it took what is not JSON")
		}
		var all map[string]json.RawMessage
		if err := json.Unmarshal(raw, &all); err != nil {
			t.Fatal(err)
		}
		names := map[string]json.RawMessage{}
		for _, m := range members {
			if !json.Valid(m.Value) || m.Value[0] <= ' ' {
				t.Fatalf("the value %q", m.Value)
			}
			names[m.Name] = m.Value
		}
		if len(names) != len(all) {
			t.Fatalf("%d names, encoding/json sees %d", len(names), len(all))
		}
		for name, value := range all {
			if string(names[name]) != string(value) {
				t.Fatalf("%q is %q, encoding/json sees %q", name, names[name], value)
			}
		}
	})
}
