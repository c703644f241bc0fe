package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// programs is the directory that TestMain builds into: kesu, functions/reply, functions/complete and functions/watch.
var programs string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "kesu-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	programs = dir
	for target, source := range map[string]string{"kesu": ".", "functions/reply": "../../functions/reply", "functions/complete": "../../functions/complete",
		"functions/watch": "../../functions/watch"} {
		build := exec.Command("go", "build", "-o", filepath.Join(dir, target), source)
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", target, err, out)
			return 1
		}
	}
	return m.Run()
}

// kesu runs the program to its end, in an empty directory that must stay empty.
func kesu(t *testing.T, args ...string) (out, errors string, code int) {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(programs, "kesu"), args...)
	cmd.Dir, cmd.Env = dir, []string{"HOME=" + dir, "TMPDIR=" + dir}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("it left %v behind, %v", left, err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

func TestDemoComesOutAsItShould(t *testing.T) {
	t.Parallel()
	out, errors, code := kesu(t, "demo")
	want, err := os.ReadFile("testdata/demo.txt")
	if err != nil {
		t.Fatal(err)
	}
	if code != 0 || errors != "" || out != string(want) {
		t.Errorf("exit %d\n%s\n%s", code, out, errors)
	}
}

// The printed sample is the output that TestDemoComesOutAsItShould compares with.
func TestBothReadmesShowWhatTheDemoPrints(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("testdata/demo.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"README.md", "README.zh-CN.md"} {
		text, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), string(want)) {
			t.Errorf("%s shows another output of kesu demo", name)
		}
	}
}

func TestDemoFailsWhenAStepComesOutOtherwise(t *testing.T) {
	t.Parallel()
	// The reply's function is the completion's: a reply cannot come out as it should.
	dir := t.TempDir()
	for name, program := range map[string]string{"reply": "complete", "complete": "complete", "watch": "watch"} {
		if err := os.Symlink(filepath.Join(programs, "functions", program), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	out, errors, code := kesu(t, "demo", "--functions", dir)
	if code != 1 || !strings.Contains(out, "✗ should be succeeded 0000") || !strings.Contains(errors, "steps came out other than they should") {
		t.Errorf("exit %d\n%s\n%s", code, out, errors)
	}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	empty := t.TempDir()
	for _, test := range []struct {
		name        string
		args        []string
		code        int
		out, errors string // parts
	}{
		{"nothing", nil, 0, "Usage: kesu <command>", ""},
		{"help", []string{"--help"}, 0, "demo [flags]", ""},
		{"help for a command", []string{"run", "--help"}, 0, "--port=3000", ""},
		{"an unknown command", []string{"fly"}, 2, "", "kesu: unexpected argument fly; see kesu --help\n"},
		{"a port that is none", []string{"run", "--port", "70000"}, 2, "", "--port"},
		{"a port in use", []string{"run", "--port", port}, 1, "", "kesu: 127.0.0.1:" + port + " is in use by another program; end it, or choose another port with --port\n"},
		{"a missing function", []string{"demo", "--functions", empty}, 1, "", "kesu: there is no compiled function at " + empty + "/reply; run `make build` first, or say where it is with --functions\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, errors, code := kesu(t, test.args...)
			if code != test.code || !strings.Contains(out, test.out) || !strings.Contains(errors, test.errors) || strings.Count(errors, "\n") > 1 {
				t.Errorf("exit %d\n%s\n%s", code, out, errors)
			}
		})
	}
}

// TestRun starts kesu run, does what each of its curl lines does, and ends it as Ctrl-C does.
func TestRun(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(filepath.Join(programs, "kesu"), "run", "--port", "0")
	cmd.Dir, cmd.Env = t.TempDir(), []string{}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	welcome := ""
	for lines.Scan() && !strings.Contains(lines.Text(), "Ctrl-C ends") {
		welcome += lines.Text() + "\n"
	}
	address := regexp.MustCompile(`gateway +http://(\S+)`).FindStringSubmatch(welcome)
	if address == nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		t.Fatalf("it does not say where the gateway is:\n%s\n%s", welcome, log.String())
	}
	curls := regexp.MustCompile(`(?m)^  curl (.*)$`).FindAllStringSubmatch(welcome, -1)
	want := []string{`"code":"0000"`, `"code":"0000"`, `"code":"OK"`, `"FailedEntryCount":0`, `"FailedEntryCount":0`, `{"events":[`, `"status":422`, `"code":"6100"`, `"pointer":"/colour"`, `"FailedEntryCount":0`}
	if len(curls) != len(want) {
		t.Errorf("it prints %d curl lines", len(curls))
	}
	for i, curl := range curls {
		if answer := fetch(t, curl[1]); i < len(want) && !strings.Contains(answer, want[i]) {
			t.Errorf("curl %s\ngives %s", curl[1], answer)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // to the end of its output
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v\n%s", err, log.String())
	}
	if conn, err := net.Dial("tcp", address[1]); err == nil {
		conn.Close()
		t.Error("the gateway still listens")
	}
}

var quoted = regexp.MustCompile(`'([^']*)'|(\S+)`)

// fetch does what curl would do with such a line, and returns the answer's body.
func fetch(t *testing.T, line string) string {
	t.Helper()
	method, url, body, header := "GET", "", "", http.Header{}
	var flag string
	for _, match := range quoted.FindAllStringSubmatch(line, -1) {
		word := match[1] + match[2]
		switch {
		case flag == "-H":
			name, value, _ := strings.Cut(word, ": ")
			header.Set(name, value)
		case flag == "-d":
			method, body = "POST", word
		case flag == "-X":
			method = word
		case strings.HasPrefix(word, "http://"):
			url = word
		case word != "-sS" && word != "-H" && word != "-d" && word != "-X":
			t.Fatalf("curl line with %q", word)
		}
		if flag = ""; word == "-H" || word == "-d" || word == "-X" {
			flag = word
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTableLinesUpWideCharacters(t *testing.T) {
	plain := func(_, _ int, cell string) string { return cell }
	got := table([][]string{{"回复", "b"}, {"abcde", "c"}}, plain)
	if want := "回复   b\nabcde  c\n"; got != want {
		t.Errorf("got %q", got)
	}
}

func TestPainterColoursOnlyATerminal(t *testing.T) {
	rows := [][]string{{"a", "b", "c", "d", "e", "f", "g", "h"}, {"", "", "", "", "", "", "", "✓"}, {"", "", "", "", "", "", "", "✗ no"}}
	if got := table(rows, painter(false)); strings.Contains(got, "\x1b") {
		t.Errorf("without colour: %q", got)
	}
	got := table(rows, painter(true))
	if !strings.Contains(got, "\x1b[32m✓\x1b[0m") || !strings.Contains(got, "\x1b[31m✗ no\x1b[0m") {
		t.Errorf("with colour: %q", got)
	}
}
