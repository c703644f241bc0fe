package merchant

import (
	"strings"
	"unicode/utf8"

	"github.com/kesu-go/kesu/pkg/redact"
)

// maxSellerAccount bounds a seller account in characters, as a reply's own is bounded (contract, section 2).
const maxSellerAccount = 64

// Imageco is the 翼码 half of a merchant's secret (contract, section 1).
type Imageco struct {
	ISSPID        string // 机构号
	SystemID      string
	SellerAccount string // for replies that name none; may be empty
	Key           string
	XML           bool   // format: xml
	SignGBK       bool   // sign_charset: gbk
	URL           string // this merchant's own gateway; "" is the function's
	Hidden        redact.Secrets
}

// ParseImageco reads the 翼码 half of a secret's text, of at most 64 KiB. checkURL says whether a URL may be called, by
// the rules of IMAGECO_URL, and words its errors to read on from the field's name. Every error is a [*FieldError].
func ParseImageco(secret string, checkURL func(string) error) (*Imageco, error) {
	half, err := parseHalf(secret, "imageco",
		"isspid", "system_id", "seller_account", "key", "format", "sign_charset", "url")
	if err != nil {
		return nil, err
	}
	var m Imageco
	for _, member := range []struct {
		name string
		into *string
	}{{"isspid", &m.ISSPID}, {"system_id", &m.SystemID}, {"key", &m.Key}} {
		if *member.into, err = half.required(member.name); err != nil {
			return nil, err
		}
		if err := half.line(member.name, *member.into); err != nil {
			return nil, err
		}
	}
	if m.SellerAccount, err = half.optional("seller_account"); err != nil {
		return nil, err
	}
	if utf8.RuneCountInString(m.SellerAccount) > maxSellerAccount {
		return nil, half.wrong("seller_account", "is longer than 64 characters")
	}
	if err := half.line("seller_account", m.SellerAccount); err != nil {
		return nil, err
	}
	format, err := half.choice("format", "json", "xml")
	if err != nil {
		return nil, err
	}
	charset, err := half.choice("sign_charset", "utf-8", "gbk")
	if err != nil {
		return nil, err
	}
	m.XML, m.SignGBK = format == "xml", charset == "gbk"
	if m.URL, err = half.url(checkURL); err != nil {
		return nil, err
	}
	m.Hidden = hiddenOf(secret)
	return &m, nil
}

// url returns the gateway's URL once check has let it pass.
func (o object) url(check func(string) error) (string, error) {
	text, err := o.optional("url")
	if err != nil || text == "" {
		return "", err
	}
	if err := check(text); err != nil {
		if strings.Contains(err.Error(), text) { // net/url quotes what it cannot parse
			return "", o.wrong("url", "is not a URL that may be called")
		}
		return "", o.wrong("url", err.Error())
	}
	return text, nil
}
