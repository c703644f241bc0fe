package onboard_test

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"crypto/rand"
	"crypto/x509/pkix"

	"github.com/kesu-go/kesu/internal/merchant"
)

// TestThePacksOfTheDocsHaveRoom fills the packs that docs/operations.md names with as many merchants as it says.
func TestThePacksOfTheDocsHaveRoom(t *testing.T) {
	template := &x509.Certificate{SerialNumber: big.NewInt(1).Lsh(big.NewInt(1), 158), NotBefore: time.Now(), NotAfter: time.Now().AddDate(5, 0, 0),
		Subject: pkix.Name{CommonName: "Tenpay.com sign", Organization: []string{"Tenpay.com"}, OrganizationalUnit: []string{"Tenpay.com CA Center"}, Country: []string{"CN"}, Locality: []string{"Shenzhen"}}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key().PublicKey, key())
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := json.Marshal(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	if err != nil {
		t.Fatal(err)
	}
	one := compacted(secret("66660000000000001"))
	both := strings.Replace(one, `"platform_keys":[`, `"platform_keys":[{"pem":`+string(certificate)+`},`, 1)
	for _, test := range []struct {
		merchants, packs int
		secret           string
	}{{1_000, 128, one}, {1_000, 256, both}, {10_000, 1_200, one}, {10_000, 2_000, both}} {
		held := map[string][]merchant.Entry{}
		for i := range test.merchants {
			name := fmt.Sprint("merchant-", i)
			id := merchant.PackName(test.packs, name)
			held[id] = append(held[id], merchant.Entry{Name: name, Secret: []byte(test.secret)})
		}
		fullest := 0
		for _, entries := range held {
			fullest = max(fullest, len(merchant.FormatPack(entries)))
		}
		if fullest > merchant.MaxPack {
			t.Errorf("%d merchants of %d bytes in %d packs: the fullest has %d bytes", test.merchants, len(test.secret), test.packs, fullest)
		}
		t.Logf("%d merchants of %d bytes, %d to a pack at most, in %d packs: the fullest is full to %d %%",
			test.merchants, len(test.secret), merchant.MaxPack/len(test.secret), test.packs, 100*fullest/merchant.MaxPack)
	}
}

func compacted(text string) string {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		panic(err)
	}
	short, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(short)
}
