package ledger

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/kesu-go/kesu/pkg/redact"
)

// API is the part of DynamoDB's client that the ledger uses; the function's role needs no more than these two actions.
type API interface {
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	DeleteItem(context.Context, *dynamodb.DeleteItemInput,
		...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
}

// DynamoDB keeps the ledger in a table with the partition key "id" (S) and the TTL attribute "expires_at".
//
// Every write is conditional, and a condition that does not hold brings the stored item with it
// (ReturnValuesOnConditionCheckFailure), so nothing is ever read apart from a write. The table must not be a global
// one that is written in two regions: there a condition only sees its own region.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html
type DynamoDB struct {
	client API
	table  string
}

// NewDynamoDB returns a store over table. How often the client repeats a call is the caller's to configure; a
// repetition after a lost acknowledgement finds the write that was made and counts it as its own.
func NewDynamoDB(client API, table string) *DynamoDB {
	return &DynamoDB{client: client, table: table}
}

// The conditions. "state" and "owner" are reserved words, so every name is written as an alias. TTL
// deletes items hours late, which is why expiry is in the condition too.
const (
	ifAbsent = "attribute_not_exists(#id) OR #expires_at <= :now"
	ifHolder = "#owner = :owner AND #state = :state"
)

// Put implements [Store]. A stored item that cannot be read is an error: whoever wrote it, the key is not free.
func (d *DynamoDB) Put(ctx context.Context, e Entry, cond Condition) (*Entry, error) {
	written, err := writeItem(e.rounded())
	if err != nil {
		return nil, fmt.Errorf("%w: the result cannot be stored", ErrUnavailable)
	}
	in := &dynamodb.PutItemInput{
		TableName:                           &d.table,
		Item:                                written,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if cond.State == Absent {
		in.ConditionExpression = new(ifAbsent)
		in.ExpressionAttributeNames = map[string]string{"#id": attrID, "#expires_at": attrExpiresAt}
		in.ExpressionAttributeValues = item{":now": number(cond.AbsentAt.Unix())}
	} else {
		in.ConditionExpression, in.ExpressionAttributeNames,
			in.ExpressionAttributeValues = holder(cond.Owner, cond.State)
	}
	_, err = d.client.PutItem(ctx, in)
	var refused *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return nil, nil
	case !errors.As(err, &refused):
		return nil, Failure(err)
	case len(refused.Item) > 0:
		return readStored(refused.Item, e.ID)
	case cond.State == Absent: // refused because something is stored, and yet nothing is: not to be taken as free
		return nil, fmt.Errorf("%w: the condition failed and no item came with it", ErrUnavailable)
	}
	return &Entry{ID: e.ID, State: Absent}, nil
}

// Delete implements [Store].
func (d *DynamoDB) Delete(ctx context.Context, id, owner string) error {
	in := &dynamodb.DeleteItemInput{TableName: &d.table, Key: item{attrID: text(id)}}
	in.ConditionExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues = holder(owner, Claimed)
	_, err := d.client.DeleteItem(ctx, in)
	var refused *types.ConditionalCheckFailedException
	if err == nil || errors.As(err, &refused) {
		return nil
	}
	return Failure(err)
}

// holder is the condition that exactly this owner holds the item in this state.
func holder(owner string, state State) (*string, map[string]string, item) {
	return new(ifHolder), map[string]string{"#owner": attrOwner, "#state": attrState},
		item{":owner": text(owner), ":state": text(string(state))}
}

// readStored reads the item that refused a write.
func readStored(found item, id string) (*Entry, error) {
	e, err := readItem(found, id)
	if err != nil {
		return nil, fmt.Errorf("%w: the stored item is damaged: %w", ErrUnavailable, err)
	}
	return &e, nil
}

// Failure reduces an error of the client to AWS's code for it: its text may name accounts, tables and hosts.
func Failure(err error) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		return fmt.Errorf("%w: %s", ErrUnavailable, redact.AWSCode(api.ErrorCode()))
	}
	return fmt.Errorf("%w: %s", ErrUnavailable, wordFor(err))
}

// wordFor tells a failure without a code.
func wordFor(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timed out"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	}
	return "no readable answer"
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}
