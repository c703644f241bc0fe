package operate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/kesu-go/kesu/pkg/redact"
)

// Limit is how long the reading of a secret, or of a stack, may take.
const Limit = 20 * time.Second

// AWS says which AWS account and region are meant. What is empty is the SDK's own setting.
type AWS struct {
	Region  string
	Profile string // of the AWS settings
}

// Config reads the AWS settings. Its error says what is missing.
func (a AWS) Config(ctx context.Context) (aws.Config, error) {
	// The SDK's own log goes to standard error and may say anything there; what matters of it comes as an error too.
	options := []func(*awsconfig.LoadOptions) error{awsconfig.WithLogger(logging.Nop{})}
	if a.Region != "" {
		options = append(options, awsconfig.WithRegion(a.Region))
	}
	if a.Profile != "" {
		options = append(options, awsconfig.WithSharedConfigProfile(a.Profile))
	}
	c, err := awsconfig.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return c, errors.New("the AWS settings cannot be read (profile, region, files in ~/.aws); " +
			"see `aws configure list`")
	}
	if c.Region == "" {
		return c, errors.New("no AWS region is set; give --region, or set AWS_REGION")
	}
	return c, nil
}

// Problem words an AWS error for an operator, who may know the account and role that AWS's message names. doing says
// what was tried. What looks like a signature or a secret in the message is masked, and the caller's own credentials
// are, as far as they stand in the environment.
func Problem(doing string, err error) error {
	var api smithy.APIError
	var send *smithyhttp.RequestSendError
	switch {
	case errors.As(err, &api):
		own := redact.Of(os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN"))
		return fmt.Errorf("%s: %s: %s", doing, redact.AWSCode(api.ErrorCode()), own.Text(api.ErrorMessage()))
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: interrupted", doing)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: AWS did not answer in time", doing)
	case errors.As(err, &send):
		return fmt.Errorf("%s: AWS cannot be reached from here; "+
			"check the network, the region and a proxy's settings", doing)
	}
	return fmt.Errorf("%s: the request could not be made; check the AWS credentials "+
		"(`aws sts get-caller-identity` shows whose they are)", doing)
}

// Stack is what a deployed stack says about itself: template.yaml's parameters and outputs, by name.
type Stack struct {
	Parameters, Outputs map[string]string
}

// DescribeStack looks up a stack by its name.
func DescribeStack(ctx context.Context, account AWS, name string) (Stack, error) {
	s := Stack{map[string]string{}, map[string]string{}}
	ctx, cancel := context.WithTimeout(ctx, Limit)
	defer cancel()
	c, err := account.Config(ctx)
	if err != nil {
		return s, err
	}
	in := &cloudformation.DescribeStacksInput{StackName: &name}
	out, err := cloudformation.NewFromConfig(c).DescribeStacks(ctx, in)
	if err != nil {
		return s, Problem("look up the stack "+name, err)
	}
	if len(out.Stacks) != 1 {
		return s, fmt.Errorf("there is no stack %s in %s", name, c.Region)
	}
	for _, p := range out.Stacks[0].Parameters {
		s.Parameters[aws.ToString(p.ParameterKey)] = aws.ToString(p.ParameterValue)
	}
	for _, o := range out.Stacks[0].Outputs {
		s.Outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	return s, nil
}
