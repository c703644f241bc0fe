package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/kesu-go/kesu/internal/advice"
	"github.com/kesu-go/kesu/internal/console"
	"github.com/kesu-go/kesu/internal/sandbox"
)

// whyLimit bounds the search for what made a wrong signature: the gateway answers after it.
const whyLimit = 500 * time.Millisecond

// teller writes a line for each call of another program to the gateways, with the sentence that kesu sign would say when
// its signature was refused.
type teller struct {
	out   io.Writer
	only  func(sandbox.Call) bool // which calls
	world atomic.Pointer[sandbox.Demo]
}

func (t *teller) tell(x sandbox.Call) {
	if !t.only(x) {
		return
	}
	if world := t.world.Load(); world != nil { // nil while it starts
		ctx, cancel := context.WithTimeout(context.Background(), whyLimit)
		defer cancel()
		x.Problem = console.Why(ctx, world, x, advice.Choose("auto", os.Getenv))
	}
	fmt.Fprintln(t.out, clean(x.String()))
}
