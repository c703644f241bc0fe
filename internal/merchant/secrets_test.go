package merchant_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/kesu-go/kesu/internal/merchant"
)

const prefix = "kesu/merchants/"

// secrets stands in for Secrets Manager. Its answer may be changed while readings are under way: a reading gets what is
// there when it begins, after delay.
type secrets struct {
	mu    sync.Mutex
	text  string
	ver   string
	err   error
	delay time.Duration
	calls int
	ids   []string
	panic any
}

func (s *secrets) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	s.mu.Lock()
	s.calls++
	s.ids = append(s.ids, aws.ToString(in.SecretId))
	text, ver, err, delay := s.text, s.ver, s.err, s.delay
	if s.panic != nil {
		defer panic(s.panic)
	}
	s.mu.Unlock()
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.GetSecretValueOutput{SecretString: aws.String(text)}
	if ver != "" {
		out.VersionId = aws.String(ver)
	}
	if text == "" {
		out.SecretString, out.SecretBinary = nil, []byte("binary")
	}
	return out, nil
}

// set changes what the next readings get.
func (s *secrets) set(text, version string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text, s.ver, s.err = text, version, err
}

func (s *secrets) slow(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay = d
}

func (s *secrets) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// store is what both stores can do.
type store interface {
	Load(ctx context.Context, name string) (merchant.Loaded[string], error)
	Refresh(ctx context.Context, name, version string) (merchant.Loaded[string], bool, error)
	Kept(name string) (string, bool)
}

// house is a store with its surroundings; made inside a synctest bubble it runs on virtual time.
type house struct {
	store
	secrets  *secrets
	id       func(name string) string // the secret that a merchant is read from
	versions map[string]string        // by the name that a test gives a version: the store's word for it

	mu    sync.Mutex
	read  []string
	stale []string
}

const softTTL, hardTTL, unknownFor = 5 * time.Minute, time.Hour, 30 * time.Second

// newHouse makes a store with a secret for each merchant.
func newHouse() *house {
	h := &house{secrets: &secrets{text: "one", ver: "v1"}}
	h.id = func(name string) string { return prefix + name }
	h.store = merchant.NewStore(h.options(h.secrets))
	return h
}

// packs is the number of packs of [newPackedHouse]. Acme and other are in two of them.
const packs = 64

// newPackedHouse makes a store over packs. Each of them holds acme and other, with the same text.
func newPackedHouse() *house {
	h := &house{secrets: &secrets{text: "one", ver: "v1"}, versions: map[string]string{}}
	h.id = func(name string) string { return prefix + merchant.PackName(packs, name) }
	h.store = merchant.NewPacked(packs, h.options(packing{h.secrets, []string{"acme", "other"}}))
	return h
}

func (h *house) options(client merchant.SecretReader) merchant.Options[string] {
	return merchant.Options[string]{
		Client: client, Prefix: prefix, SoftTTL: softTTL, HardTTL: hardTTL, Parse: parse,
		OnRead: func(name string, read merchant.Loaded[string]) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.read = append(h.read, name+": "+read.Value)
		},
		OnStale: func(_ context.Context, name string, cause error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.stale = append(h.stale, name+": "+cause.Error())
		},
	}
}

func parse(secret string) (string, error) {
	secret = strings.Trim(secret, `"`) // in a pack it is a JSON string
	if strings.HasPrefix(secret, "bad") {
		return "", &merchant.FieldError{Field: "imageco.key", Problem: "is missing"}
	}
	return "parsed " + secret, nil
}

// packing puts what secrets holds into packs.
type packing struct {
	*secrets
	merchants []string
}

func (p packing) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	out, err := p.secrets.GetSecretValue(ctx, in)
	if err != nil || out.SecretString == nil {
		return out, err
	}
	var entries []merchant.Entry
	for _, name := range p.merchants {
		entries = append(entries, merchant.Entry{Name: name, Secret: []byte(`"` + *out.SecretString + `"`)})
	}
	out.SecretString = aws.String(merchant.FormatPack(entries))
	return out, nil
}

// sees checks a version. A store over packs has words of its own for versions, one for each.
func (h *house) sees(t *testing.T, name, got string) {
	t.Helper()
	if h.versions == nil {
		if got != name {
			t.Errorf("got the version %q, want %q", got, name)
		}
		return
	}
	for other, word := range h.versions {
		if (other == name) != (word == got) {
			t.Errorf("%s is the version %q, and %s is %q", name, got, other, word)
		}
	}
	h.versions[name] = got
}

// version is the store's word for a version.
func (h *house) version(name string) string {
	if h.versions == nil {
		return name
	}
	return h.versions[name]
}

func (h *house) staleCalls() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.stale
}

var (
	errDenied   = &deniedError{}
	errNotFound = &types.ResourceNotFoundException{Message: aws.String("Secrets Manager can't find the specified secret.")}
)

// deniedError is an API error whose message says more than anybody should see.
type deniedError struct{ types.InternalServiceError }

func (*deniedError) ErrorCode() string { return "AccessDeniedException" }
func (*deniedError) Error() string {
	return "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/s3cr3t is not authorized"
}

func invalidRequest(message string) error {
	return &types.InvalidRequestException{Message: aws.String(message)}
}

var errBroken = errors.New("get identity: s3cr3t")
