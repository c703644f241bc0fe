package merchant_test

import (
	"context"
	"errors"
	"strings"
	"sync"
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

// house is a store with its surroundings; made inside a synctest bubble it runs on virtual time.
type house struct {
	*merchant.Store[string]
	secrets *secrets

	mu    sync.Mutex
	stale []string
}

const softTTL, hardTTL = 5 * time.Minute, time.Hour

func newHouse() *house {
	h := &house{secrets: &secrets{text: "one", ver: "v1"}}
	h.Store = merchant.NewStore(merchant.Options[string]{
		Client: h.secrets, Prefix: prefix, SoftTTL: softTTL, HardTTL: hardTTL,
		Parse: func(secret string) (string, error) {
			if strings.HasPrefix(secret, "bad") {
				return "", &merchant.FieldError{Field: "imageco.key", Problem: "is missing"}
			}
			return "parsed " + secret, nil
		},
		OnStale: func(_ context.Context, name string, cause error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.stale = append(h.stale, name+": "+cause.Error())
		},
	})
	return h
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
