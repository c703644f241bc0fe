package simulation

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// A thousand replies of one merchant stand in a queue that two slots' processes work, at the default pace of 60.
func TestAThousandRepliesOfOneMerchantThroughTheQueue(t *testing.T) {
	r := runWorld(t, Options{Seed: 5, Commands: 1000, Crowd: true})
	for _, v := range r.Violations {
		t.Error(v)
	}
	if r.Tally.Replies != 1000 || r.Tally.Kept != 0 {
		t.Errorf("%d replies, %d kept", r.Tally.Replies, r.Tally.Kept)
	}
	slices.Sort(r.Calls)
	last, most := r.Calls[len(r.Calls)-1], 0
	for i, from := range r.Calls {
		n, _ := slices.BinarySearch(r.Calls[i:], from+time.Minute)
		most = max(most, n)
	}
	t.Logf("%d calls, the last after %s, %d in a minute at most; %d visits", len(r.Calls), last, most, r.Tally.Visits)
	if last > 20*time.Minute || most > 66 {
		t.Errorf("the last after %s, %d in a minute at most", last, most)
	}
}

func TestTheQueueIsTheTemplates(t *testing.T) {
	text, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "maxReceiveCount: 100}"); n != 2 || maxReceives != 100 {
		t.Errorf("template.yaml has it %d times, and here it is %d", n, maxReceives)
	}
}
