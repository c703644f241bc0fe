package wire

import (
	"bytes"
	"fmt"
	"mime"
	"strings"
	"unicode/utf8"
)

// MaxPicture bounds a picture, in bytes: 文件大小不能超过2M, https://pay.weixin.qq.com/doc/v3/partner/4012467222.
const MaxPicture = 2 << 20

// filenameMax bounds a picture's name with its suffix, in characters; it is the limit of that page too.
const filenameMax = 128

// Picture is one picture on its way to WeChat Pay.
type Picture struct {
	MediaType string // image/jpeg, image/png or image/bmp
	Suffix    string // of that type, with its dot
	Filename  string // ends with the suffix
	Data      []byte
}

// pictureTypes are the kinds of pictures that WeChat Pay takes (必须以JPG、BMP、PNG为后缀), and how their bytes begin.
var pictureTypes = []struct{ mediaType, suffix, begins string }{
	{"image/jpeg", ".jpg", "\xff\xd8\xff"},
	{"image/png", ".png", "\x89PNG\r\n\x1a\n"},
	{"image/bmp", ".bmp", "BM"},
}

var filenameText = text{max: filenameMax, check: plainName}

// plainName keeps a picture's name from being a path or from ending the quotes around it.
func plainName(value string) string {
	if strings.ContainsAny(value, `/\"`) {
		return `must not hold / \ or "`
	}
	return ""
}

// PictureRequest is the part of an HTTP request that makes an upload.
type PictureRequest struct {
	Merchant    string // from the path
	ContentType string
	Filenames   []string // every value of the query parameter filename
	Body        []byte
	// Text says that the event had the body as text and not as base64.
	Text bool

	// BodyProblems say why the body could not even be taken out of the event that brought it, if so.
	BodyProblems []Problem
}

// ReadPicture reads an upload from an HTTP request: the merchant from the path, the name from the query, and the
// picture as the body (contract, section 5.2). All problems are found, not only the first.
func ReadPicture(in PictureRequest) Request {
	d := newDoor(Upload)
	d.path(merchantRule, in.Merchant)
	picture := Picture{Data: in.Body}
	begins := ""
	mediaType, _, err := mime.ParseMediaType(in.ContentType)
	for _, t := range pictureTypes {
		if err == nil && t.mediaType == mediaType {
			picture.MediaType, picture.Suffix, begins = t.mediaType, t.suffix, t.begins
		}
	}
	if picture.MediaType == "" {
		d.request.WrongMedia = true
		d.problem("", "the Content-Type must be image/jpeg, image/png or image/bmp")
	}
	switch {
	case len(in.BodyProblems) > 0:
		d.request.Problems = append(d.request.Problems, in.BodyProblems...)
	case len(in.Body) == 0:
		d.problem("", "the body is empty; it must be the bytes of the picture")
	// An API that lists all binary media types still hands other types over as text.
	case in.Text && !d.request.WrongMedia:
		d.problem(
			"/isBase64Encoded",
			"the picture came as text, which damages it; the API must list its media type among "+
				"its binary media types",
		)
	case len(in.Body) > MaxPicture:
		d.request.TooLarge = true
		d.problem("", fmt.Sprintf("the picture has %d bytes; %d are allowed", len(in.Body), MaxPicture))
	case !bytes.HasPrefix(in.Body, []byte(begins)):
		d.problem("", "the first bytes are not those of "+picture.MediaType)
	}
	picture.Filename = d.filename(in.Filenames, picture.Suffix)
	d.request.Command.Picture = &picture
	return d.done()
}

// filename is the picture's name with the suffix of its type; by default it is image.
func (d *door) filename(given []string, suffix string) string {
	const pointer = "/queryStringParameters/filename"
	if len(given) == 0 {
		return "image" + suffix
	}
	name := given[0]
	problems := filenameText.problems(name)
	for _, other := range given[1:] {
		if other != name {
			problems = append(problems, "stands twice, and differently")
			break
		}
	}
	if len(problems) == 0 && !strings.EqualFold(name[max(0, len(name)-len(suffix)):], suffix) {
		name += suffix
		if n := utf8.RuneCountInString(name); n > filenameMax {
			problems = append(problems,
				fmt.Sprintf("has %d characters with the suffix %s; %d are allowed", n, suffix, filenameMax))
		}
	}
	for _, p := range problems {
		d.problem(pointer, p)
	}
	return name
}
