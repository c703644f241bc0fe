package send

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"

	"github.com/kesu-go/kesu/internal/operate"
	"github.com/kesu-go/kesu/pkg/wire"
)

// Picture is one valid picture that is to be uploaded.
type Picture struct {
	Command wire.Command
	Sum     string // SHA-256 of its bytes, in hex
}

// NewPicture holds a picture's bytes against the rules of a picture. name is its file's, without folders.
func NewPicture(merchant, name string, data []byte) (Picture, error) {
	request := wire.ReadPicture(wire.PictureRequest{Merchant: merchant, ContentType: http.DetectContentType(data),
		Filenames: []string{name}, Body: data})
	if len(request.Problems) > 0 {
		return Picture{}, operate.New(operate.Usage, name+": "+wordsOf(request))
	}
	sum := sha256.Sum256(data)
	return Picture{request.Command, hex.EncodeToString(sum[:])}, nil
}

// Upload sends one picture to the API. After a success the report's result has a MediaID; a result that is no success
// is no error.
func (t Target) Upload(ctx context.Context, p Picture) (Report, error) {
	if t.bus != "" || t.local {
		return Report{}, operate.New(operate.Usage,
			"pictures are uploaded by HTTP, not over a bus; upload them first with kesu send image")
	}
	picture := p.Command.Picture
	path := "/merchants/" + p.Command.Merchant + "/images?filename=" + url.QueryEscape(picture.Filename)
	status, header, answer, err := t.Call(ctx, path, picture.MediaType, picture.Data)
	if err != nil {
		return Report{}, err
	}
	report, err := read(status, header, answer)
	if err != nil {
		return Report{}, err
	}
	r := report.Result
	if !agrees(status, r.Outcome) || r.Outcome == wire.Succeeded && r.MediaID == "" {
		return Report{}, operate.New(operate.Unknown, contradiction(status, r.Outcome))
	}
	return report, nil
}

// KeyWithPictures makes an idempotency key of a reply's words and of its pictures. The ids of pictures are new each
// time that they are uploaded, so the reply's content is no key by which the ledger could know the same command again.
func KeyWithPictures(pictures []Picture, words ...string) string {
	sums := sha256.New()
	for _, p := range pictures {
		fmt.Fprintf(sums, "%s\n", p.Sum)
	}
	for i, word := range words {
		if i > 0 {
			fmt.Fprint(sums, " ")
		}
		fmt.Fprintf(sums, "%q", word)
	}
	return "pictures-" + hex.EncodeToString(sums.Sum(nil))
}
