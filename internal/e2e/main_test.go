package e2e

import (
	"crypto/rsa"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// programs is where the functions are built, once for all tests and with the flags that they are deployed with.
var programs = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "kesu-e2e-")
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", folder+string(filepath.Separator),
		"github.com/kesu-go/kesu/functions/reply", "github.com/kesu-go/kesu/functions/complete", "github.com/kesu-go/kesu/functions/watch")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		return folder, fmt.Errorf("build the functions: %v\n%s", err, text)
	}
	return folder, nil
})

// TestMain lets more tests run side by side than there are processors, because most of their time is spent waiting.
func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.parallel").Value.String() == flag.Lookup("test.parallel").DefValue {
		_ = flag.Set("test.parallel", "6") // a flag that was just found takes a number
	}
	code := m.Run()
	if folder, _ := programs(); folder != "" {
		_ = os.RemoveAll(folder)
	}
	os.Exit(code)
}

// keys are RSA keys made when the tests run. The worlds share a few, because making one takes long; 翼码's keys, which
// cost nothing, are fresh in each.
var keys struct {
	sync.Mutex
	made []*rsa.PrivateKey
	next int
}

const keysMade = 6

// newKey hands out keys in turn. Six in a row are different, which is more than one world needs at a time.
func newKey() (*rsa.PrivateKey, error) {
	keys.Lock()
	defer keys.Unlock()
	if len(keys.made) < keysMade {
		key, err := sandbox.NewKey()
		if err != nil {
			return nil, err
		}
		keys.made = append(keys.made, key)
		return key, nil
	}
	keys.next++
	return keys.made[keys.next%keysMade], nil
}
