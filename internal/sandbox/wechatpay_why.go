package sandbox

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"strings"
)

// mistakes are the usual reasons of a wrong signature, as changes to what should have been signed. They are those of
// 常见问题, 签名相关 (https://pay.weixin.qq.com/doc/v3/merchant/4012072670), and what beginners make of the pages.
var mistakes = []struct {
	why    string
	signed func(s signedLines) string
}{
	{"the line feed at the end is missing", func(s signedLines) string { return strings.TrimSuffix(s.text(), "\n") }},
	{"the empty line of an empty body is missing", func(s signedLines) string { return s.head() }},
	{"the body was not signed", func(s signedLines) string { return s.head() + "\n" }},
	{"the path was signed without its query", func(s signedLines) string {
		s.target, _, _ = strings.Cut(s.target, "?")
		return s.text()
	}},
	{"the whole address was signed instead of the path", func(s signedLines) string {
		s.target = "http://" + s.host + s.target
		return s.text()
	}},
	{"the address at WeChat Pay was signed instead of the path", func(s signedLines) string {
		s.target = "https://api.mch.weixin.qq.com" + s.target
		return s.text()
	}},
	{"nonce and timestamp change places", func(s signedLines) string {
		s.at, s.nonce = s.nonce, s.at
		return s.text()
	}},
	{"the method was signed in lower case", func(s signedLines) string {
		s.method = strings.ToLower(s.method)
		return s.text()
	}},
	{"method and path were left out, as in an answer's signature", func(s signedLines) string {
		return s.at + "\n" + s.nonce + "\n" + s.body + "\n"
	}},
}

// signedLines are the lines that a request signs, and the host that it was sent to.
type signedLines struct{ method, target, at, nonce, body, host string }

func (s signedLines) head() string {
	return s.method + "\n" + s.target + "\n" + s.at + "\n" + s.nonce + "\n"
}

func (s signedLines) text() string { return s.head() + s.body + "\n" }

// whyMismatch says in a sentence what a wrong signature was made over, for whoever runs the sandbox; "" when it is none of
// the usual mistakes. lines are those that should have been signed.
func (g *WechatPay) whyMismatch(q *request, lines []string, signature []byte) string {
	right := signedLines{lines[0], lines[1], lines[2], lines[3], lines[4], q.Host}
	for _, m := range mistakes {
		if verifiesText(q.key, signature, m.signed(right)) {
			return m.why
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, a := range g.accounts {
		for _, key := range a.Certificates {
			if a.Mchid != q.account.Mchid && verifies(key, signature, lines...) {
				return "it was made with the key of " + a.Merchant
			}
		}
	}
	return ""
}

func verifiesText(key *rsa.PublicKey, signature []byte, text string) bool {
	sum := sha256.Sum256([]byte(text))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
}
