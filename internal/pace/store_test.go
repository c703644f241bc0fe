package pace

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/kesu-go/kesu/internal/ledger"
	"github.com/kesu-go/kesu/internal/ledger/mototest"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// asked is what a process asks at noon and so much later: an interval of a second, a tolerance of two.
func asked(later time.Duration) Ask {
	now := noon.Add(later)
	return Ask{Now: now, Latest: now.Add(2 * time.Second), Absurd: now.Add(time.Hour), Interval: time.Second}
}

// storeBench is a store and the line that is looked at.
type storeBench struct {
	*testing.T
	Store
	line string
}

// wants asks for a token and compares its place, or, when it is refused, the place that is stored; both in time after noon.
func (b storeBench) wants(a Ask, taken bool, place time.Duration) {
	b.Helper()
	got, ok, err := b.Take(b.Context(), b.line, a)
	if err != nil || ok != taken || !got.Equal(noon.Add(place)) {
		b.Fatalf("at %s: %s, %v, %v; want %s, %v", a.Now.Sub(noon), got.Sub(noon), ok, err, place, taken)
	}
}

func (b storeBench) returns(from, to time.Duration, want bool) {
	b.Helper()
	if got, err := b.Return(b.Context(), b.line, noon.Add(from), noon.Add(to)); err != nil || got != want {
		b.Fatalf("back from %s to %s: %v, %v; want %v", from, to, got, err, want)
	}
}

var storeCases = map[string]func(storeBench){
	"a burst, and then one for each interval": func(b storeBench) {
		for i := range 3 {
			b.wants(asked(0), true, time.Duration(i)*time.Second)
		}
		b.wants(asked(0), false, 3*time.Second)
		b.wants(asked(time.Second-time.Microsecond), false, 3*time.Second)
		b.wants(asked(time.Second), true, 3*time.Second)
		b.wants(asked(time.Second), false, 4*time.Second)
	},
	"what was known before and is no longer true changes nothing": func(b storeBench) {
		for i := range 3 {
			a := asked(0)
			a.Known = noon.Add(time.Hour - time.Second) // far ahead, and not absurd
			b.wants(a, true, time.Duration(i)*time.Second)
		}
		a := asked(0)
		a.Known = noon.Add(-time.Hour)
		b.wants(a, false, 3*time.Second)
		a = asked(time.Minute)
		a.Known = noon.Add(time.Minute + time.Second)
		b.wants(a, true, time.Minute)
	},
	"a line that was idle begins at the time now": func(b storeBench) {
		b.wants(asked(0), true, 0)
		b.wants(asked(time.Minute), true, time.Minute)
		b.wants(asked(time.Minute), true, time.Minute+time.Second)
	},
	"a TAT that is now is not idle": func(b storeBench) {
		b.wants(asked(0), true, 0)
		b.wants(asked(time.Second), true, time.Second)
	},
	"a token that lies ahead is reserved": func(b storeBench) {
		a := asked(0)
		a.Latest = noon.Add(5 * time.Second)
		for i := range 6 {
			b.wants(a, true, time.Duration(i)*time.Second)
		}
		b.wants(a, false, 6*time.Second)
		b.wants(asked(0), false, 6*time.Second)
	},
	"a TAT that cannot be is begun anew": func(b storeBench) {
		b.wants(asked(24*time.Hour), true, 24*time.Hour)
		b.wants(asked(0), true, 0)
		b.wants(asked(0), true, time.Second)
	},
	"the end of a line goes back, and nothing else": func(b storeBench) {
		for i := range 3 {
			b.wants(asked(0), true, time.Duration(i)*time.Second)
		}
		b.returns(2*time.Second, time.Second, false)
		b.returns(3*time.Second, time.Second, true)
		b.returns(3*time.Second, time.Second, false)
		b.wants(asked(0), true, time.Second)
	},
	"a line of which nothing is stored does not go back": func(b storeBench) {
		b.returns(time.Second, 0, false)
		b.wants(asked(0), true, 0)
	},
	"lines do not touch each other": func(b storeBench) {
		b.wants(asked(0), true, 0)
		other := b
		other.line += "2"
		other.wants(asked(0), true, 0)
		b.wants(asked(0), true, time.Second)
	},
	"of many at once each gets a place of its own": func(b storeBench) {
		var group sync.WaitGroup
		var mu sync.Mutex
		places := map[time.Duration]bool{}
		refused := 0
		for range 12 {
			group.Go(func() {
				a := asked(0)
				a.Latest = noon.Add(7 * time.Second)
				place, ok, err := b.Take(b.Context(), b.line, a)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err != nil:
					b.Error(err)
				case ok:
					places[place.Sub(noon)] = true
				default:
					refused++
				}
			})
		}
		group.Wait()
		if len(places) != 8 || refused != 4 {
			b.Errorf("%d places, %d refused: %v", len(places), refused, places)
		}
	},
}

func conformance(t *testing.T, s Store) {
	for name, run := range storeCases {
		t.Run(name, func(t *testing.T) { run(storeBench{t, s, strings.ReplaceAll(name, " ", "-") + "#reply"}) })
	}
}

func TestMemoryKeepsThePace(t *testing.T) { conformance(t, NewMemory()) }

func TestDynamoDBKeepsThePace(t *testing.T) {
	endpoint := mototest.Start(t)
	if endpoint == "" {
		return
	}
	mototest.CreateTable(t, endpoint, "pace")
	conformance(t, NewDynamoDB(mototest.Client(endpoint), "pace"))
}

func TestMemoryForgetsIdleLines(t *testing.T) {
	m := NewMemory()
	for hour := range 10 {
		for i := range 1000 {
			_, _, _ = m.Take(t.Context(), fmt.Sprint(hour, "-", i), asked(time.Duration(hour)*time.Hour))
		}
	}
	if got := len(m.tats); got > 2*1000+fewLines {
		t.Errorf("%d lines are kept of 1000 that are not idle", got)
	}
}

// fakeAPI answers with what it is told and counts.
type fakeAPI struct {
	calls  []*dynamodb.UpdateItemInput
	tries  []int // what each call's options say of repetitions
	answer func(n int) (*dynamodb.UpdateItemOutput, error)
}

func (f *fakeAPI) UpdateItem(_ context.Context, in *dynamodb.UpdateItemInput, options ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	o := dynamodb.Options{}
	for _, set := range options {
		set(&o)
	}
	tries := 0
	if o.Retryer != nil {
		tries = o.Retryer.MaxAttempts()
	}
	f.calls, f.tries = append(f.calls, in), append(f.tries, tries)
	return f.answer(len(f.calls))
}

func tatItem(tat time.Time) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{attrTAT: number(tat.UnixMicro())}
}

func refusedBy(item map[string]types.AttributeValue) error {
	return &types.ConditionalCheckFailedException{Item: item}
}

func TestATokenIsOneWriteAndSeldomTwo(t *testing.T) {
	ahead := noon.Add(time.Second)
	ok := &dynamodb.UpdateItemOutput{Attributes: tatItem(ahead.Add(time.Second))}
	for _, tt := range []struct {
		name   string
		known  time.Time
		answer func(n int) (*dynamodb.UpdateItemOutput, error)
		writes int
		taken  bool
		fails  bool
	}{
		{"a line that is busy and known to be", ahead, func(int) (*dynamodb.UpdateItemOutput, error) { return ok, nil }, 1, true, false},
		{"a refusal", ahead, func(int) (*dynamodb.UpdateItemOutput, error) { return nil, refusedBy(tatItem(noon.Add(time.Minute))) }, 1, false, false},
		{"a line that was thought idle", time.Time{}, func(n int) (*dynamodb.UpdateItemOutput, error) {
			if n == 1 {
				return nil, refusedBy(tatItem(ahead))
			}
			return ok, nil
		}, 2, true, false},
		{"a line that was thought busy", ahead, func(n int) (*dynamodb.UpdateItemOutput, error) {
			if n == 1 {
				return nil, refusedBy(nil)
			}
			return ok, nil
		}, 2, true, false},
		{"a line that changes each time", ahead, func(n int) (*dynamodb.UpdateItemOutput, error) {
			return nil, refusedBy(tatItem(noon.Add(time.Duration(n%2) * time.Second)))
		}, maxWrites, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			api := &fakeAPI{answer: tt.answer}
			a := asked(0)
			a.Known = tt.known
			_, taken, err := NewDynamoDB(api, "table").Take(t.Context(), "acme#reply", a)
			if len(api.calls) != tt.writes || taken != tt.taken || err != nil != tt.fails {
				t.Errorf("%d writes, %v, %v; want %d, %v", len(api.calls), taken, err, tt.writes, tt.taken)
			}
			for _, in := range api.calls {
				if id := in.Key[attrID].(*types.AttributeValueMemberS).Value; id != "#pace#acme#reply" {
					t.Errorf("written under %q", id)
				}
				if got := in.ExpressionAttributeValues[":expires_at"]; got.(*types.AttributeValueMemberN).Value != fmt.Sprint(noon.Add(time.Hour).Unix()) {
					t.Errorf("it expires at %v", got)
				}
			}
		})
	}
}

// A repetition of a write that happened finds the TAT moved and would be told so: the places would be used twice.
func TestAReturnIsNotRepeatedByTheClient(t *testing.T) {
	api := &fakeAPI{answer: func(int) (*dynamodb.UpdateItemOutput, error) { return nil, errors.New("lost") }}
	if _, err := NewDynamoDB(api, "table").Return(t.Context(), "acme#reply", noon, noon); err == nil || len(api.tries) != 1 || api.tries[0] != 1 {
		t.Errorf("%v, tries %v", err, api.tries)
	}
}

func TestATableThatCannotBeReadIsAnErrorWithoutItsText(t *testing.T) {
	for name, answer := range map[string]error{
		"throttled":      &smithy.GenericAPIError{Code: "ThrottlingException", Message: "arn:aws:dynamodb:secret"},
		"no connection":  errors.New("dial https://secret: refused"),
		"a damaged item": refusedBy(map[string]types.AttributeValue{attrTAT: &types.AttributeValueMemberS{Value: "secret"}}),
		"no TAT":         refusedBy(map[string]types.AttributeValue{"secret": number(1)}),
		"half a TAT":     refusedBy(map[string]types.AttributeValue{attrTAT: &types.AttributeValueMemberN{Value: "0.5"}}),
		"no answer":      nil,
	} {
		t.Run(name, func(t *testing.T) {
			api := &fakeAPI{answer: func(int) (*dynamodb.UpdateItemOutput, error) { return &dynamodb.UpdateItemOutput{}, answer }}
			a := asked(0)
			a.Known = noon
			_, _, err := NewDynamoDB(api, "table").Take(t.Context(), "acme#reply", a)
			if !errors.Is(err, ledger.ErrUnavailable) || strings.Contains(err.Error(), "secret") {
				t.Errorf("error %v", err)
			}
		})
	}
}
