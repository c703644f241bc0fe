package lambdaio

import (
	"context"
	"sync"

	"github.com/kesu-go/kesu/internal/pace"
)

// batchWidth is how many records of a batch are carried out at once: as many as one SQS batch usually holds, so that a
// slow gateway does not use up the time of the records at its end.
const batchWidth = 10

// each carries out n things, batchWidth at once. One that waits for its merchant's token leaves its place to another,
// so that nobody waits for another merchant's; there are no more of those than tokens were reserved.
func each(ctx context.Context, n int, carryOut func(ctx context.Context, i int)) {
	places := make(chan struct{}, batchWidth)
	enter := func() { places <- struct{}{} }
	leave := func() { <-places }
	ctx = pace.WithAside(ctx, func() (back func()) {
		leave()
		return enter
	})
	var group sync.WaitGroup
	for i := range n {
		enter()
		group.Go(func() {
			defer leave()
			carryOut(ctx, i)
		})
	}
	group.Wait()
}
