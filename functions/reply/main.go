// Command reply is the Lambda function that answers a WeChat Pay complaint through 翼码's gateway.
package main

import (
	"context"
	"os"

	"github.com/kesu-go/kesu/functions/reply/action"
	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/wiring"
	"github.com/kesu-go/kesu/pkg/wire"
)

func main() {
	ctx := context.Background()
	settings, err := config.ReadReply(os.Getenv)
	if err != nil {
		wiring.Fail(wire.Reply, err)
	}
	function, err := wiring.New(ctx, wire.Reply, settings.Common, os.Stdout)
	if err != nil {
		wiring.Fail(wire.Reply, err)
	}
	reply := &action.Reply{
		Client:  function.Client,
		Hosts:   gateway.NewHosts(settings.ImagecoURL),
		Enforce: settings.EnforceSign,
		Log:     function.Log,
	}
	parse := func(secret string) (*merchant.Imageco, error) {
		return merchant.ParseImageco(secret, settings.CheckGatewayURL)
	}
	wiring.Run(ctx, function, reply, parse, []string{settings.ImagecoURL})
}
