// Command complete is the Lambda function that tells WeChat Pay that a complaint is settled.
package main

import (
	"context"
	"crypto/rand"
	"os"
	"time"

	"github.com/kesu-go/kesu/functions/complete/action"
	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/wiring"
	"github.com/kesu-go/kesu/pkg/wire"
)

func main() {
	ctx := context.Background()
	settings, err := config.ReadComplete(os.Getenv)
	if err != nil {
		wiring.Fail(wire.Complete, err)
	}
	function, err := wiring.New(ctx, wire.Complete, settings.Common, os.Stdout)
	if err != nil {
		wiring.Fail(wire.Complete, err)
	}
	complete := &action.Completion{
		Client: function.Client,
		Hosts:  gateway.NewHosts(settings.Hosts...),
		Random: rand.Reader,
		Now:    time.Now,
	}
	wiring.Run(ctx, function, complete, merchant.ParseWechatPay, settings.Hosts[:1])
}
