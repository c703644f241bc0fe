package onboard_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/onboard"
)

// places are both kinds of a store; one pack makes all merchants neighbours.
var places = []onboard.Place{0, 1, 64}

func TestPut(t *testing.T) {
	for _, place := range places {
		everywhere(t, "a merchant is put, changed, put again as it is, and removed: "+place.String(), place, func(t *testing.T, s *shelf) {
			for _, step := range []struct{ account, change string }{{"one", onboard.Created}, {"two", onboard.Changed}, {"two", onboard.Unchanged}} {
				report := s.puts(t, "acme", secret(step.account))
				if changes(report.Written) != step.change || strings.Join(report.Halves, " ") != "imageco wechatpay" {
					t.Errorf("%+v, want %s", report, step.change)
				}
				if got := s.reads(t, "acme"); got != step.account {
					t.Errorf("the function reads %q", got)
				}
			}
			s.puts(t, "other", small("eins"))
			report, err := onboard.Remove(t.Context(), s.Options, "acme")
			if want := map[bool]string{true: onboard.Deleted, false: onboard.Changed}[place == 0]; err != nil || changes(report.Written) != want {
				t.Errorf("%+v, %v", report, err)
			}
			if got := s.reads(t, "acme"); got != unknown {
				t.Errorf("after its removal the function reads %q", got)
			}
			if got := s.reads(t, "other"); got != "eins" {
				t.Errorf("the other is read as %q", got)
			}
			if report, err := onboard.Remove(t.Context(), s.Options, "nobody"); err != nil || changes(report.Written) != onboard.Unchanged {
				t.Errorf("nobody: %+v, %v", report, err)
			}
		})
	}
}

func TestPutRefuses(t *testing.T) {
	for _, test := range []struct{ name, merchant, secret, want string }{
		{"a name that is none", "acme/x", small("a"), "a merchant's name"},
		{"no JSON", "acme", `{"imageco": hush`, "not a JSON object"},
		{"neither half", "acme", `{"note": "hush"}`, "neither imageco nor wechatpay"},
		{"a half with a field missing", "acme", `{"imageco": {"isspid": "hush", "system_id": "2"}}`, "imageco.key is missing"},
		{"a good half with a bad one", "acme", strings.Replace(small("hush"), "{", `{"wechatpay": {"mchid": "hush"}, `, 1), "wechatpay.serial_no is missing"},
		{"a key that is none", "acme", strings.Replace(secret("a"), "MII", "hush", 1), "wechatpay.platform_keys[0].pem"},
		{"a secret that is too long", "acme", strings.Replace(small("a"), "{", `{"note": "`+strings.Repeat("hush", 17_000)+`", `, 1), "longer than 65536 bytes"},
	} {
		for _, place := range []onboard.Place{0, 1} {
			everywhere(t, test.name+", "+place.String(), place, func(t *testing.T, s *shelf) {
				report, err := onboard.Put(t.Context(), s.Options, test.merchant, test.secret)
				if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hush") || len(report.Written) != 0 {
					t.Errorf("%+v, %v", report, err)
				}
				if s.wire.calls("CreateSecret")+s.wire.calls("PutSecretValue") != 0 {
					t.Error("something was written")
				}
			})
		}
	}
}

func TestAFullPackIsRefusedAndKeepsWhatItHas(t *testing.T) {
	everywhere(t, "one merchant too many", 1, func(t *testing.T, s *shelf) {
		n, err := 0, error(nil)
		for ; err == nil && n < 100; n++ {
			_, err = onboard.Put(t.Context(), s.Options, fmt.Sprint("m", n), secret(fmt.Sprint(n)))
		}
		// About 2.6 KB each: a private key, a public key, and the rest.
		if err == nil || !strings.Contains(err.Error(), "full") || n < 20 || n > 30 {
			t.Fatalf("the %d. gives %v", n, err)
		}
		for i := range n - 1 {
			if got := s.reads(t, fmt.Sprint("m", i)); got != fmt.Sprint(i) {
				t.Errorf("m%d is read as %q", i, got)
			}
		}
		listing, err := onboard.List(t.Context(), s.Options)
		if err != nil || len(listing.Merchants) != n-1 || listing.Fullest() < 0.9 || listing.Fullest() > 1 {
			t.Errorf("%d merchants, full to %.2f, %v", len(listing.Merchants), listing.Fullest(), err)
		}
		pack, err := s.Client.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String(s.Prefix + "packs/1/0")})
		if err != nil || strings.Contains(*pack.SecretString, `": `) {
			t.Errorf("blanks take room, %v", err)
		}
	})
}

func TestTwoWritersAtOnceLoseNothing(t *testing.T) {
	for _, place := range []onboard.Place{0, 1} {
		everywhere(t, "another one is between reading and writing, "+place.String(), place, func(t *testing.T, s *shelf) {
			for _, operation := range []string{"CreateSecret", "PutSecretValue", "UpdateSecretVersionStage"} {
				other := *s
				other.Client = newShelf(*s.Client.Options().BaseEndpoint, s.Prefix, place).Client
				neighbour := "acme" // the same secret
				if place > 0 {
					neighbour = "neighbour-" + operation
				}
				s.wire.once(operation, func() { other.puts(t, neighbour, small("theirs of "+operation)) })
				report := s.puts(t, "acme", small("ours at "+operation))
				if got := s.reads(t, "acme"); got != "ours at "+operation || changes(report.Written) != onboard.Changed {
					t.Errorf("%s: read as %q, %+v", operation, got, report)
				}
				if got := s.reads(t, neighbour); place > 0 && got != "theirs of "+operation {
					t.Errorf("%s: the neighbour is read as %q", operation, got)
				}
			}
			if n := s.wire.calls("UpdateSecretVersionStage"); n != 5 { // one for each, and two that were refused
				t.Errorf("the label was moved %d times", n)
			}
		})
	}
	everywhere(t, "twenty at once", 1, func(t *testing.T, s *shelf) {
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				name := fmt.Sprint("m", i)
				err := onboard.ErrBusy
				for n := 0; errors.Is(err, onboard.ErrBusy) && n < 20; n++ { // of those who meet, one wins each time
					_, err = onboard.Put(t.Context(), s.Options, name, small(name))
				}
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		wg.Wait()
		for i := range 20 {
			if name := fmt.Sprint("m", i); s.reads(t, name) != name {
				t.Errorf("%s was lost", name)
			}
		}
	})
}

func TestALostAnswerIsNotAFailure(t *testing.T) {
	for _, operation := range []string{"CreateSecret", "PutSecretValue", "UpdateSecretVersionStage"} {
		everywhere(t, operation, 1, func(t *testing.T, s *shelf) {
			if operation != "CreateSecret" {
				s.puts(t, "acme", small("before"))
			}
			s.wire.lose = operation
			report := s.puts(t, "acme", small("after"))
			if got := s.reads(t, "acme"); got != "after" || changes(report.Written) == onboard.Unchanged || s.wire.calls(operation) < 2 {
				t.Errorf("read as %q, %+v after %d calls", got, report, s.wire.calls(operation))
			}
		})
	}
}

func TestWhatWasThereIsKeptUntilTheNewOneIsInForce(t *testing.T) {
	everywhere(t, "the label cannot be moved", 1, func(t *testing.T, s *shelf) {
		s.puts(t, "acme", small("before"))
		s.wire.once("UpdateSecretVersionStage", func() {
			if got := newShelf(*s.Client.Options().BaseEndpoint, s.Prefix, 1).reads(t, "acme"); got != "before" {
				t.Errorf("before the label moves, acme is read as %q", got)
			}
		})
		s.puts(t, "acme", small("after"))
		previous, err := s.Client.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{
			SecretId: aws.String(s.Prefix + "packs/1/0"), VersionStage: aws.String("AWSPREVIOUS")})
		if err != nil || !strings.Contains(*previous.SecretString, "before") {
			t.Errorf("the version before is gone: %v", err)
		}
	})
}

// TestAChangeIsMadeAnewOnWhatCameFirst lets another change come between the reading and the writing of each store.
func TestAChangeIsMadeAnewOnWhatCameFirst(t *testing.T) {
	for _, place := range []onboard.Place{0, 2} {
		everywhere(t, place.String(), place, func(t *testing.T, s *shelf) {
			s.puts(t, "acme", small("before"))
			other := newShelf(*s.Client.Options().BaseEndpoint, s.Prefix, place)
			s.wire.once("PutSecretValue", func() { other.puts(t, "acme", small("theirs")) })
			var seen []string
			report, err := onboard.Change(t.Context(), s.Options, "acme", func(present string) (string, error) {
				for _, account := range []string{"before", "theirs"} {
					if strings.Contains(present, account) {
						seen = append(seen, account)
						return strings.Replace(present, account, account+" and ours", 1), nil
					}
				}
				return "", errors.New("neither is there")
			})
			if got := s.reads(t, "acme"); err != nil || got != "theirs and ours" || !slices.Equal(seen, []string{"before", "theirs"}) {
				t.Errorf("read as %q after %q, %+v, %v", got, seen, report, err)
			}
		})
	}
	everywhere(t, "copies stay alike", 2, func(t *testing.T, s *shelf) {
		s.puts(t, "acme", small("before"))
		s.holds(t, "acme", small("another"))
		report, err := onboard.Change(t.Context(), s.Options, "acme", func(present string) (string, error) {
			return strings.NewReplacer("before", "after", "another", "wrong").Replace(present), nil
		})
		if got := s.readsAt(t, 0, "acme"); err != nil || got != "after" || s.reads(t, "acme") != "after" || len(report.Written) != 2 {
			t.Errorf("the copy is read as %q, %+v, %v", got, report, err)
		}
	})
}

func TestAPackThatAPersonSpoiledIsNotTouched(t *testing.T) {
	for name, text := range map[string]string{
		"no pack": `{"acme": {}}`, "twice": `{"merchants": {"acme": {"a": 1}, "acme": {"a": 2}}}`,
	} {
		everywhere(t, name, 1, func(t *testing.T, s *shelf) {
			s.holds(t, "packs/1/0", text)
			for what, do := range map[string]func() error{
				"put":    func() error { _, err := onboard.Put(t.Context(), s.Options, "other", small("x")); return err },
				"remove": func() error { _, err := onboard.Remove(t.Context(), s.Options, "acme"); return err },
			} {
				if err := do(); err == nil || !strings.Contains(err.Error(), "nothing was written") {
					t.Errorf("%s: %v", what, err)
				}
			}
			if s.wire.calls("PutSecretValue") != 0 {
				t.Error("it was written over")
			}
			if listing, err := onboard.List(t.Context(), s.Options); err != nil || len(listing.Problems)+strings.Count(listing.Packs[0].Problem, "merchants") != 1 {
				t.Errorf("%+v, %v", listing, err)
			}
		})
	}
}

// holds writes a secret as a person would.
func (s *shelf) holds(t *testing.T, name, text string) {
	t.Helper()
	if _, err := s.Client.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String(s.Prefix + name), SecretString: aws.String(text)}); err != nil {
		t.Fatal(err)
	}
}

func TestList(t *testing.T) {
	everywhere(t, "names what is there, and what no function could use", 2, func(t *testing.T, s *shelf) {
		home := map[string]string{merchant.PackName(2, "acme"): "acme"}
		for i := 0; len(home) < 2; i++ {
			home[merchant.PackName(2, fmt.Sprint("b", i))] = fmt.Sprint("b", i)
		}
		for id, name := range home {
			stray := home["packs/2/0"]
			if id == "packs/2/0" {
				stray = home["packs/2/1"]
			}
			s.holds(t, id, merchant.FormatPack([]merchant.Entry{{Name: name, Secret: []byte(small("x"))}, {Name: stray + "", Secret: []byte(small("y"))}}))
		}
		s.holds(t, "plain", small("z"))
		s.holds(t, "packs/7/3", `{"merchants": {}}`)
		s.holds(t, "packs/2/9", `{"merchants": {"never": {}}}`) // no pack of any store
		s.holds(t, "packs/02/1", `{"merchants": {"never": {}}}`)
		listing, err := onboard.List(t.Context(), s.Options)
		if err != nil || len(listing.Packs) != 2 || len(listing.Problems) != 2 || !slices.Equal(listing.Others, []string{"packed:7", "secretsmanager"}) {
			t.Errorf("%+v, %v", listing, err)
		}
		s.Place = 0
		listing, err = onboard.List(t.Context(), s.Options)
		if err != nil || !slices.Equal(listing.Merchants, []string{"plain"}) || !slices.Equal(listing.Others, []string{"packed:2", "packed:7"}) {
			t.Errorf("%+v, %v", listing, err)
		}
	})
	everywhere(t, "pages", 0, func(t *testing.T, s *shelf) {
		for i := range 25 {
			s.holds(t, fmt.Sprint("m", i), small("x"))
		}
		if listing, err := onboard.List(t.Context(), s.Options); err != nil || len(listing.Merchants) != 25 {
			t.Errorf("%+v, %v", listing, err)
		}
	})
}
