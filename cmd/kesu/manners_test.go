package main

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// leaves are all commands that can be run, with the flags that each has.
func leaves(t *testing.T) map[string][]string {
	t.Helper()
	var all commands
	k, err := kong.New(&all)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, l := range levels(k.Model.Node, "") {
		if len(l.Commands) > 0 {
			continue
		}
		for _, flag := range l.Flags {
			found[strings.TrimSpace(l.At)] = append(found[strings.TrimSpace(l.At)], flag.Name)
		}
	}
	return found
}

func TestEveryCommandHasAnExampleAndSaysItsExitCodes(t *testing.T) {
	t.Parallel()
	for name := range leaves(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := process{args: append([]string{"help"}, strings.Fields(name)...)}.run(t)
			if o.code != 0 || o.errors != "" || !strings.Contains(o.out, "kesu "+strings.Fields(name)[0]) || !strings.Contains(o.out, "Example") {
				t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
			}
			if asked := (process{args: append(strings.Fields(name), "--help")}).run(t); asked.out != o.out {
				t.Errorf("--help says otherwise:\n%s", asked.out)
			}
			if short := name == "help" || name == "completion"; !short && !strings.Contains(o.out, "Exit codes") {
				t.Errorf("no exit codes:\n%s", o.out)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	o := process{args: []string{"help"}}.run(t)
	golden(t, "help.txt", o.out)
	if bare := (process{}).run(t); bare.out != o.out || bare.code != 0 {
		t.Errorf("without anything it says:\n%s", bare.out)
	}
	o = process{args: []string{"help", "sing"}}.run(t)
	if o.code != 2 || !strings.Contains(o.errors, `"sign"`) || strings.Count(o.errors, "\n") != 1 {
		t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
}

func TestEveryCommandWithAResultHasJSON(t *testing.T) {
	for name, flags := range leaves(t) {
		shows := !slices.Contains([]string{"run", "sandbox", "demo", "desk", "help", "completion"}, name)
		if shows && !slices.Contains(flags, "json") {
			t.Errorf("%s has no --json", name)
		}
	}
}

// TestCompletionInBash asks bash itself what it would offer.
func TestCompletionInBash(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Log("left out: completion in bash, which is not installed")
		return
	}
	o := process{args: []string{"completion", "bash"}}.run(t)
	script := file(t, "kesu.bash", o.out)
	for line, want := range map[string]string{
		"kesu do":                    "doctor",
		"kesu send r":                "reply",
		"kesu sign --fo":             "--for",
		"kesu sign --for i":          "imageco",
		"kesu send reply --via b":    "bus",
		"kesu completion f":          "fish",
		"kesu attention answer --dr": "--drop",
		"kesu doctor --merchant ":    "",
	} {
		words := strings.Split(line, " ")
		quoted := "'" + strings.Join(words, "' '") + "'"
		run := exec.Command(bash, "--norc", "-c", `source "$1"; COMP_WORDS=(`+quoted+`); COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 )); _kesu; echo "${COMPREPLY[*]}"`, "bash", script)
		out, err := run.CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != want {
			t.Errorf("%q offers %q, %v", line, out, err)
		}
	}
}

func TestCompletionNamesEverything(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh", "fish"} {
		o := process{args: []string{"completion", shell}}.run(t)
		for name, flags := range leaves(t) {
			for _, flag := range flags {
				want := map[string]string{"fish": `'__kesu_at " ` + name + `"' -l '` + flag + "'"}[shell]
				if want == "" {
					want = "--" + flag
				}
				if !strings.Contains(o.out, want) || !strings.Contains(o.out, " "+name) {
					t.Errorf("%s: %s --%s is not offered", shell, name, flag)
				}
			}
		}
		if strings.Contains(o.out, "${enum}") || o.errors != "" {
			t.Errorf("%s:\n%s", shell, o.errors)
		}
	}
	if o := (process{args: []string{"completion", "cmd.exe"}}).run(t); o.code != 2 || !strings.Contains(o.errors, "bash") {
		t.Errorf("exit %d\n%s", o.code, o.errors)
	}
}

func TestColoursOnlyWhereTheyAreWanted(t *testing.T) {
	null, err := os.Open(os.DevNull) // a character device, as a terminal is
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	plain, err := os.Open(file(t, "plain.txt", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	if !wantsColour(null) || wantsColour(plain) {
		t.Error("a terminal has colours, and a file none")
	}
	t.Setenv("NO_COLOR", "1")
	if wantsColour(null) {
		t.Error("NO_COLOR has no effect")
	}
	secret := file(t, "secret.json", `{"imageco": {"isspid": "1"}}`)
	for _, colour := range []bool{true, false} {
		var out, errors bytes.Buffer
		execute(t.Context(), []string{"doctor", "--offline", "--secret-file", secret}, terminal{out: &out, err: &errors, colour: colour})
		if strings.Contains(out.String(), "\x1b[31m✗\x1b[0m") != colour || strings.Contains(out.String(), "\x1b") != colour {
			t.Errorf("colour %t: %q", colour, out.String())
		}
	}
}

func TestCleanTakesOutWhatMovesATerminal(t *testing.T) {
	if got := clean("a\x1b[2Jb\u009bc\u202ed\r\n\te\x00"); strings.ContainsAny(got, "\x1b\u009b\u202e\r\x00") || !strings.HasSuffix(got, "\n\te\uFFFD") {
		t.Errorf("%q", got)
	}
}
