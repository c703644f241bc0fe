package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// TestOperationsTellsOfEveryFieldAndMetric runs the functions and holds what they write against docs/operations.md.
func TestOperationsTellsOfEveryFieldAndMetric(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	output := &syncWriter{to: &log}
	c := newClinic(t, sandbox.Options{Output: output}, sandbox.MerchantOptions{})
	dir := filepath.Join(programs, "functions")
	if err := c.StartFunctions(t.Context(), sandbox.Programs{Reply: filepath.Join(dir, "reply"), Complete: filepath.Join(dir, "complete")}); err != nil {
		t.Fatal(err)
	}
	l, err := sandbox.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url, err := c.Serve(l)
	if err != nil {
		t.Fatal(err)
	}
	for path, body := range map[string]string{"2001/reply": `{"response_content":"已处理"}`, "2002/reply": `{}`, "2001/complete": `{}`} {
		resp, err := http.Post(url+"/merchants/acme/complaints/"+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	if err := c.Close(); err != nil { // the functions have written everything
		t.Fatal(err)
	}
	kinds, names := map[string]int{}, map[string]bool{}
	for line := range strings.Lines(log.String()) {
		var members map[string]any
		if json.Unmarshal([]byte(line), &members) != nil {
			t.Fatalf("not JSON: %s", line)
		}
		kinds[fmt.Sprint(members["msg"])]++
		for name := range members {
			names[name] = true
		}
	}
	if kinds["settled"] != 3 || kinds["attempt"] != 2 || kinds["<nil>"] != 3 { // the last are metrics
		t.Errorf("the lines are %v", kinds)
	}
	for name := range names {
		if name != "_aws" && !strings.Contains(string(document), "`"+name+"`") {
			t.Errorf("docs/operations.md does not tell of %s", name)
		}
	}
}

func TestOperationsTellsOfEveryCommandAndExitCode(t *testing.T) {
	document, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range leaves(t) {
		if command := "kesu " + strings.Fields(name)[0]; name != "help" && !strings.Contains(string(document), "`"+command) {
			t.Errorf("%s is not told of", command)
		}
	}
	for _, code := range []int{exitOK, exitFailed, exitUsage, exitRetryable, exitUnknown} {
		if !strings.Contains(string(document), fmt.Sprintf("\n| %d | ", code)) || !strings.Contains(description, fmt.Sprintf("%d ", code)) {
			t.Errorf("exit code %d is not told of", code)
		}
	}
}
