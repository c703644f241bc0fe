package imageco_test

import (
	"fmt"

	"github.com/kesu-go/kesu/pkg/wire"
	"github.com/kesu-go/kesu/pkg/wire/imageco"
)

// The message of 翼码's documentation, section 4.73, for a merchant whose key is "test".
func ExampleReply_JSON() {
	message := imageco.Reply{
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

func ExampleReply_XML() {
	message := imageco.Reply{
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
