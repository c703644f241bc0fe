package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/sandbox"
)

func TestSendImage(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{})
	url := c.local(t)
	folder := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	png, jpeg := file("收据.png", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), file("a&b=c.JPG", "\xff\xd8\xff\xe0\x00\x10JFIF\x00")
	send := func(args ...string) outcome {
		o := process{args: append([]string{"send"}, append(args, "--url", url)...)}.run(t)
		o.hides(t, privateParts(c.merchant)...)
		return o
	}
	uploads := func() int {
		n := 0
		for _, call := range c.Primary.Calls.Calls() {
			if strings.HasSuffix(call.Target, "/images/upload") {
				n++
			}
		}
		return n
	}

	o := send("image", "--merchant", "acme", png, jpeg)
	ids := strings.Fields(o.out)
	if o.code != 0 || len(ids) != 2 || o.errors != "" {
		t.Fatalf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	for i, media := range []string{"image/png", "image/jpeg"} {
		if kept, ok := c.State.Picture(ids[i]); !ok || kept.Media != media || kept.Merchant != "acme" {
			t.Errorf("%s is %+v", ids[i], kept)
		}
	}
	if o = send("image", "--json", "--merchant", "acme", png); o.code != 0 || !strings.Contains(o.out, `"media_id":`) || !strings.Contains(o.out, `"action": "upload"`) && !strings.Contains(o.out, `"action":"upload"`) {
		t.Errorf("as JSON: exit %d\n%s\n%s", o.code, o.out, o.errors)
	}

	if o = send("image", "--merchant", "acme", file("words.bmp", "BM and words alone")); o.code != 0 { // its bytes are text as well
		t.Errorf("a BMP: exit %d\n%s\n%s", o.code, o.out, o.errors)
	}

	reply := []string{"reply", "--merchant", "acme", "--complaint", "2001", "--content", "见附图", "--image", png, "--image", ids[1]}
	before := uploads()
	if o = send(append(reply, "--dry-run")...); o.code != 0 || uploads() != before || !strings.Contains(o.out, `"idempotency_key":"pictures-`) {
		t.Errorf("a dry run: exit %d, %d uploads\n%s\n%s", o.code, uploads()-before, o.out, o.errors)
	}
	if o = send(reply...); o.code != 0 {
		t.Fatalf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	complaint, _ := c.State.Complaint("acme", "2001")
	if len(complaint.Replies) != 1 || len(complaint.Replies[0].Images) != 2 || complaint.Replies[0].Images[1] != ids[1] || slices.Contains(ids, complaint.Replies[0].Images[0]) {
		t.Errorf("the consumer sees %+v", complaint.Replies)
	}
	// The picture has another id the second time, and the reply is the same all the same.
	if o = send(reply...); o.code != 1 || !strings.Contains(o.out, "IDEMPOTENCY_MISMATCH") {
		t.Errorf("the same again: exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
	if complaint, _ = c.State.Complaint("acme", "2001"); len(complaint.Replies) != 1 {
		t.Errorf("it was shown %d times", len(complaint.Replies))
	}

	// Standard input can be read once only, and both the pictures' key and the reply are made of it.
	keys := map[string]bool{}
	for _, words := range []string{"见附图", "见附图二"} {
		o = process{args: []string{"send", "reply", "--merchant", "acme", "--complaint", "2001", "--image", png, "--file", "-", "--url", url, "--dry-run"},
			stdin: `{"response_content":"` + words + `"}`}.run(t)
		_, key, _ := strings.Cut(o.out, `"idempotency_key":"`)
		keys[key[:min(len(key), 40)]] = true
		if o.code != 0 || !strings.Contains(o.out, `"response_content":"`+words+`"`) {
			t.Errorf("words from standard input: exit %d\n%s\n%s", o.code, o.out, o.errors)
		}
	}
	if len(keys) != 2 {
		t.Errorf("other words have the same key: %v", keys)
	}

	before = uploads()
	for _, test := range []struct {
		name, says string
		code       int
		args       []string
	}{
		{"no picture", "image/jpeg, image/png or image/bmp", exitUsage, []string{"image", "--merchant", "acme", file("a.txt", "words")}},
		{"a picture that is too big", "2097153 bytes", exitUsage, []string{"image", "--merchant", "acme", file("b.bmp", "BM"+strings.Repeat("\x00", 2<<20))}},
		{"a merchant of no form", "merchant may hold only", exitUsage, []string{"image", "--merchant", "a/b", png}},
		{"a reply that is wrong", "response_content", exitUsage, []string{"reply", "--merchant", "acme", "--complaint", "2001", "--image", png}},
		{"over the bus", "by HTTP", exitUsage, []string{"image", "--via", "bus", "--merchant", "acme", png}},
		{"an unknown merchant", "UNKNOWN_MERCHANT", exitFailed, []string{"image", "--merchant", "nobody", png}},
	} {
		if o := send(test.args...); o.code != test.code || !strings.Contains(o.out+o.errors, test.says) {
			t.Errorf("%s: exit %d\n%s\n%s", test.name, o.code, o.out, o.errors)
		}
	}
	if n := uploads() - before; n != 0 {
		t.Errorf("%d pictures were uploaded", n)
	}
}
