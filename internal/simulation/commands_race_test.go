//go:build race

package simulation

// fewCommands is how many commands `make test` carries out with the race detector on, under which a command takes ten times
// as long. `make simulate` does without it.
const fewCommands = 3_000
