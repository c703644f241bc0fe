package main

import (
	"errors"
	"fmt"

	"github.com/alecthomas/kong"
)

// description stands above the list of commands.
const description = `Reply to WeChat Pay complaints through 翼码's gateway, and complete them: try it on this machine, check a merchant's set-up, send, explain, and put right. Every command but run, sandbox, demo and desk has --json. NO_COLOR turns colours off.

Exit codes, of every command: 0 all is well; 1 something is wrong, was refused or failed; 2 the command line is wrong; 3 it was certainly not done, try again; 4 it may have been done.`

type helpCommand struct {
	Command []string `arg:"" optional:"" help:"The command to explain."`
}

// Help is the example that kesu help shows.
func (helpCommand) Help() string {
	return `Examples:
  kesu help
  kesu help send reply`
}

// Run shows a command's usage, or the list of commands.
func (c helpCommand) Run(k *kong.Kong) error {
	shown, err := kong.Trace(k, c.Command)
	if err != nil {
		return err
	}
	if shown.Error != nil {
		return usage(fmt.Sprintf("%v; see kesu help", shown.Error))
	}
	if err := shown.PrintUsage(false); err != nil {
		return errors.New("the help cannot be written")
	}
	return nil
}

// Help is the example that kesu help shows.
func (runCommand) Help() string {
	return `Everything that the functions talk to is on this machine too; every key was made just now and is worth nothing. Prints lines to try.

Examples:
  kesu run
  kesu run --port 0

Exit codes: 0 after Ctrl-C; 1 it cannot start.`
}

// Help is the example that kesu help shows.
func (demoCommand) Help() string {
	return `Example:
  kesu demo

Exit codes: 0 every step came out as it should; 1 one did not.`
}
