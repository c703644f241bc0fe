package config_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/config"
)

// env is an environment: the variables that a row sets, and nothing else.
type env map[string]string

func (e env) get(name string) string { return e[name] }

// with is the least that functions/reply starts with, and what a row sets on top.
func with(name, value string) env {
	e := env{"IMAGECO_URL": "https://gateway.example/api"}
	e[name] = value
	return e
}

func TestDefaults(t *testing.T) {
	common := config.Common{
		SecretPrefix: "kesu/merchants/", SecretSoftTTL: 5 * time.Minute, SecretHardTTL: time.Hour, MaxAttempts: 3,
		AttemptTimeout: 5 * time.Second, LedgerTTL: 24 * time.Hour, LogLevel: slog.LevelInfo,
	}
	t.Run("functions/reply", func(t *testing.T) {
		got, err := config.ReadReply(with("", "").get)
		if err != nil {
			t.Fatal(err)
		}
		want := common
		want.RatePerMinute, want.ReadsPerMinute, want.UnknownWindow = 60, 180, 15*time.Minute
		if fmt.Sprint(got.Common) != fmt.Sprint(want) || fmt.Sprint(got.Hosts) != "[https://api.mch.weixin.qq.com https://api2.mch.weixin.qq.com]" ||
			got.ImagecoURL != "https://gateway.example/api" || got.EnforceSign {
			t.Errorf("%+v", got)
		}
		if got.CheckGatewayURL == nil || got.CheckGatewayURL("http://gateway.example") == nil || got.CheckGatewayURL("https://gateway.example") != nil {
			t.Error("a merchant's own URL is not held to the same rules")
		}
	})
	t.Run("functions/complete", func(t *testing.T) {
		got, err := config.ReadComplete(env{}.get)
		if err != nil {
			t.Fatal(err)
		}
		want := common
		want.RatePerMinute = 1500
		if fmt.Sprint(got.Common) != fmt.Sprint(want) || fmt.Sprint(got.Hosts) != "[https://api.mch.weixin.qq.com https://api2.mch.weixin.qq.com]" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("functions/reply needs no IMAGECO_URL, and knows WeChat Pay's hosts", func(t *testing.T) {
		got, err := config.ReadReply(env{}.get)
		if err != nil || got.ImagecoURL != "" || fmt.Sprint(got.Hosts) != "[https://api.mch.weixin.qq.com https://api2.mch.weixin.qq.com]" {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// read reads both functions' settings and gives what both have in common, with whatever the variable is about.
func read(e env) (config.Reply, config.Complete, error) {
	reply, err := config.ReadReply(e.get)
	if err != nil {
		return reply, config.Complete{}, err
	}
	complete, err := config.ReadComplete(e.get)
	return reply, complete, err
}

func TestGoodValues(t *testing.T) {
	for _, row := range []struct {
		name, value string
		got         func(config.Reply, config.Complete) any
		want        any
	}{
		{"MERCHANT_SECRET_PREFIX", "prod/kesu_", func(r config.Reply, _ config.Complete) any { return r.SecretPrefix }, "prod/kesu_"},
		{"MERCHANT_KEYS", "secretsmanager", func(r config.Reply, _ config.Complete) any { return r.MerchantPacks }, 0},
		{"MERCHANT_KEYS", "packed", func(r config.Reply, _ config.Complete) any { return r.MerchantPacks }, 64},
		{"MERCHANT_KEYS", "packed:1200", func(_ config.Reply, c config.Complete) any { return c.MerchantPacks }, 1200},
		{"MERCHANT_KEYS", "packed:100000", func(_ config.Reply, c config.Complete) any { return c.MerchantPacks }, 100_000},
		{"PREFETCH_MERCHANTS", "acme", func(r config.Reply, _ config.Complete) any { return strings.Join(r.Prefetch, "|") }, "acme"},
		{"PREFETCH_MERCHANTS", " acme , beta-1,,", func(r config.Reply, _ config.Complete) any { return strings.Join(r.Prefetch, "|") }, "acme|beta-1"},
		{"SECRET_SOFT_TTL", "90s", func(_ config.Reply, c config.Complete) any { return c.SecretSoftTTL }, 90 * time.Second},
		{"SECRET_SOFT_TTL", "0", func(_ config.Reply, c config.Complete) any { return c.SecretSoftTTL }, time.Duration(0)},
		{"SECRET_SOFT_TTL", "1h", func(_ config.Reply, c config.Complete) any { return c.SecretSoftTTL }, time.Hour},
		{"SECRET_HARD_TTL", "24h", func(r config.Reply, _ config.Complete) any { return r.SecretHardTTL }, 24 * time.Hour},
		{"IMAGECO_URL", "https://gateway.example:8443/a?b=c", func(r config.Reply, _ config.Complete) any { return r.ImagecoURL }, "https://gateway.example:8443/a?b=c"},
		{"IMAGECO_RESPONSE_SIGN", "warn", func(r config.Reply, _ config.Complete) any { return r.EnforceSign }, false},
		{"IMAGECO_RESPONSE_SIGN", "enforce", func(r config.Reply, _ config.Complete) any { return r.EnforceSign }, true},
		{"WECHATPAY_URL", "https://one.example/", func(_ config.Reply, c config.Complete) any { return c.Hosts[0] }, "https://one.example"},
		{"WECHATPAY_URL", "https://one.example/base//", func(_ config.Reply, c config.Complete) any { return c.Hosts[0] }, "https://one.example/base"},
		{"WECHATPAY_BACKUP_URL", "http://127.0.0.1:8080", func(_ config.Reply, c config.Complete) any { return c.Hosts[1] }, "http://127.0.0.1:8080"},
		{"MAX_ATTEMPTS", "1", func(r config.Reply, _ config.Complete) any { return r.MaxAttempts }, 1},
		{"MAX_ATTEMPTS", "10", func(r config.Reply, _ config.Complete) any { return r.MaxAttempts }, 10},
		{"ATTEMPT_TIMEOUT", "1ms", func(r config.Reply, _ config.Complete) any { return r.AttemptTimeout }, time.Millisecond},
		{"REPLY_RATE_PER_MINUTE", "0", func(r config.Reply, _ config.Complete) any { return r.RatePerMinute }, 0},
		{"REPLY_RATE_PER_MINUTE", "600", func(r config.Reply, _ config.Complete) any { return r.RatePerMinute }, 600},
		{"READ_RATE_PER_MINUTE", "0", func(r config.Reply, _ config.Complete) any { return r.ReadsPerMinute }, 0},
		{"READ_RATE_PER_MINUTE", "200", func(r config.Reply, c config.Complete) any { return r.ReadsPerMinute + c.ReadsPerMinute }, 200},
		{"UNKNOWN_WINDOW", "0s", func(r config.Reply, _ config.Complete) any { return r.UnknownWindow }, time.Duration(0)},
		{"UNKNOWN_WINDOW", "1h", func(r config.Reply, c config.Complete) any { return r.UnknownWindow + c.UnknownWindow }, time.Hour},
		{"REPLY_RATE_PER_MINUTE", "601", func(_ config.Reply, c config.Complete) any { return c.RatePerMinute }, 1500},
		{"COMPLETE_RATE_PER_MINUTE", "7", func(_ config.Reply, c config.Complete) any { return c.RatePerMinute }, 7},
		{"COMPLETE_RATE_PER_MINUTE", "8", func(r config.Reply, _ config.Complete) any { return r.RatePerMinute }, 60},
		{"LEDGER_TABLE", "kesu-ledger_1.a", func(r config.Reply, _ config.Complete) any { return r.LedgerTable }, "kesu-ledger_1.a"},
		{"LEDGER_TABLE", "arn:aws:dynamodb:eu-central-1:123456789012:table/kesu", func(r config.Reply, _ config.Complete) any { return r.LedgerTable },
			"arn:aws:dynamodb:eu-central-1:123456789012:table/kesu"},
		{"LEDGER_TTL", "1s", func(r config.Reply, _ config.Complete) any { return r.LedgerTTL }, time.Second},
		{"RESULT_BUS", "default", func(r config.Reply, _ config.Complete) any { return r.ResultBus }, "default"},
		{"RESULT_BUS", "arn:aws:events:eu-central-1:123456789012:event-bus/kesu", func(_ config.Reply, c config.Complete) any { return c.ResultBus },
			"arn:aws:events:eu-central-1:123456789012:event-bus/kesu"},
		{"CALLER_MERCHANT_CLAIM", "custom:merchant", func(r config.Reply, _ config.Complete) any { return r.CallerClaim }, "custom:merchant"},
		{"CALLER_MERCHANT_CLAIM", "https://example.com/merchant", func(_ config.Reply, c config.Complete) any { return c.CallerClaim }, "https://example.com/merchant"},
		{"CALLER_MERCHANT_CLAIM", "", func(_ config.Reply, c config.Complete) any { return c.CallerClaim }, ""},
		{"LOG_LEVEL", "debug", func(r config.Reply, _ config.Complete) any { return r.LogLevel }, slog.LevelDebug},
		{"LOG_LEVEL", "WARN", func(_ config.Reply, c config.Complete) any { return c.LogLevel }, slog.LevelWarn},
		{"LOG_LEVEL", "error", func(r config.Reply, _ config.Complete) any { return r.LogLevel }, slog.LevelError},
		{"AWS_LAMBDA_LOG_LEVEL", "TRACE", func(r config.Reply, _ config.Complete) any { return r.LogLevel }, slog.LevelDebug},
		{"AWS_LAMBDA_LOG_LEVEL", "INFO", func(r config.Reply, _ config.Complete) any { return r.LogLevel }, slog.LevelInfo},
		{"AWS_LAMBDA_LOG_LEVEL", "FATAL", func(r config.Reply, _ config.Complete) any { return r.LogLevel }, slog.LevelError},
	} {
		t.Run(row.name+" is "+row.value, func(t *testing.T) {
			reply, complete, err := read(with(row.name, row.value))
			if err != nil {
				t.Fatal(err)
			}
			if got := row.got(reply, complete); got != row.want {
				t.Errorf("%v, want %v", got, row.want)
			}
		})
	}
}

func TestLambdasOwnLogLevelWins(t *testing.T) {
	got, err := config.ReadComplete(env{"LOG_LEVEL": "debug", "AWS_LAMBDA_LOG_LEVEL": "ERROR"}.get)
	if err != nil || got.LogLevel != slog.LevelError {
		t.Errorf("%v, %v", got.LogLevel, err)
	}
	if _, err := config.ReadComplete(env{"LOG_LEVEL": "loud", "AWS_LAMBDA_LOG_LEVEL": "ERROR"}.get); err == nil || err.Error() != "LOG_LEVEL must be debug, info, warn or error" {
		t.Errorf("a bad LOG_LEVEL that does not count: %v", err)
	}
}

// A bad value stops the function with one line that names the variable and what is wrong and does not quote the value.
func TestBadValues(t *testing.T) {
	const noKeys = "must be secretsmanager, packed, or packed:N with 1 to 100000 packs"
	const noURL, noHTTP = "is not a URL with a host", "must be https; http is for loopback only (or with AWS_SAM_LOCAL=true)"
	const noClaim = "must be the name of a claim: at most 256 printable ASCII characters without a space"
	for _, row := range []struct{ name, value, want string }{
		{"CALLER_MERCHANT_CLAIM", "a hush", noClaim},
		{"CALLER_MERCHANT_CLAIM", "商户hush", noClaim},
		{"CALLER_MERCHANT_CLAIM", strings.Repeat("hush", 65), noClaim},
		{"MERCHANT_SECRET_PREFIX", "hush hush", "may hold only letters, digits and /_+=.@-, at most 400"},
		{"MERCHANT_SECRET_PREFIX", strings.Repeat("h", 401), "may hold only letters, digits and /_+=.@-, at most 400"},
		{"MERCHANT_KEYS", "hush", noKeys},
		{"MERCHANT_KEYS", "Packed", noKeys},
		{"MERCHANT_KEYS", "packed:", noKeys},
		{"MERCHANT_KEYS", "packed:0", noKeys},
		{"MERCHANT_KEYS", "packed:064", noKeys},
		{"MERCHANT_KEYS", "packed:100001", noKeys},
		{"MERCHANT_KEYS", "1200", noKeys},
		{"PREFETCH_MERCHANTS", "acme;hush", "must be merchants' names with commas between"},
		{"PREFETCH_MERCHANTS", "acme,../hush", "must be merchants' names with commas between"},
		{"SECRET_SOFT_TTL", "300hush", "is not a Go duration like 5s, 10m or 24h"},
		{"SECRET_SOFT_TTL", "300", "is not a Go duration like 5s, 10m or 24h"},
		{"SECRET_SOFT_TTL", "-5m", "must be at least 0s"},
		{"SECRET_HARD_TTL", "hush", "is not a Go duration like 5s, 10m or 24h"},
		{"SECRET_HARD_TTL", "-1h", "must be at least 0s"},
		{"SECRET_HARD_TTL", "299s", "must not be less than SECRET_SOFT_TTL"},
		{"IMAGECO_URL", "hush", noURL},
		{"IMAGECO_URL", "https://", noURL},
		{"IMAGECO_URL", "https:///hush", noURL},
		{"IMAGECO_URL", "https://hush example/", noURL},
		{"IMAGECO_URL", " https://hush.example/", noURL},
		{"IMAGECO_URL", "https://hush.example:port/", noURL},
		{"IMAGECO_URL", "https://hush.example:0/", "has a port outside of 1 to 65535"},
		{"IMAGECO_URL", "https://hush.example:65536/", "has a port outside of 1 to 65535"},
		{"IMAGECO_URL", "https://user:hush@gateway.example/", "must not carry a user name or password"},
		{"IMAGECO_URL", "https://hush@gateway.example/", "must not carry a user name or password"},
		{"IMAGECO_URL", "https://gateway.example/#hush", "must not have a fragment"},
		{"IMAGECO_URL", "http://hush.example/", noHTTP},
		{"IMAGECO_URL", "http://127.0.0.1.hush.example/", noHTTP},
		{"IMAGECO_URL", "http://localhost.hush.example/", noHTTP},
		{"IMAGECO_URL", "http://0.0.0.0/", noHTTP},
		{"IMAGECO_URL", "http://host.docker.internal:8080/", noHTTP},
		{"IMAGECO_URL", "http://169.254.169.254/", noHTTP},
		{"IMAGECO_URL", "ftp://hush.example/", "must be an https URL"},
		{"IMAGECO_URL", "//hush.example/", "must be an https URL"},
		{"IMAGECO_RESPONSE_SIGN", "hush", "must be warn or enforce"},
		{"IMAGECO_RESPONSE_SIGN", "Enforce", "must be warn or enforce"},
		{"WECHATPAY_URL", "hush", noURL},
		{"WECHATPAY_URL", "http://hush.example", noHTTP},
		{"WECHATPAY_URL", "https://hush.example/?a=b", "must not have a query"},
		{"WECHATPAY_URL", "https://hush.example/?", "must not have a query"},
		{"WECHATPAY_URL", "https://hush.example/#", "must not have a fragment"},
		{"WECHATPAY_BACKUP_URL", "https://user:hush@gateway.example", "must not carry a user name or password"},
		{"WECHATPAY_BACKUP_URL", "https://hush.example?a", "must not have a query"},
		{"MAX_ATTEMPTS", "0", "must be a whole number from 1 to 10"},
		{"MAX_ATTEMPTS", "11", "must be a whole number from 1 to 10"},
		{"MAX_ATTEMPTS", "3.7", "must be a whole number from 1 to 10"},
		{"MAX_ATTEMPTS", "hush", "must be a whole number from 1 to 10"},
		{"ATTEMPT_TIMEOUT", "0", "must be at least 1ms"},
		{"ATTEMPT_TIMEOUT", "hush", "is not a Go duration like 5s, 10m or 24h"},
		{"READ_RATE_PER_MINUTE", "-1", "must be a whole number from 0 to 1000000"},
		{"UNKNOWN_WINDOW", "-1s", "must be at least 0s"},
		{"UNKNOWN_WINDOW", "15", "is not a Go duration like 5s, 10m or 24h"},
		{"REPLY_RATE_PER_MINUTE", "-1", "must be a whole number from 0 to 1000000"},
		{"REPLY_RATE_PER_MINUTE", "1000001", "must be a whole number from 0 to 1000000"},
		{"COMPLETE_RATE_PER_MINUTE", "99999999999999999999", "must be a whole number from 0 to 1000000"},
		{"COMPLETE_RATE_PER_MINUTE", "hush", "must be a whole number from 0 to 1000000"},
		{"LEDGER_TABLE", "hush hush", "is not a DynamoDB table's name or ARN"},
		{"LEDGER_TABLE", strings.Repeat("h", 1025), "is not a DynamoDB table's name or ARN"},
		{"LEDGER_TTL", "999ms", "must be at least 1s"},
		{"LEDGER_TTL", "1 hush", "is not a Go duration like 5s, 10m or 24h"},
		{"RESULT_BUS", "hush hush", "is not an event bus's name or ARN"},
		{"RESULT_BUS", strings.Repeat("h", 1601), "is not an event bus's name or ARN"},
		{"LOG_LEVEL", "hush", "must be debug, info, warn or error"},
		{"AWS_LAMBDA_LOG_LEVEL", "hush", "must be debug, info, warn or error"},
	} {
		t.Run(row.name+" is "+row.value[:min(len(row.value), 40)], func(t *testing.T) {
			_, _, err := read(with(row.name, row.value))
			if err == nil || err.Error() != row.name+" "+row.want {
				t.Fatalf("%v, want %s %s", err, row.name, row.want)
			}
			if strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q quotes the value or has more than one line", err)
			}
		})
	}
	t.Run("the first of several is told", func(t *testing.T) {
		_, err := config.ReadReply(env{"MAX_ATTEMPTS": "many", "LOG_LEVEL": "loud"}.get)
		if err == nil || !strings.HasPrefix(err.Error(), "MAX_ATTEMPTS ") {
			t.Errorf("%v", err)
		}
	})
}

func TestHTTPIsForLoopbackAndSAMLocal(t *testing.T) {
	for _, row := range []struct {
		name, url, samLocal string
		taken               bool
	}{
		{"this machine by name", "http://localhost:8080/", "", true},
		{"by its name in upper case", "http://LOCALHOST:8080/", "", true},
		{"by its address", "http://127.0.0.1:8080/", "", true},
		{"by another of its addresses", "http://127.1.2.3/", "", true},
		{"by its IPv6 address", "http://[::1]:8080/", "", true},
		{"another machine", "http://192.168.0.1/", "", false},
		{"all addresses", "http://[::]/", "", false},
		{"another machine under sam local", "http://host.docker.internal:8080/", "true", true},
		{"another machine with AWS_SAM_LOCAL not exactly true", "http://host.docker.internal:8080/", "True", false},
		{"another machine with AWS_SAM_LOCAL false", "http://host.docker.internal:8080/", "false", false},
		{"a password under sam local", "http://user:hush@host.docker.internal/", "true", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := env{"IMAGECO_URL": row.url, "WECHATPAY_URL": row.url, "AWS_SAM_LOCAL": row.samLocal}
			reply, err := config.ReadReply(e.get)
			if (err == nil) != row.taken {
				t.Errorf("reply: %v", err)
			}
			if (reply.CheckGatewayURL(row.url) == nil) != row.taken {
				t.Error("a merchant's own URL is judged otherwise")
			}
			if _, err := config.ReadComplete(e.get); (err == nil) != row.taken {
				t.Errorf("complete: %v", err)
			}
		})
	}
}
