package signing

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// SignRequest signs a request to WeChat Pay APIv3: it sets the header Authorization, and changes nothing else.
//
// signed is what the signature is made over in the place of the body: the body itself, byte for byte, or nothing when
// there is none; for an upload as multipart/form-data it is the text of the member meta instead
// (https://pay.weixin.qq.com/wiki/doc/apiv3/apis/chapter10_2_10.shtml). The path and query that are signed are those
// that net/http will send. WeChat Pay also asks for Accept and a User-Agent, and for Content-Type with a body.
//
// Every request takes a nonce (see [NewNonce]) and a time of its own, a repeated one included. The errors are those of
// [Requester.Authorization].
func (r *Requester) SignRequest(request *http.Request, signed []byte, at time.Time, nonce string) error {
	if request.URL == nil {
		return fmt.Errorf("sign request: %w", errors.New("there is no URL"))
	}
	method := request.Method
	if method == "" {
		method = http.MethodGet // as net/http reads it
	}
	authorization, err := r.Authorization(method, request.URL.RequestURI(), signed, at, nonce)
	if err != nil {
		return fmt.Errorf("sign request: %w", err)
	}
	if request.Header == nil {
		request.Header = http.Header{}
	}
	request.Header.Set("Authorization", authorization)
	return nil
}
