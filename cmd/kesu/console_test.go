package main

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// runs starts kesu run, which ends with the test as by Ctrl-C, and gives what it says first.
func runs(t *testing.T) (welcome string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(programs, "kesu"), "run", "--port", "0")
	cmd.Dir, cmd.Env = t.TempDir(), []string{}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		if err := cmd.Wait(); err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
	lines := bufio.NewScanner(stdout)
	for lines.Scan() && !strings.Contains(lines.Text(), "Ctrl-C ends") {
		welcome += lines.Text() + "\n"
	}
	go func() { // to the end of its output
		for lines.Scan() {
		}
	}()
	return welcome
}

// TestRunServesTheConsole starts kesu run and opens the page at the address that it prints.
func TestRunServesTheConsole(t *testing.T) {
	t.Parallel()
	welcome := runs(t)
	address := regexp.MustCompile(`console +(http://127\.0\.0\.1:[0-9]+/console)\n`).FindStringSubmatch(welcome)
	if address == nil {
		t.Fatalf("it does not say where the console is:\n%s", welcome)
	}
	if page := fetch(t, address[1]); !strings.Contains(page, "<title>Kesu desk</title>") {
		t.Errorf("there is no console at %s:\n%s", address[1], page)
	}
	if answer := fetch(t, "-H 'Origin: http://evil.example' "+address[1]); !strings.Contains(answer, `"status":403`) {
		t.Errorf("a page of another origin is answered %s", answer)
	}
}
