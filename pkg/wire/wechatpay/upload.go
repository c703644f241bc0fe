package wechatpay

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"mime/multipart"
	"net/textproto"
)

// Upload is a picture on its way to 商户上传反馈图片: https://pay.weixin.qq.com/wiki/doc/apiv3/apis/chapter10_2_10.shtml.
type Upload struct {
	Meta        []byte // the member meta; it is what the request's signature is made over, in place of the body
	ContentType string // with the boundary
	Body        []byte
}

// asciiName is the file's name in the multipart header; the name that is shown travels in meta.
const asciiName = "image"

// NewUpload makes the multipart body for a picture of a media type such as image/png. It fails only when boundary is
// not one (RFC 2046, 5.1.1).
func NewUpload(picture []byte, mediaType, filename, suffix, boundary string) (Upload, error) {
	sum := sha256.Sum256(picture)
	meta := compact(struct {
		Filename string `json:"filename"`
		SHA256   string `json:"sha256"`
	}{filename, hex.EncodeToString(sum[:])})
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	if err := w.SetBoundary(boundary); err != nil {
		return Upload{}, err
	}
	for _, part := range []struct {
		disposition, mediaType string
		content                []byte
	}{
		{`form-data; name="meta"`, "application/json", meta},
		{`form-data; name="file"; filename="` + asciiName + suffix + `"`, mediaType, picture},
	} {
		out, err := w.CreatePart(
			textproto.MIMEHeader{"Content-Disposition": {part.disposition}, "Content-Type": {part.mediaType}})
		if err != nil {
			return Upload{}, err
		}
		if _, err := out.Write(part.content); err != nil {
			return Upload{}, err
		}
	}
	if err := w.Close(); err != nil {
		return Upload{}, err
	}
	return Upload{Meta: meta, ContentType: w.FormDataContentType(), Body: body.Bytes()}, nil
}

// maxMediaID bounds a media id, in characters, as a reply's pictures are bounded.
const maxMediaID = 512

// ReadUpload reads media_id from the answer to an upload, and gives "" when there is none that a reply could carry.
func ReadUpload(body []byte) string {
	var answer struct {
		MediaID string `json:"media_id"`
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.MediaID) > maxMediaID {
		return ""
	}
	for _, c := range []byte(answer.MediaID) {
		if c <= ' ' || c > '~' || c == '|' {
			return ""
		}
	}
	return answer.MediaID
}
