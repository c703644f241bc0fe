package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/logging"

	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/pace"
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

// TestLedgerTableKeepsThePace lets the pace's own store look: it is held to moto by the same steps in internal/pace.
func TestTheSDKHasNothingToComplainOfInTheTablesAnswers(t *testing.T) {
	table, complaints := newTable(t), []string{}
	client := tableClient(t, table)
	logger := logging.LoggerFunc(func(kind logging.Classification, format string, v ...any) {
		complaints = append(complaints, fmt.Sprintf(format, v...))
	})
	store := ledger.NewDynamoDB(dynamodb.New(client.Options(), func(o *dynamodb.Options) { o.Logger = logger }), LedgerName)
	now := time.Now()
	entry := ledger.Entry{ID: "acme#reply#1#k", Owner: "first", State: ledger.Claimed, PayloadHash: "h", LeaseUntil: now.Add(time.Minute),
		ExpiresAt: now.Add(time.Hour)}
	for range 2 { // the second one is refused
		if _, err := store.Put(t.Context(), entry, ledger.Condition{AbsentAt: now}); err != nil {
			t.Fatal(err)
		}
	}
	if len(complaints) > 0 {
		t.Errorf("the SDK says %q", complaints)
	}
}

func TestLedgerTableKeepsThePace(t *testing.T) {
	table := newTable(t)
	store := pace.NewDynamoDB(tableClient(t, table), LedgerName)
	now := time.Now().Truncate(time.Microsecond)
	ask := pace.Ask{Now: now, Latest: now.Add(time.Second), Absurd: now.Add(time.Hour), Interval: time.Second}
	wants := func(a pace.Ask, taken bool, place time.Duration) {
		t.Helper()
		if got, ok, err := store.Take(t.Context(), "acme#reply", a); err != nil || ok != taken || !got.Equal(now.Add(place)) {
			t.Errorf("%s %v %v, want %s %v", got.Sub(now), ok, err, place, taken)
		}
	}
	wants(ask, true, 0)
	wants(ask, true, time.Second)
	wants(ask, false, 2*time.Second)
	for _, back := range []struct {
		from, to time.Duration
		done     bool
	}{{time.Second, 0, false}, {2 * time.Second, time.Second, true}} {
		if got, err := store.Return(t.Context(), "acme#reply", now.Add(back.from), now.Add(back.to)); err != nil || got != back.done {
			t.Errorf("back from %s: %v %v", back.from, got, err)
		}
	}
	wants(ask, true, time.Second)
	item, ok := table.Item(pace.ItemID("acme#reply"))
	if !ok || item["id"].Text() != "#pace#acme#reply" || item["tat"].N == nil || item["expires_at"].N == nil {
		t.Errorf("stored is %v", item)
	}
	ask.Now = now.Add(time.Hour)
	ask.Latest, ask.Absurd = ask.Now, ask.Now
	wants(ask, true, time.Hour)
	ask.Now, ask.Latest, ask.Absurd = now, now, now.Add(time.Minute) // an hour ahead cannot be
	wants(ask, true, 0)
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
		"an unknown compare": `{"TableName":"kesu-ledger","Item":{"id":{"S":"a"}},"ConditionExpression":"#a <> :b","ExpressionAttributeNames":{"#a":"id"},"ExpressionAttributeValues":{":b":{"N":"1"}}}`,
	} {
		resp, _, err := reach(t, "POST", table.URL(), signed, []byte(body))
		if err != nil || resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %v %v", name, resp, err)
		}
	}
	signed.Set("X-Amz-Target", "DynamoDB_20120810.UpdateItem")
	for name, update := range map[string]string{
		"no update":        ``,
		"another update":   `REMOVE #a`,
		"an unknown name":  `SET #c = :b`,
		"an unknown value": `SET #a = :c`,
		"another sum":      `SET #a = #a - :b`,
		"a sum of nothing": `SET #a = #a + :b`,
	} {
		body := `{"TableName":"kesu-ledger","Key":{"id":{"S":"a"}},"ConditionExpression":"attribute_not_exists(#a)","UpdateExpression":"` + update +
			`","ExpressionAttributeNames":{"#a":"a"},"ExpressionAttributeValues":{":b":{"N":"1"}}}`
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
