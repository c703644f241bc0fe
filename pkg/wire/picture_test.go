package wire_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kesu-go/kesu/pkg/redact"
	"github.com/kesu-go/kesu/pkg/wire"
)

const (
	jpeg = "\xff\xd8\xff\xe0 a picture"
	png  = "\x89PNG\r\n\x1a\n a picture"
	bmp  = "BM a picture"
)

func pointers(problems []wire.Problem) string {
	var all []string
	for _, p := range problems {
		all = append(all, p.Pointer+" "+p.Detail)
	}
	return strings.Join(all, "; ")
}

func TestAPictureIsReadOrAllThatIsWrongWithItIsTold(t *testing.T) {
	for name, row := range map[string]struct {
		in       wire.PictureRequest
		filename string // of a good one
		says     string // what a bad one is told
		status   int
	}{
		"a JPEG":                       {wire.PictureRequest{ContentType: "image/jpeg", Body: []byte(jpeg)}, "image.jpg", "", 0},
		"a PNG with a name":            {wire.PictureRequest{ContentType: "image/png", Body: []byte(png), Filenames: []string{"退款.PNG"}}, "退款.PNG", "", 0},
		"a BMP whose name has no end":  {wire.PictureRequest{ContentType: "image/bmp; x=y", Body: []byte(bmp), Filenames: []string{"a"}}, "a.bmp", "", 0},
		"a name that stands twice":     {wire.PictureRequest{ContentType: "image/bmp", Body: []byte(bmp), Filenames: []string{"a", "a"}}, "a.bmp", "", 0},
		"two names":                    {wire.PictureRequest{ContentType: "image/bmp", Body: []byte(bmp), Filenames: []string{"a", "b"}}, "", "filename stands twice", 400},
		"a name that is a path":        {wire.PictureRequest{ContentType: "image/bmp", Body: []byte(bmp), Filenames: []string{"../a"}}, "", `must not hold / \ or "`, 400},
		"a name with a line break":     {wire.PictureRequest{ContentType: "image/bmp", Body: []byte(bmp), Filenames: []string{"a\nb"}}, "", "control character", 400},
		"an empty name":                {wire.PictureRequest{ContentType: "image/bmp", Body: []byte(bmp), Filenames: []string{""}}, "", "must have 1 to 128", 400},
		"a name of 128 without an end": {wire.PictureRequest{ContentType: "image/bmp", Body: []byte(bmp), Filenames: []string{strings.Repeat("a", 128)}}, "", "132 characters with the suffix", 400},
		"another type":                 {wire.PictureRequest{ContentType: "image/gif", Body: []byte("GIF89a")}, "", "must be image/jpeg", 415},
		"no type":                      {wire.PictureRequest{Body: []byte(png)}, "", "must be image/jpeg", 415},
		"bytes of another type":        {wire.PictureRequest{ContentType: "image/png", Body: []byte(jpeg)}, "", "the first bytes are not those of image/png", 400},
		"no bytes":                     {wire.PictureRequest{ContentType: "image/png"}, "", "the body is empty", 400},
		"text":                         {wire.PictureRequest{ContentType: "image/png", Body: []byte(png), Text: true}, "", "/isBase64Encoded the picture came as text", 400},
		"2 MiB":                        {wire.PictureRequest{ContentType: "image/bmp", Body: []byte(bmp + strings.Repeat("x", 2<<20-len(bmp)))}, "image.bmp", "", 0},
		"a byte more":                  {wire.PictureRequest{ContentType: "image/bmp", Body: []byte(bmp + strings.Repeat("x", 2<<20-len(bmp)+1))}, "", "2097153 bytes; 2097152 are allowed", 413},
		"a body that was lost":         {wire.PictureRequest{ContentType: "image/bmp", BodyProblems: []wire.Problem{{Pointer: "/body", Detail: "is lost"}}}, "", "/body is lost", 400},
	} {
		t.Run(name, func(t *testing.T) {
			row.in.Merchant = "acme"
			got := wire.ReadPicture(row.in)
			if said := pointers(got.Problems); !strings.Contains(said, row.says) || (row.says == "") != (said == "") {
				t.Fatalf("%q, want %q", said, row.says)
			}
			if row.says != "" {
				if status := got.Refusal(at).Status(); status != row.status {
					t.Errorf("status %d, want %d", status, row.status)
				}
				return
			}
			p := got.Command.Picture
			if p.Filename != row.filename || string(p.Data) != string(row.in.Body) || !strings.HasPrefix(row.in.ContentType, p.MediaType) {
				t.Errorf("%q of %s", p.Filename, p.MediaType)
			}
			if got.Command.LedgerKey() != "" || got.Command.UpstreamTransactionID() != "" || !got.Command.Repeatable() {
				t.Error("an upload is filed, numbered or not to be repeated")
			}
		})
	}
}

func TestTheMembersForWeChatPayAreReadAndToldOfAfterTheSecret(t *testing.T) {
	const head = `{"merchant":"acme","complaint_id":"1","response_content":"好的",`
	for name, row := range map[string]struct{ members, says string }{
		"a mini program":                  {`"mini_program_jump_info":{"appid":"wx1","path":"pages/a?b=c","text":"查看"}`, ""},
		"a mini program without its text": {`"mini_program_jump_info":{"appid":"wx1","path":"a"}`, "/mini_program_jump_info/text is required"},
		"a mini program with more":        {`"mini_program_jump_info":{"appid":"wx1","path":"a","text":"b","url":"c"}`, "/mini_program_jump_info/url is not a member"},
		"an appid twice":                  {`"mini_program_jump_info":{"appid":"wx1","appid":"wx1","path":"a","text":"b"}`, "stands twice"},
		"an appid that is a number":       {`"mini_program_jump_info":{"appid":1,"path":"a","text":"b"}`, "/mini_program_jump_info/appid must be a string"},
		"an appid with a blank":           {`"mini_program_jump_info":{"appid":"wx 1","path":"a","text":"b"}`, "/mini_program_jump_info/appid"},
		"a text of eleven characters":     {`"mini_program_jump_info":{"appid":"wx1","path":"a","text":"一二三四五六七八九十一"}`, "/mini_program_jump_info/text"},
		"a mini program that is a text":   {`"mini_program_jump_info":"wx1"`, "/mini_program_jump_info must be an object"},
		"a mini program beside a link": {`"jump_url":"https://x.cn/","jump_url_text":"查看","mini_program_jump_info":{"appid":"wx1","path":"a","text":"b"}`,
			"mini_program_jump_info"},
		"immediate service":                {`"immediate_service":true`, ""},
		"immediate service that is a word": {`"immediate_service":"yes"`, "/immediate_service must be true or false"},
	} {
		t.Run(name, func(t *testing.T) {
			got := wire.ReadDetail(wire.Reply, []byte(head+row.members+"}"))
			if said := pointers(got.Problems); !strings.Contains(said, row.says) || (row.says == "") != (said == "") {
				t.Errorf("%q, want %q", said, row.says)
			}
			if row.says != "" {
				return
			}
			if n := len(got.Command.ImagecoProblems()); n != 1 {
				t.Errorf("翼码 has %d objections", n)
			}
			if got.Command.Repeatable() != got.Command.ImmediateService {
				t.Error("only a reply for immediate service may be repeated")
			}
			plain := wire.ReadDetail(wire.Reply, []byte(head+`"idempotency_key":"k"}`))
			if got.Command.PayloadHash() == plain.Command.PayloadHash() {
				t.Error("the member takes no part in the payload's hash")
			}
		})
	}
	account := wire.Command{Action: wire.Reply, ReplyContent: wire.ReplyContent{ResponseContent: strings.Repeat("字", 201), SellerAccount: "账户"}}
	if said := pointers(account.WechatPayProblems()); !strings.Contains(said, "/seller_account") {
		t.Errorf("WeChat Pay says %q", said)
	}
	if said := pointers(account.ImagecoProblems()); !strings.Contains(said, "has 201") {
		t.Errorf("翼码 says %q", said)
	}
}

func TestACodeOfAGatewaysIsLetThroughOrNot(t *testing.T) {
	const key = "0123456789ABCDEF0123456789ABCDEF"
	for _, row := range []struct {
		provider wire.Provider
		code     string
		want     string
	}{
		{wire.Imageco, "3001", "3001"}, {wire.WechatPay, "PARAM_ERROR", "PARAM_ERROR"}, {wire.WechatPay, "INVALID_REQUEST", "INVALID_REQUEST"},
		{wire.Imageco, "INVALID_REQUEST", ""}, {wire.WechatPay, "IN_PROGRESS", ""}, {wire.WechatPay, "SEEN_IN_HISTORY", ""},
		{wire.Imageco, key, ""}, {wire.Imageco, "138-0013-8000", ""}, {wire.Imageco, "", ""}, {wire.Imageco, "a b", ""},
		{wire.Imageco, strings.Repeat("a", 65), ""},
	} {
		if got := wire.GatewayCode(row.provider, row.code, redact.Of(key)); got != row.want {
			t.Errorf("%s %.20q gives %q, want %q", row.provider, row.code, got, row.want)
		}
	}
}

func TestEveryActionHasARouteAndNoTwoShareOne(t *testing.T) {
	var routes []string
	for _, a := range []wire.Action{wire.Reply, wire.Complete, wire.Upload} {
		if a.Route() == "" || slices.Contains(routes, a.Route()) || a.TakesPicture() != (a == wire.Upload) || a.NeedsKey() != (a == wire.Complete) {
			t.Errorf("%s: %s", a, a.Route())
		}
		routes = append(routes, a.Route())
	}
	if !wire.IsMember("merchant") || !wire.IsMember("complainted_mchid") || !wire.IsMember("immediate_service") || wire.IsMember("Merchant") {
		t.Error("a member is not known, or known in another case")
	}
}
