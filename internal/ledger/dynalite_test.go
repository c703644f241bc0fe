package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/kesu-go/kesu/internal/ledger/mototest"
)

const (
	racers = 16
	keys   = 2000
)

// TestOneOfSixteenProcessesGetsAKey races processes for keys on dynalite, a second DynamoDB that is not ours: unlike moto
// it checks a condition and writes in one step, so nothing stands between it and the ledger here.
func TestOneOfSixteenProcessesGetsAKey(t *testing.T) {
	if endpoint := os.Getenv("KESU_LEDGER_RACE"); endpoint != "" {
		race(t, endpoint)
		return
	}
	endpoint := startDynalite(t)
	if endpoint == "" {
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	outputs, failed := make([]bytes.Buffer, racers), make([]error, racers)
	var running sync.WaitGroup
	for i := range racers {
		running.Go(func() {
			cmd := exec.CommandContext(t.Context(), self, "-test.run", "^"+t.Name()+"$", "-test.v")
			cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "KESU_LEDGER_RACE="+endpoint, "KESU_LEDGER_RACER="+strconv.Itoa(i))
			cmd.Stdout, cmd.Stderr = &outputs[i], &outputs[i]
			failed[i] = cmd.Run()
		})
	}
	running.Wait()
	winners, wins := map[string]int{}, make([]int, racers)
	for i, err := range failed {
		if err != nil {
			t.Fatalf("process %d: %v\n%s", i, err, outputs[i].Bytes()[max(0, outputs[i].Len()-2000):])
		}
		for line := range strings.Lines(outputs[i].String()) {
			if key, ok := strings.CutPrefix(strings.TrimSpace(line), "won "); ok {
				winners[key]++
				wins[i]++
			}
		}
	}
	for key, n := range winners {
		if n != 1 {
			t.Errorf("%d processes got the key %s", n, key)
		}
	}
	if len(winners) != keys {
		t.Errorf("%d of %d keys were got", len(winners), keys)
	}
	for i, n := range wins {
		if n == keys {
			t.Errorf("process %d got every key: there was no race", i)
		}
	}
}

// race is one of the processes: it claims every key, in an order of its own, and says which it got.
func race(t *testing.T, endpoint string) {
	client := mototest.Client(endpoint, func(o *dynamodb.Options) { o.HTTPClient = &http.Client{Transport: itemGiver{}} })
	me := os.Getenv("KESU_LEDGER_RACER")
	var owners sync.Mutex
	given := 0
	l := New(NewDynamoDB(client, "race"), testTTL, func() time.Time { return noon }, func() string {
		owners.Lock()
		defer owners.Unlock()
		given++
		return "process-" + me + "-" + strconv.Itoa(given)
	})
	for _, n := range rand.Perm(keys) {
		d, err := l.Claim(t.Context(), replyTo(strconv.Itoa(n)))
		switch {
		case err != nil:
			t.Fatalf("key %d: %v", n, err)
		case d.Claim != nil:
			fmt.Printf("won %d\n", n)
		case !d.InProgress:
			t.Fatalf("key %d: neither won nor in progress: %+v", n, d)
		}
	}
}

// startDynalite runs dynalite until the test ends and returns its address, with the table "race" in it. Where dynalite is
// not installed it logs that and returns ""; with KESU_REQUIRE_DYNALITE=1 that is a failure.
func startDynalite(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("dynalite")
	if err != nil {
		const missing = "left out the race for keys: it needs dynalite (npm install --global dynalite)"
		if os.Getenv("KESU_REQUIRE_DYNALITE") == "1" {
			t.Fatal(missing)
		}
		t.Log(missing)
		return ""
	}
	cmd := exec.CommandContext(t.Context(), path, "--host", "127.0.0.1", "--port", "0", "--createTableMs", "0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // how it ended does not matter: it was killed
	})
	said := make([]byte, 256)
	n, err := out.Read(said)
	_, endpoint, ok := strings.Cut(strings.TrimSpace(string(said[:n])), "listening at: ")
	if err != nil || !ok {
		t.Fatalf("dynalite says %q, %v", said[:n], err)
	}
	createRaceTable(t, endpoint)
	return endpoint
}

func createRaceTable(t *testing.T, endpoint string) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	client := mototest.Client(endpoint)
	if _, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String("race"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String(attrID), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String(attrID), KeyType: types.KeyTypeHash}},
	}); err != nil {
		t.Fatal(err)
	}
	exists := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 20 * time.Millisecond })
	if err := exists.Wait(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("race")}, 30*time.Second); err != nil {
		t.Fatal(err)
	}
}

// itemGiver puts the stored item into the refusal of a condition, which DynamoDB does when it is asked to
// (ReturnValuesOnConditionCheckFailure) and dynalite cannot. It reads the item after the refusal; nothing in the race is ever
// deleted, so it is there.
type itemGiver struct{}

func (itemGiver) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	first := r.Clone(r.Context())
	first.Body = io.NopCloser(bytes.NewReader(body))
	resp, err := http.DefaultTransport.RoundTrip(first)
	if err != nil || resp.StatusCode != http.StatusBadRequest {
		return resp, err
	}
	text, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		return nil, err
	}
	if bytes.Contains(text, []byte("ConditionalCheckFailedException")) {
		if text, err = withItem(r, body, text); err != nil {
			return nil, err
		}
	}
	resp.Header.Del("X-Amz-Crc32")
	resp.Header.Del("Content-Length")
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	return resp, nil
}

func withItem(r *http.Request, put, refusal []byte) ([]byte, error) {
	var asked struct {
		TableName                           string
		Item                                map[string]json.RawMessage
		ReturnValuesOnConditionCheckFailure string
	}
	if err := json.Unmarshal(put, &asked); err != nil {
		return nil, err
	}
	if asked.ReturnValuesOnConditionCheckFailure != "ALL_OLD" {
		return nil, errors.New("the ledger did not ask for the item that refused it")
	}
	get, err := json.Marshal(map[string]any{"TableName": asked.TableName, "Key": map[string]any{attrID: asked.Item[attrID]}, "ConsistentRead": true})
	if err != nil {
		return nil, err
	}
	second := r.Clone(r.Context())
	second.Header.Set("X-Amz-Target", "DynamoDB_20120810.GetItem")
	second.Body, second.ContentLength = io.NopCloser(bytes.NewReader(get)), int64(len(get))
	resp, err := http.DefaultTransport.RoundTrip(second)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var got struct{ Item json.RawMessage }
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		return nil, err
	}
	answer := map[string]json.RawMessage{}
	if err := json.Unmarshal(refusal, &answer); err != nil {
		return nil, err
	}
	answer["Item"] = got.Item
	return json.Marshal(answer)
}
