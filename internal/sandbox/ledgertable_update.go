package sandbox

import (
	"errors"
	"maps"
	"net/http"
	"strconv"
	"strings"
)

// update carries out an UpdateItem whose condition holds. An item that was not there is made. t.mu is held.
func (t *LedgerTable) update(c *Call, w LedgerWrite, stored Item) answer {
	changed, err := w.assign(stored)
	if err != nil {
		return tableAnswer(c, "ValidationException", err.Error(), nil)
	}
	item := maps.Clone(w.Key)
	maps.Copy(item, stored)
	maps.Copy(item, changed)
	t.items[w.ID()] = item
	c.Acted, c.Code = true, "OK"
	if w.ReturnValues != "UPDATED_NEW" {
		return tableJSON(http.StatusOK, map[string]any{})
	}
	return tableJSON(http.StatusOK, map[string]any{"Attributes": changed})
}

// assign evaluates "SET #a = :x, #b = #b + :y" and gives what is set.
func (w LedgerWrite) assign(stored Item) (Item, error) {
	list, ok := strings.CutPrefix(w.UpdateExpression, "SET ")
	if !ok {
		return nil, errors.New("the update is not one of the pace's")
	}
	changed := Item{}
	for assignment := range strings.SplitSeq(list, ", ") {
		words := strings.Fields(assignment)
		if len(words) < 3 || words[1] != "=" || w.ExpressionAttributeNames[words[0]] == "" {
			return nil, errors.New("the update is not one of the pace's")
		}
		value, given := w.ExpressionAttributeValues[words[len(words)-1]]
		switch {
		case !given:
			return nil, errors.New("the update names a value that is not there")
		case len(words) == 5 && words[2] == words[0] && words[3] == "+":
			old, err1 := strconv.ParseInt(stored[w.ExpressionAttributeNames[words[0]]].Text(), 10, 64)
			more, err2 := strconv.ParseInt(value.Text(), 10, 64)
			if err1 != nil || err2 != nil {
				return nil, errors.New("the update adds to what is no number")
			}
			sum := strconv.FormatInt(old+more, 10)
			value = Attribute{N: &sum}
		case len(words) != 3:
			return nil, errors.New("the update is not one of the pace's")
		}
		changed[w.ExpressionAttributeNames[words[0]]] = value
	}
	return changed, nil
}
