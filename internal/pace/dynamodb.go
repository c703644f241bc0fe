package pace

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/kesu-go/kesu/internal/ledger"
)

// API is the part of DynamoDB's client that the pace uses.
type API interface {
	UpdateItem(context.Context, *dynamodb.UpdateItemInput,
		...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
}

// DynamoDB keeps the lines in the ledger's table, an item for each.
//
// DynamoDB can add to a number but not take the greater of two, so there are two writes: one moves a TAT that lies
// ahead on by an interval, whatever it is by then, so that processes do not get in each other's way; the other begins a
// line that is idle. Which one fits is guessed by what the process last heard of the line. When the guess was wrong the
// item comes with the refusal (ReturnValuesOnConditionCheckFailure), and the other write is made.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html
type DynamoDB struct {
	client API
	table  string
}

// NewDynamoDB returns a store in a table with the partition key "id" (S) and the TTL attribute "expires_at".
func NewDynamoDB(client API, table string) *DynamoDB { return &DynamoDB{client: client, table: table} }

// The attributes of an item.
const (
	attrID        = "id"         // S, "#pace#" and the line: an entry of the ledger never begins with '#'
	attrTAT       = "tat"        // N, unix microseconds
	attrExpiresAt = "expires_at" // N, unix seconds
)

// kept is how long an item is kept after its last write. It may be deleted as soon as its TAT is past.
const kept = time.Hour

const (
	moveOn  = "SET #tat = #tat + :interval, #expires_at = :expires_at"
	ifAhead = "#tat >= :now AND #tat <= :latest"
	begin   = "SET #tat = :next, #expires_at = :expires_at"
	ifIdle  = "attribute_not_exists(#tat) OR #tat < :now OR #tat > :absurd"
	goBack  = "SET #tat = :to"
	ifLast  = "#tat = :from"
)

// maxWrites bounds the writes for one token: the guess, the other one, and one more for a line that changed between.
const maxWrites = 3

// Take implements [Store].
func (d *DynamoDB) Take(ctx context.Context, line string, a Ask) (time.Time, bool, error) {
	tat := a.Known
	for range maxWrites {
		in := d.update(line, begin, ifIdle, map[string]int64{
			":next": a.Now.Add(a.Interval).UnixMicro(), ":now": a.Now.UnixMicro(), ":absurd": a.Absurd.UnixMicro()})
		moved := !a.idle(tat)
		if moved {
			in = d.update(line, moveOn, ifAhead, map[string]int64{
				":interval": a.Interval.Microseconds(), ":now": a.Now.UnixMicro(), ":latest": a.Latest.UnixMicro()})
		}
		in.ExpressionAttributeNames["#expires_at"] = attrExpiresAt
		in.ExpressionAttributeValues[":expires_at"] = number(a.Now.Add(kept).Unix())
		in.ReturnValues = types.ReturnValueUpdatedNew
		in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
		out, err := d.client.UpdateItem(ctx, in)
		if err == nil {
			place, err := a.Now, error(nil)
			if moved {
				place, err = readTAT(out.Attributes)
				place = place.Add(-a.Interval)
			}
			return place, true, err
		}
		var refused *types.ConditionalCheckFailedException
		if !errors.As(err, &refused) {
			return time.Time{}, false, ledger.Failure(err)
		}
		tat = time.Time{}
		if len(refused.Item) > 0 {
			if tat, err = readTAT(refused.Item); err != nil {
				return time.Time{}, false, err
			}
		}
		if !a.idle(tat) && tat.After(a.Latest) {
			return tat, false, nil
		}
	}
	return time.Time{}, false, fmt.Errorf("%w: the line changed each time", ledger.ErrUnavailable)
}

// Return implements [Store].
func (d *DynamoDB) Return(ctx context.Context, line string, from, to time.Time) (bool, error) {
	in := d.update(line, goBack, ifLast, map[string]int64{":from": from.UnixMicro(), ":to": to.UnixMicro()})
	// Once: a repetition after a lost acknowledgement would be refused, as if the TAT had not been moved.
	_, err := d.client.UpdateItem(ctx, in, func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
	var refused *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return true, nil
	case errors.As(err, &refused):
		return false, nil
	}
	return false, ledger.Failure(err)
}

func (d *DynamoDB) update(line, expression, condition string, values map[string]int64) *dynamodb.UpdateItemInput {
	in := &dynamodb.UpdateItemInput{
		TableName: &d.table,
		Key: map[string]types.AttributeValue{
			attrID: &types.AttributeValueMemberS{Value: ItemID(line)},
		},
		UpdateExpression:          &expression,
		ConditionExpression:       &condition,
		ExpressionAttributeNames:  map[string]string{"#tat": attrTAT},
		ExpressionAttributeValues: map[string]types.AttributeValue{},
	}
	for name, value := range values {
		in.ExpressionAttributeValues[name] = number(value)
	}
	return in
}

// ItemID is the id of a line's item.
func ItemID(line string) string { return "#pace#" + line }

// readTAT reads the TAT of an item. The table is outside the process, so nothing
// about the item is taken for granted.
func readTAT(stored map[string]types.AttributeValue) (time.Time, error) {
	value, ok := stored[attrTAT].(*types.AttributeValueMemberN)
	if !ok || value == nil {
		return time.Time{}, fmt.Errorf("%w: the stored pace is damaged: tat is not a number", ledger.ErrUnavailable)
	}
	micros, err := strconv.ParseInt(value.Value, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: the stored pace is damaged: tat is not a time", ledger.ErrUnavailable)
	}
	return time.UnixMicro(micros), nil
}

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}
