// Package config reads a function's settings from its environment: contract, section 8.
//
// Everything is parsed here, once, before anything else is built. An error names the variable and what is wrong with
// it and never quotes the value, and a function that gets one does not start.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/kesu-go/kesu/pkg/wire"
)

// Common is what both functions need.
type Common struct {
	SecretPrefix   string        // MERCHANT_SECRET_PREFIX
	Prefetch       []string      // PREFETCH_MERCHANTS
	SecretSoftTTL  time.Duration // SECRET_SOFT_TTL: from then on a key is read again
	SecretHardTTL  time.Duration // SECRET_HARD_TTL: beyond it an old key is no longer used
	MaxAttempts    int           // MAX_ATTEMPTS, calls to the gateway per invocation
	AttemptTimeout time.Duration // ATTEMPT_TIMEOUT
	RatePerMinute  int           // REPLY_RATE_PER_MINUTE or COMPLETE_RATE_PER_MINUTE; 0 is off
	LedgerTable    string        // LEDGER_TABLE; empty: the ledger lives in the process
	LedgerTTL      time.Duration // LEDGER_TTL
	ResultBus      string        // RESULT_BUS; empty: no settled events
	LogLevel       slog.Level    // AWS_LAMBDA_LOG_LEVEL, else LOG_LEVEL
}

// Reply is what functions/reply needs.
type Reply struct {
	Common
	ImagecoURL      string // IMAGECO_URL
	EnforceSign     bool   // IMAGECO_RESPONSE_SIGN is enforce
	CheckGatewayURL func(string) error
}

// Complete is what functions/complete needs.
type Complete struct {
	Common
	Hosts []string // WECHATPAY_URL, then WECHATPAY_BACKUP_URL; no slash at the end
}

// Names of the variables, as in the contract.
const (
	secretPrefix   = "MERCHANT_SECRET_PREFIX"
	prefetch       = "PREFETCH_MERCHANTS"
	secretSoftTTL  = "SECRET_SOFT_TTL"
	secretHardTTL  = "SECRET_HARD_TTL"
	imagecoURL     = "IMAGECO_URL"
	imagecoSign    = "IMAGECO_RESPONSE_SIGN"
	wechatpayURL   = "WECHATPAY_URL"
	backupURL      = "WECHATPAY_BACKUP_URL"
	maxAttempts    = "MAX_ATTEMPTS"
	attemptTimeout = "ATTEMPT_TIMEOUT"
	replyRate      = "REPLY_RATE_PER_MINUTE"
	completeRate   = "COMPLETE_RATE_PER_MINUTE"
	ledgerTable    = "LEDGER_TABLE"
	ledgerTTL      = "LEDGER_TTL"
	resultBus      = "RESULT_BUS"
	logLevel       = "LOG_LEVEL"
	lambdaLogLevel = "AWS_LAMBDA_LOG_LEVEL"
	samLocalName   = "AWS_SAM_LOCAL"
)

// ReadReply reads the settings of functions/reply; getenv is os.Getenv. An empty variable counts as not set.
func ReadReply(getenv func(string) string) (Reply, error) {
	r := &reader{getenv: getenv}
	c := Reply{Common: r.common(replyRate, 60), CheckGatewayURL: gatewayURL(getenv(samLocalName) == "true")}
	if getenv(imagecoURL) == "" {
		r.fail(imagecoURL, "is required: the address of 翼码's gateway, from the merchant's contract")
	}
	c.ImagecoURL = r.url(imagecoURL, "")
	switch getenv(imagecoSign) {
	case "", "warn":
	case "enforce":
		c.EnforceSign = true
	default:
		r.fail(imagecoSign, "must be warn or enforce")
	}
	return c, r.err
}

// ReadComplete reads the settings of functions/complete.
func ReadComplete(getenv func(string) string) (Complete, error) {
	r := &reader{getenv: getenv}
	c := Complete{Common: r.common(completeRate, 1500)}
	for _, host := range []struct{ name, fallback string }{
		{wechatpayURL, "https://api.mch.weixin.qq.com"},
		{backupURL, "https://api2.mch.weixin.qq.com"},
	} {
		base := strings.TrimRight(r.url(host.name, host.fallback), "/")
		if strings.Contains(base, "?") {
			r.fail(host.name, "must not have a query")
		}
		c.Hosts = append(c.Hosts, base)
	}
	return c, r.err
}

// reader keeps the first thing that is wrong.
type reader struct {
	getenv func(string) string
	err    error
}

func (r *reader) fail(name, problem string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s %s", name, problem)
	}
}

func (r *reader) common(rate string, perMinute int) Common {
	c := Common{
		SecretPrefix:   r.awsName(secretPrefix, "kesu/merchants/", secretMarks, secretMax, "may hold only letters, digits and /_+=.@-, at most 400"),
		Prefetch:       r.merchants(),
		SecretSoftTTL:  r.duration(secretSoftTTL, 5*time.Minute, 0),
		SecretHardTTL:  r.duration(secretHardTTL, time.Hour, 0),
		MaxAttempts:    r.number(maxAttempts, 3, 1, 10),
		AttemptTimeout: r.duration(attemptTimeout, 5*time.Second, time.Millisecond),
		RatePerMinute:  r.number(rate, perMinute, 0, 1_000_000),
		LedgerTable:    r.awsName(ledgerTable, "", tableMarks, tableMax, "is not a DynamoDB table's name or ARN"),
		LedgerTTL:      r.duration(ledgerTTL, 24*time.Hour, time.Second),
		ResultBus:      r.awsName(resultBus, "", busMarks, busMax, "is not an event bus's name or ARN"),
		LogLevel:       r.level(),
	}
	if c.SecretHardTTL < c.SecretSoftTTL {
		r.fail(secretHardTTL, "must not be less than "+secretSoftTTL)
	}
	return c
}

// What AWS's names may hold besides letters and digits, and how long they may be.
const (
	secretMarks, secretMax = "/_+=.@-", 400 // the merchant's name is added to it
	tableMarks, tableMax   = "_.-:/", 1024  // an ARN too
	busMarks, busMax       = "_.-:/", 1600  // an ARN too
)

func (r *reader) awsName(name, fallback, marks string, most int, otherwise string) string {
	value := r.getenv(name)
	if value == "" {
		return fallback
	}
	odd := func(c rune) bool {
		return !('0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || strings.ContainsRune(marks, c))
	}
	if len(value) > most || strings.ContainsFunc(value, odd) {
		r.fail(name, otherwise)
	}
	return value
}

func (r *reader) merchants() []string {
	var merchants []string
	for name := range strings.SplitSeq(r.getenv(prefetch), ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		if !wire.ValidID(name) {
			r.fail(prefetch, "must be merchants' names with commas between")
		}
		merchants = append(merchants, name)
	}
	return merchants
}

func (r *reader) duration(name string, fallback, least time.Duration) time.Duration {
	value := r.getenv(name)
	if value == "" {
		return fallback
	}
	d, err := time.ParseDuration(value)
	if err != nil {
		r.fail(name, "is not a Go duration like 5s, 10m or 24h")
	} else if d < least {
		r.fail(name, fmt.Sprintf("must be at least %s", least))
	}
	return d
}

func (r *reader) number(name string, fallback, least, most int) int {
	value := r.getenv(name)
	if value == "" {
		return fallback
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		r.fail(name, fmt.Sprintf("must be a whole number from %d to %d", least, most))
	}
	return n
}

// level reads the log level. Lambda's own setting wins, because its log filter works with it.
func (r *reader) level() slog.Level {
	own := r.levelOf(logLevel)
	if r.getenv(lambdaLogLevel) != "" {
		return r.levelOf(lambdaLogLevel)
	}
	return own
}

func (r *reader) levelOf(name string) slog.Level {
	switch strings.ToLower(r.getenv(name)) {
	case "trace", "debug":
		return slog.LevelDebug
	case "", "info":
		return slog.LevelInfo
	case "warn":
		return slog.LevelWarn
	case "error", "fatal":
		return slog.LevelError
	}
	r.fail(name, "must be debug, info, warn or error")
	return slog.LevelInfo
}

func (r *reader) url(name, fallback string) string {
	value := r.getenv(name)
	if value == "" {
		return fallback
	}
	if err := gatewayURL(r.getenv(samLocalName) == "true")(value); err != nil {
		r.fail(name, err.Error())
	}
	return value
}

// gatewayURL checks the address of a gateway: https, because a reply and a key's signature travel there; http only to
// this very machine, or, with samLocal, from a container to a sandbox on its host.
func gatewayURL(samLocal bool) func(string) error {
	return func(value string) error {
		u, err := url.Parse(value)
		switch {
		case err != nil || u.Hostname() == "":
			return errors.New("is not a URL with a host")
		case u.User != nil:
			return errors.New("must not carry a user name or password")
		case !validPort(u.Port()):
			return errors.New("has a port outside of 1 to 65535")
		case strings.Contains(value, "#"): // an empty fragment would still swallow a path that is put behind it
			return errors.New("must not have a fragment")
		case u.Scheme == "https":
			return nil
		case u.Scheme == "http" && (samLocal || loopback(u.Hostname())):
			return nil
		case u.Scheme == "http":
			return fmt.Errorf("must be https; http is for loopback only (or with %s=true)", samLocalName)
		}
		return errors.New("must be an https URL")
	}
}

// validPort takes no port as well: the scheme's own is meant then.
func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

// loopback tells whether host is this machine, without asking DNS.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
