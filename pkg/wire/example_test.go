package wire_test

import (
	"fmt"
	"time"

	"github.com/kesu-go/kesu/pkg/wire"
)

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
	// {"type":"https://github.com/kesu-go/kesu/blob/main/docs/reference.md#INVALID_REQUEST","title":"The request is wrong","status":400,"detail":"/complainted_mchid must be a string","action":"complete","merchant":"acme","complaint_id":"200201820200101080076610000","outcome":"rejected","provider":"wechatpay","code":"INVALID_REQUEST","message":"/complainted_mchid must be a string","http_status":0,"verified":false,"request_id":"","transaction_id":"","attempts":0,"replayed":false,"at":"2026-11-21T08:00:00Z","errors":[{"pointer":"/complainted_mchid","detail":"must be a string"}]}
}
