package imageco_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/kesu-go/kesu/pkg/wire"
	"github.com/kesu-go/kesu/pkg/wire/imageco"
)

const (
	complaintID   = "200201820200101080076610000"
	transactionID = "resp202406170000000001"
	sampleKey     = "test" // the key of the samples that 翼码 prints, worth nothing
)

// golden reads the exact bytes of a message; testdata/README.md says where they come from.
func golden(t testing.TB, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// sample is the message of 翼码's documentation, section 4.73: https://open.wangcaio2o.com/docs/ipos-sa/1845.
func sample() imageco.Reply {
	return imageco.Reply{
		ISSPID:        "39493002",
		TransactionID: transactionID,
		SystemID:      "8888",
		SellerAccount: "66660000000000001",
		ComplaintID:   complaintID,
		ReplyContent: wire.ReplyContent{
			ResponseContent: "已与用户沟通解决",
			ResponseImages:  []string{"file752398_7983424", "file752399_7983425"},
			JumpURL:         "https://www.xxx.com/aaaa",
			JumpURLText:     "查看订单详情",
		},
	}
}
