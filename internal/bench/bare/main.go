// Command bare is the least that a Lambda function in Go can be: the yardstick for start, size and memory.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

type bare struct{}

func (bare) Invoke(context.Context, []byte) ([]byte, error) { return []byte("{}"), nil }

func main() { lambda.Start(bare{}) }
