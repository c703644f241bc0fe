package signing_test

import (
	"crypto/rand"
	"crypto/rsa"
	"runtime"
	"testing"
	"time"

	"github.com/kesu-go/kesu/pkg/signing"
)

// taken is what one call takes from the heap on average: allocations and bytes.
func taken(calls int, call func()) (allocations, bytes float64) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // so that nothing else is counted
	call()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range calls {
		call()
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(calls), float64(after.TotalAlloc-before.TotalAlloc) / float64(calls)
}

func TestAnAuthorizationHeaderTakesLittleMemory(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	r := &signing.Requester{Mchid: "1900000001", SerialNo: "5157F09EFDC096DE15EBE81A47057A7232F1B8E1", Key: key}
	body, at := []byte(`{"complainted_mchid":"1900000001"}`), time.Unix(1_700_000_000, 0)
	const target = "/v3/merchant-service/complaints-v2/200201201811261253400000001/complete"
	const byteLimit = 1.2 * 1024
	allocations, bytes := taken(100, func() {
		nonce, err := signing.NewNonce(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Authorization("POST", target, body, at, nonce); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > 6 {
		t.Errorf("%.1f allocations with its nonce; 6 are allowed", allocations)
	}
	if bytes > byteLimit {
		t.Errorf("%.0f bytes; %.0f are allowed", bytes, byteLimit)
	}
}

func TestAnImagecoSignTakesLittleMemory(t *testing.T) {
	members := []signing.Member{{Name: "request_type", Value: "risk_complaints_resp_request"}, {Name: "isspid", Value: "39493002"},
		{Name: "transaction_id", Value: "resp2024010112345678901234567890"}, {Name: "response_content", Value: "您好，您的问题已处理，退款将在三个工作日内到账。"}}
	if allocations, _ := taken(100, func() { signing.ImagecoJSON("0123456789abcdef", members) }); allocations > 3 {
		t.Errorf("%.1f allocations; 3 are allowed", allocations)
	}
}
