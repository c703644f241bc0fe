package bench

import (
	"testing"
	"time"
)

// Nothing is asserted of how long it takes but that the round trips are in it.
func TestANotificationIsAnsweredAtADistance(t *testing.T) {
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	const roundTrip = 10 * time.Millisecond
	w, err := NewWorld(t.TempDir(), keys, roundTrip)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	path, err := Build(t.Context(), root, t.TempDir(), Watch, "")
	if err != nil {
		t.Fatal(err)
	}
	least, err := w.leastHeard()
	if err != nil {
		t.Fatal(err)
	}
	took, err := w.Heard(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for name, ms := range map[string]float64{"the yardstick": milliseconds(least), "the function": took} {
		if ms < 10*milliseconds(roundTrip) {
			t.Errorf("%s has fewer than ten round trips: %.1f ms", name, ms)
		}
	}
	t.Logf("%.1f ms, least %.1f ms", took, milliseconds(least))
}
