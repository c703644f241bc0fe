package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/notifyurl"
	"github.com/kesu-go/kesu/internal/sandbox"
)

func TestTheAddressForNotificationsIsReadSetChangedAndRemoved(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{})
	w := c.merchant.WechatPay
	watch := func(args ...string) outcome {
		o := process{args: append([]string{"watch", "url", "--merchant", "acme"}, args...), env: c.Env()}.run(t)
		o.hides(t, c.merchant.Imageco.Key, w.PrivateKey, w.APIv3Key)
		return o
	}
	const one, two = "https://one.example/merchants/acme/notifications", "https://two.example/n"
	for _, step := range []struct {
		name   string
		args   []string
		fault  []sandbox.Fault
		code   int
		out    string
		errors string
		calls  string // methods
	}{
		{"nothing is there", nil, nil, 0, "acme: no address is set\nunchanged\n", "", "GET"},
		{"removing nothing", []string{"--remove"}, nil, 0, "acme: no address is set\nunchanged\n", "", "GET"},
		{"set", []string{"--set", "https://one.example/merchants/{merchant}/notifications"}, nil, 0, "acme: " + one + "\nchanged; before: no address is set\n", "", "GET POST GET"},
		{"set again", []string{"--set", one}, nil, 0, "acme: " + one + "\nunchanged\n", "", "GET"},
		{"read", nil, nil, 0, "acme: " + one + "\nunchanged\n", "", "GET"},
		{"an answer is lost", []string{"--set", two}, []sandbox.Fault{{Method: http.MethodPut, CutAfter: true}}, 0, "acme: " + two + "\nchanged; before: " + one + "\n", "", "GET PUT PUT GET"},
		{"refused", []string{"--set", one}, []sandbox.Fault{{Method: http.MethodPut, Status: 403, Code: "NO_AUTH", Message: "no"}}, 1, "", "kesu: cannot change the address: NO_AUTH no\n", "GET PUT GET"},
		{"cannot be read", nil, []sandbox.Fault{{Status: 403, Code: "NO_AUTH", Message: "no"}}, 1, "", "kesu: cannot read the address: NO_AUTH no\n", "GET"},
		{"removed", []string{"--remove"}, nil, 0, "acme: no address is set\nchanged; before: " + two + "\n", "", "GET DELETE GET"},
	} {
		before := [2]int{len(c.Primary.Calls.Calls()), len(c.Backup.Calls.Calls())}
		c.Primary.Faults.Next(step.fault...)
		o := watch(step.args...)
		if o.code != step.code || o.out != step.out || o.errors != step.errors {
			t.Errorf("%s: exit %d\n%s%s", step.name, o.code, o.out, o.errors)
		}
		var methods []string
		for _, call := range append(c.Primary.Calls.Calls()[before[0]:], c.Backup.Calls.Calls()[before[1]:]...) {
			methods = append(methods, call.Method)
		}
		if got := strings.Join(methods, " "); len(got) != len(step.calls) {
			t.Errorf("%s: called %s", step.name, got)
		}
		c.Primary.Faults.Clear()
	}
	o := watch("--json", "--set", one)
	var told notifyurl.Report
	if err := json.Unmarshal([]byte(o.out), &told); err != nil || told != (notifyurl.Report{Merchant: "acme", Now: one, Changed: true}) {
		t.Errorf("%v: %s", err, o.out)
	}
}

func TestTheAddressForNotificationsWhenNobodyAnswers(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{})
	set := process{args: []string{"watch", "url", "--merchant", "acme", "--set", "https://one.example/n"}, env: c.Env()}
	c.Primary.Down()
	c.Backup.Down()
	if o := set.run(t); o.code != 3 || !strings.Contains(o.errors, "cannot read the address") {
		t.Errorf("exit %d %s", o.code, o.errors)
	}
	if err := c.Primary.Up(); err != nil {
		t.Fatal(err)
	}
	// The first reading is answered, and nothing after it.
	c.Primary.Faults.Next(sandbox.Fault{})
	c.Primary.Faults.Stand(sandbox.Fault{CutAfter: true})
	if o := set.run(t); o.code != 4 || !strings.Contains(o.errors, "cannot change the address") {
		t.Errorf("exit %d %s", o.code, o.errors)
	}
	c.Primary.Faults.Clear()
	c.merchant.WechatPay.APIv3Key = ""
	c.Store(c.merchant)
	if o := set.run(t); o.code != 0 || !strings.Contains(o.out, "! wechatpay.apiv3_key is missing: no notification can be read with this secret") {
		t.Errorf("exit %d %s%s", o.code, o.out, o.errors)
	}
}

func TestAnAddressThatWeChatPayWouldNotTakeIsAWrongCommandLine(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"http://example.com/n", "https://", "https://a.example/n?x=1", "https://a.example/n#x", "https://客诉.example/n",
		"https://u:p@a.example/n", "https://a.example/" + strings.Repeat("x", 255), "notifications", "https://a.example/a b"} {
		if o := (process{args: []string{"watch", "url", "--merchant", "acme", "--set", address}}).run(t); o.code != 2 || !strings.Contains(o.errors, "--set takes an https://") {
			t.Errorf("%s: exit %d %s", address, o.code, o.errors)
		}
	}
	for _, args := range [][]string{{}, {"--merchant", "a b"}, {"--merchant", "acme", "--set", "https://a.example/n", "--remove"}} {
		if o := (process{args: append([]string{"watch", "url"}, args...)}).run(t); o.code != 2 {
			t.Errorf("%v: exit %d %s", args, o.code, o.errors)
		}
	}
}
