package sandbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
)

// pictureLimit is what an upload may hold: "文件大小不能超过2M".
const pictureLimit = 2 << 20

// pictureForm is the body of an upload: https://pay.weixin.qq.com/doc/v3/partner/4012467222.
type pictureForm struct {
	meta []byte // exactly as it came, which is what is signed
	file []byte
}

// readPictureForm takes the form apart, before the signature can be looked at: it is over a part of it.
//
// Parts in another order, and a meta without a type of its own, are sent by real clients (gopay, wechatpay-java). So is a
// Content-Type without its boundary (wechatpayv3), which RFC 2046 does not allow; the boundary is then read from the body.
func readPictureForm(q *request) (*pictureForm, refusal) {
	bad := invalid("multipart/form-data格式错误")
	_, parameters, err := mime.ParseMediaType(q.Header.Get("Content-Type"))
	boundary := parameters["boundary"]
	if err == nil && boundary == "" {
		line, _, _ := bytes.Cut(q.body, []byte("\r\n"))
		boundary = strings.TrimPrefix(string(line), "--")
	}
	if err != nil || boundary == "" || len(boundary) > 70 { // RFC 2046, section 5.1.1
		return nil, bad
	}
	form, parts := &pictureForm{}, multipart.NewReader(bytes.NewReader(q.body), boundary)
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, bad
		}
		text, err := io.ReadAll(part)
		switch name := part.FormName(); {
		case err != nil:
			return nil, bad
		case name == "meta" && form.meta == nil:
			form.meta = text
		case name == "file" && form.file == nil && part.FileName() != "":
			form.file = text
		default:
			return nil, paramError("body", name, "表单应为meta和file")
		}
	}
	if form.meta == nil || form.file == nil {
		return nil, paramError("body", "file", "表单应为meta和file")
	}
	return form, refusal{}
}

// pictureTypes are the kinds of pictures that are taken, by the suffixes that their names may have ("必须以JPG、BMP、PNG为后缀"; jpeg
// is what wechatpayv3 allows too) and by how their bytes begin.
var pictureTypes = []struct {
	suffixes []string
	begins   string
	media    string
}{
	{[]string{".jpg", ".jpeg"}, "\xff\xd8\xff", "image/jpeg"},
	{[]string{".png"}, "\x89PNG\r\n\x1a\n", "image/png"},
	{[]string{".bmp"}, "BM", "image/bmp"},
}

// upload keeps a picture and gives the id under which a reply can show it.
func (g *WechatPay) upload(q *request) (success, refusal) {
	meta, no := readObject("/meta", q.form.meta, member{name: "filename", required: true, limit: 128},
		member{name: "sha256", required: true, limit: 256})
	if no.status != 0 {
		return success{}, no
	}
	sum := sha256.Sum256(q.form.file)
	switch {
	case len(q.form.file) > pictureLimit:
		return success{}, bodyError("/file", "文件大小不能超过2M")
	case !strings.EqualFold(meta.str("sha256"), hex.EncodeToString(sum[:])): // "对图片文件的二进制内容进行sha256计算得到的值"
		return success{}, bodyError("/meta/sha256", "与文件内容不符")
	}
	media := pictureType(meta.str("filename"), q.form.file)
	if media == "" {
		return success{}, bodyError("/meta/filename", "必须是以JPG、BMP、PNG为后缀的图片")
	}
	id := g.state.keepPicture(Picture{Merchant: q.account.Merchant, Media: media, Data: q.form.file})
	q.call.Acted = true
	return answerJSON(map[string]string{"media_id": id})
}

// pictureType is the media type of a picture whose name and bytes agree.
func pictureType(name string, data []byte) string {
	for _, t := range pictureTypes {
		for _, suffix := range t.suffixes {
			if strings.HasSuffix(strings.ToLower(name), suffix) && bytes.HasPrefix(data, []byte(t.begins)) {
				return t.media
			}
		}
	}
	return ""
}

// picture sends a picture. The answer has no signature: wechatpay-php and wechatpay-axios-plugin make an exception for this
// path, and wechatpayv3 does not look for one. https://pay.weixin.qq.com/doc/v3/partner/4012467223.
func (g *WechatPay) picture(q *request) (success, refusal) {
	p, ok := g.state.picture(q.id)
	if !ok || p.Merchant != q.account.Merchant {
		return success{}, refusal{status: http.StatusNotFound, code: "RESOURCE_NOT_EXISTS", message: "图片不存在"}
	}
	return success{status: http.StatusOK, body: p.Data, contentType: p.Media}, refusal{}
}

// jsonText writes what can always be written as JSON.
func jsonText(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return text
}
