package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"

	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/wire"
)

// askImageco visits 翼码's gateway, and asks for a complaint when one is named.
func (d *doctor) askImageco(ctx context.Context, m *merchant.Imageco) {
	base := d.reply.ImagecoURL
	if m != nil && m.URL != "" {
		base = m.URL
	}
	if base == "" {
		d.fail("imageco", "no address of 翼码's gateway is known", "give --imageco-url, or --stack, or set IMAGECO_URL; the address is in the contract with 翼码")
		return
	}
	if d.reply.CheckGatewayURL(base) != nil || !d.visitHost(ctx, "imageco", base) {
		return
	}
	const what = "imageco query"
	switch {
	case m == nil:
		d.warn(what, "was not done, because the secret cannot be used as it is", "correct the secret first")
	case d.command.Complaint == "":
		d.warn(what, "was not done, so nobody knows yet whether 翼码 takes the key", "name a complaint of the merchant's with --complaint; it is only read")
	case !wire.ValidID(d.command.Complaint):
		d.fail(what, "--complaint is not a complaint's id", "it has 1 to 64 of the characters 0-9, A-Z, a-z, _ and -")
	default:
		d.query(ctx, what, base, m)
	}
}

func (d *doctor) query(ctx context.Context, what, base string, m *merchant.Imageco) {
	nonce, err := signing.NewNonce(rand.Reader)
	if err != nil {
		d.fail(what, "the request cannot be made: no random numbers", "")
		return
	}
	q := wire.DetailQuery{ISSPID: m.ISSPID, TransactionID: "doctor" + nonce[:20], SystemID: m.SystemID, SellerAccount: m.SellerAccount, ComplaintID: d.command.Complaint}
	var body []byte
	contentType := wire.ImagecoJSONType
	if m.XML {
		contentType = wire.ImagecoFormType
		body, err = q.Form(m.Key)
	} else {
		body, err = q.JSON(m.Key, m.SignGBK)
	}
	if err != nil {
		d.fail(what, "the query cannot be written in GBK: "+err.Error(), "one of the ids has a character that does not exist in GBK")
		return
	}
	v, err := d.call(ctx, http.MethodPost, base, http.Header{"Content-Type": {contentType}}, body)
	if err != nil {
		problem, advice := networkProblem(err, base)
		d.fail(what, problem, advice)
		return
	}
	var answer wire.ReplyAnswer
	if m.XML {
		answer, err = wire.ReadReplyXML(v.body, m.Key)
	} else {
		answer, err = wire.ReadReplyJSON(v.body, m.Key, m.SignGBK)
	}
	if err != nil {
		d.fail(what, fmt.Sprintf("HTTP %d, and an answer that cannot be read as 翼码's: it %s", v.status, err.Error()), "check the address, and whether this merchant's format is json or xml")
		return
	}
	d.judgeQuery(what, answer, m)
}

// judgeQuery words 翼码's answer. Its numbers: 0000; 5200, 61xx and 70xx are about who asks; any other is about what was
// asked, so that the signature was right.
func (d *doctor) judgeQuery(what string, a wire.ReplyAnswer, m *merchant.Imageco) {
	said := strings.TrimSpace(a.ResultID + " " + wire.Message(a.Comment, m.Key))
	switch {
	case a.ResultID == "6100":
		d.fail(what, "翼码 refuses the signature ("+said+"): imageco.key is not the one that 翼码 has, or format or sign_charset is another one than agreed",
			"compare the key's fingerprint with the other side's; then format and sign_charset. kesu sign shows what is signed")
	case a.ResultID == "5200":
		d.fail(what, "翼码 does not know imageco.isspid ("+said+")", "compare it with what 翼码 gave you; a test number does not work on the real gateway, nor the other way round")
	case strings.HasPrefix(a.ResultID, "61"):
		d.fail(what, "翼码 refuses the merchant ("+said+")", "ask 翼码 about this number; imageco.key, isspid and system_id belong together")
	case strings.HasPrefix(a.ResultID, "70"):
		d.fail(what, "翼码 refuses imageco.system_id or seller_account ("+said+")", "compare both with what 翼码 gave you; the key is right")
	case a.Signature == wire.SignatureWrong:
		d.fail(what, "翼码 takes the key, but its answer is signed otherwise ("+said+")", "sign_charset may be another one than agreed; with IMAGECO_RESPONSE_SIGN=enforce every reply would end as unknown")
	case a.ResultID != wire.ResultSucceeded:
		d.warn(what, "翼码 takes the key, and does not give this complaint ("+said+")", "name a complaint of this merchant's that is still open")
	case a.Signature == wire.SignatureAbsent:
		d.ok(what, "翼码 takes the key; its answer is not signed, which its documentation allows")
	default:
		d.ok(what, "翼码 takes the key, and its answer is signed rightly")
	}
}
