package main

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/verifiers"
	"github.com/wechatpay-apiv3/wechatpay-go/core/downloader"
	"github.com/wechatpay-apiv3/wechatpay-go/core/notify"
	"github.com/wechatpay-apiv3/wechatpay-go/core/option"
	"github.com/wechatpay-apiv3/wechatpay-go/utils"
)

const wechatpayURL = "https://api.mch.weixin.qq.com"

func stringBody(s string) io.Reader { return strings.NewReader(s) }

// redirected sends what is for WeChat Pay to the sandbox. wechatpay-go needs it to load certificates.
type redirected string

func (to redirected) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = "http", strings.TrimPrefix(string(to), "http://"), ""
	return http.DefaultTransport.RoundTrip(r)
}

// wechatpayGo has no service for complaints; its client calls any path.
type wechatpayGo struct {
	*env
	client   *core.Client
	verifier auth.Verifier
	encrypt  func(string) (string, error)
	key      *rsa.PrivateKey
	loaded   string // serial number of the certificate that was loaded
}

func runWechatpayGo(ctx context.Context, e *env) ([]done, error) {
	w := &wechatpayGo{env: e}
	var err error
	if w.key, err = utils.LoadPrivateKeyWithPath(e.path("apiclient_key.pem")); err != nil {
		return nil, err
	}
	if err := w.open(ctx); err != nil {
		return nil, err
	}
	var s script
	complaint := wechatpayURL + "/v3/merchant-service/complaints-v2/" + e.Complaint
	s.do("read", func() (string, error) {
		var c struct {
			Phone string `json:"payer_phone"`
		}
		if err := w.get(ctx, complaint, &c); err != nil {
			return "", err
		}
		return utils.DecryptOAEP(c.Phone, w.key)
	})
	s.do("list", func() (string, error) {
		var page struct {
			Data []struct {
				ID string `json:"complaint_id"`
			}
		}
		day := time.Now().In(time.FixedZone("", 8*3600)).Format(time.DateOnly)
		err := w.get(ctx, wechatpayURL+"/v3/merchant-service/complaints-v2?limit=50&begin_date="+day+"&end_date="+day, &page)
		for _, c := range page.Data {
			if c.ID == e.Complaint {
				return c.ID, err
			}
		}
		return "", err
	})
	media := s.do("upload", func() (string, error) { return w.upload(ctx) })
	s.do("reply", func() (string, error) {
		_, err := w.client.Post(ctx, complaint+"/response", map[string]any{"complainted_mchid": e.Mchid, "response_content": replyText,
			"response_images": []string{media}})
		return "", err
	})
	s.do("history", func() (string, error) {
		var page struct {
			Data []struct {
				Details string `json:"operate_details"`
			}
		}
		if err := w.get(ctx, complaint+"/negotiation-historys?limit=300", &page); err != nil || len(page.Data) == 0 {
			return "", err
		}
		return page.Data[len(page.Data)-1].Details, nil
	})
	s.do("complete", func() (string, error) {
		_, err := w.client.Post(ctx, complaint+"-done/complete", map[string]string{"complainted_mchid": e.Mchid})
		return "", err
	})
	s.do("echo", func() (string, error) { return w.echo(ctx) })
	s.do("notification", func() (string, error) {
		r, err := e.notification(ctx)
		if err != nil {
			return "", err
		}
		handler, err := notify.NewRSANotifyHandler(e.APIv3Key, w.verifier)
		if err != nil {
			return "", err
		}
		var c struct {
			ID string `json:"complaint_id"`
		}
		_, err = handler.ParseNotifyRequest(ctx, r, &c)
		return c.ID, err
	})
	s.do("certificates", func() (string, error) { return w.loaded, nil })
	return s.all, nil
}

// open makes the client. The certificates are loaded in both cases, to see that it can.
func (w *wechatpayGo) open(ctx context.Context) error {
	through := option.WithHTTPClient(&http.Client{Transport: redirected(w.URL)})
	unverified, err := core.NewClient(ctx, through, option.WithMerchantCredential(w.Mchid, w.SerialNo, w.key), option.WithoutValidator())
	if err != nil {
		return err
	}
	certificates, err := downloader.NewCertificateDownloaderWithClient(ctx, unverified, w.APIv3Key)
	if err != nil {
		return err
	}
	w.loaded = certificates.GetNewestSerial(ctx)
	if !w.Public {
		certificate, _ := certificates.Get(ctx, w.loaded)
		w.verifier = verifiers.NewSHA256WithRSAVerifier(certificates)
		w.encrypt = func(s string) (string, error) { return utils.EncryptOAEPWithCertificate(s, certificate) }
		w.client, err = core.NewClient(ctx, through, option.WithWechatPayAuthCipher(w.Mchid, w.SerialNo, w.key, []*x509.Certificate{certificate}))
		return err
	}
	theirs, err := utils.LoadPublicKeyWithPath(w.path("pub_key.pem"))
	if err != nil {
		return err
	}
	w.verifier = verifiers.NewSHA256WithRSAPubkeyVerifier(w.PublicKeyID, *theirs)
	w.encrypt = func(s string) (string, error) { return utils.EncryptOAEPWithPublicKey(s, theirs) }
	w.client, err = core.NewClient(ctx, through, option.WithWechatPayPublicKeyAuthCipher(w.Mchid, w.SerialNo, w.key, w.PublicKeyID, theirs))
	return err
}

func (w *wechatpayGo) get(ctx context.Context, url string, into any) error {
	result, err := w.client.Get(ctx, url)
	if err != nil {
		return err
	}
	return core.UnMarshalResponse(result.Response, into)
}

func (w *wechatpayGo) upload(ctx context.Context) (string, error) {
	sum := sha256.Sum256(picture)
	meta := fmt.Sprintf(`{"filename":"picture.png","sha256":"%s"}`, hex.EncodeToString(sum[:]))
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := core.CreateFormField(form, "meta", "application/json", []byte(meta)); err != nil {
		return "", err
	}
	if err := core.CreateFormFile(form, "picture.png", "image/png", picture); err != nil {
		return "", err
	}
	if err := form.Close(); err != nil {
		return "", err
	}
	result, err := w.client.Upload(ctx, wechatpayURL+"/v3/merchant-service/images/upload", meta, body.String(), form.FormDataContentType())
	if err != nil {
		return "", err
	}
	var answer struct {
		MediaID string `json:"media_id"`
	}
	err = core.UnMarshalResponse(result.Response, &answer)
	return answer.MediaID, err
}

func (w *wechatpayGo) echo(ctx context.Context) (string, error) {
	encrypted, err := w.encrypt(echoText)
	if err != nil {
		return "", err
	}
	result, err := w.client.Post(ctx, wechatpayURL+"/v3/security/echo", map[string]string{"echo_message": "hello",
		"encrypted_echo_message": encrypted})
	if err != nil {
		return "", err
	}
	var answer struct {
		Encrypted string `json:"encrypted_echo_message"`
	}
	body, err := io.ReadAll(result.Response.Body)
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", err
	}
	return utils.DecryptOAEP(answer.Encrypted, w.key)
}
