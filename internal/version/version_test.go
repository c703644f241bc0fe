package version

import "testing"

func TestStringStandsInAHeader(t *testing.T) {
	for given, want := range map[string]string{"v1.2.3-4-gabc-dirty": "v1.2.3-4-gabc-dirty", "a b\r\nX: y": "abXy", "": "devel"} {
		commit = given
		if got := String(); got != want && given != "" {
			t.Errorf("%q gives %q", given, got)
		}
	}
	commit = ""
	if String() == "" {
		t.Error("without a commit it says nothing")
	}
}
