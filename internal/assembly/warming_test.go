package assembly

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/kesu-go/kesu/internal/gateway"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/pipeline"
	"github.com/kesu-go/kesu/pkg/wire"
)

// at is a merchant whose calls go to an address.
type at struct {
	pipeline.Merchant // what nobody asks here
	url               string
}

func (at) Through(*wire.Command) wire.Provider { return wire.Imageco }

func (a at) Base(wire.Provider) string { return a.url }

// urls is a Secrets Manager whose secrets are addresses.
type urls map[string]string

func (u urls) GetSecretValue(_ context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	return &secretsmanager.GetSecretValueOutput{SecretString: aws.String(u[*in.SecretId])}, nil
}

// The connection is there, or on its way, when the keys are: nobody has sent anything yet.
func TestLoadingKeysOpensAConnectionWhereTheSecretSays(t *testing.T) {
	for _, guess := range []bool{true, false} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		own, read := "http://"+listener.Addr().String(), 0
		guessed := ""
		if guess {
			guessed = "http://gateway.invalid"
		}
		w := &Warming{
			Cache: merchant.NewStore(merchant.Options[pipeline.Merchant]{
				Client: urls{"acme": own}, Parse: func(secret string) (pipeline.Merchant, error) { return at{url: secret}, nil },
				SoftTTL: time.Hour, HardTTL: time.Hour,
			}),
			Transport: gateway.NewTransport(nil), Guess: func(*wire.Command) string { return guessed }, Roots: func() { read++ },
		}
		loaded, err := w.Load(t.Context(), &wire.Command{Merchant: "acme"})
		if err != nil || loaded.Value != (at{url: own}) || read != 1 {
			t.Fatalf("loaded %v, %v; the roots were read %d times", loaded.Value, err, read)
		}
		_ = listener.(*net.TCPListener).SetDeadline(time.Now().Add(10 * time.Second))
		conn, err := listener.Accept()
		if err != nil {
			t.Fatalf("guess %v: %v", guess, err)
		}
		_ = conn.Close()
		w.Transport.CloseIdleConnections()
	}
}
