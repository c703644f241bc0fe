package merchant_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kesu-go/kesu/internal/merchant"
)

// shelf is a store over one pack, whose text a test writes itself.
type shelf struct {
	*merchant.Packed[string]
	house  *house
	parsed []string
	mu     sync.Mutex
}

func onShelf(t *testing.T, name string, f func(t *testing.T, s *shelf)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			s := &shelf{house: &house{secrets: &secrets{}}}
			o := s.house.options(s.house.secrets)
			o.Parse = func(secret string) (string, error) {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.parsed = append(s.parsed, secret)
				return parse(secret)
			}
			s.Packed = merchant.NewPacked(1, o)
			s.holds(`{"merchants": {"acme": "one", "other": "eins", "wrong": "bad"}}`)
			f(t, s)
		})
	})
}

// holds gives the pack a new version.
func (s *shelf) holds(text string) { s.house.secrets.set(text, fmt.Sprint("v", len(text)), nil) }

// gives checks what Load gives and how often the pack has been read by then; want is a value, an error or a [*merchant.FieldError]'s field.
func (s *shelf) gives(t *testing.T, name string, want any, calls int) merchant.Loaded[string] {
	t.Helper()
	got, err := s.Load(t.Context(), name)
	var wrong *merchant.FieldError
	switch want := want.(type) {
	case error:
		if !errors.Is(err, want) {
			t.Errorf("%s: got %q, %v; want %v", name, got.Value, err, want)
		}
	case string:
		if got.Value != want && (!errors.As(err, &wrong) || wrong.Field != want) {
			t.Errorf("%s: got %q, %v; want %q", name, got.Value, err, want)
		}
	}
	if n := s.house.secrets.count(); n != calls {
		t.Errorf("%s: the pack was read %d times, want %d", name, n, calls)
	}
	return got
}

func TestAPackServesAllItsMerchants(t *testing.T) {
	onShelf(t, "with one reading, of which only what is asked for is parsed", func(t *testing.T, s *shelf) {
		s.gives(t, "acme", "parsed one", 1)
		s.gives(t, "acme", "parsed one", 1)
		s.gives(t, "other", "parsed eins", 1)
		if !slices.Equal(s.parsed, []string{`"one"`, `"eins"`}) {
			t.Errorf("parsed %q", s.parsed)
		}
		if s.house.secrets.ids[0] != prefix+"packs/1/0" {
			t.Errorf("read %q", s.house.secrets.ids[0])
		}
	})
	onShelf(t, "with one reading when they ask at the same time", func(t *testing.T, s *shelf) {
		s.house.secrets.slow(time.Second)
		var wg sync.WaitGroup
		for i := range 100 {
			name := []string{"acme", "other"}[i%2]
			wg.Go(func() {
				if _, err := s.Load(t.Context(), name); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		s.gives(t, "acme", "parsed one", 1)
	})
	onShelf(t, "with one reading for all that are due at the soft limit, which counts from the pack's reading", func(t *testing.T, s *shelf) {
		s.gives(t, "acme", "parsed one", 1)
		time.Sleep(softTTL - 1)
		s.gives(t, "other", "parsed eins", 1)
		time.Sleep(time.Nanosecond)
		s.gives(t, "other", "parsed eins", 2)
		s.gives(t, "acme", "parsed one", 2)
		if len(s.parsed) != 2 {
			t.Errorf("what did not change was parsed again: %q", s.parsed)
		}
	})
	onShelf(t, "also one that was never asked for before, while Secrets Manager is down", func(t *testing.T, s *shelf) {
		s.gives(t, "acme", "parsed one", 1)
		s.house.secrets.set("", "", errDenied)
		time.Sleep(softTTL)
		if got := s.gives(t, "other", "parsed eins", 2); !got.Stale {
			t.Error("it is not told to be stale")
		}
		if told := s.house.staleCalls(); len(told) != 1 || !strings.HasPrefix(told[0], "other: ") {
			t.Errorf("told of %q", told)
		}
		time.Sleep(hardTTL - softTTL)
		s.gives(t, "other", merchant.ErrUnavailable, 3)
	})
}

func TestANeighbourDoesNoHarm(t *testing.T) {
	onShelf(t, "when its secret is malformed", func(t *testing.T, s *shelf) {
		s.gives(t, "wrong", "imageco.key", 1)
		s.gives(t, "acme", "parsed one", 1)
		s.gives(t, "wrong", "imageco.key", 2) // asked anew, as with a secret of its own
		s.holds(`{"merchants": {"acme": "one", "wrong": "right"}}`)
		s.gives(t, "wrong", "parsed right", 3)
	})
	onShelf(t, "when it stands twice, or is no secret at all", func(t *testing.T, s *shelf) {
		s.holds(`{"merchants": {"twice": "one", "acme": "one", "twice": "two", "wrong": null, "odd": ["x"]}}`)
		s.gives(t, "twice", "SecretString", 1)
		s.gives(t, "acme", "parsed one", 1)
		if got, err := s.Load(t.Context(), "odd"); err != nil || got.Value != `parsed ["x"]` { // the parser's business
			t.Errorf("got %q, %v", got.Value, err)
		}
	})
	onShelf(t, "when its keys change: only its own version does", func(t *testing.T, s *shelf) {
		acme, other := s.gives(t, "acme", "parsed one", 1), s.gives(t, "other", "parsed eins", 1)
		s.holds(`{"merchants": {"other": "zwei", "acme": "one"}}`)
		got, changed, err := s.Refresh(t.Context(), "acme", acme.Version)
		if err != nil || changed || got.Version != acme.Version {
			t.Errorf("acme: %q, %v, %v", got.Value, changed, err)
		}
		if got, changed, err := s.Refresh(t.Context(), "other", other.Version); err != nil || !changed || got.Value != "parsed zwei" {
			t.Errorf("other: %q, %v, %v", got.Value, changed, err)
		}
	})
	onShelf(t, "when it was refreshed just now: each has its own 30 seconds", func(t *testing.T, s *shelf) {
		for i, name := range []string{"acme", "other"} {
			if _, _, err := s.Refresh(t.Context(), name, ""); err != nil || s.house.secrets.count() != i+1 {
				t.Errorf("%s: %v after %d readings", name, err, s.house.secrets.count())
			}
			if _, _, err := s.Refresh(t.Context(), name, ""); err != nil || s.house.secrets.count() != i+1 {
				t.Errorf("%s again: %v after %d readings", name, err, s.house.secrets.count())
			}
		}
	})
}

func TestAMerchantThatIsNotInItsPack(t *testing.T) {
	onShelf(t, "is remembered for 30 seconds, counted from the pack's reading", func(t *testing.T, s *shelf) {
		s.gives(t, "late", merchant.ErrUnknown, 1)
		s.holds(`{"merchants": {"acme": "one", "late": "new"}}`)
		time.Sleep(unknownFor - 1)
		s.gives(t, "late", merchant.ErrUnknown, 1)
		if _, _, err := s.Refresh(t.Context(), "late", ""); !errors.Is(err, merchant.ErrUnknown) {
			t.Errorf("a refresh gives %v", err)
		}
		s.gives(t, "later", merchant.ErrUnknown, 1)
		time.Sleep(time.Nanosecond)
		s.gives(t, "late", "parsed new", 2)
		s.gives(t, "later", merchant.ErrUnknown, 2)
	})
	onShelf(t, "costs one reading in 30 seconds, however many names are tried", func(t *testing.T, s *shelf) {
		for i := range 100 {
			s.gives(t, fmt.Sprint("nobody", i), merchant.ErrUnknown, 1+i/30)
			time.Sleep(time.Second)
		}
	})
	onShelf(t, "is not known while Secrets Manager cannot be asked: it may be there by now", func(t *testing.T, s *shelf) {
		s.gives(t, "acme", "parsed one", 1)
		s.house.secrets.set("", "", errDenied)
		time.Sleep(unknownFor)
		s.gives(t, "late", merchant.ErrUnavailable, 2)
		s.gives(t, "acme", "parsed one", 2)
	})
	onShelf(t, "but is there when the pack is read at last, is not told to be stale", func(t *testing.T, s *shelf) {
		s.gives(t, "acme", "parsed one", 1)
		time.Sleep(softTTL)
		s.house.secrets.slow(3 * time.Second)
		time.AfterFunc(time.Second/2, func() { // the first reading still hangs, the second will not
			s.house.secrets.slow(0)
			s.holds(`{"merchants": {"late": "new"}}`)
		})
		if got := s.gives(t, "late", "parsed new", 3); got.Stale || len(s.house.staleCalls()) != 0 {
			t.Errorf("stale: %t, %q", got.Stale, s.house.staleCalls())
		}
		time.Sleep(3 * time.Second) // the first reading ends by itself
	})
	onShelf(t, "because the whole pack is gone, leaves no key behind", func(t *testing.T, s *shelf) {
		s.gives(t, "acme", "parsed one", 1)
		s.house.secrets.set("", "", errNotFound)
		time.Sleep(softTTL)
		s.gives(t, "acme", merchant.ErrUnknown, 2)
		if got, _, err := s.Refresh(t.Context(), "acme", ""); !errors.Is(err, merchant.ErrUnknown) || got.Value != "" {
			t.Errorf("a refresh gives %q, %v", got.Value, err)
		}
	})
	onShelf(t, "any more is gone with the next reading, its neighbours stay", func(t *testing.T, s *shelf) {
		s.gives(t, "acme", "parsed one", 1)
		s.holds(`{"merchants": {"other": "eins"}}`)
		time.Sleep(softTTL)
		s.gives(t, "acme", merchant.ErrUnknown, 2)
		s.gives(t, "other", "parsed eins", 2)
		got, changed, err := s.Refresh(t.Context(), "acme", "")
		if !errors.Is(err, merchant.ErrUnknown) || changed || got.Value != "" {
			t.Errorf("a refresh gives %q, %v, %v", got.Value, changed, err)
		}
	})
}

// A secret of which one half is wrong still serves what needs the other half, out of a pack as well.
func TestWhatComesBesideAnErrorIsHandedOnAndNotKept(t *testing.T) {
	parsed := 0
	h := &house{secrets: &secrets{}}
	o := h.options(h.secrets)
	o.Parse = func(string) (string, error) {
		parsed++
		return "one half", &merchant.FieldError{Field: "other.half", Problem: "is missing"}
	}
	h.secrets.set(`{"merchants": {"acme": "one"}}`, "v1", nil)
	packed := merchant.NewPacked(1, o)
	for range 2 {
		got, err := packed.Load(t.Context(), "acme")
		var wrong *merchant.FieldError
		if got.Value != "one half" || !errors.As(err, &wrong) || wrong.Field != "other.half" {
			t.Errorf("%q, %v", got.Value, err)
		}
	}
	if _, kept := packed.Kept("acme"); kept || parsed < 2 {
		t.Errorf("kept: %t, parsed %d times", kept, parsed)
	}
}

func TestAPackThatIsNone(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON": `{"merchants": {"acme": "one"}`, "no object": `[]`, "merchants is missing": `{"acme": "one"}`,
		"merchants is a list": `{"merchants": ["acme"]}`, "merchants stands twice": `{"merchants": {}, "merchants": {}}`,
		"too long": `{"merchants": {"acme": "` + strings.Repeat("x", merchant.MaxPack) + `"}}`,
	} {
		onShelf(t, name, func(t *testing.T, s *shelf) {
			s.holds(text)
			_, err := s.Load(t.Context(), "acme")
			var wrong *merchant.FieldError
			if !errors.As(err, &wrong) || strings.Contains(err.Error(), "one") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// The numbers were computed by Python's hashlib: int.from_bytes(sha256(name).digest()[:8], "big") % packs.
func TestPackName(t *testing.T) {
	for _, test := range []struct {
		packs    int
		merchant string
		want     string
	}{
		{64, "acme", "packs/64/32"},
		{64, "other", "packs/64/24"},
		{1, "acme", "packs/1/0"},
		{1200, "A_b-9", "packs/1200/1191"},
		{100_000, strings.Repeat("m", 64), "packs/100000/9711"},
	} {
		if got := merchant.PackName(test.packs, test.merchant); got != test.want {
			t.Errorf("%s of %d: got %s, want %s", test.merchant, test.packs, got, test.want)
		}
	}
}

func TestAPackSurvivesItsFormat(t *testing.T) {
	entries := []merchant.Entry{{Name: "a", Secret: json.RawMessage(`{"imageco": {"key": "<&>\u2028"}}`)}, {Name: "b", Secret: json.RawMessage(`{}`)}}
	for n := range 3 {
		got, err := merchant.ParsePack(merchant.FormatPack(entries[:n]))
		if err != nil || len(got) != n {
			t.Fatalf("%v, %v", got, err)
		}
		for i, e := range got {
			if e.Name != entries[i].Name || string(e.Secret) != string(entries[i].Secret) {
				t.Errorf("got %s", e.Secret)
			}
		}
	}
}

// Without virtual time, so that the goroutines meet wherever the scheduler lets them.
func TestLoadsAndRefreshesOfAPackMayMeetAnyhow(t *testing.T) {
	s := &secrets{text: "one", ver: "v1"}
	store := merchant.NewPacked(1, merchant.Options[string]{Client: packing{s, []string{"acme", "other"}}, HardTTL: time.Hour, Parse: parse})
	var wg sync.WaitGroup
	var failed atomic.Int32
	for i := range 64 {
		wg.Go(func() {
			name := []string{"acme", "other"}[i%2]
			got, err := store.Load(t.Context(), name)
			if err != nil || got.Value != "parsed one" {
				failed.Add(1)
			}
			if got, _, err := store.Refresh(t.Context(), name, got.Version); err != nil || got.Value != "parsed one" {
				failed.Add(1)
			}
			if _, err := store.Load(t.Context(), "nobody"); !errors.Is(err, merchant.ErrUnknown) {
				failed.Add(1)
			}
		})
	}
	wg.Wait()
	if failed.Load() != 0 {
		t.Errorf("%d failures", failed.Load())
	}
}
