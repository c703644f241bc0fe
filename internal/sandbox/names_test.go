package sandbox

import (
	"testing"
	"time"

	"github.com/kesu-go/kesu/pkg/redact"
)

// A function leaves out an id that reads as a phone number. If the sandbox gave such ids, one run in many would show another
// result.
func TestEveryIDOfTheSandboxIsShown(t *testing.T) {
	for name, make := range map[string]func() string{
		"Request-ID": newRequestID, "a certificate's serial number": NewSerial,
		"a public key's id": func() string { return newPublicKeyID(time.Now()) },
	} {
		for range 10_000 {
			if id := make(); (redact.Secrets{}).ID(id) != id {
				t.Fatalf("%s %s is not shown", name, id)
			}
		}
	}
}
