package bench

import (
	"slices"
	"time"
)

// Sample is a figure that was measured several times, in one unit.
type Sample []float64

// Median is the middle one, or the mean of the two in the middle; 0 of nothing.
func (s Sample) Median() float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}

// Min is the least one, 0 of nothing.
func (s Sample) Min() float64 {
	if len(s) == 0 {
		return 0
	}
	return slices.Min(s)
}

// Max is the greatest one, 0 of nothing.
func (s Sample) Max() float64 {
	if len(s) == 0 {
		return 0
	}
	return slices.Max(s)
}

// scaled gives the sample in another unit.
func (s Sample) scaled(by float64) Sample {
	out := make(Sample, len(s))
	for i, v := range s {
		out[i] = v * by
	}
	return out
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// turns is how many pieces a slice is cut into: whatever else the machine does falls on both sides then.
const turns = 5

// beside times ours and its yardstick in turns: rounds slices in all, in pieces. It gives microseconds a call.
func beside(rounds int, slice time.Duration, ours, yardstick func()) (Sample, Sample) {
	rounds, slice = rounds*turns, slice/turns
	nOurs, nYardstick := callsIn(slice, ours), callsIn(slice, yardstick)
	a, b := make(Sample, 0, rounds), make(Sample, 0, rounds)
	for range rounds {
		b = append(b, perCall(nYardstick, yardstick))
		a = append(a, perCall(nOurs, ours))
	}
	return a, b
}

// callsIn is how many calls take about slice; finding out warms the code up.
func callsIn(slice time.Duration, call func()) int {
	n := 1
	for {
		took := time.Duration(perCall(n, call)*float64(n)) * time.Microsecond
		if took > slice/4 || n >= 1<<20 {
			return max(1, int(float64(n)*float64(slice)/float64(max(took, time.Microsecond))))
		}
		n *= 2
	}
}

func perCall(n int, call func()) float64 {
	started := time.Now()
	for range n {
		call()
	}
	return float64(time.Since(started).Nanoseconds()) / 1e3 / float64(n)
}
