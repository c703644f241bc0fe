package sandbox

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/strictjson"
)

// answer writes the verdict in the form that the request had, signed with the key that the request was signed with. An
// account that is unknown has no key, so its answer is not signed.
func (g *Imageco) answer(m *imagecoMessage, account ImagecoAccount, key string, v verdict, f *Fault) answer {
	echo := []signing.Member{{Name: "response_type", Value: "risk_complaints_resp_response"}}
	for _, name := range []string{"isspid", "transaction_id", "seller_account", "complaint_id"} {
		value := m.get(name)
		if f.ForeignEcho && strings.HasSuffix(name, "_id") {
			value = strings.Repeat("9", 20)
		}
		echo = append(echo, signing.Member{Name: name, Value: value})
	}
	unsigned := f.Unsigned || key == ""
	if f.WrongSignature || f.SignTest {
		key = "another key than the merchant's"
	}
	if m.xml == nil {
		return jsonAnswer(echo, key, account.SignGBK, unsigned, v)
	}
	g.mu.Lock()
	bare := g.bareXML
	g.mu.Unlock()
	return xmlAnswer(echo, key, bare, unsigned, v)
}

type resultNode struct {
	ID      string `json:"id" xml:"id"`
	Comment string `json:"comment" xml:"comment"`
}

func jsonAnswer(echo []signing.Member, key string, gbk, unsigned bool, v verdict) answer {
	object := map[string]any{"result": resultNode{v.id, v.comment}}
	for _, member := range echo {
		object[member.Name] = member.Value
	}
	if sign, ok := signJSON(key, echo, gbk); ok && !unsigned {
		object["sign"] = sign
	}
	text, err := strictjson.Encode(object)
	if err != nil {
		return plainAnswer(http.StatusInternalServerError, "the answer cannot be encoded")
	}
	return answer{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json;charset=UTF-8"}}, body: text}
}

// signJSON signs over the charset that was agreed with the merchant; false when a character is not in it.
func signJSON(key string, members []signing.Member, gbk bool) (string, bool) {
	if gbk {
		members = slices.Clone(members)
		for i, member := range members {
			value, err := simplifiedchinese.GBK.NewEncoder().String(member.Value)
			if err != nil {
				return "", false
			}
			members[i].Value = value
		}
	}
	return signing.ImagecoJSON(key, members), true
}

type xmlResponse struct {
	XMLName       xml.Name   `xml:"business_trans"`
	ResponseType  string     `xml:"response_type"`
	ISSPID        string     `xml:"isspid"`
	TransactionID string     `xml:"transaction_id"`
	SellerAccount string     `xml:"seller_account"`
	ComplaintID   string     `xml:"complaint_id"`
	Result        resultNode `xml:"result"`
}

func xmlAnswer(echo []signing.Member, key string, bare, unsigned bool, v verdict) answer {
	text, err := xml.Marshal(xmlResponse{ResponseType: echo[0].Value, ISSPID: echo[1].Value, TransactionID: echo[2].Value,
		SellerAccount: echo[3].Value, ComplaintID: echo[4].Value, Result: resultNode{v.id, v.comment}})
	if err != nil {
		return plainAnswer(http.StatusInternalServerError, "the answer cannot be encoded")
	}
	document, err := simplifiedchinese.GBK.NewEncoder().Bytes(append([]byte(`<?xml version="1.0" encoding="GBK"?>`), text...))
	if err != nil {
		return plainAnswer(http.StatusInternalServerError, "the answer has a character that GBK lacks")
	}
	if bare {
		return answer{status: http.StatusOK, header: http.Header{"Content-Type": {"text/xml;charset=GBK"}}, body: document}
	}
	form := url.Values{"xml": {string(document)}}
	if !unsigned {
		form.Set("mac", signing.ImagecoXML(key, document))
	}
	return answer{status: http.StatusOK, header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, body: []byte(form.Encode())}
}

func plainAnswer(status int, text string) answer {
	return answer{status: status, header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, body: []byte(text + "\n")}
}
