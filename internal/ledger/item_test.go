package ledger

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/kesu-go/kesu/pkg/wire"
)

// showItem writes an item as an operator sees it, one attribute a line.
func showItem(i item) string {
	var lines strings.Builder
	for _, name := range []string{attrID, attrState, attrOwner, attrPayloadHash, attrTransactionID, attrDelivery, attrLeaseUntil, attrExpiresAt,
		attrFirstClaim, attrClaimedAt, attrLookedAt, attrResult, attrSaid} {
		switch v := i[name].(type) {
		case *types.AttributeValueMemberS:
			lines.WriteString(name + " S " + v.Value + "\n")
		case *types.AttributeValueMemberN:
			lines.WriteString(name + " N " + v.Value + "\n")
		}
	}
	return lines.String()
}

// The stored form is read by operators, and by the version before and after this one while a deployment is under way.
func TestTheStoredFormIsTheGoldenOne(t *testing.T) {
	r := replyTo("200201820200101080076610000")
	r.TransactionID = "resp2024000000001"
	result := outcome(r, wire.Succeeded)
	e := Entry{ID: r.id(), Owner: "OWNER", State: Succeeded, PayloadHash: "hash", TransactionID: r.TransactionID,
		Delivery: "7bf73129-1428-4cd3-a780-95db273d1602", LeaseUntil: noon, ExpiresAt: noon.Add(testTTL), Result: &result,
		FirstClaim: noon.Add(-time.Hour), ClaimedAt: noon.Add(-time.Minute), LookedAt: noon.Add(-time.Second),
		Said: []Saying{{"a#reply#1#k", noon.UnixMilli()}}}
	written, err := writeItem(e)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join("testdata", "item.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if got := showItem(written); got != string(want) {
		t.Errorf("stored form:\n%s\nwant:\n%s", got, want)
	}
	read, err := readItem(written, e.ID)
	if diff := difference(&read, &e); err != nil || diff != "" {
		t.Errorf("read back: %v %s", err, diff)
	}
}

// An entry that the version before wrote has no times of claims and of looks.
func TestAnEntryOfTheVersionBeforeIsRead(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "item-before-looking.txt"))
	if err != nil {
		t.Fatal(err)
	}
	stored := item{}
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 3)
		if parts[1] == "N" {
			stored[parts[0]] = &types.AttributeValueMemberN{Value: parts[2]}
		} else {
			stored[parts[0]] = &types.AttributeValueMemberS{Value: parts[2]}
		}
	}
	read, err := readItem(stored, "acme#reply#200201820200101080076610000#k#1")
	if err != nil {
		t.Fatal(err)
	}
	if !read.FirstClaim.IsZero() || !read.ClaimedAt.IsZero() || !read.LookedAt.IsZero() || read.Result == nil || read.State != Succeeded {
		t.Errorf("%s", show(&read))
	}
}

// FuzzReadItem: an item either cannot be read, or is an entry of ours that is written and read again the same.
func FuzzReadItem(f *testing.F) {
	good := `{"outcome":"succeeded","at":"2026-11-21T08:00:00Z"}`
	f.Add("succeeded", "me", "h", "t", "1795262400000", "1795262400", good, uint16(0), uint16(0))
	f.Add("claimed", "me", "h", "", "0", "0", "", uint16(1<<6), uint16(0))
	f.Add("unknown", "", "", "", "-1", "1e9", "{", uint16(0), uint16(1<<4))
	f.Add("succeeded", "me", "h", "t", "253402300799001", "9223372036854775807", `{"outcome":"unknown"}`, uint16(3), uint16(9))
	f.Fuzz(func(t *testing.T, state, owner, hash, transaction, lease, expires, result string, missing, wrong uint16) {
		stored := item{attrID: text("id")}
		for i, a := range []struct{ name, value string }{{attrState, state}, {attrOwner, owner}, {attrPayloadHash, hash},
			{attrTransactionID, transaction}, {attrLeaseUntil, lease}, {attrExpiresAt, expires}, {attrResult, result}} {
			isNumber := i == 4 || i == 5
			if wrong>>i&1 == 1 {
				isNumber = !isNumber
			}
			switch {
			case missing>>i&1 == 1:
			case isNumber:
				stored[a.name] = &types.AttributeValueMemberN{Value: a.value}
			default:
				stored[a.name] = text(a.value)
			}
		}
		e, err := readItem(stored, "id")
		if err != nil {
			for _, value := range []string{owner, hash, transaction, result} {
				if len(value) > 40 && strings.Contains(err.Error(), value) {
					t.Errorf("the error quotes the item: %v", err)
				}
			}
			return
		}
		if wrong&0x7f&^missing != 0 {
			t.Errorf("an attribute of another type was read: %s", showItem(stored))
		}
		if (e.State == Succeeded) != (e.Result != nil && e.Result.Outcome == wire.Succeeded) {
			t.Errorf("state %s with %+v", e.State, e.Result)
		}
		if n, err := strconv.ParseInt(expires, 10, 64); err != nil || e.ExpiresAt.Unix() != n {
			t.Errorf("expiry %q was read as %v", expires, e.ExpiresAt)
		}
		written, err := writeItem(e)
		if err != nil {
			t.Fatalf("cannot be written again: %v", err)
		}
		again, err := readItem(written, "id")
		if err != nil {
			t.Fatalf("cannot be read again: %v", err)
		}
		second, err := writeItem(again)
		if err != nil || showItem(written) != showItem(second) {
			t.Errorf("changed by a round trip:\n%s\n%s", showItem(written), showItem(second))
		}
	})
}
