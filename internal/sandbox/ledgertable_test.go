package sandbox

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/pkg/wire"
)

// tableClient is the functions' own client, on a table of this test.
func tableClient(t *testing.T, table *LedgerTable) *dynamodb.Client {
	t.Helper()
	return dynamodb.New(dynamodb.Options{Region: Region, BaseEndpoint: aws.String(table.URL()), RetryMaxAttempts: 1,
		Credentials: awscredentials.NewStaticCredentialsProvider("AKIDSANDBOX", "sandbox", "")})
}

func newTable(t *testing.T) *LedgerTable {
	t.Helper()
	table, err := newLedgerTable(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = table.Close() })
	return table
}

func TestLedgerTableKeepsTheLedgersPromises(t *testing.T) {
	table := newTable(t)
	store := ledger.NewDynamoDB(tableClient(t, table), LedgerName)
	now := time.Now()
	entry := ledger.Entry{ID: "acme#reply#1#k", Owner: "first", State: ledger.Claimed, PayloadHash: "h", LeaseUntil: now.Add(time.Minute), ExpiresAt: now.Add(time.Hour)}
	put := func(e ledger.Entry, c ledger.Condition) *ledger.Entry {
		t.Helper()
		found, err := store.Put(t.Context(), e, c)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if found := put(entry, ledger.Condition{AbsentAt: now}); found != nil {
		t.Fatalf("a free key was refused: %+v", found)
	}
	second := entry
	second.Owner = "second"
	if found := put(second, ledger.Condition{AbsentAt: now}); found == nil || found.Owner != "first" || !found.LeaseUntil.After(now) {
		t.Errorf("a taken key gives %+v", found)
	}
	if found := put(second, ledger.Condition{AbsentAt: now.Add(2 * time.Hour)}); found != nil {
		t.Errorf("an expired entry stands in the way: %+v", found)
	}
	if found := put(entry, ledger.Condition{Owner: "first", State: ledger.Claimed}); found == nil || found.Owner != "second" {
		t.Errorf("a holder that lost its claim finds %+v", found)
	}
	settled := second
	settled.State, settled.Result = ledger.Succeeded, &wire.Result{Action: wire.Reply, Outcome: wire.Succeeded, Code: "0000"}
	if found := put(settled, ledger.Condition{Owner: "second", State: ledger.Claimed}); found != nil {
		t.Errorf("the holder may not settle: %+v", found)
	}
	if item, ok := table.Item(entry.ID); !ok || item["state"].Text() != "succeeded" || !strings.Contains(item["result"].Text(), "0000") {
		t.Errorf("stored is %v", item)
	}
	if err := store.Delete(t.Context(), entry.ID, "second"); err != nil {
		t.Error(err)
	}
	if _, ok := table.Item(entry.ID); !ok {
		t.Error("a settled entry was deleted")
	}
}

func TestLedgerTableCanBeDown(t *testing.T) {
	table := newTable(t)
	store := ledger.NewDynamoDB(tableClient(t, table), LedgerName)
	entry := ledger.Entry{ID: "a", Owner: "o", State: ledger.Claimed, ExpiresAt: time.Now().Add(time.Hour)}
	table.Down()
	if _, err := store.Put(t.Context(), entry, ledger.Condition{AbsentAt: time.Now()}); err == nil || !table.IsDown() {
		t.Error("a table that is down takes a write")
	}
	if err := table.Up(); err != nil {
		t.Fatal(err)
	}
	table.Faults.Next(Fault{Code: "ProvisionedThroughputExceededException"})
	if _, err := store.Put(t.Context(), entry, ledger.Condition{AbsentAt: time.Now()}); err == nil || !strings.Contains(err.Error(), "ProvisionedThroughput") {
		t.Errorf("a throttled write gives %v", err)
	}
	if found, err := store.Put(t.Context(), entry, ledger.Condition{AbsentAt: time.Now()}); err != nil || found != nil {
		t.Errorf("afterwards: %v %v", found, err)
	}
}

func TestLedgerTableRefusesWhatIsNoLedgers(t *testing.T) {
	table := newTable(t)
	signed := http.Header{"X-Amz-Target": {"DynamoDB_20120810.PutItem"}, "Authorization": {"AWS4-HMAC-SHA256 Credential=x"}}
	for name, body := range map[string]string{
		"no condition":       `{"TableName":"kesu-ledger","Item":{"id":{"S":"a"}}}`,
		"no id":              `{"TableName":"kesu-ledger","Item":{},"ConditionExpression":"#a = :b"}`,
		"another table":      `{"TableName":"other","Item":{"id":{"S":"a"}},"ConditionExpression":"#a = :b"}`,
		"an unknown name":    `{"TableName":"kesu-ledger","Item":{"id":{"S":"a"}},"ConditionExpression":"#a = :b"}`,
		"an unknown value":   `{"TableName":"kesu-ledger","Item":{"id":{"S":"a"}},"ConditionExpression":"#a = :b","ExpressionAttributeNames":{"#a":"id"}}`,
		"an unknown compare": `{"TableName":"kesu-ledger","Item":{"id":{"S":"a"}},"ConditionExpression":"#a >= :b","ExpressionAttributeNames":{"#a":"id"},"ExpressionAttributeValues":{":b":{"N":"1"}}}`,
	} {
		resp, _, err := reach(t, "POST", table.URL(), signed, []byte(body))
		if err != nil || resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %v %v", name, resp, err)
		}
	}
	if resp, _, err := reach(t, "POST", table.URL(), http.Header{"X-Amz-Target": {"DynamoDB_20120810.PutItem"}}, []byte(`{}`)); err != nil || resp.StatusCode != 400 {
		t.Errorf("an unsigned call: %v %v", resp, err)
	}
}

type watched struct{ began, ended chan string }

func (w watched) Began(function, id string, payload []byte, _ time.Time) {
	w.began <- function + " " + string(payload)
}

func (w watched) Ended(_ string, result Invocation, _ time.Time) { w.ended <- string(result.Payload) }

func TestWatcherIsToldOfEveryInvocation(t *testing.T) {
	w := watched{make(chan string, 1), make(chan string, 1)}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f := NewFunction(FunctionConfig{Name: "fn", Path: self, Env: []string{"SANDBOX_TEST_ROLE=function"}, Watcher: w})
	defer f.Close()
	payload := `{"Do":"echo","Value":"x"}`
	if _, err := f.Invoke(context.Background(), []byte(payload), 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if began, ended := <-w.began, <-w.ended; began != "fn "+payload || !strings.Contains(ended, `"echo":"x"`) {
		t.Errorf("it was told %s and %s", began, ended)
	}
}

func TestWholeLinesKeepsLinesApart(t *testing.T) {
	var out strings.Builder
	l := wholeLines(&out)
	for _, p := range []string{"one\ntw", "o\n", "three"} {
		if n, err := l.Write([]byte(p)); n != len(p) || err != nil {
			t.Error(n, err)
		}
	}
	if out.String() != "one\ntwo\n" {
		t.Errorf("it passed on %q", out.String())
	}
	long := strings.Repeat("x", lineLimit+1)
	_, _ = l.Write([]byte(long))
	if out.String() != "one\ntwo\nthree"+long {
		t.Error("a line without an end is kept for ever")
	}
	if wholeLines(nil) != nil {
		t.Error("nowhere to write to has become somewhere")
	}
}
