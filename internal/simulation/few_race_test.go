//go:build race

package simulation

// fewCommands is less under the race detector, which makes everything about ten times slower.
const fewCommands = 2_000
