package operate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
)

func TestAProblemDoesNotTellTheCallersCredentials(t *testing.T) {
	const secret, session = "wJalrXUtnFEMI-very-secret", "session-very-secret"
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	t.Setenv("AWS_SESSION_TOKEN", session)
	said := Problem("read the secret kesu/merchants/acme",
		&smithy.GenericAPIError{Code: "AccessDenied", Message: "no " + secret + " and no " + session + " for you"}).Error()
	if strings.Contains(said, secret) || strings.Contains(said, session) {
		t.Error(said)
	}
	if !strings.HasPrefix(said, "read the secret kesu/merchants/acme: AccessDenied: no ") {
		t.Error(said)
	}
}

func TestAProblemWithoutAnAnswerIsWorded(t *testing.T) {
	for want, err := range map[string]error{
		"look: interrupted":                      fmt.Errorf("x: %w", context.Canceled),
		"look: AWS did not answer in time":       fmt.Errorf("x: %w", context.DeadlineExceeded),
		"look: the request could not be made; c": errors.New("no credentials"),
	} {
		if said := Problem("look", err).Error(); !strings.HasPrefix(said, want) {
			t.Errorf("%q, want %q", said, want)
		}
	}
}

func TestOnlyAnUnknownEndMayBeDone(t *testing.T) {
	for kind, want := range map[Kind]bool{Failed: false, Usage: false, Retryable: false, Unknown: true} {
		var ended *Error
		if err := fmt.Errorf("it: %w", New(kind, "x")); !errors.As(err, &ended) || ended.MaybeDone() != want || ended.Kind != kind {
			t.Errorf("kind %d: %+v", kind, ended)
		}
	}
}
