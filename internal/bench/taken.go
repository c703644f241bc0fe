package bench

import "runtime"

// Taken is what one call takes from the heap, on average over so many calls after a first one: allocations and bytes. As
// in testing.AllocsPerRun one processor runs meanwhile, so that nothing else is counted.
func Taken(calls int, call func()) (allocations, bytes float64) {
	cores(1, func() {
		call()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range calls {
			call()
		}
		runtime.ReadMemStats(&after)
		allocations = float64(after.Mallocs-before.Mallocs) / float64(calls)
		bytes = float64(after.TotalAlloc-before.TotalAlloc) / float64(calls)
	})
	return allocations, bytes
}
