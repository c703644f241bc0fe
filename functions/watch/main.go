// Command watch is the Lambda function that hears complaints as they arrive and watches their clocks.
package main

import (
	"context"
	"os"

	"github.com/kesu-go/kesu/internal/assembly"
	"github.com/kesu-go/kesu/internal/assembly/watching"
	"github.com/kesu-go/kesu/internal/config"
)

func main() {
	ctx := context.Background()
	settings, err := config.ReadWatch(os.Getenv)
	if err != nil {
		assembly.Fail(watching.Name, err)
	}
	function, err := assembly.New(ctx, settings.Common, os.Stdout)
	if err != nil {
		assembly.Fail(watching.Name, err)
	}
	watching.Run(ctx, function, settings)
}
