package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// process is one run of the program.
type process struct {
	args  []string
	env   []string
	stdin string
}

// outcome is what a process left behind.
type outcome struct {
	out, errors string
	code        int
}

// run runs the program to its end, in an empty directory that must stay empty, with nothing of this machine's environment.
func (p process) run(t *testing.T) outcome {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(programs, "kesu"), p.args...)
	cmd.Dir, cmd.Env = dir, append([]string{"HOME=" + dir, "TMPDIR=" + dir, "AWS_EC2_METADATA_DISABLED=true"}, p.env...)
	cmd.Stdin = strings.NewReader(p.stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("it left %v behind, %v", left, err)
	}
	return outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// file writes a file for a process to read.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	want, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil || got != string(want) {
		t.Errorf("%s: %v; got\n%s", name, err, got)
	}
}

// hides fails when one of the secrets shows up in what a process wrote, whole or in a part that would do.
func (o outcome) hides(t *testing.T, secrets ...string) {
	t.Helper()
	written := o.out + o.errors
	for _, secret := range secrets {
		for line := range strings.Lines(secret) { // a line of a PEM is a part that would do
			line = strings.TrimSpace(line)
			if len(line) < 6 || strings.HasPrefix(line, "-----") {
				continue
			}
			if strings.Contains(written, line) || len(line) > 24 && strings.Contains(written, line[4:24]) {
				t.Errorf("it shows a secret:\n%s\n%s", o.out, o.errors)
				return
			}
		}
	}
}

// shell runs a line as it is typed, in a directory, with kesu on the path.
func shell(t *testing.T, dir, line string, env []string) (out, errors string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir, cmd.Env = dir, append([]string{"PATH=" + programs + ":" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir, "AWS_EC2_METADATA_DISABLED=true"}, env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

// makeStore lets openssl make a key store of the key and the certificate in a directory.
func makeStore(t *testing.T, dir, passphrase string) {
	t.Helper()
	cmd := exec.Command("openssl", "pkcs12", "-export", "-inkey", "apiclient_key.pem", "-in", "apiclient_cert.pem", "-out", "apiclient_cert.p12", "-passout", "pass:"+passphrase)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			t.Skip("left out: a key store by OpenSSL, which is not installed")
		}
		t.Fatalf("openssl: %v %s", err, out)
	}
}
