package main

import (
	"context"
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/kesu-go/kesu/pkg/signing"
)

// authorizationProblem is what is wrong with the form of an Authorization header; "" for none at all.
func authorizationProblem(header string) string {
	if header == "" {
		return ""
	}
	if _, err := signing.ParseAuthorization(header); err != nil {
		return strings.TrimPrefix(err.Error(), "authorization: ")
	}
	return ""
}

// explainWechatPay explains a request to WeChat Pay, or an answer from it.
func (c signCommand) explainWechatPay(ctx context.Context, message []byte) (*explanation, error) {
	w, err := c.readWechat(message)
	if err != nil {
		return nil, err
	}
	keys, err := c.wechatKeys(ctx, w.answer)
	if err != nil {
		return nil, err
	}
	right := newWechatRecipe(w)
	e := &explanation{Scheme: "WeChat Pay APIv3: SHA256 with RSA (PKCS#1 v1.5) over the lines below, each ended by one line feed; base64", Given: w.signature}
	e.Signed = right.text()
	if w.problem != "" {
		e.note("in the Authorization header: %s", w.problem)
	}
	e.noteTimestamp(w, time.Now())
	if strings.HasSuffix(w.body, "\n") {
		e.note("the body ends with a line feed, which is signed as a part of it; an editor may have added it to the file")
	}
	if len(keys) == 0 {
		e.note("without a key nothing can be made or checked; give --merchant, --secret-file or --key-file")
		return e, nil
	}
	if private := keys[0].private; private != nil && !w.answer {
		digest := digestOf(crypto.SHA256, right.text())
		signature, err := private.Sign(nil, digest, crypto.SHA256)
		if err != nil {
			return nil, errors.New("the private key cannot sign")
		}
		e.Result = base64.StdEncoding.EncodeToString(signature)
	}
	if w.signature != "" {
		e.judge(w, right, keys)
	}
	return e, nil
}

// noteTimestamp tells of a timestamp that will not be taken.
func (e *explanation) noteTimestamp(w wechatMessage, now time.Time) {
	seconds, err := strconv.ParseInt(w.timestamp, 10, 64)
	switch {
	case err != nil:
		e.note("the timestamp is not a number; it must be seconds since 1970")
	case len(w.timestamp) == 13:
		e.note("the timestamp has 13 digits: milliseconds; it must be seconds")
	case now.Sub(time.Unix(seconds, 0)).Abs() > signing.Tolerance:
		e.note("the timestamp is %s from this machine's time; WeChat Pay takes a request for 5 minutes only", now.Sub(time.Unix(seconds, 0)).Abs().Round(time.Second))
	}
}

// judge holds the signature against every key: first whether the key made it at all, and then over what.
func (e *explanation) judge(w wechatMessage, right wechatRecipe, keys []wechatKey) {
	e.matches(false)
	signature, how, err := decodeSignature(w.signature)
	if err != nil {
		e.Differences = []string{err.Error()}
		return
	}
	for _, key := range keys {
		digest, ok := recoverDigest(key.public, signature)
		if !ok {
			continue
		}
		e.judgeDigest(w, right, key, digest)
		if how != "" {
			e.matches(false)
			e.Differences = append([]string{how}, e.Differences...)
		}
		return
	}
	for _, key := range keys {
		if says := otherPadding(key.public, signature, right.text()); says != "" {
			e.Differences = []string{says}
			return
		}
	}
	e.note("the signature was not made with %s at all, whatever the text: look for another key%s", named(keys), serialAdvice(w))
	e.Differences = []string{"another private key is used than the one that belongs to the given key"}
}

func serialAdvice(w wechatMessage) string {
	if w.serial == "" {
		return ""
	}
	return "; serial_no (or Wechatpay-Serial) says " + w.serial
}

// judgeDigest knows that the key made the signature, and looks for the text that it was made over.
func (e *explanation) judgeDigest(w wechatMessage, right wechatRecipe, key wechatKey, made recoveredDigest) {
	if w.answer && w.serial != "" && key.id != "" && !strings.EqualFold(strings.TrimLeft(key.id, "0"), strings.TrimLeft(w.serial, "0")) {
		e.note("it was made with the key %s, and Wechatpay-Serial names %s", key.id, w.serial)
	}
	if made.hash == crypto.SHA256 && string(made.digest) == string(digestOf(crypto.SHA256, right.text())) {
		e.matches(true)
		return
	}
	found, ok := explainBy(right, wechatMistakes(right), func(r wechatRecipe) bool {
		return string(digestOf(made.hash, r.text())) == string(made.digest)
	})
	if made.hash != crypto.SHA256 {
		found = append([]string{fmt.Sprintf("the digest is %s in place of SHA-256", made.hash)}, found...)
	}
	if !ok {
		e.note("the right key (%s) made this signature, but over another text than this message", key.name)
	}
	e.Differences = found
}

// decodeSignature reads base64 in the forms that people write it, and says what is wrong with a form that is not the
// right one.
func decodeSignature(text string) (signature []byte, how string, err error) {
	if strings.HasPrefix(text, "WECHATPAY/SIGNTEST/") {
		return nil, "", errors.New("it begins with WECHATPAY/SIGNTEST/: WeChat Pay sends a wrong signature on purpose now and then, to see that it is refused; the next answer will be signed rightly")
	}
	if signature, err = base64.StdEncoding.DecodeString(text); err == nil {
		return signature, "", nil
	}
	for _, form := range []struct {
		says string
		read func(string) ([]byte, error)
	}{
		{"the signature is in URL-safe base64 (- and _ in place of + and /)", base64.URLEncoding.DecodeString},
		{"the signature is in URL-safe base64 without = at its end", base64.RawURLEncoding.DecodeString},
		{"the signature lacks the = at its end", base64.RawStdEncoding.DecodeString},
		{"the signature is in hex in place of base64", decodeHex},
		{"the + of the base64 became spaces (it went through a form or a URL)", func(s string) ([]byte, error) {
			return base64.StdEncoding.DecodeString(strings.ReplaceAll(s, " ", "+"))
		}},
	} {
		if signature, err = form.read(text); err == nil {
			return signature, form.says, nil
		}
	}
	return nil, "", errors.New("the signature is not base64")
}
