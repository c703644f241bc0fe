package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"
)

// member says what a member of a request's JSON must be.
type member struct {
	name     string
	required bool
	limit    int                                                // in characters, of a string; 0 for a member of another type
	read     func(pointer string, text json.RawMessage) refusal // for a member that is no string
}

// object is a JSON object that was read: its strings, and the text of its other members.
type object map[string]json.RawMessage

// str is the value of a string, "" for one that is not there.
func (o object) str(name string) string {
	var s string
	_ = json.Unmarshal(o[name], &s) // it was read before
	return s
}

func (o object) has(name string) bool { return o[name] != nil }

// readObject reads an object and holds it against its page.
//
// Basic rules, 参数兼容性: the order does not matter, and "不允许使用 null". A member that is not on the page is refused: WxJava takes
// care not to send complaint_id in a body, "否则微信会报错" (ComplaintServiceImpl). That the same holds for every name, and that
// a member may not stand twice, is not proved.
func readObject(pointer string, text json.RawMessage, members ...member) (object, refusal) {
	o, ok := splitObject(text)
	if !ok {
		return nil, bodyError(pointer, "应为JSON对象,且参数不得重复")
	}
	for name, value := range o {
		at := pointer + "/" + name
		i := slices.IndexFunc(members, func(known member) bool { return known.name == name })
		if i < 0 {
			return nil, bodyError(at, "未知参数")
		}
		if string(value) == "null" {
			return nil, bodyError(at, "不允许使用null")
		}
		if no := members[i].check(at, value); no.status != 0 {
			return nil, no
		}
	}
	for _, m := range members {
		if m.required && !o.has(m.name) {
			return nil, bodyError(pointer+"/"+m.name, "必填参数缺失")
		}
	}
	return o, refusal{}
}

// splitObject reads one object with the text of its members, each of which stands once, and nothing after it.
func splitObject(text []byte) (object, bool) {
	dec := json.NewDecoder(bytes.NewReader(text))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	o := object{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, false
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil || o.has(name.(string)) { // the decoder takes nothing but a string for a name
			return nil, false
		}
		o[name.(string)] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, false
	}
	_, err := dec.Token()
	return o, err == io.EOF
}

func (m *member) check(pointer string, text json.RawMessage) refusal {
	if m.limit == 0 {
		return m.read(pointer, text)
	}
	var s string
	switch n := 0; {
	case json.Unmarshal(text, &s) != nil:
		return bodyError(pointer, "应为字符串")
	case fourBytes(s):
		return bodyError(pointer, "不支持四字节的UTF-8字符")
	default:
		if n = utf8.RuneCountInString(s); m.required && n == 0 {
			return bodyError(pointer, "不能为空")
		} else if n > m.limit {
			return bodyError(pointer, "超过"+strconv.Itoa(m.limit)+"个字符")
		}
	}
	return refusal{}
}

// oneOf is a string out of a list.
func oneOf(values ...string) func(string, json.RawMessage) refusal {
	return func(pointer string, text json.RawMessage) refusal {
		var s string
		if json.Unmarshal(text, &s) != nil || !slices.Contains(values, s) {
			return bodyError(pointer, "不是合法的枚举值")
		}
		return refusal{}
	}
}

// stringsOf reads an array of strings, none of them empty.
func stringsOf(text json.RawMessage, most, limit int) ([]string, bool) {
	var all []string
	if json.Unmarshal(text, &all) != nil || len(all) > most {
		return nil, false
	}
	for _, s := range all {
		if s == "" || utf8.RuneCountInString(s) > limit {
			return nil, false
		}
	}
	return all, true
}
