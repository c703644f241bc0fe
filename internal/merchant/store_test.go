package merchant_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/kesu-go/kesu/internal/merchant"
)

// in runs a test for both stores, on virtual time and with a store of its own.
func in(t *testing.T, name string, f func(t *testing.T, h *house)) {
	t.Helper()
	alone(t, name+", from a secret of its own", newHouse, f)
	alone(t, name+", from a pack", newPackedHouse, f)
}

func alone(t *testing.T, name string, make func() *house, f func(t *testing.T, h *house)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) { f(t, make()) })
	})
}

// gives checks what Load gives and how often the secret has been read by then.
func (h *house) gives(t *testing.T, value, version string, calls int) {
	t.Helper()
	got, err := h.Load(t.Context(), "acme")
	if err != nil || got.Value != value {
		t.Errorf("got %q, %v; want %q", got.Value, err, value)
	}
	h.sees(t, version, got.Version)
	if n := h.secrets.count(); n != calls {
		t.Errorf("the secret was read %d times, want %d", n, calls)
	}
}

func (h *house) fails(t *testing.T, want error, calls int) {
	t.Helper()
	got, err := h.Load(t.Context(), "acme")
	if !errors.Is(err, want) || got.Value != "" {
		t.Errorf("got %q, %v; want %v", got.Value, err, want)
	}
	if n := h.secrets.count(); n != calls {
		t.Errorf("the secret was read %d times, want %d", n, calls)
	}
}

func TestLoad(t *testing.T) {
	in(t, "a secret is read once and serves until the soft limit", func(t *testing.T, h *house) {
		h.gives(t, "parsed one", "v1", 1)
		h.secrets.set("two", "v2", nil)
		time.Sleep(softTTL - 1)
		h.gives(t, "parsed one", "v1", 1)
		time.Sleep(time.Nanosecond)
		h.gives(t, "parsed two", "v2", 2)
		h.gives(t, "parsed two", "v2", 2)
		if h.secrets.ids[0] != h.id("acme") {
			t.Errorf("asked for %q", h.secrets.ids[0])
		}
	})
	in(t, "each merchant is read from where it is", func(t *testing.T, h *house) {
		for _, name := range []string{"acme", "other", "acme", "other"} {
			if _, err := h.Load(t.Context(), name); err != nil {
				t.Error(err)
			}
		}
		if got := strings.Join(h.secrets.ids, " "); got != h.id("acme")+" "+h.id("other") {
			t.Errorf("read %s", got)
		}
	})
	in(t, "a secret that cannot be read any more serves until the hard limit", func(t *testing.T, h *house) {
		h.gives(t, "parsed one", "v1", 1)
		h.secrets.set("", "", errDenied)
		time.Sleep(softTTL)
		h.gives(t, "parsed one", "v1", 2)
		h.gives(t, "parsed one", "v1", 3)
		time.Sleep(hardTTL - softTTL - 1)
		h.gives(t, "parsed one", "v1", 4)
		if got := h.staleCalls(); len(got) != 3 || got[0] != "acme: the merchant's secret could not be read: AccessDeniedException" {
			t.Errorf("told of %q", got)
		}
		time.Sleep(time.Nanosecond)
		h.fails(t, merchant.ErrUnavailable, 5)
		h.fails(t, merchant.ErrUnavailable, 6)
		if len(h.staleCalls()) != 3 {
			t.Error("told of a stale secret that did not serve")
		}
		h.secrets.set("two", "v2", nil)
		h.gives(t, "parsed two", "v2", 7)
	})
	in(t, "what is kept is told without a reading, until the hard limit", func(t *testing.T, h *house) {
		for _, step := range []struct {
			passes time.Duration
			want   string
		}{{0, ""}, {hardTTL - 1, "parsed one"}, {1, ""}} {
			time.Sleep(step.passes)
			if got, ok := h.Kept("acme"); got != step.want || ok != (step.want != "") {
				t.Errorf("kept: %q, %v; want %q", got, ok, step.want)
			}
			if step.passes == 0 {
				h.gives(t, "parsed one", "v1", 1)
			}
		}
		if n := h.secrets.count(); n != 1 {
			t.Errorf("the secret was read %d times", n)
		}
	})
	in(t, "a secret that can be read again is fresh again", func(t *testing.T, h *house) {
		h.gives(t, "parsed one", "v1", 1)
		h.secrets.set("", "", errDenied)
		time.Sleep(softTTL)
		h.gives(t, "parsed one", "v1", 2)
		h.secrets.set("two", "v2", nil)
		h.gives(t, "parsed two", "v2", 3)
		h.gives(t, "parsed two", "v2", 3)
	})
	in(t, "the hard limit counts from the reading, not from the last use", func(t *testing.T, h *house) {
		h.secrets.slow(2 * time.Second)
		h.gives(t, "parsed one", "v1", 1)
		h.secrets.set("", "", errDenied)
		time.Sleep(hardTTL - 2*time.Second) // the reading began two seconds before it ended
		h.fails(t, merchant.ErrUnavailable, 2)
	})
	in(t, "a malformed secret is told and not kept", func(t *testing.T, h *house) {
		h.secrets.set("bad", "v1", nil)
		for i := range 2 {
			_, err := h.Load(t.Context(), "acme")
			misconfigured(t, err, "imageco.key", "is missing")
			if h.secrets.count() != i+1 {
				t.Errorf("read %d times", h.secrets.count())
			}
		}
		h.secrets.set("good", "v2", nil)
		h.gives(t, "parsed good", "v2", 3)
	})
	in(t, "a secret that became malformed is told although an old one is kept", func(t *testing.T, h *house) {
		h.gives(t, "parsed one", "v1", 1)
		h.secrets.set("bad", "v2", nil)
		time.Sleep(softTTL)
		_, err := h.Load(t.Context(), "acme")
		misconfigured(t, err, "imageco.key", "is missing")
		if len(h.staleCalls()) != 0 {
			t.Error("the old one served")
		}
	})
	in(t, "a secret without text is malformed", func(t *testing.T, h *house) {
		h.secrets.set("", "v1", nil)
		_, err := h.Load(t.Context(), "acme")
		misconfigured(t, err, "SecretString", "is missing")
	})
	alone(t, "a secret without a version is a secret", newHouse, func(t *testing.T, h *house) {
		h.secrets.set("one", "", nil)
		h.gives(t, "parsed one", "", 1)
	})
}

func TestUnknownMerchants(t *testing.T) {
	in(t, "are remembered for 30 seconds", func(t *testing.T, h *house) {
		h.secrets.set("", "", errNotFound)
		h.fails(t, merchant.ErrUnknown, 1)
		h.secrets.set("one", "v1", nil)
		time.Sleep(30*time.Second - 1)
		h.fails(t, merchant.ErrUnknown, 1)
		time.Sleep(time.Nanosecond)
		h.gives(t, "parsed one", "v1", 2)
	})
	in(t, "are not looked for by a forced refresh either", func(t *testing.T, h *house) {
		h.secrets.set("", "", errNotFound)
		h.fails(t, merchant.ErrUnknown, 1)
		if _, changed, err := h.Refresh(t.Context(), "acme", "v1"); !errors.Is(err, merchant.ErrUnknown) || changed {
			t.Errorf("got %v, %v", changed, err)
		}
		if h.secrets.count() != 1 {
			t.Error("the secret was read")
		}
	})
	in(t, "are told from merchants that are known", func(t *testing.T, h *house) {
		h.secrets.set("", "", errNotFound)
		h.fails(t, merchant.ErrUnknown, 1)
		h.secrets.set("one", "v1", nil)
		if _, err := h.Load(t.Context(), "other"); err != nil {
			t.Error(err)
		}
	})
	in(t, "that were deleted are gone with the next reading, the old key with them", func(t *testing.T, h *house) {
		h.gives(t, "parsed one", "v1", 1)
		h.secrets.set("", "", invalidRequest("You can't perform this operation on the secret because it was marked for deletion."))
		time.Sleep(softTTL)
		h.fails(t, merchant.ErrUnknown, 2)
		h.secrets.set("", "", errDenied)
		time.Sleep(30 * time.Second)
		h.fails(t, merchant.ErrUnavailable, 3)
	})
	in(t, "that were deleted are gone with a forced refresh", func(t *testing.T, h *house) {
		h.gives(t, "parsed one", "v1", 1)
		h.secrets.set("", "", errNotFound)
		got, changed, err := h.Refresh(t.Context(), "acme", "v1")
		if !errors.Is(err, merchant.ErrUnknown) || changed || got.Value != "" {
			t.Errorf("got %q, %v, %v", got.Value, changed, err)
		}
		h.fails(t, merchant.ErrUnknown, 2)
	})
}

func TestUnknownNamesDoNotFillTheMemory(t *testing.T) {
	alone(t, "however many come", newHouse, func(t *testing.T, h *house) {
		h.secrets.set("", "", errNotFound)
		const names = 25_000
		for i := range names {
			if _, err := h.Load(t.Context(), fmt.Sprint("m", i)); !errors.Is(err, merchant.ErrUnknown) {
				t.Fatal(err)
			}
		}
		if n := merchant.Remembered(h.store.(*merchant.Store[string])); n > 10_000 || n < 9_000 {
			t.Errorf("%d names are remembered, want at most 10,000 and not far fewer", n)
		}
		last := fmt.Sprint("m", names-1)
		if _, err := h.Load(t.Context(), last); !errors.Is(err, merchant.ErrUnknown) || h.secrets.count() != names {
			t.Errorf("the last name was forgotten: %v, %d readings", err, h.secrets.count())
		}
		time.Sleep(31 * time.Second)
		for i := range 9_999 { // those that are over make room for those that are not
			if _, err := h.Load(t.Context(), fmt.Sprint("n", i)); !errors.Is(err, merchant.ErrUnknown) {
				t.Fatal(err)
			}
		}
		if n := merchant.Remembered(h.store.(*merchant.Store[string])); n > 10_000 {
			t.Errorf("%d names are remembered", n)
		}
	})
}

func TestWhatSecretsManagerSaysBecomesAnErrorWithoutItsWords(t *testing.T) {
	for _, test := range []struct {
		name string
		err  error
		want error
		text string
	}{
		{"a refusal", errDenied, merchant.ErrUnavailable, "AccessDeniedException"},
		{"a refusal inside other errors", fmt.Errorf("operation error s3cr3t: %w", errDenied), merchant.ErrUnavailable, "AccessDeniedException"},
		{"a missing secret", errNotFound, merchant.ErrUnknown, ""},
		{"a secret marked for deletion", invalidRequest("because it was marked for deletion."), merchant.ErrUnknown, ""},
		{"a secret marked deleted", invalidRequest("s3cr3t is currently Marked Deleted."), merchant.ErrUnknown, ""},
		{"a secret scheduled for deletion", invalidRequest("the secret was scheduled for deletion."), merchant.ErrUnknown, ""},
		{"another invalid request", invalidRequest("s3cr3t has no current version"), merchant.ErrUnavailable, "InvalidRequestException"},
		{"a host that cannot be reached", &smithyhttp.RequestSendError{Err: errBroken}, merchant.ErrUnavailable, "no connection"},
		{"credentials that are missing", errBroken, merchant.ErrUnavailable, "credentials"},
	} {
		in(t, test.name, func(t *testing.T, h *house) {
			h.secrets.set("", "", test.err)
			_, err := h.Load(t.Context(), "acme")
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) || strings.Contains(err.Error(), "s3cr3t") {
				t.Errorf("got %v; want %v with %q", err, test.want, test.text)
			}
			if errors.Is(err, merchant.ErrUnknown) == errors.Is(err, merchant.ErrUnavailable) {
				t.Errorf("%v is both or neither", err)
			}
		})
	}
	in(t, "a reading that never ends is given up after 5 seconds", func(t *testing.T, h *house) {
		h.secrets.slow(time.Hour)
		began := time.Now()
		_, err := h.Load(context.Background(), "acme")
		if !errors.Is(err, merchant.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no answer within 5s") {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestAStoreWorksWithoutTheOptionalParts(t *testing.T) {
	s := &secrets{text: "one", ver: "v1"}
	store := merchant.NewStore(merchant.Options[string]{
		Client: s, HardTTL: time.Hour, // and no soft limit: every load reads
		Parse: func(secret string) (string, error) { return secret, nil },
	})
	for i := range 2 {
		if got, err := store.Load(t.Context(), "acme"); err != nil || got.Value != "one" || s.count() != i+1 {
			t.Errorf("got %q, %v after %d readings", got.Value, err, s.count())
		}
	}
	s.set("", "", errDenied)
	if got, err := store.Load(t.Context(), "acme"); err != nil || got.Value != "one" {
		t.Errorf("got %q, %v", got.Value, err)
	}
}

func TestAClockThatIsSetBackDoesNotLengthenTheLifeOfAKey(t *testing.T) {
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	s := &secrets{text: "one", ver: "v1"}
	store := merchant.NewStore(merchant.Options[string]{
		Client: s, SoftTTL: softTTL, HardTTL: hardTTL, Now: func() time.Time { return now },
		Parse: func(secret string) (string, error) { return secret, nil },
	})
	for range 2 {
		if _, err := store.Load(t.Context(), "acme"); err != nil {
			t.Fatal(err)
		}
		now = now.Add(-time.Hour)
	}
	if s.count() != 2 {
		t.Errorf("read %d times, want 2", s.count())
	}
}

func TestEachReadingIsToldOfOnce(t *testing.T) {
	in(t, "two versions", func(t *testing.T, h *house) {
		h.gives(t, "parsed one", "v1", 1)
		h.gives(t, "parsed one", "v1", 1) // the kept one
		time.Sleep(softTTL)
		h.gives(t, "parsed one", "v1", 2)
		h.secrets.set("two", "v2", nil)
		time.Sleep(softTTL)
		h.gives(t, "parsed two", "v2", 3)
		h.secrets.set("bad", "v3", nil)
		time.Sleep(softTTL)
		if _, err := h.Load(t.Context(), "acme"); err == nil {
			t.Error("a malformed secret was loaded")
		}
		if got, want := strings.Join(h.read, ", "), "acme: parsed one, acme: parsed one, acme: parsed two"; got != want {
			t.Errorf("told was %s; want %s", got, want)
		}
	})
}
