package watch

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/telemetry"
)

func TestWhateverStrangersDoThereIsALineASecond(t *testing.T) {
	start := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		counts, words bool
		setBack       time.Duration // the clock, in the middle
		least, most   int           // lines in a minute
	}{
		"only refusals":              {true, false, 0, 60, 61},
		"only lines of another kind": {false, true, 0, 30, 31},
		"both":                       {true, true, 0, 60, 62},
		"both, and the clock is set back by an hour":     {true, true, time.Hour, 60, 65},
		"both, and the clock is set back by two seconds": {true, true, 2 * time.Second, 57, 65},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			r := refusals{metrics: telemetry.NewMetrics(&out)}
			words, setBack := 0, time.Duration(0)
			for i := range 60 * 100 {
				if i == 30*100 {
					setBack = row.setBack
				}
				now := start.Add(time.Duration(i)*10*time.Millisecond - setBack)
				r.catchUp(now)
				if row.words {
					r.word(now, func() { words++ })
				}
				if row.counts {
					r.count(badSignature, now)
				}
			}
			told := strings.Count(out.String(), "\n")
			if lines := told + words; lines < row.least || lines > row.most {
				t.Errorf("%d lines in a minute, want %d to %d", lines, row.least, row.most)
			}
			if row.counts && told < 25 || row.words && words < 25 {
				t.Errorf("%d counts and %d lines of another kind", told, words)
			}
		})
	}
}

func TestOneCallMayHaveALineOfEachKind(t *testing.T) {
	var out bytes.Buffer
	r, words := refusals{metrics: telemetry.NewMetrics(&out)}, 0
	now := time.Now()
	r.word(now, func() { words++ })
	r.count(misconfigured, now)
	if words != 1 || !strings.Contains(out.String(), `"reason":"misconfigured"`) {
		t.Errorf("%d lines, and %s", words, out.String())
	}
}

func TestAThousandUnknownNamesAreRememberedForHalfAMinute(t *testing.T) {
	var n names
	start := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	name := func(i int) string { return strings.Repeat("x", i%7) + time.Duration(i).String() }
	for i := range 5 * namesMax {
		n.sawUnknown(name(i), start)
	}
	if len(n.unknown) != namesMax {
		t.Errorf("%d are remembered", len(n.unknown))
	}
	latest := name(5*namesMax - 1)
	if why, ok := n.may(latest, false, start.Add(unknownFor-time.Nanosecond)); ok || why != noSuchMerchant {
		t.Errorf("within its time the latest one is looked up: %q", why)
	}
	if why, ok := n.may(latest, false, start.Add(unknownFor)); !ok {
		t.Errorf("after its time the latest one is not looked up: %q", why)
	}
}
