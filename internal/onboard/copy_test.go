package onboard_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/onboard"
)

func TestCopy(t *testing.T) {
	for _, test := range []struct{ from, to onboard.Place }{{0, 4}, {1, 4}, {4, 1}, {4, 0}} {
		everywhere(t, fmt.Sprintf("from %s to %s", test.from, test.to), test.from, func(t *testing.T, s *shelf) {
			for i := range 12 {
				s.puts(t, fmt.Sprint("m", i), secret(fmt.Sprint(i)))
			}
			copied, err := onboard.Copy(t.Context(), s.Options, test.to)
			if err != nil || copied.Merchants != 12 || copied.Written != 12 || len(copied.Problems)+len(copied.Only) != 0 {
				t.Fatalf("%+v, %v", copied, err)
			}
			for i := range 12 {
				if got := s.readsAt(t, test.to, fmt.Sprint("m", i)); got != fmt.Sprint(i) {
					t.Errorf("m%d is read as %q", i, got)
				}
				if got := s.reads(t, fmt.Sprint("m", i)); got != fmt.Sprint(i) {
					t.Errorf("m%d is no longer where it was: %q", i, got)
				}
			}
			if again, err := onboard.Copy(t.Context(), s.Options, test.to); err != nil || again.Written != 0 {
				t.Errorf("once more: %+v, %v", again, err)
			}
			// From now on both stay alike, whichever of them the functions read.
			s.puts(t, "m1", small("new key"))
			if _, err := onboard.Remove(t.Context(), s.Options, "m2"); err != nil {
				t.Error(err)
			}
			s.Place = test.to
			s.puts(t, "m3", small("newer key"))
			for _, place := range []onboard.Place{test.from, test.to} {
				if one, two, three := s.readsAt(t, place, "m1"), s.readsAt(t, place, "m2"), s.readsAt(t, place, "m3"); one != "new key" || two != unknown || three != "newer key" {
					t.Errorf("%s: %q, %q, %q", place, one, two, three)
				}
			}
		})
	}
	everywhere(t, "a merchant that is put meanwhile is copied as it is then", 1, func(t *testing.T, s *shelf) {
		s.puts(t, "acme", small("before"))
		other := newShelf(*s.Client.Options().BaseEndpoint, s.Prefix, 1)
		// Both places were read, and the other one cannot see yet that there is a copy.
		s.wire.once("CreateSecret", func() { other.puts(t, "acme", small("after")) })
		if copied, err := onboard.Copy(t.Context(), s.Options, 4); err != nil || copied.Written != 2 {
			t.Errorf("%+v, %v", copied, err)
		}
		if got := s.readsAt(t, 4, "acme"); got != "after" {
			t.Errorf("the copy is read as %q", got)
		}
	})
	everywhere(t, "what no function could use is left out and told, and takes nobody with it", 0, func(t *testing.T, s *shelf) {
		s.puts(t, "acme", "\ufeff"+small("one"))
		s.holds(t, "broken", `{"imageco": hush`)
		copied, err := onboard.Copy(t.Context(), s.Options, 1)
		if err != nil || copied.Merchants != 1 || len(copied.Problems) != 1 || copied.Problems[0].Merchant != "broken" || strings.Contains(copied.Problems[0].Problem, "hush") {
			t.Errorf("%+v, %v", copied, err)
		}
		if got := s.readsAt(t, 1, "acme"); got != "one" {
			t.Errorf("acme is read as %q", got)
		}
	})
	everywhere(t, "what only the copy has is told and left", 1, func(t *testing.T, s *shelf) {
		s.holds(t, "packs/4/0", `{"merchants": {"stray": {}}}`)
		copied, err := onboard.Copy(t.Context(), s.Options, 4)
		if err != nil || !slices.Equal(copied.Only, []string{"stray"}) {
			t.Errorf("%+v, %v", copied, err)
		}
		if _, err := onboard.Copy(t.Context(), s.Options, 1); err == nil {
			t.Error("a place was copied onto itself")
		}
	})
}

func TestParsePlace(t *testing.T) {
	for text, want := range map[string]onboard.Place{"": 0, "secretsmanager": 0, "packed": 64, "packed:1": 1, "packed:100000": 100_000} {
		if got, err := onboard.ParsePlace(text); err != nil || got != want {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"packed:", "packed:0", "packed:100001", "packed:-1", "64", "Packed", "packed:6 4"} {
		if got, err := onboard.ParsePlace(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}
