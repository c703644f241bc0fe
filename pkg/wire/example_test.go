package wire_test

import (
	"fmt"
	"time"

	"github.com/kesu-go/kesu/pkg/wire"
)

// The message of 翼码's documentation, section 4.73, for a merchant whose key is "test".
func ExampleReplyMessage_JSON() {
	message := wire.ReplyMessage{
		ISSPID:        "39493002",
		TransactionID: "resp202406170000000001",
		SystemID:      "8888",
		SellerAccount: "66660000000000001",
		ComplaintID:   "200201820200101080076610000",
		ReplyContent:  wire.ReplyContent{ResponseContent: "已与用户沟通解决"},
	}
	body, err := message.JSON("test", false)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(body))
	// Output:
	// {"request_type":"risk_complaints_resp_request","isspid":"39493002","transaction_id":"resp202406170000000001","system_id":"8888","seller_account":"66660000000000001","complaint_id":"200201820200101080076610000","response_content":"已与用户沟通解决","sign":"5AB5376B904DDE35DE53CB1F1FD7C859"}
}

func ExampleReplyMessage_XML() {
	message := wire.ReplyMessage{
		ISSPID:        "39493002",
		TransactionID: "resp202406170000000001",
		SystemID:      "8888",
		SellerAccount: "66660000000000001",
		ComplaintID:   "200201820200101080076610000",
		ReplyContent:  wire.ReplyContent{ResponseContent: "OK", JumpURL: "https://www.xxx.com/aaaa", JumpURLText: "GO"},
	}
	body, err := message.XML() // in GBK
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(body))
	// Output:
	// <?xml version="1.0" encoding="GBK"?><business_trans><request_type>risk_complaints_resp_request</request_type><isspid>39493002</isspid><transaction_id>resp202406170000000001</transaction_id><system_id>8888</system_id><seller_account>66660000000000001</seller_account><complaint_id>200201820200101080076610000</complaint_id><response_content>OK</response_content><jump_url><![CDATA[https://www.xxx.com/aaaa]]></jump_url><jump_url_text>GO</jump_url_text></business_trans>
}

func ExampleResult_HTTP() {
	request := wire.ReadHTTP(wire.Complete, wire.HTTPRequest{
		Merchant:    "acme",
		ComplaintID: "200201820200101080076610000",
		ContentType: "application/json",
		Body:        []byte(`{"complainted_mchid": 1900000109}`),
	})
	refusal := request.Refusal(time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC))
	status, header, body := refusal.HTTP()
	fmt.Println(status, header["Content-Type"])
	fmt.Println(string(body))
	// Output:
	// 400 application/problem+json
	// {"type":"https://github.com/kesu-go/kesu/blob/main/README.md#INVALID_REQUEST","title":"The request is wrong","status":400,"detail":"/complainted_mchid must be a string","action":"complete","merchant":"acme","complaint_id":"200201820200101080076610000","outcome":"rejected","provider":"wechatpay","code":"INVALID_REQUEST","message":"/complainted_mchid must be a string","http_status":0,"verified":false,"request_id":"","transaction_id":"","attempts":0,"replayed":false,"at":"2026-11-21T08:00:00Z","errors":[{"pointer":"/complainted_mchid","detail":"must be a string"}]}
}
