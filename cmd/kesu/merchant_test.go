package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/doctor"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/sandbox"
)

// TestAMerchantFromItsSecretToItsReply puts a merchant into each store, examines it, lets the compiled functions answer for
// it, lists it and removes it, and sees no value of its secret anywhere.
func TestAMerchantFromItsSecretToItsReply(t *testing.T) {
	t.Parallel()
	for _, keys := range []string{"secretsmanager", "packed", "packed:3"} {
		t.Run(keys, func(t *testing.T) {
			t.Parallel()
			c := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{})
			text := c.merchant.Secret()
			c.Secrets.Delete(sandbox.SecretPrefix + "acme")
			secrets := []string{c.merchant.Imageco.Key, c.merchant.WechatPay.PrivateKey}
			env := c.Env("MERCHANT_KEYS=" + keys)
			kesu := func(code int, says string, args ...string) outcome {
				t.Helper()
				o := process{args: args, env: env, stdin: text}.run(t)
				if o.code != code || !strings.Contains(o.out+o.errors, says) {
					t.Errorf("kesu %v: exit %d\n%s\n%s", args, o.code, o.out, o.errors)
				}
				o.hides(t, secrets...)
				return o
			}
			kesu(0, "0 merchants in "+map[bool]string{true: "packed:64", false: keys}[keys == "packed"], "merchant", "list")
			kesu(1, "there is no secret of this name", "doctor", "--merchant", "acme")
			kesu(0, "imageco, wechatpay", "merchant", "put", "acme", "--secret-file", "-")
			kesu(0, "unchanged", "merchant", "put", "acme", "--secret-file", "-", "--json")
			kesu(0, "none wrong", "doctor", "--merchant", "acme", "--complaint", "2001")
			if o := kesu(0, "1 merchant", "merchant", "list"); !strings.HasPrefix(o.out, "acme\n") {
				t.Errorf("it lists\n%s", o.out)
			}
			dir := filepath.Join(programs, "functions")
			if err := c.StartFunctions(t.Context(), sandbox.Programs{Reply: filepath.Join(dir, "reply"), Complete: filepath.Join(dir, "complete"), Env: []string{"MERCHANT_KEYS=" + keys}}); err != nil {
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
			for path, body := range map[string]string{"acme/complaints/2001/reply": `{"response_content":"已处理"}`, "acme/complaints/2001/complete": `{}`} {
				resp, err := http.Post(url+"/merchants/"+path, "application/json", strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if resp.StatusCode != 200 {
					t.Errorf("%s is answered %d", path, resp.StatusCode)
				}
			}
			if n := c.Secrets.Calls.Len(); n == 0 {
				t.Error("the functions read no secret")
			}
			kesu(1, "nothing was done", "merchant", "remove", "acme")
			kesu(0, "", "merchant", "remove", "acme", "--yes")
			kesu(0, "0 merchants", "merchant", "list")
		})
	}
}

// TestTheColdPathOfAPackIsOneCall counts what a function's first reply asks Secrets Manager for.
func TestTheColdPathOfAPackIsOneCall(t *testing.T) {
	t.Parallel()
	for _, keys := range []string{"secretsmanager", "packed:3"} {
		c := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{})
		c.Secrets.Put(sandbox.SecretPrefix+merchant.PackName(3, "acme"), merchant.FormatPack([]merchant.Entry{{Name: "acme", Secret: []byte(c.merchant.Secret())}}))
		f := sandbox.NewFunction(sandbox.FunctionConfig{Name: "reply", Path: filepath.Join(programs, "functions", "reply"), Env: c.Env("MERCHANT_KEYS=" + keys)})
		t.Cleanup(func() { _ = f.Close() })
		for range 2 {
			result, err := f.Invoke(t.Context(), []byte(`{"merchant":"acme","complaint_id":"2001","response_content":"已处理"}`), 29*time.Second)
			if err != nil || !strings.Contains(string(result.Payload), `"outcome":"succeeded"`) {
				t.Errorf("%s: %s, %v", keys, result.Payload, err)
			}
		}
		if n := c.Secrets.Calls.Len(); n != 1 {
			t.Errorf("%s: %d calls, want one", keys, n)
		}
	}
}

func TestMerchantCopy(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{})
	c.Secrets.Put(sandbox.SecretPrefix+"broken", `{"imageco": {"key": "hush"}}`)
	copied := process{args: []string{"merchant", "copy", "--to", "packed:3"}, env: c.Env()}.run(t)
	for _, part := range []string{"1 merchant written from secretsmanager to packed:3", "broken was left out", "MerchantKeys=packed:3"} {
		if copied.code != 0 || !strings.Contains(copied.out, part) {
			t.Errorf("exit %d, no %q\n%s\n%s", copied.code, part, copied.out, copied.errors)
		}
	}
	copied.hides(t, "hush-hush", c.merchant.Imageco.Key, c.merchant.WechatPay.PrivateKey)
	var listing struct{ Merchants, Others []string }
	listed := process{args: []string{"merchant", "list", "--json", "--merchant-keys", "packed:3"}, env: c.Env()}.run(t)
	if err := json.Unmarshal([]byte(listed.out), &listing); err != nil || listed.code != 0 || strings.Join(listing.Merchants, " ") != "acme" || strings.Join(listing.Others, " ") != "secretsmanager" {
		t.Errorf("%v\n%s", err, listed.out)
	}
}

func TestMerchantCommandLine(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{})
	bad := file(t, "bad.json", `{"imageco": {"isspid": "1", "system_id": "2", "key": "hush\nhush"}}`)
	pack := file(t, "pack.json", merchant.FormatPack(nil))
	for name, test := range map[string]struct {
		args []string
		code int
		says string
	}{
		"a store that is none":                {[]string{"merchant", "list", "--merchant-keys", "packed:0"}, 2, "MERCHANT_KEYS"},
		"a copy to nowhere":                   {[]string{"merchant", "copy", "--to", "64"}, 2, "--to must be"},
		"a copy onto itself":                  {[]string{"merchant", "copy", "--to", "packed", "--packed"}, 1, "the same place"},
		"two words for a store":               {[]string{"merchant", "list", "--merchant-keys", "packed:2", "--packed"}, 2, "can't be used together"},
		"a field that is wrong":               {[]string{"merchant", "put", "acme", "--secret-file", bad}, 1, "imageco.key holds a control character"},
		"a pack for a secret":                 {[]string{"merchant", "put", "acme", "--secret-file", pack}, 1, "neither imageco nor wechatpay"},
		"a file that is missing":              {[]string{"merchant", "put", "acme", "--secret-file", "/no/such/file"}, 1, "cannot be read"},
		"smoke without a stack":               {[]string{"smoke"}, 2, "--stack"},
		"smoke for a merchant without a role": {[]string{"smoke", "--stack", "kesu", "--caller-merchant", "acme"}, 2, "--caller-role"},
		"smoke that waits for ever":           {[]string{"smoke", "--stack", "kesu", "--wait", "24h"}, 2, "--wait"},
	} {
		t.Run(name, func(t *testing.T) {
			o := process{args: test.args, env: c.Env()}.run(t)
			if o.code != test.code || !strings.Contains(o.errors, test.says) || strings.Count(o.errors, "\n") != 1 {
				t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
			}
			o.hides(t, "hush\nhush")
		})
	}
}

// TestSmokeSaysWhatItFound runs the command against a CloudFormation that knows one stack, and nothing else of AWS.
func TestSmokeSaysWhatItFound(t *testing.T) {
	t.Parallel()
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ParseForm() != nil || r.Form.Get("StackName") != "kesu" {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`<ErrorResponse><Error><Code>ValidationError</Code><Message>Stack with id x does not exist</Message></Error></ErrorResponse>`))
			return
		}
		_, _ = w.Write([]byte(`<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>kesu</StackName><StackStatus>UPDATE_COMPLETE</StackStatus>` +
			`<CreationTime>2026-11-21T08:00:00Z</CreationTime></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`))
	}))
	t.Cleanup(aws.Close)
	env := []string{"AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=AKID", "AWS_SECRET_ACCESS_KEY=any", "AWS_MAX_ATTEMPTS=1",
		"AWS_ENDPOINT_URL=http://127.0.0.1:1", "AWS_ENDPOINT_URL_CLOUDFORMATION=" + aws.URL}
	o := process{args: []string{"smoke", "--stack", "kesu"}, env: env}.run(t)
	for _, part := range []string{"✓ stack", "✗ version: reply", "✗ unsigned: complete", "✗ event: reply", "– another merchant", "→ ", "8 wrong"} {
		if o.code != 1 || o.errors != "" || !strings.Contains(o.out, part) {
			t.Errorf("exit %d, no %q\n%s\n%s", o.code, part, o.out, o.errors)
		}
	}
	var report struct {
		OK     *bool
		Checks []doctor.Check
	}
	o = process{args: []string{"smoke", "--stack", "kesu", "--json"}, env: env}.run(t)
	if err := json.Unmarshal([]byte(o.out), &report); err != nil || o.code != 1 || report.OK == nil || *report.OK || len(report.Checks) != 10 {
		t.Errorf("exit %d, %v\n%s", o.code, err, o.out)
	}
	o = process{args: []string{"smoke", "--stack", "other"}, env: env}.run(t)
	if o.code != 1 || o.out != "" || !strings.Contains(o.errors, "look up the stack other: ValidationError") {
		t.Errorf("exit %d\n%s\n%s", o.code, o.out, o.errors)
	}
}
