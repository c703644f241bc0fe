package main

import (
	"github.com/kesu-go/kesu/internal/secretfile"
)

// pieceFlags are the files and values that a merchant's secret is put together from.
type pieceFlags struct {
	From          string `type:"path" placeholder:"FILE" help:"A secret to begin with, in any form; - is standard input."`
	ReplyThrough  string `placeholder:"WORD" help:"reply_through: imageco or wechatpay."`
	ISSPID        string `name:"isspid" placeholder:"TEXT" help:"imageco.isspid."`
	SystemID      string `name:"system-id" placeholder:"TEXT" help:"imageco.system_id."`
	SellerAccount string `placeholder:"TEXT" help:"imageco.seller_account."`
	ImagecoKey    string `type:"path" placeholder:"FILE" help:"A text file with 翼码's key."`
	Format        string `placeholder:"WORD" help:"imageco.format: json or xml."`
	SignCharset   string `placeholder:"WORD" help:"imageco.sign_charset: utf-8 or gbk."`
	ImagecoURL    string `name:"imageco-url" placeholder:"URL" help:"imageco.url."`
	Mchid         string `placeholder:"TEXT" help:"wechatpay.mchid; by default the certificate's."`
	P12           string `name:"p12" type:"path" placeholder:"FILE" help:"apiclient_cert.p12; its passphrase is the 商户号."`
	PrivateKey    string `type:"path" placeholder:"FILE" help:"apiclient_key.pem."`
	Certificate   string `type:"path" placeholder:"FILE" help:"apiclient_cert.pem: gives serial_no."`
	PlatformKey   string `type:"path" placeholder:"FILE" help:"WeChat Pay's public key (pub_key.pem) or platform certificate."`
	PlatformID    string `name:"platform-id" placeholder:"TEXT" help:"The public key's id, PUB_KEY_ID_…."`
	KeepPlatform  bool   `help:"Keep the platform keys of --from behind --platform-key, as while they are changed."`
	APIv3Key      string `name:"apiv3-key" type:"path" placeholder:"FILE" help:"A text file with the APIv3 密钥, for notifications."`
}

// given reports whether there is anything to put a secret together from.
func (f pieceFlags) given() bool { return f != (pieceFlags{}) }

// inputs reads the files.
func (f pieceFlags) inputs() (secretfile.Inputs, error) {
	in := secretfile.Inputs{ReplyThrough: f.ReplyThrough, Mchid: f.Mchid, PlatformID: f.PlatformID, KeepPlatform: f.KeepPlatform,
		ISSPID: f.ISSPID, SystemID: f.SystemID, SellerAccount: f.SellerAccount,
		Format: f.Format, SignCharset: f.SignCharset, URL: f.ImagecoURL}
	for _, file := range []struct {
		path, flag string
		into       *[]byte
	}{
		{f.From, "--from", &in.From},
		{f.ImagecoKey, "--imageco-key", &in.ImagecoKey},
		{f.P12, "--p12", &in.P12},
		{f.PrivateKey, "--private-key", &in.PrivateKey},
		{f.Certificate, "--certificate", &in.Certificate},
		{f.PlatformKey, "--platform-key", &in.PlatformKey},
		{f.APIv3Key, "--apiv3-key", &in.APIv3Key},
	} {
		if file.path == "" {
			continue
		}
		text, err := readSecretFile(file.path, file.flag)
		if err != nil {
			return secretfile.Inputs{}, err
		}
		*file.into = []byte(text)
	}
	return in, nil
}
