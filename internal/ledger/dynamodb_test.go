package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/kesu-go/kesu/internal/budget"
	"github.com/kesu-go/kesu/internal/ledger/mototest"
	"github.com/kesu-go/kesu/pkg/wire"
)

func TestDynamoDBKeepsTheRules(t *testing.T) {
	endpoint := mototest.Start(t)
	if endpoint == "" {
		return
	}
	tables := 0
	conformance(t, func(t *testing.T) Store {
		tables++
		table := fmt.Sprintf("ledger-%d", tables)
		mototest.CreateTable(t, endpoint, table)
		transport := &atomicTransport{}
		return NewDynamoDB(mototest.Client(endpoint, func(o *dynamodb.Options) {
			o.HTTPClient = &http.Client{Transport: transport}
		}), table)
	})
	t.Run("a lost acknowledgement on the wire is repeated by the SDK and found to be ours", func(t *testing.T) {
		mototest.CreateTable(t, endpoint, "lossy")
		loseEveryAnswerOnce(t, endpoint, "lossy")
	})
}

// loseEveryAnswerOnce runs the life of a command with each write carried out and its first answer lost.
func loseEveryAnswerOnce(t *testing.T, endpoint, table string) {
	transport := &atomicTransport{loseFirst: true}
	client := mototest.Client(endpoint, func(o *dynamodb.Options) {
		o.HTTPClient = &http.Client{Transport: transport}
		o.Retryer = retry.NewStandard(func(s *retry.StandardOptions) {
			s.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	})
	b := newBench(t, NewDynamoDB(client, table))
	r := replyTo("1")
	b.must(b.Release(t.Context(), b.wants(r, "claim").Claim))
	b.must(b.Settle(t.Context(), b.wants(r, "claim").Claim, outcome(r, wire.Unknown)))
	again := b.wants(resending(r), "takeover").Claim
	if again.TransactionID != r.TransactionID {
		t.Errorf("transaction id %q", again.TransactionID)
	}
	b.must(b.Release(t.Context(), again))
	b.must(b.Settle(t.Context(), b.wants(resending(r), "takeover").Claim, outcome(r, wire.Succeeded)))
	b.wants(r, "replay")
	if transport.lost < 7 {
		t.Errorf("only %d answers were lost", transport.lost)
	}
}

// atomicTransport lets one request through at a time. DynamoDB promises that a conditional write is atomic; moto, whose
// threads check and write in two steps, does not, and what the tests are about is the ledger's order of writes.
type atomicTransport struct {
	mu        sync.Mutex
	loseFirst bool // carry out the first try of every request and lose its answer
	lost      int
}

func (a *atomicTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || !a.loseFirst || !strings.HasPrefix(r.Header.Get("Amz-Sdk-Request"), "attempt=1;") {
		return resp, err
	}
	a.lost++
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return nil, io.ErrUnexpectedEOF
}

// fakeAPI answers with what its functions say and remembers what it was asked.
type fakeAPI struct {
	put     func(ctx context.Context, in *dynamodb.PutItemInput) error
	puts    []*dynamodb.PutItemInput
	deletes []*dynamodb.DeleteItemInput
}

func (f *fakeAPI) PutItem(ctx context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	f.puts = append(f.puts, in)
	return &dynamodb.PutItemOutput{}, f.put(ctx, in)
}

func (f *fakeAPI) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	f.deletes = append(f.deletes, in)
	return &dynamodb.DeleteItemOutput{}, ctx.Err()
}

// holding refuses every conditional write on absence with the item.
func holding(stored item) func(context.Context, *dynamodb.PutItemInput) error {
	return func(context.Context, *dynamodb.PutItemInput) error {
		return &smithy.OperationError{ServiceID: "DynamoDB", OperationName: "PutItem",
			Err: &types.ConditionalCheckFailedException{Item: stored}}
	}
}

func storedItem(t *testing.T, r Request, change func(*Entry)) item {
	t.Helper()
	e := Entry{ID: r.id(), Owner: "first", State: Claimed, PayloadHash: r.PayloadHash, TransactionID: "first",
		LeaseUntil: noon.Add(5 * time.Second), ExpiresAt: noon.Add(time.Hour)}
	change(&e)
	written, err := writeItem(e)
	if err != nil {
		t.Fatal(err)
	}
	return written
}

func TestDynamoDBTellsTheItemThatRefusedAClaim(t *testing.T) {
	r := replyTo("1")
	success, unclear := outcome(r, wire.Succeeded), outcome(r, wire.Unknown)
	for _, tc := range []struct {
		name   string
		change func(*Entry)
		want   string
	}{
		{"a live claim", func(*Entry) {}, "in progress"},
		{"an own claim, since the acknowledgement was lost", func(e *Entry) { e.Owner = "owner-1" }, "claim"},
		{"an expired claim", func(e *Entry) { e.LeaseUntil = noon }, "unknown"},
		{"an unknown", func(e *Entry) { e.State, e.Result = Unknown, &unclear }, "unknown"},
		{"a success", func(e *Entry) { e.State, e.Result = Succeeded, &success }, "replay"},
		{"another payload", func(e *Entry) { e.PayloadHash = "other" }, "mismatch"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			api := &fakeAPI{put: holding(storedItem(t, r, tc.change))}
			newBench(t, NewDynamoDB(api, "table")).wants(r, tc.want)
			if len(api.puts) != 1 || len(api.deletes) != 0 {
				t.Errorf("%d puts and %d deletes, want one put", len(api.puts), len(api.deletes))
			}
		})
	}
}

func TestDynamoDBNeverTakesADamagedItemAsFree(t *testing.T) {
	r := replyTo("1")
	success := outcome(r, wire.Succeeded)
	for name, damage := range map[string]func(item){
		"no state":                  func(i item) { delete(i, attrState) },
		"a foreign state":           func(i item) { i[attrState] = text("done") },
		"an empty state":            func(i item) { i[attrState] = text("") },
		"a state that is a number":  func(i item) { i[attrState] = number(1) },
		"no owner":                  func(i item) { delete(i, attrOwner) },
		"an empty owner":            func(i item) { i[attrOwner] = text("") },
		"no payload hash":           func(i item) { delete(i, attrPayloadHash) },
		"no transaction id":         func(i item) { delete(i, attrTransactionID) },
		"another id":                func(i item) { i[attrID] = text("else") },
		"no lease":                  func(i item) { delete(i, attrLeaseUntil) },
		"a lease in words":          func(i item) { i[attrLeaseUntil] = text("1795262400000") },
		"a lease that overflows":    func(i item) { i[attrLeaseUntil] = number(1 << 62) },
		"a fraction of an expiry":   func(i item) { i[attrExpiresAt] = &types.AttributeValueMemberN{Value: "1795262400.5"} },
		"an expiry before 1970":     func(i item) { i[attrExpiresAt] = number(-1) },
		"an expiry that overflows":  func(i item) { i[attrExpiresAt] = number(1<<63 - 1) },
		"a success without result":  func(i item) { delete(i, attrResult) },
		"a result that is no JSON":  func(i item) { i[attrResult] = text("{secret") },
		"a result of another state": func(i item) { i[attrState] = text(string(Unknown)) },
		"a result that is a list":   func(i item) { i[attrResult] = &types.AttributeValueMemberL{} },
		"a null attribute":          func(i item) { i[attrOwner] = nil },
		"a typed nil":               func(i item) { i[attrOwner] = (*types.AttributeValueMemberS)(nil) },
		"nothing but the id":        func(i item) { clear(i); i[attrID] = text(r.id()) },
		"no item at all":            func(i item) { clear(i) },
	} {
		t.Run(name, func(t *testing.T) {
			stored := storedItem(t, r, func(e *Entry) { e.State, e.Result = Succeeded, &success })
			damage(stored)
			b := newBench(t, NewDynamoDB(&fakeAPI{put: holding(stored)}, "table"))
			for _, asked := range []Request{r, resending(r)} {
				d, err := b.Claim(t.Context(), asked)
				if !errors.Is(err, ErrUnavailable) || d != (Decision{}) {
					t.Fatalf("Claim: %+v, %v", d, err)
				}
				if strings.Contains(err.Error(), "secret") {
					t.Errorf("the error quotes the item: %v", err)
				}
			}
		})
	}
}

func TestDynamoDBFailuresAreTheCodeAloneAndTheClaimIsTakenBack(t *testing.T) {
	const hidden = "arn:aws:dynamodb:us-east-1:123456789012:table/ledger"
	api := func(code string) error { return &smithy.GenericAPIError{Code: code, Message: hidden} }
	for _, tc := range []struct {
		name string
		err  error
		want string
	}{
		{"throttling", &types.ProvisionedThroughputExceededException{Message: aws.String(hidden)},
			"ledger: unavailable: ProvisionedThroughputExceededException"},
		{"a missing table", &types.ResourceNotFoundException{Message: aws.String(hidden)}, "ledger: unavailable: ResourceNotFoundException"},
		{"a refusal", api("AccessDeniedException"), "ledger: unavailable: AccessDeniedException"},
		{"a code that is a text", api("see " + hidden), "ledger: unavailable: unknown error"},
		{"a code without end", api(strings.Repeat("A", 65)), "ledger: unavailable: unknown error"},
		{"a lost connection", fmt.Errorf("dial %s: %w", hidden, io.ErrUnexpectedEOF), "ledger: unavailable: no readable answer"},
		{"a timeout", fmt.Errorf("%s: %w", hidden, context.DeadlineExceeded), "ledger: unavailable: timed out"},
		{"a cancelled call", fmt.Errorf("%s: %w", hidden, context.Canceled), "ledger: unavailable: cancelled"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fake := &fakeAPI{put: func(context.Context, *dynamodb.PutItemInput) error { return tc.err }}
			b := newBench(t, NewDynamoDB(fake, "table"))
			_, err := b.Claim(t.Context(), replyTo("1"))
			if !errors.Is(err, ErrUnavailable) || err.Error() != tc.want {
				t.Errorf("error %q, want %q", err, tc.want)
			}
			if len(fake.deletes) != 1 {
				t.Fatalf("%d deletes, want one", len(fake.deletes))
			}
			in := fake.deletes[0]
			owner := in.ExpressionAttributeValues[":owner"].(*types.AttributeValueMemberS).Value
			if *in.ConditionExpression != ifHolder || owner != "owner-1" {
				t.Errorf("the delete is not fenced: %q, %q", *in.ConditionExpression, owner)
			}
		})
	}
}

func TestAClaimIsTakenBackWithinItsBounds(t *testing.T) {
	for _, tc := range []struct {
		name  string
		end   time.Duration // from now; 0 is no deadline but a cancelled caller
		tries int
		most  time.Duration
	}{
		{"after the deadline nothing is tried", -time.Second, 0, 0},
		{"a cancelled caller without a deadline leaves a second", 0, 1, budget.LedgerUndo},
		{"a deadline that is nearer is kept", 500 * time.Millisecond, 1, 500 * time.Millisecond},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), tc.end)
				if tc.end == 0 {
					ctx, cancel = context.WithCancel(t.Context())
					cancel()
				}
				defer cancel()
				store := &failingStore{}
				if _, err := newBench(t, store).Claim(ctx, replyTo("1")); !errors.Is(err, ErrUnavailable) {
					t.Fatalf("Claim: %v", err)
				}
				if store.deletes != tc.tries {
					t.Fatalf("%d deletes, want %d", store.deletes, tc.tries)
				}
				if store.left > tc.most || store.ended {
					t.Errorf("%v left (ended: %v), want at most %v", store.left, store.ended, tc.most)
				}
			})
		})
	}
}

func TestAClaimThatLosesEveryRaceIsInProgress(t *testing.T) {
	r := completionOf("1")
	puts := 0
	fake := &fakeAPI{}
	fake.put = func(ctx context.Context, in *dynamodb.PutItemInput) error {
		puts++
		return holding(storedItem(t, r, func(e *Entry) { e.State, e.Owner = Unknown, fmt.Sprint(puts) }))(ctx, in)
	}
	d := newBench(t, NewDynamoDB(fake, "table")).wants(r, "in progress")
	if d.RetryAfter != time.Second || puts != maxWrites {
		t.Errorf("retry after %v, %d writes", d.RetryAfter, puts)
	}
	for i, in := range fake.puts[1:] {
		if got := in.ExpressionAttributeValues[":owner"].(*types.AttributeValueMemberS).Value; got != fmt.Sprint(i+1) {
			t.Errorf("write %d is on condition of the holder %s", i+2, got)
		}
	}
}

func TestAClaimThatVanishedIsClaimedAfresh(t *testing.T) {
	r := completionOf("1")
	puts := 0
	fake := &fakeAPI{put: func(ctx context.Context, in *dynamodb.PutItemInput) error {
		switch puts++; puts {
		case 1:
			return holding(storedItem(t, r, func(e *Entry) { e.LeaseUntil = noon }))(ctx, in)
		case 2: // its holder released it in the meantime
			return holding(nil)(ctx, in)
		}
		return nil
	}}
	newBench(t, NewDynamoDB(fake, "table")).wants(r, "claim")
	if puts != 3 {
		t.Errorf("%d writes", puts)
	}
}
