package watch

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/kesu-go/kesu/internal/budget"
	"github.com/kesu-go/kesu/internal/ledger"
)

// BooksAPI is the part of DynamoDB's client that [DynamoDB] uses.
type BooksAPI interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
}

// DynamoDB keeps the books in the ledger's table, an item for each merchant. It implements [Books].
type DynamoDB struct {
	Client BooksAPI
	Table  string
}

// The attributes of an item.
const (
	attrID      = "id"         // S, the partition key
	attrBook    = "book"       // S
	attrVersion = "version"    // N
	attrExpires = "expires_at" // N, unix seconds, the table's TTL attribute
)

// bookID names the item. The ledger's ids have four parts, and the pace's names no such action.
func bookID(merchant string) string { return merchant + "#book" }

// Read implements [Books].
func (d *DynamoDB) Read(ctx context.Context, merchant string) (text string, version int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, budget.AWS)
	defer cancel()
	out, err := d.Client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &d.Table, ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{attrID: &types.AttributeValueMemberS{Value: bookID(merchant)}}})
	if err != nil {
		return "", 0, ledger.Failure(err)
	}
	if len(out.Item) == 0 {
		return "", 0, nil
	}
	book, ok1 := out.Item[attrBook].(*types.AttributeValueMemberS)
	number, ok2 := out.Item[attrVersion].(*types.AttributeValueMemberN)
	if ok1 && ok2 {
		if version, err = strconv.ParseInt(number.Value, 10, 64); err == nil && version > 0 {
			return book.Value, version, nil
		}
	}
	return "", 0, errors.New("the stored item is damaged")
}

// Write implements [Books].
func (d *DynamoDB) Write(ctx context.Context, merchant, text string, version int64, expires time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, budget.AWS)
	defer cancel()
	number := func(n int64) types.AttributeValue {
		return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
	}
	in := &dynamodb.PutItemInput{
		TableName: &d.Table,
		Item: map[string]types.AttributeValue{attrID: &types.AttributeValueMemberS{Value: bookID(merchant)},
			attrBook: &types.AttributeValueMemberS{
				Value: text,
			}, attrVersion: number(version + 1), attrExpires: number(expires.Unix())},
		ConditionExpression:      aws.String("attribute_not_exists(#id)"),
		ExpressionAttributeNames: map[string]string{"#id": attrID},
	}
	if version > 0 {
		in.ConditionExpression = aws.String("#version = :version")
		in.ExpressionAttributeNames = map[string]string{"#version": attrVersion}
		in.ExpressionAttributeValues = map[string]types.AttributeValue{":version": number(version)}
	}
	_, err := d.Client.PutItem(ctx, in)
	var refused *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return ErrWritten
	}
	return ledger.Failure(err)
}

// Memory keeps the books in the process, for trying the function without a table. It implements [Books].
type Memory struct {
	mu    sync.Mutex
	books map[string]memoryBook
}

type memoryBook struct {
	text    string
	version int64
}

// Read implements [Books].
func (m *Memory) Read(_ context.Context, merchant string) (text string, version int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.books[merchant]
	return b.text, b.version, nil
}

// Write implements [Books].
func (m *Memory) Write(_ context.Context, merchant, text string, version int64, _ time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.books[merchant].version != version {
		return ErrWritten
	}
	if m.books == nil {
		m.books = map[string]memoryBook{}
	}
	m.books[merchant] = memoryBook{text, version + 1}
	return nil
}
