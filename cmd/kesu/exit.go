package main

import (
	"errors"

	"github.com/kesu-go/kesu/internal/operate"
)

// The exit codes, the same for every command. docs/operations.md and kesu --help list them.
const (
	exitOK        = 0
	exitFailed    = 1 // it went wrong, was refused, or a check failed
	exitUsage     = 2 // the command line is wrong
	exitRetryable = 3 // certainly not done; try again
	exitUnknown   = 4 // it may have been done
)

// exitCode is the code to end with after a command's error.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	var ended *operate.Error
	if errors.As(err, &ended) {
		switch ended.Kind {
		case operate.Usage:
			return exitUsage
		case operate.Retryable:
			return exitRetryable
		case operate.Unknown:
			return exitUnknown
		}
	}
	return exitFailed
}

// failed ends the program with code 1 after everything was said.
func failed() error { return operate.New(operate.Failed, "") }

// usage is the error for a wrong command line.
func usage(text string) error { return operate.New(operate.Usage, text) }
