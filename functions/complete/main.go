// Command complete is the Lambda function that tells WeChat Pay that a complaint is settled.
package main

import (
	"context"
	"crypto/rand"
	"os"
	"time"

	"github.com/kesu-go/kesu/functions/complete/completion"
	"github.com/kesu-go/kesu/internal/assembly"
	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/pkg/wire"
)

func main() {
	ctx := context.Background()
	settings, err := config.ReadComplete(os.Getenv)
	if err != nil {
		assembly.Fail(wire.Complete, err)
	}
	function, err := assembly.New(ctx, settings.Common, os.Stdout)
	if err != nil {
		assembly.Fail(wire.Complete, err)
	}
	assembly.Run(ctx, function, completion.New(function.Client, settings, rand.Reader, time.Now).Work())
}
