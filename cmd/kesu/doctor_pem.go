package main

import (
	"encoding/pem"
	"strings"
)

// pemTrouble says what keeps a text from being a PEM of the expected kind, in the forms in which that usually happens, and
// what to do about it. A trouble that the functions read over all the same is only odd.
func pemTrouble(text string) (problem, advice string, odd bool) {
	const copyAgain = "put the file's text into the secret anew, for instance with `jq -n --rawfile key apiclient_key.pem '{private_key: $key}'`"
	begin := strings.Count(text, "-----BEGIN")
	switch trimmed := strings.TrimSpace(text); {
	case begin == 0 && strings.HasSuffix(trimmed, ".pem"):
		return "is the name of a file and not the file's text", copyAgain, false
	case begin == 0 && strings.HasPrefix(trimmed, "MII"):
		return "is the base64 of a key or certificate without its lines -----BEGIN …----- and -----END …-----", copyAgain, false
	case begin == 0:
		return "is not PEM: no line begins with -----BEGIN", copyAgain, false
	case strings.Contains(text, `\n`):
		return `holds \n as two characters where line breaks belong`, `in JSON write \n once, not \\n; ` + copyAgain, false
	case begin > 1:
		return "holds more than one PEM block", "keep the one that belongs here; each platform key is an entry of its own", false
	case !strings.Contains(text, "-----END"):
		return "is cut off: the line -----END …----- is missing", copyAgain, false
	case strings.Count(strings.TrimSpace(text), "\n") < 2:
		return "has lost its line breaks: all of it stands on one line", copyAgain, false
	}
	if block, _ := pem.Decode([]byte(text)); block == nil {
		return "is not a whole PEM block: a line break, a line or some characters are missing, or lines are indented", copyAgain, false
	}
	if strings.Contains(text, "\r") {
		return "has Windows line ends (CRLF); it is read all the same, and other programs may not", "store it with line feeds alone (`dos2unix`)", true
	}
	return "", "", false
}

// privateAdvice says what to do when a text is PEM, but not a private key of the right kind.
func privateAdvice(problem string) string {
	switch {
	case strings.Contains(problem, "is a certificate"):
		return "this is apiclient_cert.pem; the private key is in apiclient_key.pem"
	case strings.Contains(problem, "passphrase"):
		return "take the passphrase off: openssl pkcs8 -topk8 -nocrypt -in apiclient_key.pem"
	case strings.Contains(problem, "not an RSA"):
		return "WeChat Pay APIv3 with WECHATPAY2-SHA256-RSA2048 takes RSA keys only; this may be another system's key"
	case strings.Contains(problem, "not of a private key"):
		return "keys were swapped: a public key belongs to platform_keys; the private key is in apiclient_key.pem"
	}
	return "take the private key that WeChat Pay's certificate tool made, apiclient_key.pem"
}

// platformAdvice says what to do when a text is PEM, but neither a public key nor a certificate.
func platformAdvice(problem string) string {
	switch {
	case strings.Contains(problem, "is a private key"):
		return "keys were swapped: a private key belongs to private_key; WeChat Pay's public key is downloaded from the merchant platform (API安全 → 微信支付公钥)"
	case strings.Contains(problem, "neither PUBLIC KEY"):
		return "a PKCS#1 key (RSA PUBLIC KEY) is converted with openssl rsa -RSAPublicKey_in -pubout"
	}
	return "download WeChat Pay's public key again (API安全 → 微信支付公钥)"
}
