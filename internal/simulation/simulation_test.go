package simulation

import (
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestOne(t *testing.T) {
	for seed := uint64(1); seed <= 60; seed++ {
		var r Report
		start := time.Now()
		synctest.Test(t, func(t *testing.T) { r = Run(Options{Seed: seed, Commands: 100, Faults: 0.3}) })
		fmt.Println(seed, r.Digest, time.Since(start))
		if seed == 1 {
			r.Tally.Print(os.Stdout)
		}
		for _, v := range r.Violations {
			fmt.Println(v)
		}
	}
}
