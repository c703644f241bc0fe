package assembly

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/telemetry"
	"github.com/kesu-go/kesu/pkg/signing"
)

// until is a secret whose last certificate ends then; the zero time is a secret with public keys alone.
type until time.Time

func (u until) LastCertificate() (signing.PlatformKey, bool) {
	return signing.PlatformKey{ID: "0ABC", NotAfter: time.Time(u)}, !time.Time(u).IsZero()
}

func TestWhenAKeyEndsIsToldOncePerVersionAndEveryTwelveHours(t *testing.T) {
	now := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	end := until(now.Add(20 * 24 * time.Hour))
	var out bytes.Buffer
	read := KeyEnds[until](telemetry.NewMetrics(&out), func() time.Time { return now })
	for _, step := range []struct {
		name, merchant, version string
		after                   time.Duration
		value                   until
		lines                   int
	}{
		{"the first reading", "acme", "v1", 0, end, 1},
		{"the same version again", "acme", "v1", 5 * time.Minute, end, 0},
		{"another merchant", "globex", "v1", 0, end, 1},
		{"another version", "acme", "v2", 0, end, 1},
		{"twelve hours later", "acme", "v2", 12 * time.Hour, end, 1},
		{"a moment later", "acme", "v2", time.Minute, end, 0},
		{"public keys alone", "initech", "v1", 0, until{}, 0},
	} {
		now = now.Add(step.after)
		before := strings.Count(out.String(), "KeyDaysLeft\":")
		read(step.merchant, merchant.Loaded[until]{Value: step.value, Version: step.version})
		if got := strings.Count(out.String(), "KeyDaysLeft\":") - before; got != step.lines {
			t.Errorf("%s: %d lines, want %d", step.name, got, step.lines)
		}
	}
}
