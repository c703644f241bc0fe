package strictjson_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/pkg/strictjson"
)

func TestObject(t *testing.T) {
	for _, row := range []struct{ name, raw, want string }{
		{"an empty object", " {\n} ", ""},
		{"members in the order in which they stand", `{"b":1,"a":2}`, "b=1 a=2"},
		{"values as they are written, without the white space around", "{\"a\" :\t[ 1 ] , \"b\" : null }", "a=[ 1 ] b=null"},
		{"a name that stands twice is given twice", `{"a":1,"a":2}`, "a=1 a=2"},
		{"names in exact case", `{"A":1,"a":2}`, "A=1 a=2"},
		{"an escaped name is given as it is meant", `{"\u0061\"":"\u0062"}`, `a"="\u0062"`},
		{"brackets in strings are no levels", `{"a":"` + strings.Repeat("[{", 50) + `\""}`, `a="` + strings.Repeat("[{", 50) + `\""`},
		{"an escaped quote does not end a string", `{"a":"\"` + strings.Repeat("[{", 50) + `"}`, `a="\"` + strings.Repeat("[{", 50) + `"`},
		{"32 levels", `{"a":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}`, "a=" + strings.Repeat("[", 31) + strings.Repeat("]", 31)},
		{"a long number stays as it is", `{"a":12345678901234567890.10}`, "a=12345678901234567890.10"},
	} {
		t.Run(row.name, func(t *testing.T) {
			members, err := strictjson.Pairs([]byte(row.raw))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range members {
				got = append(got, fmt.Sprintf("%s=%s", m.Name, m.Value))
			}
			if strings.Join(got, " ") != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestObjectRefusals(t *testing.T) {
	const early = "is not JSON: it ends too early"
	for _, row := range []struct{ name, raw, want string }{
		{"nothing", "", early},
		{"an object that does not end", `{"a":1`, early},
		{"a name that does not end", `{"a`, early},
		{"a value that does not end", `{"a":"secret`, early},
		{"a name without a value", `{"a":`, early},
		{"a value that is no JSON", `{"a":secret}`, "is not JSON: it breaks at byte 6 of 12"},
		{"a name that is no string", `{1:1}`, "is not JSON: it breaks at byte 2 of 5"},
		{"a name that is an object", `{{}:1}`, "is not JSON: it breaks at byte 2 of 6"},
		{"no colon", `{"a" 1}`, "is not JSON: it breaks at byte 6 of 7"},
		{"no comma", `{"a":1 "b":2}`, "is not JSON: it breaks at byte 8 of 13"},
		{"a comma too many", `{"a":1,}`, "is not JSON: it breaks at byte 8 of 8"},
		{"only a comma", `{,}`, "is not JSON: it breaks at byte 2 of 3"},
		{"the wrong bracket", `{"a":1]`, "is not JSON: it breaks at byte 7 of 7"},
		{"a control character in a string", "{\"a\":\"\n\"}", "is not JSON: it breaks at byte 7 of 9"},
		{"another object behind it", `{}{}`, "has more text after the JSON object"},
		{"a closing brace behind it", `{}}`, "has more text after the JSON object"},
		{"a letter behind it", `{} x`, "has more text after the JSON object"},
		{"an array", `[{}]`, "is not a JSON object"},
		{"a number", `1`, "is not a JSON object"},
		{"a number that no float can hold", `7E777`, "is not a JSON object"},
		{"bytes that are not UTF-8 in a name", "{\"\xff\":1}", "is not UTF-8"},
		{"33 levels", `{"a":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, "is nested more than 32 levels deep"},
		{"a hundred thousand levels", strings.Repeat(`{"a":`, 100_000), "is nested more than 32 levels deep"},
	} {
		t.Run(row.name, func(t *testing.T) {
			members, err := strictjson.Pairs([]byte(row.raw))
			if err == nil || err.Error() != row.want || members != nil {
				t.Errorf("got %v, %v; want %s", members, err, row.want)
			}
		})
	}
}
