package bench

import (
	"testing"
	"time"
)

// Nothing is asserted of how long it takes but that the round trips are in it.
func TestAReplyWhoseAnswerIsLostIsSeenAtADistance(t *testing.T) {
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	path, err := Build(t.Context(), root, t.TempDir(), Reply, "")
	if err != nil {
		t.Fatal(err)
	}
	const roundTrip = 10 * time.Millisecond
	for _, j := range journeys[:2] {
		t.Run(j.figure, func(t *testing.T) {
			w, err := NewWorld(t.TempDir(), keys.of(j), roundTrip)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			w.loseAnswers()
			least, err := w.leastLost()
			if err != nil {
				t.Fatal(err)
			}
			took, err := w.Lost(t.Context(), path, j.env)
			if err != nil {
				t.Fatal(err)
			}
			for name, ms := range map[string]float64{"the yardstick": milliseconds(least), "the function": took} {
				if ms < 7*milliseconds(roundTrip) {
					t.Errorf("%s has fewer than seven round trips: %.1f ms", name, ms)
				}
			}
			t.Logf("%.1f ms, least %.1f ms", took, milliseconds(least))
		})
	}
}
