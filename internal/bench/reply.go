package bench

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"

	"golang.org/x/text/encoding/simplifiedchinese"
)

func succeeded(answer []byte) bool { return bytes.Contains(answer, []byte(`"succeeded"`)) }

// inJSON is a gateway in memory that answers in JSON. It only looks for the two ids, so that its work is no part of ours.
func inJSON() memory {
	return answering([]byte(`"transaction_id":"`), []byte(`"complaint_id":"`), []byte(`"`), imagecoJSON)
}

// inXML is one that answers in XML; the ids stand in a form.
func inXML() memory {
	said := gbk("回复成功")
	return answering([]byte("%3Ctransaction_id%3E"), []byte("%3Ccomplaint_id%3E"), []byte("%3C"), func(transactionID, complaintID string) []byte {
		return imagecoXML(transactionID, complaintID, said)
	})
}

func answering(transaction, complaint, end []byte, answer func(transactionID, complaintID string) []byte) memory {
	return func(sent io.Reader) *http.Response {
		body, err := io.ReadAll(sent)
		must(err)
		text := answer(between(body, transaction, end), between(body, complaint, end))
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(text))}
	}
}

func between(text, start, end []byte) string {
	_, rest, _ := bytes.Cut(text, start)
	value, _, _ := bytes.Cut(rest, end)
	return string(value)
}

func gbk(text string) string {
	encoded, err := simplifiedchinese.GBK.NewEncoder().String(text)
	must(err)
	return encoded
}

func imagecoXML(transactionID, complaintID, comment string) []byte {
	return []byte(`<?xml version="1.0" encoding="GBK"?><business_trans><response_type>risk_complaints_resp_response</response_type><isspid>39493002</isspid>` +
		`<transaction_id>` + transactionID + `</transaction_id><system_id>8888</system_id><complaint_id>` + complaintID + `</complaint_id>` +
		`<result><id>0000</id><comment>` + comment + `</comment></result></business_trans>`)
}

// message is 翼码's message with the standard library alone.
type message struct {
	XMLName         xml.Name `json:"-" xml:"business_trans"`
	RequestType     string   `json:"request_type" xml:"request_type"`
	ISSPID          string   `json:"isspid" xml:"isspid"`
	TransactionID   string   `json:"transaction_id" xml:"transaction_id"`
	SystemID        string   `json:"system_id" xml:"system_id"`
	SellerAccount   string   `json:"seller_account" xml:"seller_account"`
	ComplaintID     string   `json:"complaint_id" xml:"complaint_id"`
	ResponseContent string   `json:"response_content" xml:"response_content"`
	Sign            string   `json:"sign,omitempty" xml:"-"`
}

// answer is 翼码's answer.
type answer struct {
	XMLName       xml.Name `json:"-" xml:"business_trans"`
	ResponseType  string   `json:"response_type" xml:"response_type"`
	ISSPID        string   `json:"isspid" xml:"isspid"`
	TransactionID string   `json:"transaction_id" xml:"transaction_id"`
	SystemID      string   `json:"system_id" xml:"system_id"`
	ComplaintID   string   `json:"complaint_id" xml:"complaint_id"`
	Result        struct {
		ID      string `json:"id" xml:"id"`
		Comment string `json:"comment" xml:"comment"`
	} `json:"result" xml:"result"`
}

const (
	sampleTransaction = "resp2024010112345678901234567890"
	sampleComplaint   = "200201201811261253400000001"
	sampleContent     = "您好，您的问题已处理，退款将在三个工作日内到账。"
)

func sampleMessage() message {
	return message{RequestType: "risk_complaints_resp_request", ISSPID: "39493002", TransactionID: sampleTransaction, SystemID: "8888",
		SellerAccount: "66660000000000001", ComplaintID: sampleComplaint, ResponseContent: sampleContent, Sign: "0123456789ABCDEF0123456789ABCDEF"}
}

func jsonBothWays() {
	var m message
	var a answer
	sent, _ := json.Marshal(sampleMessage()) // structs of strings always marshal
	must(json.Unmarshal(sent, &m))
	must(json.Unmarshal(imagecoJSON(sampleTransaction, sampleComplaint), &a))
	_, err := json.Marshal(a)
	must(err)
}

func xmlBothWays() {
	var m message
	var a answer
	sent, err := xml.Marshal(sampleMessage())
	must(err)
	must(xml.Unmarshal(sent, &m))
	said := imagecoXML(sampleTransaction, sampleComplaint, "回复成功")
	must(xml.Unmarshal(bytes.Replace(said, []byte("GBK"), []byte("UTF-8"), 1), &a))
	_, err = xml.Marshal(a)
	must(err)
}

// must ends the benchmark when something that cannot fail does.
func must(err error) {
	if err != nil {
		panic("bench: " + err.Error())
	}
}
