package simulation

import (
	"sync/atomic"
	"time"
)

// dice are the only randomness of a world. A roll depends on the world's seed and on what it is rolled for, and never
// on what was rolled before: so a roll comes out the same however the runtime orders what runs at the same time.
type dice uint64

// roll gives 64 bits for a place that three numbers name.
func (d dice) roll(a, b, c uint64) uint64 {
	x := mix(uint64(d) ^ 0x9e3779b97f4a7c15)
	x = mix(x + a)
	x = mix(x + b)
	return mix(x + c)
}

// share is a roll from 0 up to 1.
func (d dice) share(a, b, c uint64) float64 { return float64(d.roll(a, b, c)>>11) / (1 << 53) }

// span is a roll between two durations, to the nanosecond, so that hardly ever two things happen at the same instant.
func (d dice) span(a, b, c uint64, least, most time.Duration) time.Duration {
	return least + time.Duration(d.roll(a, b, c)%uint64(most-least))
}

// mix is the finalizer of splitmix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// hashText is FNV-1a.
func hashText(text string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	return h
}

// nonces stands in for crypto/rand where nonces are read. No two reads of a world give the same bytes.
type nonces struct {
	process uint64
	reads   atomic.Uint64
}

func (n *nonces) Read(p []byte) (int, error) {
	read := n.reads.Add(1)
	for i := range p {
		if i%8 == 0 && i > 0 {
			read += 1 << 32
		}
		p[i] = byte(mix(n.process<<40+read) >> (i % 8 * 8))
	}
	return len(p), nil
}

// The places that dice are rolled for; each roll names one of them first.
const (
	placeWorld uint64 = iota
	placeCommand
	placeCopy
	placeVisit
	placeProcess
	placeFault
	placeFaultKind
	placeLatency
	placeDetail
	placeHost
	placeMerchant
	placePoll
	placeBackoff
	placeShape
	placeBatch
	placeHistory
)
