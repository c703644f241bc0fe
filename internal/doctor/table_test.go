package doctor

import (
	"strings"
	"testing"
)

// TestEveryFindingIsWordedInBothLanguages also keeps advice from naming the step that has just failed, and from sending the
// reader back to the doctor.
func TestEveryFindingIsWordedInBothLanguages(t *testing.T) {
	count := 0
	for _, table := range tables {
		for _, row := range table {
			count++
			if row.Says.EN == "" || row.Says.ZH == "" || (row.Do.EN == "") != (row.Do.ZH == "") || (row.Tell.EN == "") != (row.Tell.ZH == "") {
				t.Errorf("%s: %+v", row.ID, row)
			}
			if strings.Contains(row.Do.EN, "`jq") != strings.Contains(row.Do.ZH, "`jq") {
				t.Errorf("%s: the command stands in one language only", row.ID)
			}
			for _, step := range append(row.Failed, "kesu doctor", "--rawfile key apiclient_key.pem") {
				for _, text := range []string{row.Do.EN, row.Do.ZH, row.Tell.EN, row.Tell.ZH} {
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
	for id := range temporary {
		if rows[id].ID == "" {
			t.Errorf("%s has no row", id)
		}
	}
	for id := range ringing {
		if rows[id].ID == "" {
			t.Errorf("%s has no row", id)
		}
	}
}
