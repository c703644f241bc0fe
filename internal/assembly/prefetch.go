package assembly

import (
	"context"
	"crypto/x509"
	"sync"

	"github.com/kesu-go/kesu/internal/budget"
)

// readRoots reads the system's certificates, the longest single piece of work of a cold start. crypto/x509 does it once
// a process, and whoever verifies a certificate before it is done waits for the rest.
func readRoots() error {
	_, err := x509.SystemCertPool()
	return err
}

// loadRoots begins to read them and does not wait: a first invocation does it while its connections are being opened.
func loadRoots() {
	go func() { _ = readRoots() }() // a failure comes again where certificates are verified
}

// prefetch loads the keys of PREFETCH_MERCHANTS, the TLS roots and the gateways' connections while Lambda initialises
// the function, which is faster and not on any caller's time. A failure is logged; the first call then does the work.
func (f *Function) prefetch(
	ctx context.Context,
	load func(context.Context, string) error,
	gateways []string,
	connect func(context.Context, string) error,
) {
	if len(f.Config.Prefetch) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, budget.Prefetching)
	defer cancel()
	var group sync.WaitGroup
	fetch := func(what, name string, get func(context.Context, string) error) {
		group.Go(func() {
			if err := get(ctx, name); err != nil {
				f.Log.WarnContext(ctx, "prefetch failed", "what", what, "name", name, "error", err.Error())
			}
		})
	}
	for _, name := range f.Config.Prefetch {
		fetch("merchant", name, load)
	}
	for _, address := range gateways {
		fetch("connection", address, connect)
	}
	fetch("TLS roots", "", func(context.Context, string) error { return readRoots() })
	group.Wait()
}
