package signing_test

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/pkg/signing"
)

// A published message, signed with the key "test" as 翼码's documentation does.
func ExampleImagecoJSON() {
	sign := signing.ImagecoJSON("test", []signing.Member{
		{Name: "request_type", Value: "barcode_cancel_request"},
		{Name: "isspid", Value: "39493002"},
		{Name: "pos_id", Value: "6666666666"},
		{Name: "store_id", Value: "6666666666"},
		{Name: "pos_seq", Value: "2018121400000012"},
		{Name: "user_id", Value: "user01"},
		{Name: "system_id", Value: "8888"},
	})
	fmt.Println(sign)
	fmt.Println(signing.EqualMD5(sign, "38c73cfed3b3c6e0ed18af04e8d34d94"))
	// Output:
	// 38C73CFED3B3C6E0ED18AF04E8D34D94
	// true
}

type imagecoVector struct {
	Source  string
	Key     string
	Members map[string]string
	Sign    string
}

func imagecoVectors(t *testing.T) []imagecoVector {
	t.Helper()
	raw, err := os.ReadFile("testdata/imageco.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []imagecoVector
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) != 3 {
		t.Fatalf("%d vectors, want the 3 published ones", len(vectors))
	}
	return vectors
}

func members(m map[string]string) []signing.Member {
	var list []signing.Member
	for name, value := range m { // in whatever order the map gives
		list = append(list, signing.Member{Name: name, Value: value})
	}
	return list
}

func TestEveryPublishedImagecoSignIsReproduced(t *testing.T) {
	for _, v := range imagecoVectors(t) {
		t.Run(v.Source, func(t *testing.T) {
			if got := signing.ImagecoJSON(v.Key, members(v.Members)); got != v.Sign {
				t.Errorf("got %s, want %s", got, v.Sign)
			}
		})
	}
}

func TestImagecoJSONSign(t *testing.T) {
	v := imagecoVectors(t)[0]
	given := members(v.Members)
	change := func(edit func([]signing.Member) []signing.Member) string {
		return signing.ImagecoJSON(v.Key, edit(slices.Clone(given)))
	}
	t.Run("a member named sign takes no part", func(t *testing.T) {
		got := change(func(m []signing.Member) []signing.Member {
			return append(m, signing.Member{Name: "sign", Value: "anything"})
		})
		if got != v.Sign {
			t.Error("the sign changed")
		}
	})
	t.Run("the argument keeps its order", func(t *testing.T) {
		list := []signing.Member{{Name: "b", Value: "2"}, {Name: "a", Value: "1"}}
		signing.ImagecoJSON("test", list)
		if list[0].Name != "b" {
			t.Error("the caller's members were sorted")
		}
	})
	t.Run("every name and every value is signed", func(t *testing.T) {
		for i := range given {
			name := change(func(m []signing.Member) []signing.Member { m[i].Name += "x"; return m })
			value := change(func(m []signing.Member) []signing.Member { m[i].Value += "x"; return m })
			if name == v.Sign || value == v.Sign {
				t.Errorf("changing member %d left the sign as it was", i)
			}
		}
	})
	t.Run("the key is signed", func(t *testing.T) {
		if signing.ImagecoJSON("Test", given) == v.Sign {
			t.Error("another key gave the same sign")
		}
	})
	t.Run("a long message of many members is signed like a short one", func(t *testing.T) {
		var list []signing.Member
		text := "k"
		for i := range 40 {
			m := signing.Member{Name: fmt.Sprintf("m%02d", i), Value: strings.Repeat("长", 200)}
			list = append(list, m)
			text += m.Name + m.Value
		}
		slices.Reverse(list)
		want := md5.Sum([]byte(text + "k"))
		if got := signing.ImagecoJSON("k", list); got != strings.ToUpper(hex.EncodeToString(want[:])) {
			t.Errorf("got %s", got)
		}
	})
}

func TestImagecoJSONTakesAtMostThreeAllocations(t *testing.T) {
	list := members(imagecoVectors(t)[0].Members)
	list = append(list, signing.Member{Name: "response_content", Value: strings.Repeat("好", 200)})
	if n := testing.AllocsPerRun(100, func() { signing.ImagecoJSON("test", list) }); n > 3 {
		t.Errorf("%v allocations", n)
	}
}

func TestImagecoXMLMac(t *testing.T) {
	xml := []byte(`<?xml version="1.0" encoding="GBK"?><business_trans></business_trans>`)
	want := md5.Sum([]byte("key" + string(xml) + "key"))
	if got := signing.ImagecoXML("key", xml); got != hex.EncodeToString(want[:]) {
		t.Errorf("got %s", got)
	}
	if signing.ImagecoXML("key", append(xml, '\n')) == hex.EncodeToString(want[:]) {
		t.Error("a byte more gave the same mac")
	}
}

func TestEqualMD5(t *testing.T) {
	const digest = "2EB4051F33C84719D59E0F5EADACF5D2"
	for _, test := range []struct {
		name string
		a, b string
		want bool
	}{
		{"the same digits are equal", digest, digest, true},
		{"case does not count", digest, strings.ToLower(digest), true},
		{"one other digit is not equal", digest, "3" + digest[1:], false},
		{"nothing equals nothing", "", "", false},
		{"a digit less is no digest", digest[1:], digest[1:], false},
		{"a digit more is no digest", digest + "0", digest + "0", false},
		{"letters beyond F are no digest", "G" + digest[1:], "G" + digest[1:], false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if signing.EqualMD5(test.a, test.b) != test.want || signing.EqualMD5(test.b, test.a) != test.want {
				t.Errorf("want %v", test.want)
			}
		})
	}
}
