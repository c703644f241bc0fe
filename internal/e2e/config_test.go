package e2e

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

	"github.com/kesu-go/kesu/internal/sandbox"
)

// A bad value, and the variable that the one line must name. The value itself may be a mistyped secret.
var badSettings = []struct{ name, variable, value string }{
	{"both", "MERCHANT_SECRET_PREFIX", "wrong value 9317"},
	{"both", "PREFETCH_MERCHANTS", "acme,wrong value 9317"},
	{"both", "SECRET_SOFT_TTL", "9317"},
	{"both", "SECRET_SOFT_TTL", "-5m"},
	{"both", "SECRET_HARD_TTL", "an hour"},
	{"both", "SECRET_HARD_TTL", "1m"}, // less than the soft one's five minutes
	{"reply", "IMAGECO_URL", "wrong-value-9317"},
	{"reply", "IMAGECO_URL", "http://192.0.2.1/wrong-value-9317"},
	{"reply", "IMAGECO_URL", "http://localhost.example.com/"},
	{"reply", "IMAGECO_URL", "http://127.0.0.1.example.com/"},
	{"reply", "IMAGECO_URL", "ftp://127.0.0.1/"},
	{"reply", "IMAGECO_URL", "https://"},
	{"reply", "IMAGECO_URL", "https://user:wrong-value-9317@127.0.0.1/"},
	{"reply", "IMAGECO_RESPONSE_SIGN", "wrong-value-9317"},
	{"reply", "IMAGECO_RESPONSE_SIGN", "Enforce"},
	{"both", "WECHATPAY_URL", "wrong-value-9317"},
	{"both", "WECHATPAY_URL", "http://api.mch.weixin.qq.com"},
	{"both", "WECHATPAY_BACKUP_URL", "http://192.0.2.1"},
	{"both", "MAX_ATTEMPTS", "0"},
	{"both", "MAX_ATTEMPTS", "-1"},
	{"both", "MAX_ATTEMPTS", "many9317"},
	{"both", "MAX_ATTEMPTS", "2.5"},
	{"both", "ATTEMPT_TIMEOUT", "5"},
	{"both", "ATTEMPT_TIMEOUT", "0s"},
	{"both", "ATTEMPT_TIMEOUT", "-1s"},
	{"reply", "REPLY_RATE_PER_MINUTE", "-1"},
	{"reply", "REPLY_RATE_PER_MINUTE", "fast9317"},
	{"complete", "COMPLETE_RATE_PER_MINUTE", "-1"},
	{"complete", "COMPLETE_RATE_PER_MINUTE", "1e3"},
	{"both", "LEDGER_TABLE", "wrong value 9317"},
	{"both", "LEDGER_TTL", "a day"},
	{"both", "LEDGER_TTL", "0s"},
	{"both", "RESULT_BUS", "wrong value 9317"},
	{"both", "LOG_LEVEL", "wrong-value-9317"},
	{"both", "AWS_LAMBDA_LOG_LEVEL", "wrong-value-9317"},
}

func TestABadValueStopsTheFunctionAtStartWithOneLineThatNamesTheVariable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, action := range []string{"reply", "complete"} {
		for _, test := range badSettings {
			if test.name != "both" && test.name != action {
				continue
			}
			t.Run(action+" "+test.variable+"="+test.value, func(t *testing.T) {
				f := w.function(action, 1, test.variable+"="+test.value)
				ctx, cancel := context.WithTimeout(context.Background(), ample)
				defer cancel()
				var failed *sandbox.InitError
				if err := f.Start(ctx); !errors.As(err, &failed) {
					t.Fatalf("it starts: %v", err)
				}
				said := strings.TrimSuffix(f.out.String(), "\n")
				if said == "" || strings.Contains(said, "\n") || !strings.Contains(said, test.variable) || len(said) < len(test.variable)+20 {
					t.Errorf("it says %q", said)
				}
				if strings.Contains(said, "9317") {
					t.Errorf("it tells the value: %q", said)
				}
			})
		}
	}
}

// A function that stops must stop with a status that says so, also where nothing else is looking.
func TestAFunctionThatDoesNotStartExitsWithAnError(t *testing.T) {
	t.Parallel()
	folder, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(folder, "reply"))
	cmd.Env = []string{"AWS_LAMBDA_RUNTIME_API=127.0.0.1:1", "AWS_REGION=ap-east-1", "AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull, "IMAGECO_URL=nowhere"}
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	var exit *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("it ends with %v", err)
	}
	if out.Len() != 0 || !strings.Contains(problems.String(), "IMAGECO_URL") || strings.Count(problems.String(), "\n") != 1 {
		t.Errorf("it says %q and %q", out.String(), problems.String())
	}
}

func TestGoodValuesAreTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, test := range []struct{ action, setting string }{
		{"reply", "IMAGECO_URL=http://localhost:1/"},
		{"reply", "IMAGECO_URL=http://[::1]:1/"},
		{"reply", "IMAGECO_URL=https://gateway.example/path?x=1"},
		{"reply", "IMAGECO_RESPONSE_SIGN=enforce"},
		{"reply", "IMAGECO_RESPONSE_SIGN=warn"},
		{"complete", "WECHATPAY_URL="}, // the default
		{"complete", "WECHATPAY_URL=https://api.mch.weixin.qq.com/"},
		{"complete", "COMPLETE_RATE_PER_MINUTE=0"},
		{"reply", "REPLY_RATE_PER_MINUTE=60"},
		{"reply", "SECRET_SOFT_TTL=1m30s"},
		{"reply", "SECRET_HARD_TTL=24h"},
		{"complete", "LEDGER_TTL=48h"},
		{"complete", "MAX_ATTEMPTS=1"},
		{"complete", "ATTEMPT_TIMEOUT=10s"},
		{"complete", "PREFETCH_MERCHANTS="},
		{"complete", "LOG_LEVEL=debug"},
		{"complete", "AWS_LAMBDA_LOG_LEVEL=WARN"},
		{"complete", "RESULT_BUS=arn:aws:events:ap-east-1:000000000000:event-bus/kesu"},
		{"reply", "LEDGER_TABLE=arn:aws:dynamodb:ap-east-1:000000000000:table/kesu"},
	} {
		f := w.function(test.action, 1, test.setting)
		ctx, cancel := context.WithTimeout(context.Background(), ample)
		if err := f.Start(ctx); err != nil {
			t.Errorf("%s does not start with %s: %v: %s", test.action, test.setting, err, f.out)
		}
		cancel()
		_ = f.Close()
	}
}

func TestHTTPBeyondLoopbackNeedsSAMLocal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, action := range []string{"reply", "complete"} {
		for value, starts := range map[string]bool{"true": true, "false": false, "": false, "1": false} {
			f := w.function(action, 1, "IMAGECO_URL=http://host.docker.internal:3001/", "WECHATPAY_URL=http://host.docker.internal:3002", "AWS_SAM_LOCAL="+value)
			ctx, cancel := context.WithTimeout(context.Background(), ample)
			if err := f.Start(ctx); (err == nil) != starts {
				t.Errorf("%s with AWS_SAM_LOCAL=%q: %v", action, value, err)
			}
			cancel()
			_ = f.Close()
		}
	}
}

func TestTheDefaultsCanBeSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	unset := []string{"REPLY_RATE_PER_MINUTE=", "COMPLETE_RATE_PER_MINUTE=", "MAX_ATTEMPTS=", "ATTEMPT_TIMEOUT=", "MERCHANT_SECRET_PREFIX=", "LEDGER_TTL=", "LOG_LEVEL="}
	complete := w.complete(unset...)
	for _, h := range []*sandbox.Host{w.Primary, w.Backup} {
		h.Faults.Next(sandbox.Fault{Status: 500}, sandbox.Fault{Status: 500}, sandbox.Fault{Status: 500})
	}
	if got := complete.bare(completionOf("acme", w.complaint("acme"))); got.Attempts != 3 {
		t.Errorf("MAX_ATTEMPTS is 3 by default: %+v", got)
	}
	reply := w.reply(unset...)
	within(t, "the process to start", reply.Start)
	w.ImagecoHost.Faults.Next(sandbox.Fault{Hold: make(chan struct{})})
	started := time.Now()
	got := reply.bare(replyTo("acme", w.complaint("acme")))
	if took := time.Since(started); got.Outcome != "unknown" || got.Code != "UPSTREAM_TIMEOUT" || took < 4900*time.Millisecond || took > 20*time.Second {
		t.Errorf("ATTEMPT_TIMEOUT is 5 s by default, and it took %v: %+v", took, got)
	}
}

func TestLambdasLogLevelWins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	for _, test := range []struct {
		env     []string
		settled int
	}{
		{[]string{"LOG_LEVEL=error"}, 0},
		{[]string{"LOG_LEVEL=error", "AWS_LAMBDA_LOG_LEVEL=INFO"}, 1},
		{[]string{"LOG_LEVEL=info", "AWS_LAMBDA_LOG_LEVEL=ERROR"}, 0},
		{[]string{"LOG_LEVEL=debug"}, 1},
		{nil, 1},
	} {
		f := w.reply(test.env...)
		f.bare(replyTo("acme", w.complaint("acme")))
		if n := len(f.messages(t, "settled")); n != test.settled {
			t.Errorf("%v: %d lines", test.env, n)
		}
		if n := len(f.metrics(t)); n != 1 {
			t.Errorf("%v: %d metric lines, which no log level should hide", test.env, n)
		}
	}
}
