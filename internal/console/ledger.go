package console

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// ledger tells of a call's writes to the ledger, and what the ledger holds of it now.
func (c *Console) ledger(k *call, calls []sandbox.Call) ([]ledgerCall, []attribute) {
	var writes []ledgerCall
	id := ""
	for i := range calls {
		x := &calls[i]
		var in sandbox.LedgerWrite
		if json.Unmarshal(x.Body, &in) != nil {
			continue
		}
		id = in.ID()
		_, operation, _ := strings.Cut(x.Header.Get("X-Amz-Target"), ".")
		writes = append(writes, ledgerCall{lookUp: look(k, x), Operation: operation, State: in.Item["state"].Text(), Condition: in.ConditionExpression})
	}
	if id == "" {
		return writes, nil
	}
	item, ok := c.world.Ledger.Item(id)
	if !ok {
		return writes, nil
	}
	var entry []attribute
	for name, value := range item {
		entry = append(entry, attribute{name, plain(name, value.Text())})
	}
	order := []string{"id", "state", "owner", "transaction_id", "payload_hash", "lease_until", "expires_at", "result"}
	slices.SortFunc(entry, func(a, b attribute) int { return slices.Index(order, a.Name) - slices.Index(order, b.Name) })
	return writes, entry
}

// plain writes the ledger's times as times, and its result with a member a line.
func plain(name, value string) string {
	number, err := strconv.ParseInt(value, 10, 64)
	switch {
	case name == "lease_until" && err == nil:
		return time.UnixMilli(number).UTC().Format(time.RFC3339Nano)
	case name == "expires_at" && err == nil:
		return time.Unix(number, 0).UTC().Format(time.RFC3339)
	case name == "result":
		return indented([]byte(value), value)
	}
	return value
}

var _ http.Handler = (*Console)(nil)
