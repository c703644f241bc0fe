// Package simulation runs the code that ships against a world that fails it.
package simulation
