package bench

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"

	"golang.org/x/text/encoding/simplifiedchinese"
)

func succeeded(answer []byte) bool { return bytes.Contains(answer, []byte(`"succeeded"`)) }

// replied is a transport whose 翼码 answers in JSON.
func replied(sent io.Reader) *http.Response {
	body, err := io.ReadAll(sent)
	must(err)
	header := http.Header{}
	status, text := imagecoAnswer(body, header)
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(bytes.NewReader(text))}
}

// repliedXML is one that answers in XML.
func repliedXML(sent io.Reader) *http.Response {
	body, err := io.ReadAll(sent)
	must(err)
	text := []byte{}
	if form, err := url.ParseQuery(string(body)); err == nil {
		text = imagecoXML(between(form.Get("xml"), "transaction_id"), between(form.Get("xml"), "complaint_id"))
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(text))}
}

func between(xml, element string) string {
	_, rest, _ := bytes.Cut([]byte(xml), []byte("<"+element+">"))
	value, _, _ := bytes.Cut(rest, []byte("</"+element+">"))
	return string(value)
}

func imagecoXML(transactionID, complaintID string) []byte {
	text, _ := simplifiedchinese.GBK.NewEncoder().Bytes([]byte( // all of it is in GBK
		`<?xml version="1.0" encoding="GBK"?><business_trans><response_type>risk_complaints_resp_response</response_type><isspid>39493002</isspid>` +
			`<transaction_id>` + transactionID + `</transaction_id><system_id>8888</system_id><complaint_id>` + complaintID + `</complaint_id>` +
			`<result><id>0000</id><comment>回复成功</comment></result></business_trans>`))
	return text
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
	said, err := simplifiedchinese.GBK.NewDecoder().Bytes(imagecoXML(sampleTransaction, sampleComplaint))
	must(err)
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
