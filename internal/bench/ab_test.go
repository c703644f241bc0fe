package bench

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestAB(t *testing.T) {
	bins := strings.Split(os.Getenv("BINS"), ",")
	n, _ := strconv.Atoi(os.Getenv("N"))
	keys, err := NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	for _, rt := range []time.Duration{0, 20 * time.Millisecond} {
		w, err := NewWorld(t.TempDir(), keys, rt)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []string{Reply, Complete} {
			for _, s := range []setting{{directories: true}, {prefetch: true, directories: true}} {
				res := map[string]*[6]Sample{}
				for range n {
					for _, b := range bins {
						if res[b] == nil {
							res[b] = &[6]Sample{}
						}
						c, err := w.ColdStart(t.Context(), "/tmp/ab/"+b+"/"+p[len("functions/"):], p, s, 10)
						if err != nil {
							t.Fatal(err)
						}
						r := res[b]
						for i, v := range []float64{c.Start, c.First, c.Total, c.Warm.Median(), c.CPU, c.First - c.Own} {
							r[i] = append(r[i], v)
						}
					}
				}
				for _, b := range bins {
					r := res[b]
					t.Logf("%v %s prefetch=%v %-12s start %.2f (%.2f) first %.2f (%.2f) total %.2f (%.2f) warm %.2f cpu %.0f ratio %.2f", rt, p, s.prefetch, b, r[0].Median(), r[0].Min(), r[1].Median(), r[1].Min(), r[2].Median(), r[2].Min(), r[3].Median(), r[4].Median(), r[5].Median()/r[3].Median())
				}
			}
		}
		w.Close()
	}
}
