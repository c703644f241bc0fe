package merchant

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/kesu-go/kesu/internal/budget"
	"github.com/kesu-go/kesu/pkg/redact"
)

// What a [Store] can answer other than a merchant; ask with errors.Is. A third kind is the [*FieldError].
var (
	// ErrUnknown: there is no such secret, or it was deleted. UNKNOWN_MERCHANT.
	ErrUnknown = errors.New("there is no such merchant")
	// ErrUnavailable: the secret could not be read and nothing kept may serve. SECRETS_UNAVAILABLE.
	ErrUnavailable = errors.New("the merchant's secret could not be read")
)

// readError turns an error of GetSecretValue into ErrUnknown or ErrUnavailable. Of AWS's words it keeps the code alone
// ("AccessDeniedException"): the message names accounts, roles and secrets.
func readError(err error) error {
	var api smithy.APIError
	var send *smithyhttp.RequestSendError
	switch {
	case errors.As(err, &api) && isDeleted(api):
		return ErrUnknown
	case errors.As(err, &api):
		return fmt.Errorf("%w: %s", ErrUnavailable, redact.AWSCode(api.ErrorCode()))
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: no answer within %s", ErrUnavailable, budget.Secret)
	case errors.As(err, &send):
		return fmt.Errorf("%w: no connection to Secrets Manager", ErrUnavailable)
	}
	return fmt.Errorf("%w: the request could not be made (credentials, region) or its answer not be read",
		ErrUnavailable)
}

// isDeleted says whether AWS means that there is no secret. While a deleted secret can still be recovered the code is
// one of many meanings, and only the message tells.
func isDeleted(err smithy.APIError) bool {
	switch err.ErrorCode() {
	case "ResourceNotFoundException":
		return true
	case "InvalidRequestException":
		message := strings.ToLower(err.ErrorMessage())
		for _, words := range []string{"marked for deletion", "marked deleted", "scheduled for deletion"} {
			if strings.Contains(message, words) {
				return true
			}
		}
	}
	return false
}
