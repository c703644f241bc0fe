package sandbox

import (
	"encoding/json"
	"errors"
	"hash/crc32"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// LedgerName is the name of a world's ledger table, the value of LEDGER_TABLE.
const LedgerName = "kesu-ledger"

// LedgerTable is one DynamoDB table as far as the functions go: GetItem, and PutItem, DeleteItem and UpdateItem with a
// condition. It outlives the functions' processes, and its [Host] can be taken down. It may be used by several goroutines at once.
type LedgerTable struct {
	*Host
	mu    sync.Mutex
	items map[string]Item
}

// Item is an item's attributes as DynamoDB spells them: {"S": "…"} or {"N": "…"}.
type Item map[string]Attribute

// Attribute is one value: either S or N is set.
type Attribute struct {
	S *string `json:",omitempty"`
	N *string `json:",omitempty"`
}

// Text is the value, of either kind.
func (a Attribute) Text() string {
	switch {
	case a.S != nil:
		return *a.S
	case a.N != nil:
		return *a.N
	}
	return ""
}

func (w *World) openLedger() error {
	t, err := newLedgerTable(w.now)
	if err != nil {
		return err
	}
	w.Ledger = t
	w.closers = append(w.closers, t)
	return nil
}

func newLedgerTable(now func() time.Time) (*LedgerTable, error) {
	t := &LedgerTable{items: map[string]Item{}}
	host, err := newHost("dynamodb", t, now)
	t.Host = host
	return t, err
}

// env is what a function needs to find the table.
func (t *LedgerTable) env() []string {
	return []string{"LEDGER_TABLE=" + LedgerName, "AWS_ENDPOINT_URL_DYNAMODB=" + t.URL()}
}

// Item returns a copy of what is stored under an id.
func (t *LedgerTable) Item(id string) (Item, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	item, ok := t.items[id]
	return maps.Clone(item), ok
}

// LedgerWrite is a call of the ledger's or the pace's to their table.
type LedgerWrite struct {
	TableName                 string
	Item                      Item // of a PutItem
	Key                       Item // of a DeleteItem or UpdateItem
	UpdateExpression          string
	ConditionExpression       string
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues map[string]Attribute

	ReturnValues                        string
	ReturnValuesOnConditionCheckFailure string
}

// ID is the id of the item that the call is about.
func (w LedgerWrite) ID() string {
	if w.Item != nil {
		return w.Item["id"].Text()
	}
	return w.Key["id"].Text()
}

var _ gateway = (*LedgerTable)(nil)

func (t *LedgerTable) act(r *http.Request, body []byte, _ *Fault, c *Call) answer {
	operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB_20120810.")
	var in LedgerWrite
	switch {
	case r.Method == http.MethodPost && operation == "GetItem":
		return t.get(r, body, c)
	case r.Method != http.MethodPost || operation != "PutItem" && operation != "DeleteItem" && operation != "UpdateItem":
		return tableAnswer(c, "UnknownOperationException", "no such operation", nil)
	case !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential="):
		return tableAnswer(c, "MissingAuthenticationTokenException", "the request is not signed", nil)
	case json.Unmarshal(body, &in) != nil || in.ID() == "" || in.ConditionExpression == "":
		return tableAnswer(c, "ValidationException", "the request has no id or no condition", nil)
	case in.TableName != LedgerName:
		return tableAnswer(c, "ResourceNotFoundException", "Requested resource not found", nil)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	stored := t.items[in.ID()]
	switch holds, err := in.holds(stored); {
	case err != nil:
		return tableAnswer(c, "ValidationException", err.Error(), nil)
	case !holds && in.ReturnValuesOnConditionCheckFailure == "ALL_OLD":
		return tableAnswer(c, "ConditionalCheckFailedException", "The conditional request failed", stored)
	case !holds:
		return tableAnswer(c, "ConditionalCheckFailedException", "The conditional request failed", nil)
	}
	switch operation {
	case "DeleteItem":
		delete(t.items, in.ID())
	case "PutItem":
		t.items[in.ID()] = in.Item
	case "UpdateItem":
		return t.update(c, in, stored)
	}
	c.Acted = true
	return tableAnswer(c, "", "", nil)
}

// get reads one item.
func (t *LedgerTable) get(r *http.Request, body []byte, c *Call) answer {
	var in struct {
		TableName string
		Key       Item
	}
	switch {
	case !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential="):
		return tableAnswer(c, "MissingAuthenticationTokenException", "the request is not signed", nil)
	case json.Unmarshal(body, &in) != nil || in.Key["id"].Text() == "":
		return tableAnswer(c, "ValidationException", "the request has no id", nil)
	case in.TableName != LedgerName:
		return tableAnswer(c, "ResourceNotFoundException", "Requested resource not found", nil)
	}
	item, _ := t.Item(in.Key["id"].Text())
	return tableAnswer(c, "", "", item)
}

func (t *LedgerTable) refuse(_ *http.Request, _ []byte, f *Fault, c *Call) answer {
	a := tableAnswer(c, f.Code, f.Message, nil)
	if f.Status != 0 {
		a.status = f.Status
	}
	return a
}

// holds evaluates the condition: comparisons joined by AND, and those by OR.
func (w LedgerWrite) holds(stored Item) (bool, error) {
	for alternative := range strings.SplitSeq(w.ConditionExpression, " OR ") {
		all := true
		for comparison := range strings.SplitSeq(alternative, " AND ") {
			holds, err := w.compare(strings.Fields(comparison), stored)
			if err != nil {
				return false, err
			}
			all = all && holds
		}
		if all {
			return true, nil
		}
	}
	return false, nil
}

func (w LedgerWrite) compare(words []string, stored Item) (bool, error) {
	if len(words) == 1 {
		name, ok := strings.CutPrefix(words[0], "attribute_not_exists(")
		name, closed := strings.CutSuffix(name, ")")
		if attribute := w.ExpressionAttributeNames[name]; ok && closed && attribute != "" {
			_, there := stored[attribute]
			return !there, nil
		}
	}
	if len(words) != 3 || w.ExpressionAttributeNames[words[0]] == "" {
		return false, errors.New("the condition is not one of a ledger's")
	}
	left, there := stored[w.ExpressionAttributeNames[words[0]]]
	right, given := w.ExpressionAttributeValues[words[2]]
	switch {
	case !given:
		return false, errors.New("the condition names a value that is not there")
	case words[1] == "=":
		return there && left.Text() == right.Text() && (left.S == nil) == (right.S == nil), nil
	case slices.Contains([]string{"<", "<=", ">", ">="}, words[1]) && right.N != nil:
		l, err1 := strconv.ParseInt(left.Text(), 10, 64)
		r, err2 := strconv.ParseInt(*right.N, 10, 64)
		holds := map[string]bool{"<": l < r, "<=": l <= r, ">": l > r, ">=": l >= r}[words[1]]
		return there && left.N != nil && err1 == nil && err2 == nil && holds, nil
	}
	return false, errors.New("the condition is not one of a ledger's")
}

// tableAnswer is what DynamoDB answers: an empty object, or an error with the item that refused the write.
func tableAnswer(c *Call, code, message string, refusing Item) answer {
	status, out := http.StatusOK, map[string]any{}
	c.Code = "OK"
	if code != "" {
		status, c.Code = http.StatusBadRequest, code
		out["__type"], out["message"] = "com.amazonaws.dynamodb.v20120810#"+code, message
	}
	if refusing != nil {
		out["Item"] = refusing
	}
	return tableJSON(status, out)
}

func tableJSON(status int, out map[string]any) answer {
	text, err := json.Marshal(out)
	if err != nil {
		return plainAnswer(http.StatusInternalServerError, "the answer cannot be encoded")
	}
	h := http.Header{"Content-Type": {"application/x-amz-json-1.0"}}
	h.Set("X-Amzn-Requestid", newUUID())
	// The CRC-32 of the body, as DynamoDB's answers have it. The SDK checks it and complains in the log where there is none:
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html.
	h.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(text)), 10))
	return answer{status: status, header: h, body: text}
}
