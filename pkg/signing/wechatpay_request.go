package signing

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// scheme is the only signature type of APIv3 with RSA: WECHATPAY2 names the header's form, not the key's length.
const scheme = "WECHATPAY2-SHA256-RSA2048"

// maxParameter bounds one quoted value of the Authorization header other than the signature, in bytes.
const maxParameter = 128

// Requester is a merchant that signs requests to WeChat Pay APIv3. It may be used by several goroutines if its Key may.
type Requester struct {
	Mchid    string        // 商户号
	SerialNo string        // serial number of the merchant's API certificate in hex, as it goes on the wire
	Key      crypto.Signer // the certificate's private key: an *rsa.PrivateKey, or one kept elsewhere
}

// Authorization returns the Authorization header of one request to WeChat Pay APIv3.
//
// target is the path with its query, as it goes on the wire; body may be empty. The signature is SHA256 with RSA
// PKCS#1 v1.5 over method, target, unix seconds, nonce and body, each ended by a newline:
// https://pay.weixin.qq.com/doc/v3/merchant/4012365336.
//
// Every request takes a nonce and a time of its own, a repeated one included. Mchid, SerialNo and nonce are refused
// when they hold anything but 1 to 128 visible ASCII characters, a quote, a comma or a backslash, and method and target
// when they hold anything but visible ASCII: each could end its place in the header, or in the text that is signed, and
// begin another.
func (r *Requester) Authorization(method, target string, body []byte, at time.Time, nonce string) (string, error) {
	if err := r.check(method, target, nonce); err != nil {
		return "", fmt.Errorf("authorization: %w", err)
	}
	var short [1024]byte // keeps a usual request, and then a usual header, off the heap
	digest := sha256.Sum256(appendRequest(short[:0], method, target, body, at, nonce))
	signature, err := r.Key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("authorization: signing: %w", err)
	}
	header := append(short[:0], scheme+` mchid="`...)
	header = append(header, r.Mchid...)
	header = append(header, `",nonce_str="`...)
	header = append(header, nonce...)
	header = append(header, `",timestamp="`...)
	header = strconv.AppendInt(header, at.Unix(), 10)
	header = append(header, `",serial_no="`...)
	header = append(header, r.SerialNo...)
	header = append(header, `",signature="`...)
	header = base64.StdEncoding.AppendEncode(header, signature)
	header = append(header, '"')
	return string(header), nil
}

func (r *Requester) check(method, target, nonce string) error {
	switch {
	case r.Key == nil:
		return errors.New("there is no key")
	case !quotable(r.Mchid):
		return errors.New("mchid holds a character that cannot stand in the header, or is empty or too long")
	case !quotable(r.SerialNo):
		return errors.New("serial_no holds a character that cannot stand in the header, or is empty or too long")
	case !quotable(nonce):
		return errors.New("nonce_str holds a character that cannot stand in the header, or is empty or too long")
	case method == "" || !visible(method):
		return errors.New("the method is empty or holds a character other than visible ASCII")
	case target == "" || !visible(target):
		return errors.New("the target is empty or holds a character other than visible ASCII")
	}
	return nil
}

// RequestMessage returns the text that a request's signature is made over (待签名串). It is as secret as the request.
func RequestMessage(method, target string, body []byte, at time.Time, nonce string) []byte {
	return appendRequest(nil, method, target, body, at, nonce)
}

func appendRequest(text []byte, method, target string, body []byte, at time.Time, nonce string) []byte {
	text = append(text, method...)
	text = append(text, '\n')
	text = append(text, target...)
	text = append(text, '\n')
	text = strconv.AppendInt(text, at.Unix(), 10)
	text = append(text, '\n')
	text = append(text, nonce...)
	text = append(text, '\n')
	text = append(text, body...)
	return append(text, '\n')
}

// NewNonce returns a 随机串 of 32 upper-case hex digits, 128 bits read from random: crypto/rand's Reader in production.
func NewNonce(random io.Reader) (string, error) {
	var bits [16]byte
	if _, err := io.ReadFull(random, bits[:]); err != nil {
		return "", fmt.Errorf("nonce: %w", err)
	}
	var nonce [2 * len(bits)]byte
	for i, b := range bits {
		nonce[2*i], nonce[2*i+1] = upperHex[b>>4], upperHex[b&15]
	}
	return string(nonce[:]), nil
}

// quotable says whether s may stand between quotes in the header.
func quotable(s string) bool {
	return s != "" && len(s) <= maxParameter && visible(s) && !strings.ContainsAny(s, `",\`)
}

// visible says whether s is made of ASCII that can be seen, without space.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
