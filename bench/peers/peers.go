// Package peers lets two other libraries do what Kesu's completion does, with the same keys, the same body and the same
// signed answer. It is a module of its own, so that Kesu depends on neither of them.
package peers

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"

	messages "github.com/kesu-go/kesu/pkg/wire/wechatpay"

	"github.com/go-pay/gopay"
	gopaywechat "github.com/go-pay/gopay/wechat/v3"
	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/option"

	"github.com/kesu-go/kesu/internal/bench"
	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/pipeline"
	"github.com/kesu-go/kesu/pkg/wire"
)

// What is asked of all three.
const (
	Mchid       = "1900000001"
	SerialNo    = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
	ComplaintID = "200201201811261253400000001"
)

var path = messages.CompletePath(ComplaintID)

// Peer is one library.
type Peer struct {
	Name     string
	Complete func() error // makes one completion and verifies its answer; an error when it does not verify
}

// All are the three, over one transport to one base URL.
func All(keys *bench.Keys, transport http.RoundTripper, base string) ([]Peer, error) {
	ours, err := kesu(keys, transport, base)
	if err != nil {
		return nil, err
	}
	official, err := official(keys, transport, base)
	if err != nil {
		return nil, err
	}
	pay, err := pay(keys, transport, base)
	return []Peer{ours, official, pay}, err
}

func kesu(keys *bench.Keys, transport http.RoundTripper, base string) (Peer, error) {
	m, err := merchant.ParseWechatPay(keys.Secret)
	if err != nil {
		return Peer{}, err
	}
	ours := bench.NewCompletion(transport, base, m)
	call := pipeline.Call{Attempts: 1, Command: &wire.Command{Action: wire.Complete, Merchant: "acme", ComplaintID: ComplaintID}}
	return Peer{"kesu",
		func() error {
			report, err := ours.Send(context.Background(), call)
			if err == nil && (report.Last.Effect != gateway.Done || !report.Last.Verified) {
				err = fmt.Errorf("not verified: %s", report.Last.Message)
			}
			return err
		}}, nil
}

// official is wechatpay-go, with WeChat Pay's public key.
func official(keys *bench.Keys, transport http.RoundTripper, base string) (Peer, error) {
	ctx := context.Background()
	client, err := core.NewClient(ctx,
		option.WithWechatPayPublicKeyAuthCipher(Mchid, SerialNo, keys.Merchant, bench.PlatformID, &keys.Platform.PublicKey),
		option.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		return Peer{}, err
	}
	type request struct {
		ComplaintedMchid string `json:"complainted_mchid"`
	}
	return Peer{"wechatpay-go",
		func() error {
			result, err := client.Post(ctx, base+path, request{Mchid})
			if err != nil {
				return err
			}
			return result.Response.Body.Close()
		}}, nil
}

// pay is gopay, with its answer verification on.
func pay(keys *bench.Keys, transport http.RoundTripper, base string) (Peer, error) {
	private, err := x509.MarshalPKCS8PrivateKey(keys.Merchant)
	if err != nil {
		return Peer{}, err
	}
	public, err := x509.MarshalPKIXPublicKey(&keys.Platform.PublicKey)
	if err != nil {
		return Peer{}, err
	}
	client, err := gopaywechat.NewClientV3(Mchid, SerialNo, "0123456789abcdef0123456789abcdef", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	if err != nil {
		return Peer{}, err
	}
	if err := client.AutoVerifySignByPublicKey(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), bench.PlatformID); err != nil {
		return Peer{}, err
	}
	client.SetProxyHost(base)
	client.GetHttpClient().SetTransport(transport)
	body := func() gopay.BodyMap { return gopay.BodyMap{"complainted_mchid": Mchid} }
	ctx := context.Background()
	return Peer{"gopay",
		func() error {
			response, err := client.V3ComplaintComplete(ctx, ComplaintID, body())
			if err == nil && response.Code != gopaywechat.Success {
				err = fmt.Errorf("refused: %s", response.Error)
			}
			return err
		}}, nil
}
