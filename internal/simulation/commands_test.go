//go:build !race

package simulation

// fewCommands is how many commands `make test` carries out.
const fewCommands = plenty
