package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/kesu-go/kesu/pkg/redact"
)

// awsLimit is how long the reading of a secret, or of a stack, may take.
const awsLimit = 20 * time.Second

// awsFlags say which AWS account and region are meant. Without them the SDK's own settings count.
type awsFlags struct {
	Region  string `placeholder:"REGION" help:"AWS region; by default the SDK's own (AWS_REGION, the profile)."`
	Profile string `placeholder:"NAME" help:"Profile of the AWS settings; by default the SDK's own (AWS_PROFILE)."`
}

func (f awsFlags) config(ctx context.Context) (aws.Config, error) {
	// The SDK's own log goes to standard error and may say anything there; what matters of it comes as an error too.
	options := []func(*awsconfig.LoadOptions) error{awsconfig.WithLogger(logging.Nop{})}
	if f.Region != "" {
		options = append(options, awsconfig.WithRegion(f.Region))
	}
	if f.Profile != "" {
		options = append(options, awsconfig.WithSharedConfigProfile(f.Profile))
	}
	c, err := awsconfig.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return c, errors.New("the AWS settings cannot be read (profile, region, files in ~/.aws); see `aws configure list`")
	}
	if c.Region == "" {
		return c, errors.New("no AWS region is set; give --region, or set AWS_REGION")
	}
	return c, nil
}

// awsSecrets are this caller's own credentials, as far as they stand in the environment.
func awsSecrets() redact.Secrets {
	return redact.Of(os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN"))
}

// awsProblem words an AWS error for an operator, who may know the account and role that AWS's message names. What looks
// like a signature or a secret in it is masked.
func awsProblem(doing string, err error) error {
	var api smithy.APIError
	var send *smithyhttp.RequestSendError
	switch {
	case errors.As(err, &api):
		return fmt.Errorf("%s: %s: %s", doing, redact.AWSCode(api.ErrorCode()), awsSecrets().Text(api.ErrorMessage()))
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: interrupted", doing)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: AWS did not answer in time", doing)
	case errors.As(err, &send):
		return fmt.Errorf("%s: AWS cannot be reached from here; check the network, the region and a proxy's settings", doing)
	}
	return fmt.Errorf("%s: the request could not be made; check the AWS credentials (`aws sts get-caller-identity` shows whose they are)", doing)
}
