package lambdaio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"github.com/kesu-go/kesu/pkg/wire"
)

// queues keep what was to become visible.
type queues struct {
	mu    sync.Mutex
	shown []string
	err   error
}

func (q *queues) ShowAfter(_ context.Context, queueARN, receiptHandle string, after time.Duration) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.shown = append(q.shown, fmt.Sprint(queueARN, " ", receiptHandle, " ", after))
	return q.err
}

func TestARecordThatMustComeAgainBecomesVisibleWhenItShould(t *testing.T) {
	const queue = "arn:aws:sqs:ap-east-1:1:completions h-1 "
	received := func(body, times string) string {
		return strings.Replace(queued(body), `"receiptHandle"`, `"attributes":{"SentTimestamp":"1","ApproximateReceiveCount":`+times+`},"receiptHandle"`, 1)
	}
	for _, tt := range []struct {
		name, record string
		want         []string
		again        bool
	}{
		{"one that was settled is left alone", queued(command("ok")), nil, false},
		{"one that somebody knows the time of", queued(command("later")), []string{queue + "7.1s"}, true},
		{"an answer that cannot be verified yet", queued(command("unverified")), []string{queue + "15m0s"}, true},
		{"one that nobody knows the time of, the first time", received(command("retryable"), `"1"`), []string{queue + "1s"}, true},
		{"the second time", received(command("retryable"), `"2"`), []string{queue + "2s"}, true},
		{"the eighth time", received(command("retryable"), `"8"`), []string{queue + "2m8s"}, true},
		{"the ninth time it is left to its queue", received(command("retryable"), `"9"`), nil, true},
		{"the hundredth time", received(command("retryable"), `"100"`), nil, true},
		{"one that was received nobody knows how many times", queued(command("retryable")), nil, true},
		{"one that was received no times", received(command("retryable"), `"0"`), nil, true},
		{"one that was received less than no times", received(command("retryable"), `"-1"`), nil, true},
		{"one that was received more often than there are numbers", received(command("retryable"), `"99999999999999999999"`), nil, true},
		{"one whose receives are a number", received(command("retryable"), `1`), nil, true},
		{"a bug", received(command("bug"), `"3"`), []string{queue + "4s"}, true},
		{"one that somebody knows the time of, the third time", received(command("later"), `"3"`), []string{queue + "7.1s"}, true},
		{"an unknown completion, the first time", received(command("unknown"), `"1"`), []string{queue + "1s"}, true},
		{"one that cannot be read, at once", queued("words"), []string{queue + "0s"}, true},
		{"one that is no text, at once", strings.Replace(queued("words"), `"words"`, "{}", 1), []string{queue + "0s"}, true},
		{"one without a receipt handle", strings.Replace(queued("words"), `"receiptHandle":"h-1",`, "", 1), nil, true},
		{"one without a queue", strings.Replace(queued("words"), `,"eventSourceARN":"arn:aws:sqs:ap-east-1:1:completions"`, "", 1), nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, broken := range []error{nil, errors.New("ChangeMessageVisibility: AccessDenied")} {
				handler, _, _ := newHandler(wire.Complete)
				q := &queues{err: broken}
				handler.Queue = q
				answer, errorType := invoke(t, handler, records(tt.record))
				if !slices.Equal(q.shown, tt.want) || strings.Contains(answer, "itemIdentifier") != tt.again || errorType != "" {
					t.Errorf("%q, %s, %s", q.shown, answer, errorType)
				}
			}
		})
	}
	t.Run("one whose settled event is not published", func(t *testing.T) {
		handler, _, bus := newHandler(wire.Complete)
		q := &queues{}
		handler.Queue, bus.err = q, errors.New("down")
		if answer, _ := invoke(t, handler, records(received(command("ok"), `"1"`))); !slices.Equal(q.shown, []string{queue + "1s"}) || !strings.Contains(answer, "m-1") {
			t.Errorf("%q, %s", q.shown, answer)
		}
	})
	t.Run("an array's and a topic's events have no queue", func(t *testing.T) {
		handler, _, _ := newHandler(wire.Complete)
		q := &queues{}
		handler.Queue = q
		invoke(t, handler, "["+command("later")+"]")
		invoke(t, handler, records(published(command("later"))))
		if len(q.shown) != 0 {
			t.Errorf("%q", q.shown)
		}
	})
}

// crowd is a pipeline that lets nobody go before so many are there at once.
type crowd struct {
	mu        sync.Mutex
	here, max int
	full      chan struct{}
	open      sync.Once
	size      int
}

func (c *crowd) Do(_ context.Context, r wire.Request) wire.Result {
	c.mu.Lock()
	c.here++
	if c.max = max(c.max, c.here); c.here == c.size {
		c.open.Do(func() { close(c.full) })
	}
	c.mu.Unlock()
	<-c.full
	time.Sleep(time.Second) // of the bubble's: whoever is let in beside the ten would be counted
	c.mu.Lock()
	c.here--
	c.mu.Unlock()
	return r.Command.NewResult(wire.Succeeded, wire.CodeOK, "done", at)
}

func TestTenEventsOfAnInvocationAreCarriedOutAtOnce(t *testing.T) {
	many := slices.Repeat([]string{command("ok")}, 25)
	var inQueue []string
	for _, c := range many {
		inQueue = append(inQueue, queued(c))
	}
	for name, payload := range map[string]string{"a batch": records(inQueue...), "an array": "[" + strings.Join(many, ",") + "]"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &crowd{full: make(chan struct{}), size: 10}
				handler, _, _ := newHandler(wire.Complete)
				handler.Pipeline = c
				if answer, errorType := invoke(t, handler, payload); errorType != "" || strings.Contains(answer, "itemIdentifier") || c.max != 10 {
					t.Errorf("%s, %s, at most %d at once", answer, errorType, c.max)
				}
			})
		})
	}
}

// sqsClient answers ChangeMessageVisibility.
type sqsClient struct {
	err     error
	in      *sqs.ChangeMessageVisibilityInput
	options sqs.Options
	waits   bool
}

func (c *sqsClient) ChangeMessageVisibility(ctx context.Context, in *sqs.ChangeMessageVisibilityInput, set ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error) {
	c.in = in
	for _, s := range set {
		s(&c.options)
	}
	if c.waits {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return &sqs.ChangeMessageVisibilityOutput{}, c.err
}

func TestShowAfter(t *testing.T) {
	for _, tt := range []struct {
		name, arn   string
		after       time.Duration
		err         error
		url, region string
		seconds     int32
		want        string
	}{
		{"at once", "arn:aws:sqs:ap-east-1:111122223333:replies", 0, nil, "https://sqs.ap-east-1.amazonaws.com/111122223333/replies", "ap-east-1", 0, ""},
		{"part of a second is one", "arn:aws:sqs:ap-east-1:111122223333:replies", time.Millisecond, nil, "https://sqs.ap-east-1.amazonaws.com/111122223333/replies", "ap-east-1", 1, ""},
		{"seconds are rounded up", "arn:aws:sqs:eu-west-1:111122223333:replies", 7100 * time.Millisecond, nil, "https://sqs.eu-west-1.amazonaws.com/111122223333/replies", "eu-west-1", 8, ""},
		{"twelve hours are the most", "arn:aws:sqs:ap-east-1:111122223333:a-b_c", 100 * time.Hour, nil, "https://sqs.ap-east-1.amazonaws.com/111122223333/a-b_c", "ap-east-1", 43200, ""},
		{"less than nothing is at once", "arn:aws:sqs:ap-east-1:111122223333:a", -time.Hour, nil, "https://sqs.ap-east-1.amazonaws.com/111122223333/a", "ap-east-1", 0, ""},
		{"in China", "arn:aws-cn:sqs:cn-north-1:111122223333:replies", time.Second, nil, "https://sqs.cn-north-1.amazonaws.com.cn/111122223333/replies", "cn-north-1", 1, ""},
		{"refused", "arn:aws:sqs:ap-east-1:1:a", time.Second, &smithy.GenericAPIError{Code: "AccessDenied", Message: "arn and more"}, "https://sqs.ap-east-1.amazonaws.com/1/a", "ap-east-1", 1, "ChangeMessageVisibility: AccessDenied"},
		{"refused with a code that is none", "arn:aws:sqs:ap-east-1:1:a", time.Second, &smithy.GenericAPIError{Code: "No13800138000"}, "https://sqs.ap-east-1.amazonaws.com/1/a", "ap-east-1", 1, "ChangeMessageVisibility: unknown error"},
		{"not reached", "arn:aws:sqs:ap-east-1:1:a", time.Second, errors.New("dial tcp 10.0.0.1: refused"), "https://sqs.ap-east-1.amazonaws.com/1/a", "ap-east-1", 1, "ChangeMessageVisibility: the queue could not be reached"},
		{"a topic", "arn:aws:sns:ap-east-1:1:a", time.Second, nil, "", "", 0, "the record's eventSourceARN is not a queue's"},
		{"words", "words", time.Second, nil, "", "", 0, "the record's eventSourceARN is not a queue's"},
		{"no region", "arn:aws:sqs::1:a", time.Second, nil, "", "", 0, "the record's eventSourceARN is not a queue's"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := &sqsClient{err: tt.err}
			made := 0
			err := Queues{Client: func() SQS { made++; return client }}.ShowAfter(t.Context(), tt.arn, "handle", tt.after)
			if got := fmt.Sprint(err); err != nil && got != tt.want || (err == nil) != (tt.want == "") {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if tt.url == "" {
				if made != 0 {
					t.Error("a client was made")
				}
				return
			}
			if aws.ToString(client.in.QueueUrl) != tt.url || aws.ToString(client.in.ReceiptHandle) != "handle" || client.in.VisibilityTimeout != tt.seconds ||
				client.options.Region != tt.region {
				t.Errorf("%s, %s, %d s, region %s", aws.ToString(client.in.QueueUrl), aws.ToString(client.in.ReceiptHandle), client.in.VisibilityTimeout, client.options.Region)
			}
		})
	}
}

func TestAQueueThatDoesNotAnswerIsNotWaitedForLong(t *testing.T) {
	for _, tt := range []struct {
		name       string
		left, want time.Duration
	}{
		{"with much time left, a second", time.Minute, time.Second},
		{"with little time left, all but what the answer takes", 700 * time.Millisecond, 500 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), tt.left)
				defer cancel()
				began := time.Now()
				err := Queues{Client: func() SQS { return &sqsClient{waits: true} }}.ShowAfter(ctx, "arn:aws:sqs:ap-east-1:1:a", "h", 0)
				if err == nil || time.Since(began) != tt.want {
					t.Errorf("%v after %s, want %s", err, time.Since(began), tt.want)
				}
			})
		})
	}
}
