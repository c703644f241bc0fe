package wire

import "testing"

func TestEveryMemberTakesPartInTheHashOrSaysWhyNot(t *testing.T) {
	for action, row := range rows {
		for _, r := range row.rules {
			if (r.content == nil) == (r.beside == "") {
				t.Errorf("%s: %s", action, r.name)
			}
		}
	}
}
