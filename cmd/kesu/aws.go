package main

import "github.com/kesu-go/kesu/internal/operate"

// awsFlags say which AWS account and region are meant. Without them the SDK's own settings count.
type awsFlags struct {
	Region  string `placeholder:"REGION" help:"AWS region; by default the SDK's own (AWS_REGION, the profile)."`
	Profile string `placeholder:"NAME" help:"Profile of the AWS settings; by default the SDK's own (AWS_PROFILE)."`
}

func (f awsFlags) account() operate.AWS { return operate.AWS(f) }
