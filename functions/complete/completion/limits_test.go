package completion_test

import (
	"testing"

	"github.com/kesu-go/kesu/internal/bench"
	"github.com/kesu-go/kesu/internal/merchant"
)

// What a signed request and its verified 204 may take from the heap, with the gateway in memory.
const (
	allocationLimit = 80
	byteLimit       = 10 << 10
)

func TestACompletionTakesLittleMemory(t *testing.T) {
	keys, err := bench.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	transport, err := keys.Settled()
	if err != nil {
		t.Fatal(err)
	}
	m, err := merchant.ParseWechatPay(keys.Secret)
	if err != nil {
		t.Fatal(err)
	}
	send := bench.SendCompletion(bench.NewCompletion(transport, "https://api.mch.weixin.qq.com", m))
	allocations, bytes := bench.Taken(200, send)
	if allocations > allocationLimit*racing {
		t.Errorf("%.1f allocations; %d are allowed", allocations, allocationLimit)
	}
	if bytes > byteLimit*racing {
		t.Errorf("%.0f bytes; %d are allowed", bytes, byteLimit)
	}
}
