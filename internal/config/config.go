// Package config reads a function's settings from its environment: contract, section 8.
//
// Everything is parsed here, once, before anything else is built. An error names the variable and what is wrong with
// it and never quotes the value, and a function that gets one does not start.
package config

import (
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kesu-go/kesu/pkg/wire"
)

// Common is what both functions need.
type Common struct {
	SecretPrefix   string        // MERCHANT_SECRET_PREFIX
	MerchantPacks  int           // MERCHANT_KEYS: how many packs there are; 0: each merchant has a secret of its own
	Prefetch       []string      // PREFETCH_MERCHANTS
	SecretSoftTTL  time.Duration // SECRET_SOFT_TTL: from then on a key is read again
	SecretHardTTL  time.Duration // SECRET_HARD_TTL: beyond it an old key is no longer used
	MaxAttempts    int           // MAX_ATTEMPTS, calls to the gateway per invocation
	AttemptTimeout time.Duration // ATTEMPT_TIMEOUT
	RatePerMinute  int           // REPLY_RATE_PER_MINUTE or COMPLETE_RATE_PER_MINUTE; 0 is off
	LedgerTable    string        // LEDGER_TABLE; empty: the ledger lives in the process
	LedgerTTL      time.Duration // LEDGER_TTL
	ResultBus      string        // RESULT_BUS; empty: no settled events
	ReadsPerMinute int           // READ_RATE_PER_MINUTE, of functions/reply; 0 is off
	UnknownWindow  time.Duration // UNKNOWN_WINDOW, of functions/reply; 0: an unknown reply is settled at once
	CallerClaim    string        // CALLER_MERCHANT_CLAIM: names the merchants of an HTTP caller; empty: not asked for
	LogLevel       slog.Level    // AWS_LAMBDA_LOG_LEVEL, else LOG_LEVEL
}

// Reply is what functions/reply needs.
type Reply struct {
	Common
	ImagecoURL      string   // IMAGECO_URL; empty: merchants whose replies go through 翼码 need an address of their own
	Hosts           []string // WeChat Pay's, as for completions
	EnforceSign     bool     // IMAGECO_RESPONSE_SIGN is enforce
	CheckGatewayURL func(string) error
}

// Complete is what functions/complete needs.
type Complete struct {
	Common
	Hosts []string // WECHATPAY_URL, then WECHATPAY_BACKUP_URL; no slash at the end
}

// Watch is what functions/watch needs. RatePerMinute is READ_RATE_PER_MINUTE, and LedgerTTL is WATCH_TTL.
type Watch struct {
	Common
	Hosts      []string        // WECHATPAY_URL, then WECHATPAY_BACKUP_URL; no slash at the end
	Everybody  bool            // WATCH_MERCHANTS is *: every merchant with a secret
	Merchants  []string        // WATCH_MERCHANTS
	WarnBefore []time.Duration // WATCH_WARN_BEFORE, the longest first
	Queue      string          // WATCH_QUEUE; empty: a sweep is done in one invocation
}

// How many packs there are when MERCHANT_KEYS does not say, and at most: Secrets Manager keeps 500,000 secrets in a
// region (https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html).
const (
	DefaultPacks = 64
	MaxPacks     = 100_000
)

// Names of the variables, as in the contract.
const (
	secretPrefix   = "MERCHANT_SECRET_PREFIX"
	merchantKeys   = "MERCHANT_KEYS"
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
	readRate       = "READ_RATE_PER_MINUTE"
	unknownWindow  = "UNKNOWN_WINDOW"
	ledgerTable    = "LEDGER_TABLE"
	ledgerTTL      = "LEDGER_TTL"
	resultBus      = "RESULT_BUS"
	callerClaim    = "CALLER_MERCHANT_CLAIM"
	watchMerchants = "WATCH_MERCHANTS"
	watchWarn      = "WATCH_WARN_BEFORE"
	watchQueue     = "WATCH_QUEUE"
	watchTTL       = "WATCH_TTL"
	logLevel       = "LOG_LEVEL"
	lambdaLogLevel = "AWS_LAMBDA_LOG_LEVEL"
	samLocalName   = "AWS_SAM_LOCAL"
)

// ReadReply reads the settings of functions/reply; getenv is os.Getenv. An empty variable counts as not set.
func ReadReply(getenv func(string) string) (Reply, error) {
	r := &reader{getenv: getenv}
	c := Reply{Common: r.common(replyRate, 60), CheckGatewayURL: gatewayURL(getenv(samLocalName) == "true")}
	c.ImagecoURL, c.Hosts = r.url(imagecoURL, ""), r.hosts()
	c.ReadsPerMinute = r.number(readRate, 180, 0, 1_000_000)
	c.UnknownWindow = r.duration(unknownWindow, 15*time.Minute, 0)
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
	c := Complete{Common: r.common(completeRate, 1500), Hosts: r.hosts()}
	return c, r.err
}

// hosts are WECHATPAY_URL, then WECHATPAY_BACKUP_URL; no slash at the end.
func (r *reader) hosts() []string {
	var hosts []string
	for _, host := range []struct{ name, fallback string }{
		{wechatpayURL, "https://api.mch.weixin.qq.com"},
		{backupURL, "https://api2.mch.weixin.qq.com"},
	} {
		base := strings.TrimRight(r.url(host.name, host.fallback), "/")
		if strings.Contains(base, "?") {
			r.fail(host.name, "must not have a query")
		}
		hosts = append(hosts, base)
	}
	return hosts
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
		SecretPrefix: r.awsName(secretPrefix, "kesu/merchants/", secretMarks, secretMax,
			"may hold only letters, digits and /_+=.@-, at most 400"),
		MerchantPacks:  r.packs(),
		Prefetch:       r.merchants(prefetch),
		SecretSoftTTL:  r.duration(secretSoftTTL, 5*time.Minute, 0),
		SecretHardTTL:  r.duration(secretHardTTL, time.Hour, 0),
		MaxAttempts:    r.number(maxAttempts, 3, 1, 10),
		AttemptTimeout: r.duration(attemptTimeout, 5*time.Second, time.Millisecond),
		RatePerMinute:  r.number(rate, perMinute, 0, 1_000_000),
		LedgerTable:    r.awsName(ledgerTable, "", tableMarks, tableMax, "is not a DynamoDB table's name or ARN"),
		LedgerTTL:      r.duration(ledgerTTL, 24*time.Hour, time.Second),
		ResultBus:      r.awsName(resultBus, "", busMarks, busMax, "is not an event bus's name or ARN"),
		CallerClaim:    r.claim(),
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

func (r *reader) packs() int {
	packs, err := Packs(r.getenv(merchantKeys))
	if err != nil {
		r.fail(merchantKeys, err.Error())
	}
	return packs
}

// Packs reads MERCHANT_KEYS: "packed:1200" is 1200 packs, "packed" is [DefaultPacks] of them, and "secretsmanager" or
// nothing is 0, a secret for each merchant. Its error reads on from the variable's name.
func Packs(text string) (int, error) {
	number, packed := strings.CutPrefix(text, "packed:")
	switch {
	case text == "" || text == "secretsmanager":
		return 0, nil
	case text == "packed":
		return DefaultPacks, nil
	}
	n, err := strconv.Atoi(number)
	if !packed || err != nil || n < 1 || n > MaxPacks || number != strconv.Itoa(n) {
		return 0, fmt.Errorf("must be secretsmanager, packed, or packed:N with 1 to %d packs", MaxPacks)
	}
	return n, nil
}

func (r *reader) merchants(variable string) []string {
	var merchants []string
	for name := range strings.SplitSeq(r.getenv(variable), ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		if !wire.ValidID(name) {
			r.fail(variable, "must be merchants' names with commas between")
		}
		if !slices.Contains(merchants, name) { // a name that stands twice is one merchant: one sweep, one reading
			merchants = append(merchants, name)
		}
	}
	return merchants
}

// claimMax bounds the name of a claim.
const claimMax = 256

// claim reads the name of a claim. It is shown to whoever is refused, so it holds nothing odd.
func (r *reader) claim() string {
	value := r.getenv(callerClaim)
	if len(value) > claimMax || strings.ContainsFunc(value, func(c rune) bool { return c <= ' ' || c > '~' }) {
		r.fail(callerClaim,
			fmt.Sprintf("must be the name of a claim: at most %d printable ASCII characters without a space", claimMax))
	}
	return value
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
