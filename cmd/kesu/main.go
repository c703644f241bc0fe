// Command kesu is what people type: it runs the complaint functions on this machine against a sandbox of everything they
// talk to, checks a merchant's set-up, sends commands, explains signatures, and shows what waits for a person.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// commands are what people type; each has a file of its own.
type commands struct {
	Run        runCommand        `cmd:"" help:"Run both functions and the sandbox on this machine until Ctrl-C."`
	Demo       demoCommand       `cmd:"" help:"Send replies and completions through the sandbox, and show what becomes of them."`
	Doctor     doctorCommand     `cmd:"" help:"Check a merchant's set-up: the secret, the keys, the gateways."`
	Send       sendCommand       `cmd:"" help:"Send one reply or completion to the local gateway, a deployed API or a bus."`
	Attention  attentionCommand  `cmd:"" help:"See what waits for a person, and settle it."`
	Sign       signCommand       `cmd:"" help:"Explain a signature: what is signed, and why somebody's is wrong."`
	Completion completionCommand `cmd:"" help:"Print a script that completes commands and flags in a shell."`
	Help       helpCommand       `cmd:"" help:"Explain a command, with examples."`
}

// terminal is where a command writes to.
type terminal struct {
	out, err io.Writer
	colour   bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := execute(ctx, os.Args[1:], terminal{out: os.Stdout, err: os.Stderr, colour: wantsColour(os.Stdout)})
	stop()
	os.Exit(code)
}

// execute runs one command and returns the exit code; exit.go lists them.
func execute(ctx context.Context, args []string, t terminal) int {
	var all commands
	exited := -1
	parser, err := kong.New(&all, kong.Name("kesu"), kong.Description(description),
		kong.Writers(t.out, t.err), kong.Exit(func(code int) { exited = code }), kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(t))
	if err != nil {
		fmt.Fprintln(t.err, "kesu:", err)
		return 1
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	chosen, err := parser.Parse(args)
	if exited >= 0 { // --help was asked for and given
		return exited
	}
	if err != nil {
		fmt.Fprintf(t.err, "kesu: %v; see kesu --help\n", err)
		return 2
	}
	err = chosen.Run(parser)
	if err != nil && err.Error() != "" {
		fmt.Fprintln(t.err, "kesu:", clean(err.Error()))
	}
	return exitCode(err)
}

// wantsColour tells whether a file is a terminal whose user has not said NO_COLOR (https://no-color.org).
func wantsColour(f *os.File) bool {
	stat, err := f.Stat()
	return err == nil && stat.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
