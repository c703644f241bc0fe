package doctor

import (
	"cmp"
	"context"
	"crypto/rand"
	"net/http"
	"strings"

	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/pkg/gbk"
	"github.com/kesu-go/kesu/pkg/redact"
	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/strictjson"
	"github.com/kesu-go/kesu/pkg/wire"
	"github.com/kesu-go/kesu/pkg/wire/imageco"
)

// askImageco visits 翼码's gateway, and asks for a complaint when one is named.
func (d *doctor) askImageco(ctx context.Context, m *merchant.Imageco) {
	base := d.reply.ImagecoURL
	if m != nil && m.URL != "" {
		base = m.URL
	}
	if base == "" {
		d.fail("imageco", "imageco.nourl")
		return
	}
	if d.reply.CheckGatewayURL(base) != nil || !d.visitHost(ctx, "imageco", base) {
		return
	}
	const what = "imageco query"
	switch {
	case m == nil:
		d.warn(what, "notdone.secret")
	case d.Complaint == "":
		d.warn(what, "query.notdone")
	case !wire.ValidID(d.Complaint):
		d.fail(what, "query.id")
	default:
		if d.query(ctx, what, base, m) && !m.XML {
			d.proveCharset(ctx, base, m)
		}
	}
}

// query asks for the complaint, and reports whether 翼码 took the signature.
func (d *doctor) query(ctx context.Context, what, base string, m *merchant.Imageco) bool {
	nonce, err := signing.NewNonce(rand.Reader)
	if err != nil {
		d.fail(what, "request.impossible")
		return false
	}
	q := imageco.DetailQuery{ISSPID: m.ISSPID, TransactionID: "doctor" + nonce[:20], SystemID: m.SystemID, SellerAccount: m.SellerAccount, ComplaintID: d.Complaint}
	var body []byte
	contentType := imageco.JSONType
	if m.XML {
		contentType = imageco.FormType
		body, err = q.Form(m.Key)
	} else {
		body, err = q.JSON(m.Key, m.SignGBK)
	}
	if err != nil {
		d.fail(what, "query.gbk", err.Error())
		return false
	}
	v, err := d.call(ctx, http.MethodPost, base, http.Header{"Content-Type": {contentType}}, body)
	if err != nil {
		id, args := networkProblem(err, base)
		d.fail(what, id, args...)
		return false
	}
	var answer imageco.Answer
	if m.XML {
		answer, err = imageco.ReadXML(v.body, m.Key)
	} else {
		answer, err = imageco.ReadJSON(v.body, m.Key)
	}
	if err != nil {
		d.fail(what, "query.garbled", v.status, err.Error())
		return false
	}
	return d.judgeQuery(what, answer, v, q, m.Hidden.With(imageco.SignatureOf(body)))
}

// judgeQuery words 翼码's answer. Its numbers: 0000; 5200, 61xx and 70xx are about who asks; any other is about what was
// asked, so that the signature was right, if it was 翼码 that answered: an answer that is neither signed nor repeats our
// ids may be anybody's.
func (d *doctor) judgeQuery(what string, a imageco.Answer, v visit, q imageco.DetailQuery, hidden redact.Secrets) bool {
	code := cmp.Or(wire.GatewayCode(wire.Imageco, a.ResultID, hidden), "with a code that cannot be shown")
	said := strings.TrimSpace(code + " " + hidden.Text(a.Comment))
	ours := a.TransactionID == q.TransactionID && a.ComplaintID == q.ComplaintID
	switch {
	case a.ResultID == "6100":
		d.fail(what, "query.6100", said)
	case a.ResultID == "6103":
		d.fail(what, "query.6103", said)
	case a.ResultID == "5200":
		d.fail(what, "query.5200", said)
	case strings.HasPrefix(a.ResultID, "61"):
		d.fail(what, "query.61", said)
	case strings.HasPrefix(a.ResultID, "70"):
		d.fail(what, "query.70", said)
	case v.status != http.StatusOK:
		d.fail(what, "query.status", v.status, said)
	case a.Signature == imageco.SignatureWrong:
		d.fail(what, "query.answersign", said)
	case a.Signature == imageco.SignatureAbsent && !ours:
		d.fail(what, "query.foreign", said)
	case !ours:
		d.fail(what, "query.otherids", said)
	case a.ResultID != imageco.Succeeded:
		d.warn(what, "query.notgiven", said)
		return true
	case a.Signature == imageco.SignatureAbsent:
		d.warn(what, "query.unsigned")
		return true
	default:
		d.ok(what, "query.ok")
		return true
	}
	return false
}

// proveCharset asks once more, with a member that is not ASCII: the query alone would be signed the same in every charset.
// The rule of the sign counts every top-level string, so an unknown member is signed too, and refused, if it is, for
// itself and not for the signature. 翼码 may leave unknown members out of its sum; then both charsets are refused, and
// nothing is proved.
func (d *doctor) proveCharset(ctx context.Context, base string, m *merchant.Imageco) {
	const what = "imageco.sign_charset"
	named, other := "utf-8", "gbk"
	if m.SignGBK {
		named, other = other, named
	}
	switch d.takes(ctx, base, m, m.SignGBK) {
	case taken:
		d.ok(what, "charset.proved", named)
		return
	case unclear:
		d.warn(what, "charset.unclear", named)
		return
	}
	if d.takes(ctx, base, m, !m.SignGBK) == taken {
		d.fail(what, "charset.wrong", named, other)
		return
	}
	d.warn(what, "charset.unclear", named)
}

// verdict is what an answer says about the signature of a question.
type verdict int

const (
	unclear verdict = iota
	taken
	refused
)

// takes asks with a member beyond ASCII, signed in one charset.
func (d *doctor) takes(ctx context.Context, base string, m *merchant.Imageco, inGBK bool) verdict {
	nonce, err := signing.NewNonce(rand.Reader)
	if err != nil {
		return unclear
	}
	const memo = "字符集"
	signed := memo
	if inGBK {
		encoded, err := gbk.Encode(memo)
		if err != nil {
			return unclear
		}
		signed = string(encoded)
	}
	members := []signing.Member{{Name: "request_type", Value: "risk_complaints_detail_request"}, {Name: "isspid", Value: m.ISSPID},
		{Name: "transaction_id", Value: "doctor" + nonce[:20]}, {Name: "system_id", Value: m.SystemID}, {Name: "complaint_id", Value: d.Complaint}, {Name: "memo", Value: signed}}
	message := map[string]string{}
	for _, member := range members {
		message[member.Name] = member.Value
	}
	message["memo"], message["sign"] = memo, signing.ImagecoJSON(m.Key, members)
	body, err := strictjson.Encode(message)
	if err != nil {
		return unclear
	}
	v, err := d.call(ctx, http.MethodPost, base, http.Header{"Content-Type": {imageco.JSONType}}, body)
	if err != nil {
		return unclear
	}
	answer, err := imageco.ReadJSON(v.body, m.Key)
	switch {
	case err != nil || v.status != http.StatusOK:
		return unclear
	case answer.ResultID == "6100":
		return refused
	case strings.HasPrefix(answer.ResultID, "61"), strings.HasPrefix(answer.ResultID, "70"), answer.TransactionID != "doctor"+nonce[:20]:
		return unclear
	}
	return taken
}
