package assembly

import (
	"sync"
	"time"

	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/telemetry"
	"github.com/kesu-go/kesu/pkg/signing"
)

// keyTellsEvery is how often a process tells when a merchant's key ends. The alarm looks at days, and a process may
// live for longer than one.
const keyTellsEvery = 12 * time.Hour

// Certified is what was made of a secret and knows when the last of WeChat Pay's certificates in it ends.
type Certified interface {
	LastCertificate() (certificate signing.PlatformKey, ok bool)
}

// KeyEnds returns what tells the metrics, for each secret that was read, when its last certificate ends: once for each
// version of a secret, and then every twelve hours.
func KeyEnds[M Certified](metrics *telemetry.Metrics, now func() time.Time) func(name string, read merchant.Loaded[M]) {
	type told struct {
		version string
		at      time.Time
	}
	var mu sync.Mutex
	last := map[string]told{} // a store holds as many merchants as this does
	return func(name string, read merchant.Loaded[M]) {
		certificate, ok := read.Value.LastCertificate()
		if !ok {
			return
		}
		at := now()
		mu.Lock()
		before := last[name]
		if due := before.version != read.Version || at.Sub(before.at) >= keyTellsEvery; !due {
			mu.Unlock()
			return
		}
		last[name] = told{read.Version, at}
		mu.Unlock()
		metrics.KeyEnds(name, certificate.ID, certificate.NotAfter, at)
	}
}
