package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
)

// stack is what a deployed stack says about itself: template.yaml's parameters and outputs.
type stack struct {
	parameters, outputs map[string]string
}

func describeStack(ctx context.Context, account awsFlags, name string) (stack, error) {
	s := stack{map[string]string{}, map[string]string{}}
	ctx, cancel := context.WithTimeout(ctx, awsLimit)
	defer cancel()
	c, err := account.config(ctx)
	if err != nil {
		return s, err
	}
	out, err := cloudformation.NewFromConfig(c).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(name)})
	if err != nil {
		return s, awsProblem("look up the stack "+name, err)
	}
	if len(out.Stacks) != 1 {
		return s, fmt.Errorf("there is no stack %s in %s", name, c.Region)
	}
	for _, p := range out.Stacks[0].Parameters {
		s.parameters[aws.ToString(p.ParameterKey)] = aws.ToString(p.ParameterValue)
	}
	for _, o := range out.Stacks[0].Outputs {
		s.outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	return s, nil
}
