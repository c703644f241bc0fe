// Command kesu is what people type: it runs the complaint functions on this machine against a sandbox of everything they
// talk to, checks a merchant's set-up, sends commands, explains signatures, and shows what waits for a person.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/kesu-go/kesu/internal/version"
)

// commands are what people type; each has a file of its own.
type commands struct {
	Version kong.VersionFlag `help:"Print the version."`

	Run        runCommand        `cmd:"" help:"Run the functions and the sandbox on this machine until Ctrl-C."`
	Sandbox    sandboxCommand    `cmd:"" help:"Serve both gateways on this machine for programs that use other clients."`
	Demo       demoCommand       `cmd:"" help:"Send replies and completions through the sandbox, and show what becomes of them."`
	Doctor     doctorCommand     `cmd:"" help:"Check a merchant's set-up: the secret, the keys, the gateways."`
	Merchant   merchantCommand   `cmd:"" help:"Put, list and remove merchants' secrets."`
	Smoke      smokeCommand      `cmd:"" help:"Ask a deployed stack whether it does what its parameters say."`
	Send       sendCommand       `cmd:"" help:"Send one reply or completion to the local gateway, a deployed API or a bus."`
	Desk       deskCommand       `cmd:"" help:"Work at a deployed Kesu's complaints in the browser."`
	Attention  attentionCommand  `cmd:"" help:"See what waits for a person, and settle it."`
	Watch      watchCommand      `cmd:"" help:"Set where WeChat Pay notifies of complaints."`
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
		kong.Writers(t.out, t.err), kong.Exit(func(code int) { exited = code }), kong.UsageOnError(), kong.Vars{"version": version.String()},
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
		fmt.Fprintf(t.err, "kesu: %s; see kesu --help\n", clean(discreet(err.Error(), args)))
		return 2
	}
	err = chosen.Run(parser)
	if err != nil && err.Error() != "" {
		fmt.Fprintln(t.err, "kesu:", clean(err.Error()))
	}
	return exitCode(err)
}

// harmless are values that a complaint about the command line may repeat: short ones, and plain words.
var harmless = regexp.MustCompile(`^([ -~]{0,12}|[a-z-]{1,24}|--[a-z][a-z0-9-]{0,30})$`)

// discreet takes values out of the parser's words that may be a key: --key-file "$(cat key.pem)" hands over the key itself.
// Names of flags and commands and short words stay.
func discreet(text string, args []string) string {
	for _, arg := range args {
		for _, value := range []string{arg, arg[strings.IndexByte(arg, '=')+1:]} {
			if harmless.MatchString(value) {
				continue
			}
			quoted := strconv.Quote(value)
			for _, form := range []string{value, quoted, quoted[1 : len(quoted)-1], strings.TrimLeft(value, "-")} {
				text = strings.ReplaceAll(text, form, "…")
			}
			for piece := range strings.FieldsFuncSeq(value, isCut) {
				if piece = strings.TrimSpace(piece); !harmless.MatchString(piece) {
					text = strings.ReplaceAll(text, piece, "…")
				}
			}
		}
	}
	return strings.Join(strings.Fields(text), " ")
}

// isCut tells where the parser may have cut a value: base64 ends in "=", which to the parser is the end of a flag's name.
func isCut(r rune) bool { return r == '=' || r == '\n' || r == '\r' }

// wantsColour tells whether a file is a terminal whose user has not said NO_COLOR (https://no-color.org).
func wantsColour(f *os.File) bool {
	stat, err := f.Stat()
	return err == nil && stat.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
