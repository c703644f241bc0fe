// Command reply is the Lambda function that answers a WeChat Pay complaint, through 翼码's gateway or through WeChat Pay
// itself, and that takes the pictures for such answers.
package main

import (
	"context"
	"crypto/rand"
	"os"
	"time"

	"github.com/kesu-go/kesu/functions/reply/reply"
	"github.com/kesu-go/kesu/internal/assembly"
	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/pkg/wire"
)

func main() {
	ctx := context.Background()
	settings, err := config.ReadReply(os.Getenv)
	if err != nil {
		assembly.Fail(wire.Reply, err)
	}
	function, err := assembly.New(ctx, settings.Common, os.Stdout)
	if err != nil {
		assembly.Fail(wire.Reply, err)
	}
	assembly.Run(ctx, function, reply.New(function.Client, settings, rand.Reader, time.Now).Work())
}
