package explain

import (
	"strings"
	"testing"
)

// TestEveryCauseIsWordedInBothLanguages also keeps advice from naming the step that has just failed.
func TestEveryCauseIsWordedInBothLanguages(t *testing.T) {
	count := 0
	for _, table := range tables {
		for _, row := range table {
			count++
			for _, w := range []words{row.Says, row.Do} {
				if w.EN == "" || w.ZH == "" || strings.Count(w.EN, "%") != strings.Count(w.ZH, "%") {
					t.Errorf("%s: %q %q", row.ID, w.EN, w.ZH)
				}
			}
			if (row.Tell.EN == "") != (row.Tell.ZH == "") {
				t.Errorf("%s: how to tell it is worded in one language", row.ID)
			}
			for _, step := range append(row.Failed, "kesu sign") {
				for _, text := range []string{row.Tell.EN, row.Tell.ZH, row.Do.EN, row.Do.ZH} {
					if strings.Contains(text, step) {
						t.Errorf("%s sends the reader through %q again", row.ID, step)
					}
				}
			}
		}
	}
	if count != len(rows) {
		t.Errorf("%d rows have %d names", count, len(rows))
	}
}

// TestEveryCauseThatIsNamedHasARow makes every change of both searches.
func TestEveryCauseThatIsNamedHasARow(t *testing.T) {
	check := func(causes []found) {
		for _, c := range causes {
			if _, ok := rows[c.id]; !ok {
				t.Errorf("%s has no row", c.id)
			}
			if text := rows[c.id].Says.In(0, argumentsIn(0, c)...); strings.Contains(text, "%!") {
				t.Errorf("%s: %s", c.id, text)
			}
		}
	}
	m := newMatcher(strings.Repeat("0", 32), true)
	member := jsonMember{name: "a", value: "b/中", raw: `"b/中"`, text: true}
	for _, group := range jsonChanges(jsonRecipe{members: []jsonMember{member}, around: around{key: "Key"}}, false, m, wholeTexts(`{"a":"b/中","sign":""}`)) {
		for _, c := range group {
			check(c.causes)
		}
	}
	for _, group := range xmlChanges(xmlRecipe{doc: "<a>\xd6\xd0</a>", around: around{key: "Key"}}, m) {
		for _, c := range group {
			check(c.causes)
		}
	}
	body := `{"a": "1&amp;<\u4e2d\/", "n":1, "z": null, "e": ""}` + "\r\n"
	for _, group := range wechatChanges(wechatRecipe{lines: [5]string{"POST", "/v3/a/complaints-v2/1?b=%20c&a=+", "1554208460", "aB-c", body}}, body) {
		for _, c := range group {
			check(c.causes)
		}
	}
	for _, f := range forms(true) {
		if f.cause != "" {
			check(one(f.cause))
		}
	}
}
