package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// The first bytes of the three kinds of pictures, and a little more.
const (
	png  = "\x89PNG\r\n\x1a\n\x00\xff picture"
	jpeg = "\xff\xd8\xff\xe0 picture"
	bmp  = "BM picture"
)

// picture is an upload over HTTP.
type picture struct {
	merchant  string
	mediaType string
	query     any // the query parameter filename, "" is none; a list is one that stands several times
	data      string
	text      bool // the event has it as text, not as base64
}

// events are the three events that AWS makes of it.
func (p picture) events() map[string]string {
	r := request{merchant: p.merchant, path: "/merchants/" + p.merchant + "/images", header: map[string]string{"Content-Type": p.mediaType}, body: p.data, base64: !p.text}
	v2, url := r.v2(""), r.v2("")
	body, headers, method := r.content()
	rest := map[string]any{"resource": "/merchants/{merchant}/images", "path": "/v1" + r.path, "httpMethod": method, "headers": headers, "body": body,
		"isBase64Encoded": r.base64, "pathParameters": map[string]string{"merchant": p.merchant}, "requestContext": map[string]any{"stage": "prod"}}
	v2["pathParameters"] = map[string]string{"merchant": p.merchant}
	var all []string
	switch query := p.query.(type) {
	case string:
		if query != "" {
			all = []string{query}
		}
	case []string:
		all = query
	}
	if len(all) > 0 {
		rest["multiValueQueryStringParameters"] = map[string][]string{"filename": all}
		for _, e := range []map[string]any{rest, v2, url} {
			e["queryStringParameters"] = map[string]string{"filename": all[len(all)-1]}
		}
	}
	return map[string]string{"a REST API (payload 1.0)": event(rest), "an HTTP API (payload 2.0)": event(v2), "a function URL": event(url)}
}

func (p picture) restAPI() string { return p.events()["a REST API (payload 1.0)"] }

// form takes a multipart body apart.
func form(t *testing.T, c sandbox.Call) (meta, file []byte, headers []string) {
	t.Helper()
	kind, parameters, err := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		t.Fatalf("Content-Type %q", c.Header.Get("Content-Type"))
	}
	parts := multipart.NewReader(bytes.NewReader(c.Body), parameters["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			return meta, file, headers
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		headers = append(headers, part.Header.Get("Content-Disposition")+" "+part.Header.Get("Content-Type"))
		if part.FormName() == "meta" {
			meta = text
		} else {
			file = text
		}
	}
}

func TestAPictureIsTheDocumentedFormSignedOverItsMeta(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{}) // whose replies go through 翼码
	s := w.signer()
	gateway := w.newStub(func(rw http.ResponseWriter, _ sandbox.Call) {
		s.answer(rw, 200, `{"media_id":"file23578_21798531.jpg"}`, nil)
	})
	f := w.reply("WECHATPAY_URL=" + gateway.URL)
	for _, test := range []struct {
		name     string
		p        picture
		filename string
		suffix   string
		media    string
	}{
		{"a PNG without a name", picture{"acme", "image/png", "", png, false}, "image.png", ".png", "image/png"},
		{"a JPEG", picture{"acme", "image/jpeg", "截图", jpeg, false}, "截图.jpg", ".jpg", "image/jpeg"},
		{"a JPEG of a name in capitals", picture{"acme", "IMAGE/JPEG; q=1", "A.JPG", jpeg, false}, "A.JPG", ".jpg", "image/jpeg"},
		{"a BMP of another suffix", picture{"acme", "image/bmp", "a.png", bmp, false}, "a.png.bmp", ".bmp", "image/bmp"},
		{"2 MiB", picture{"acme", "image/bmp", "", bmp + strings.Repeat("\x00", 2<<20-len(bmp)), false}, "image.bmp", ".bmp", "image/bmp"},
		{"a name of 128 characters", picture{"acme", "image/png", strings.Repeat("字", 124) + ".png", png, false}, strings.Repeat("字", 124) + ".png", ".png", "image/png"},
		{"a name that stands twice alike", picture{"acme", "image/png", []string{"a", "a"}, png, false}, "a.png", ".png", "image/png"},
	} {
		for way, payload := range test.p.events() {
			t.Run(test.name+" by "+way, func(t *testing.T) {
				before := len(gateway.received())
				got := f.response(f.invoke(payload))
				calls := gateway.received()[before:]
				if got.status != 200 || got.MediaID != "file23578_21798531.jpg" || got.Action != "upload" || got.Provider != "wechatpay" || !got.Verified || len(calls) != 1 ||
					got.ComplaintID != "" || got.TransactionID != "" || got.Code != "OK" {
					t.Fatalf("%d calls, %d %s", len(calls), got.status, got.body)
				}
				c := calls[0]
				meta, file, headers := form(t, c)
				sum := sha256.Sum256([]byte(test.p.data))
				if want := fmt.Sprintf(`{"filename":"%s","sha256":"%s"}`, test.filename, hex.EncodeToString(sum[:])); string(meta) != want {
					t.Errorf("meta is %s, want %s", meta, want)
				}
				if string(file) != test.p.data {
					t.Errorf("the picture of %d bytes came as one of %d", len(test.p.data), len(file))
				}
				want := []string{`form-data; name="meta" application/json`, `form-data; name="file"; filename="image` + test.suffix + `" ` + test.media}
				if !slices.Equal(headers, want) {
					t.Errorf("the parts are %q, want %q", headers, want)
				}
				if c.Method != "POST" || c.Target != "/v3/merchant-service/images/upload" {
					t.Errorf("%s %s", c.Method, c.Target)
				}
				c.Body = meta
				checkWechatPayRequest(t, c, m)
			})
		}
	}
}

func TestWhatIsNoPictureIsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply()
	for _, test := range []struct {
		name   string
		p      picture
		status int
		want   string
		says   string
	}{
		{"a GIF", picture{"acme", "image/gif", "", "GIF89a", false}, 415, "", "image/jpeg, image/png or image/bmp"},
		{"no media type", picture{"acme", "", "", png, false}, 415, "", "image/jpeg"},
		{"a JSON body", picture{"acme", "application/json", "", goodBody, true}, 415, "", "image/jpeg"},
		{"a JPEG that is said to be a PNG", picture{"acme", "image/png", "", jpeg, false}, 400, "", "the first bytes are not those of image/png"},
		{"a PNG that is said to be a JPEG", picture{"acme", "image/jpeg", "", png, false}, 400, "", "first bytes"},
		{"a page", picture{"acme", "image/bmp", "", "<html>", false}, 400, "", "first bytes"},
		{"nothing", picture{"acme", "image/png", "", "", false}, 400, "", "empty"},
		{"text that is not marked as base64", picture{"acme", "image/bmp", "", bmp, true}, 400, "/isBase64Encoded", "binary media types"},
		{"a byte too many", picture{"acme", "image/bmp", "", bmp + strings.Repeat("\x00", 2<<20-len(bmp)+1), false}, 413, "", "2097153 bytes"},
		{"a name with a slash", picture{"acme", "image/png", "a/b", png, false}, 400, "/queryStringParameters/filename", "must not hold"},
		{"a name with a backslash", picture{"acme", "image/png", `a\b`, png, false}, 400, "/queryStringParameters/filename", "must not hold"},
		{"a name with a quote", picture{"acme", "image/png", `a"b`, png, false}, 400, "/queryStringParameters/filename", "must not hold"},
		{"a name with a line break", picture{"acme", "image/png", "a\r\nb", png, false}, 400, "/queryStringParameters/filename", "control character"},
		{"a name of 129 characters", picture{"acme", "image/png", strings.Repeat("字", 125) + ".png", png, false}, 400, "/queryStringParameters/filename", "128"},
		{"a name that is too long with its suffix", picture{"acme", "image/png", strings.Repeat("字", 128), png, false}, 400, "/queryStringParameters/filename", "with the suffix .png"},
		{"two names", picture{"acme", "image/png", []string{"a", "b"}, png, false}, 400, "/queryStringParameters/filename", "differently"},
		{"a merchant of a wrong form", picture{"a.b", "image/png", "", png, false}, 400, "/merchant", "may hold only"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := f.response(f.invoke(test.p.restAPI()))
			if got.status != test.status || got.Code != "INVALID_REQUEST" || got.Action != "upload" || strings.Join(got.pointers(), " ") != test.want || !strings.Contains(string(got.body), test.says) {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
	if n := len(w.Primary.Calls.Calls()); n != 0 {
		t.Errorf("%d calls were made", n)
	}
}

// media is the answer that WeChat Pay gives to an upload.
const media = `{"media_id":"m-1"}`

// Every row of sections 5 and 5.2: an upload is repeated like a completion.
func TestEveryAnswerToAnUploadHasItsMeaning(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	s := w.signer()
	gateway := w.newStub(silent)
	f := w.reply("WECHATPAY_URL="+gateway.URL, "WECHATPAY_BACKUP_URL="+gateway.URL, "MAX_ATTEMPTS=2", "ATTEMPT_TIMEOUT=4s")
	rows := []answered{
		{"200 with an id", signed(200, media, nil), "succeeded", "OK", true, 200, 200, 1},
		{"200 with an id, unsigned", unsigned(200, media), "unknown", "UPSTREAM_UNVERIFIED", false, 200, 504, 2},
		{"200 with an id of spaces", signed(200, `{"media_id":"a b"}`, nil), "unknown", "UPSTREAM_GARBLED", true, 200, 504, 2},
		{"200 with an id that would be two", signed(200, `{"media_id":"a|b"}`, nil), "unknown", "UPSTREAM_GARBLED", true, 200, 504, 2},
		{"200 with an id of 513 characters", signed(200, `{"media_id":"`+long(513)+`"}`, nil), "unknown", "UPSTREAM_GARBLED", true, 200, 504, 2},
		{"202 with an id", signed(202, media, nil), "unknown", "UPSTREAM_GARBLED", true, 202, 504, 1},
	}
	for _, test := range completionAnswers {
		if test.outcome == "succeeded" { // but without an id
			test.outcome, test.code, test.http, test.calls = "unknown", "UPSTREAM_GARBLED", 504, 2
		}
		rows = append(rows, test)
	}
	for _, test := range rows {
		t.Run(test.name, func(t *testing.T) {
			gateway.says(func(rw http.ResponseWriter, _ sandbox.Call) { test.answer(rw, s) })
			before := len(gateway.received())
			got := f.response(f.invoke(picture{"acme", "image/png", "", png, false}.restAPI()))
			if got.Outcome != test.outcome || got.Code != test.code || got.Verified != test.verified || got.HTTPStatus != test.status || got.status != test.http {
				t.Errorf("got %d %s", got.status, got.body)
			}
			if calls := gateway.received()[before:]; len(calls) != test.calls || got.Attempts != test.calls {
				t.Errorf("%d calls were made and %d are told of", len(calls), got.Attempts)
			}
		})
	}
}

func TestAPictureNeedsWechatPaysHalfAloneAndAReplyItsCarriers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := picture{"", "image/png", "", png, false}
	for _, test := range []struct {
		name   string
		change func(m *sandbox.Merchant)
		upload string // what is wrong for a picture; "" is nothing
		reply  string
	}{
		{"both halves", func(*sandbox.Merchant) {}, "", ""},
		{"no half of WeChat Pay", func(m *sandbox.Merchant) { m.WechatPay = nil }, "wechatpay is missing", ""},
		{"a spoilt half of WeChat Pay", func(m *sandbox.Merchant) { m.WechatPay.SerialNo = "" }, "wechatpay.serial_no", ""},
		{"no half of 翼码", func(m *sandbox.Merchant) { m.Imageco = nil }, "", "imageco is missing"},
		{"a spoilt half of 翼码", func(m *sandbox.Merchant) { m.Imageco.Key = "" }, "", "imageco.key"},
	} {
		t.Run(test.name, func(t *testing.T) {
			name := uniqueName()
			m := w.merchant(name, sandbox.MerchantOptions{})
			test.change(m)
			w.store(m)
			f := w.reply()
			one.merchant = name
			up, reply := f.response(f.invoke(one.restAPI())), f.bare(replyTo(name, w.complaint(name)))
			for _, got := range []struct {
				result
				want string
			}{{up.result, test.upload}, {reply, test.reply}} {
				if got.want == "" && got.Outcome != "succeeded" || got.want != "" && (got.Code != "MERCHANT_MISCONFIGURED" || !strings.Contains(got.Message, got.want)) {
					t.Errorf("%s: %+v, want %q", got.Action, got.result, got.want)
				}
			}
		})
	}
}

func TestAPictureIsShownByRepliesThroughEitherGateway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.throughWechatPay("direct", false)
	w.merchant("imageco", sandbox.MerchantOptions{})
	f := w.reply("REPLY_RATE_PER_MINUTE=60")
	for _, merchant := range []string{"direct", "imageco"} {
		got := f.response(f.invoke(picture{merchant, "image/png", "证据", png, false}.restAPI()))
		if kept, ok := w.State.Picture(got.MediaID); got.status != 200 || !ok || string(kept.Data) != png {
			t.Fatalf("%d %s", got.status, got.body)
		}
		id := w.complaint(merchant)
		reply := f.bare(replyTo(merchant, id).with("response_images", []string{got.MediaID}))
		c, _ := w.State.Complaint(merchant, id)
		if reply.Outcome != "succeeded" || len(c.Replies) != 1 || !slices.Equal(c.Replies[0].Images, []string{got.MediaID}) {
			t.Errorf("%+v, shown %+v", reply, c.Replies)
		}
	}
}

func TestPicturesHaveAPaceOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, sandbox.Options{NewKey: newKey, Ledger: true}) // where paces of one name would be one
	w.merchant("acme", sandbox.MerchantOptions{})
	f := w.reply("REPLY_RATE_PER_MINUTE=1")
	var codes []string
	for range 4 {
		codes = append(codes, f.response(f.invoke(picture{"acme", "image/png", "", png, false}.restAPI())).Code)
	}
	codes = append(codes, f.bare(replyTo("acme", w.complaint("acme"))).Code)
	if got := strings.Join(codes, " "); got != "OK OK OK RATE_LIMITED 0000" {
		t.Error(got)
	}
	if n := len(w.Primary.Calls.Calls()); n != 3 { // the same picture, which takes no claim
		t.Errorf("%d calls were made", n)
	}
}

// A media_id that holds what must not get out is not handed on, though it was signed.
func TestAMediaIDThatHoldsASecretIsNotShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	s := w.signer()
	gateway := w.newStub(func(rw http.ResponseWriter, c sandbox.Call) {
		leaked := m.Imageco.Key
		if v := authorizationMembers(c.Header.Get("Authorization")); c.N%2 == 0 {
			leaked = base64.RawURLEncoding.EncodeToString([]byte("x")) + v["signature"]
		}
		s.answer(rw, 200, `{"media_id":"m-`+leaked+`"}`, nil)
	})
	f := w.reply("WECHATPAY_URL="+gateway.URL, "MAX_ATTEMPTS=2")
	if got := f.response(f.invoke(picture{"acme", "image/png", "", png, false}.restAPI())); got.Code != "UPSTREAM_GARBLED" || got.Attempts != 2 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestAPictureIsTakenByHTTPOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.merchant("acme", sandbox.MerchantOptions{})
	p := picture{"acme", "image/png", "", png, false}
	get := strings.Replace(p.restAPI(), `"httpMethod":"POST"`, `"httpMethod":"GET"`, 1)
	if got := w.reply().response(w.reply().invoke(get)); got.status != 400 || !strings.Contains(got.Message, "POST") {
		t.Errorf("GET: %d %s", got.status, got.body)
	}
	if got := w.complete().response(w.complete().invoke(p.events()["a function URL"])); got.status != 400 || !strings.Contains(got.Message, "the path must be") {
		t.Errorf("functions/complete: %d %s", got.status, got.body)
	}
	if n := len(w.Primary.Calls.Calls()); n != 0 {
		t.Errorf("%d calls were made", n)
	}
}
