//go:build !linux

package sandbox

// processOn names the process that listens on a port. Only Linux says it in files.
func processOn(string) string { return "" }
