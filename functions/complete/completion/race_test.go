//go:build race

package completion_test

// With the race detector on, sync.Pool throws a quarter of what it is given away, and what stands in for it is counted.
const racing = 1.2
