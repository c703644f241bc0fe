package main

import "errors"

// The exit codes, the same for every command. docs/operations.md and kesu --help list them.
const (
	exitOK        = 0
	exitFailed    = 1 // it went wrong, was refused, or a check failed
	exitUsage     = 2 // the command line is wrong
	exitRetryable = 3 // certainly not done; try again
	exitUnknown   = 4 // it may have been done
)

// exitError ends the program with a code of its own. Its text may be empty: everything was said already.
type exitError struct {
	code int
	text string
}

func (e *exitError) Error() string { return e.text }

// MaybeDone reports whether what was asked for may have been carried out.
func (e *exitError) MaybeDone() bool { return e.code == exitUnknown }

// exitCode is the code to end with after a command's error.
func exitCode(err error) int {
	var exit *exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		return exit.code
	}
	return exitFailed
}

// failed ends the program with code 1 after everything was said.
func failed() error { return &exitError{code: exitFailed} }
