package main

import (
	"context"
	"os"

	"github.com/kesu-go/kesu/internal/attention"
	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/internal/operate"
)

// lookFlags say where the secret and WeChat Pay are, for a look into a complaint's history.
type lookFlags struct {
	SecretPrefix string `env:"MERCHANT_SECRET_PREFIX" placeholder:"TEXT" help:"For a look: what stands before the merchant in the secret's name; by default kesu/merchants/."`
	MerchantKeys string `env:"MERCHANT_KEYS" placeholder:"WHERE" help:"For a look: where the secrets are, as for the functions; by default secretsmanager."`
}

// onlooker looks with the merchants' own secrets, at the hosts that the environment names.
func (f lookFlags) onlooker(account operate.AWS) (*attention.Onlooker, error) {
	settings, err := config.ReadReply(func(name string) string {
		if name == "WECHATPAY_URL" || name == "WECHATPAY_BACKUP_URL" {
			return os.Getenv(name)
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	return attention.NewOnlooker(settings.Hosts, func(ctx context.Context, name string) (string, error) {
		return secretFlags{Merchant: name, SecretPrefix: f.SecretPrefix, MerchantKeys: f.MerchantKeys}.read(ctx, account)
	}), nil
}
