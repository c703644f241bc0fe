package imageco

import (
	"crypto/md5"
	"fmt"
	"net/url"
	"testing"
)

func TestDetailQuery(t *testing.T) {
	q := DetailQuery{ISSPID: "39493002", TransactionID: "doctor20261121", SystemID: "8888", SellerAccount: "6666", ComplaintID: "2001"}
	const key = "test"
	sign := fmt.Sprintf("%X", md5.Sum([]byte(key+"complaint_id2001isspid39493002request_typerisk_complaints_detail_requestseller_account6666system_id8888transaction_iddoctor20261121"+key)))
	want := `{"request_type":"risk_complaints_detail_request","isspid":"39493002","transaction_id":"doctor20261121","system_id":"8888",` +
		`"seller_account":"6666","complaint_id":"2001","sign":"` + sign + `"}`
	for _, gbk := range []bool{false, true} {
		if got, err := q.JSON(key, gbk); err != nil || string(got) != want {
			t.Errorf("JSON, GBK %t: %v\n%s", gbk, err, got)
		}
	}
	form, err := q.Form(key)
	if err != nil {
		t.Fatal(err)
	}
	members, err := url.ParseQuery(string(form))
	if err != nil {
		t.Fatal(err)
	}
	doc := `<?xml version="1.0" encoding="GBK"?><business_trans><request_type>risk_complaints_detail_request</request_type><isspid>39493002</isspid>` +
		`<transaction_id>doctor20261121</transaction_id><system_id>8888</system_id><seller_account>6666</seller_account><complaint_id>2001</complaint_id></business_trans>`
	if members.Get("xml") != doc || members.Get("mac") != fmt.Sprintf("%x", md5.Sum([]byte(key+doc+key))) {
		t.Errorf("form: %s", members)
	}
}

func TestDetailQueryInAnotherCharset(t *testing.T) {
	q := DetailQuery{SellerAccount: "店"}
	utf8, err := q.JSON("k", false)
	if err != nil {
		t.Fatal(err)
	}
	gbk, err := q.JSON("k", true)
	if err != nil || string(utf8) == string(gbk) {
		t.Errorf("the sign is the same in GBK: %v", err)
	}
	q.SellerAccount = "€"
	if _, err := q.JSON("k", true); err == nil {
		t.Error("a character that GBK lacks was signed")
	}
	if _, err := q.Form("k"); err == nil {
		t.Error("a character that GBK lacks was sent in XML")
	}
}
