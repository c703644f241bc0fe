package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/pkg/redact"
	"github.com/kesu-go/kesu/pkg/wire"
)

// DefaultPrefix is what stands before a merchant in its secret's name, unless the settings say otherwise.
const DefaultPrefix = "kesu/merchants/"

// awsLimit is how long one question to AWS may take.
const awsLimit = 20 * time.Second

// readSecret reads the secret's text, and reports whether there is one.
func (d *doctor) readSecret(ctx context.Context) (string, bool) {
	if d.Secret != nil {
		return *d.Secret, true
	}
	ctx, cancel := context.WithTimeout(ctx, awsLimit)
	defer cancel()
	id := d.Place.Secret(d.Prefix, d.Merchant)
	out, err := secretsmanager.NewFromConfig(*d.AWS).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(id)})
	switch {
	case err != nil:
		id, args := secretProblem(err, id, d.AWS.Region)
		d.fail("secret", id, args...)
		return "", false
	case out.SecretString == nil:
		d.fail("secret", "aws.binary")
		return "", false
	}
	if d.Place != 0 {
		return d.fromPack(*out.SecretString, id)
	}
	return *out.SecretString, true
}

// fromPack takes the merchant's secret out of a pack.
func (d *doctor) fromPack(text, id string) (string, bool) {
	entries, err := merchant.ParsePack(text)
	if err != nil {
		d.fail("secret", "pack.unreadable", id, err.Error())
		return "", false
	}
	for _, e := range entries {
		switch {
		case e.Name != d.Merchant:
		case e.Secret == nil:
			d.fail("secret", "pack.twice", id)
			return "", false
		default:
			return string(e.Secret), true
		}
	}
	d.fail("secret", "pack.absent", id)
	return "", false
}

// secretProblem finds why AWS does not give a secret: every kind has a cure of its own.
func secretProblem(err error, name, region string) (id string, args []any) {
	var api smithy.APIError
	var send *smithyhttp.RequestSendError
	if !errors.As(err, &api) {
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			return "aws.timeout", nil
		case errors.As(err, &send):
			return "aws.network", nil
		}
		return "aws.credentials", nil
	}
	code, message := api.ErrorCode(), api.ErrorMessage()
	lower := strings.ToLower(message)
	said := strings.TrimSpace(redact.AWSCode(code) + ": " + redact.Secrets{}.Text(message))
	switch {
	case code == "ResourceNotFoundException" && strings.Contains(lower, "staging label"):
		return "aws.novalue", []any{name}
	case code == "ResourceNotFoundException":
		return "aws.notfound", []any{name, region}
	case code == "InvalidRequestException" && (strings.Contains(lower, "deletion") || strings.Contains(lower, "marked deleted")):
		return "aws.deleted", []any{name}
	case code == "DecryptionFailure", strings.HasPrefix(code, "AccessDenied") && strings.Contains(lower, "kms"), strings.HasPrefix(code, "KMS"):
		return "aws.kms", []any{said}
	case strings.HasPrefix(code, "AccessDenied"):
		return "aws.denied", []any{said}
	case strings.HasPrefix(code, "Expired"), code == "RequestExpired":
		return "aws.expired", []any{said}
	case code == "UnrecognizedClientException", code == "InvalidClientTokenId", code == "InvalidSignatureException", code == "SignatureDoesNotMatch", code == "MissingAuthenticationTokenException":
		return "aws.identity", []any{said}
	case strings.Contains(code, "Throttl"), code == "TooManyRequestsException", code == "LimitExceededException":
		return "aws.throttled", []any{said}
	case code == "InternalServiceError", code == "InternalFailure", code == "ServiceUnavailable":
		return "aws.down", []any{said}
	}
	return "aws.other", []any{said}
}

// becomeFunction takes a function's settings, and its role if the role lets itself be assumed. If not, it asks IAM what the
// role may do, and goes on as the operator.
func (d *doctor) becomeFunction(ctx context.Context) error {
	if d.Secret == nil {
		d.report.TestedAs = "the caller of this command"
	}
	if d.AsFunction == "" {
		return nil
	}
	if d.AWS == nil {
		return errors.New("a function's rights can only be tested with a secret in Secrets Manager; give --merchant")
	}
	ctx, cancel := context.WithTimeout(ctx, awsLimit)
	defer cancel()
	out, err := lambda.NewFromConfig(*d.AWS).GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String(d.AsFunction)})
	if err != nil {
		return fmt.Errorf("the function %s cannot be looked up: %s", d.AsFunction, awsWords(err))
	}
	if out.Environment != nil {
		d.takeEnvironment(out.Environment.Variables)
	}
	role := aws.ToString(out.Role)
	assumed := d.AWS.Copy()
	assumed.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(*d.AWS), role, func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = "kesu-doctor" }))
	if _, err := assumed.Credentials.Retrieve(ctx); err == nil {
		d.AWS, d.report.TestedAs = &assumed, role
		d.ok("function", "function.assumed", role)
		return nil
	}
	d.simulate(ctx, role)
	return nil
}

// takeEnvironment puts a function's own settings before the operator's.
func (d *doctor) takeEnvironment(variables map[string]string) {
	getenv := d.Getenv
	d.Getenv = func(name string) string {
		if value, set := variables[name]; set {
			return value
		}
		if _, kesu := ours[name]; kesu {
			return "" // the function has its default
		}
		return getenv(name)
	}
	if prefix := variables["MERCHANT_SECRET_PREFIX"]; prefix != "" {
		d.Prefix = prefix
	}
}

// ours are the functions' own variables, as far as the doctor looks at them.
var ours = map[string]struct{}{"IMAGECO_URL": {}, "WECHATPAY_URL": {}, "WECHATPAY_BACKUP_URL": {}, "IMAGECO_RESPONSE_SIGN": {}}

// simulate asks IAM whether the role's policies let it read the secret. What a policy on the secret or on its KMS key says
// beside them is not in the answer.
func (d *doctor) simulate(ctx context.Context, role string) {
	arn := "arn:aws:secretsmanager:" + d.AWS.Region + ":*:secret:" + d.Prefix + d.Merchant + "-??????"
	if found, err := secretsmanager.NewFromConfig(*d.AWS).DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String(d.Prefix + d.Merchant)}); err == nil {
		arn = aws.ToString(found.ARN)
	}
	out, err := iam.NewFromConfig(*d.AWS).SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: aws.String(role), ActionNames: []string{"secretsmanager:GetSecretValue"}, ResourceArns: []string{arn}})
	switch {
	case err != nil:
		d.warn("function", "function.unknown", role, awsWords(err))
	case len(out.EvaluationResults) == 1 && out.EvaluationResults[0].EvalDecision == types.PolicyEvaluationDecisionTypeAllowed:
		d.warn("function", "function.simulated", role)
	default:
		d.fail("function", "function.denied", role)
	}
}

// awsWords words an AWS error for an operator.
func awsWords(err error) string {
	var api smithy.APIError
	var send *smithyhttp.RequestSendError
	switch {
	case errors.As(err, &api):
		return redact.AWSCode(api.ErrorCode()) + ": " + redact.Secrets{}.Text(api.ErrorMessage())
	case errors.Is(err, context.DeadlineExceeded):
		return "AWS did not answer in time"
	case errors.As(err, &send):
		return "AWS cannot be reached from here"
	}
	return "the request could not be made; check the AWS credentials"
}

// mostMerchants bounds how many merchants one run looks at.
const mostMerchants = 5000

// Merchants lists the merchants that have a secret under the prefix, by their names.
func Merchants(ctx context.Context, account aws.Config, prefix string) ([]string, error) {
	if prefix == "" {
		prefix = DefaultPrefix
	}
	var names []string
	pages := secretsmanager.NewListSecretsPaginator(secretsmanager.NewFromConfig(account), &secretsmanager.ListSecretsInput{
		Filters: []smtypes.Filter{{Key: smtypes.FilterNameStringTypeName, Values: []string{prefix}}}})
	for pages.HasMorePages() && len(names) < mostMerchants {
		ctx, cancel := context.WithTimeout(ctx, awsLimit)
		page, err := pages.NextPage(ctx)
		cancel()
		if err != nil {
			return nil, fmt.Errorf("list the secrets under %s: %s", prefix, awsWords(err))
		}
		for _, secret := range page.SecretList {
			// The filter compares words without case; the prefix is exact.
			if name, ok := strings.CutPrefix(aws.ToString(secret.Name), prefix); ok && wire.ValidID(name) {
				names = append(names, name)
			}
		}
	}
	return names, nil
}
