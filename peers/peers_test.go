package main

import (
	"os"
	"strings"
	"testing"
)

// TestTheGoClientsCanDoEverything runs wechatpay-go and gopay, with both kinds of keys, and what the pages have in Go and
// for curl. The other languages are make peers'.
func TestTheGoClientsCanDoEverything(t *testing.T) {
	d, dir, err := start()
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	defer d.Close()
	for _, c := range clients("") {
		for _, public := range []bool{true, false} {
			e, err := newEnv(d, dir, c.name, public)
			if err != nil {
				t.Fatal(err)
			}
			for operation, x := range judge(t.Context(), d, e, c) {
				if x.Failed != "" {
					t.Errorf("%s, public key %t, %s: %s", c.name, public, operation, x.Failed)
				}
			}
		}
	}
	page, err := os.ReadFile(dir + "/acme/README.md")
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, p := range programsOf(string(page)) {
		if p.file != "main.go" {
			continue
		}
		ran++
		if x := p.judge(t.Context(), d, d.Acme, dir+"/acme", ""); x.Failed != "" {
			t.Errorf("the page's %s: %s", p.heading, x.Failed)
		}
	}
	if ran != 2 {
		t.Errorf("%d programs in Go were run", ran)
	}
}

// TestAClientThatSaysTooMuchIsRed: what a client says is held against what the sandbox has seen.
func TestAClientThatSaysTooMuchIsRed(t *testing.T) {
	d, dir, err := start()
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	defer d.Close()
	e, err := newEnv(d, dir, "liar", true)
	if err != nil {
		t.Fatal(err)
	}
	for _, operation := range operations {
		if difference(d, e, operation, "a value that nobody gave it") == "" {
			t.Errorf("%s is green without an effect", operation)
		}
	}
}

func TestEveryReasonIsSaidInBothLanguages(t *testing.T) {
	table := &table{}
	table.client("x", true, map[string]done{"echo": {Cannot: "has no method for it, nor one that calls any path"}, "read": {}})
	for _, word := range append([]string{"client", "keys", "public key", "certificate", "program of the folder's page"}, operations...) {
		if chinese[word] == "" {
			t.Errorf("%q has no Chinese", word)
		}
	}
	if text := table.text(chinese); !strings.Contains(text, "– (1)") || !strings.Contains(text, "1. 没有对应的方法") {
		t.Errorf("the table is %s", text)
	}
}
