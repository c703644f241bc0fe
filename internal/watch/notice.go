package watch

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/wire"
)

// The kinds of notification, and what of a complaint's they tell that it arrived:
// https://pay.weixin.qq.com/wiki/doc/apiv3/apis/chapter10_2_16.shtml.
const (
	eventCreate  = "COMPLAINT.CREATE"
	eventChange  = "COMPLAINT.STATE_CHANGE"
	actionCreate = "CREATE_COMPLAINT"
	actionAgain  = "CONTINUE_COMPLAINT"
)

// notice is what a notification says.
type notice struct {
	id          string // the notification's own; the same each time it is sent
	complaintID string
	action      string // action_type
}

// arrived reports whether the notice is of a complaint that was raised, or raised again.
func (n notice) arrived() bool { return n.action == actionCreate || n.action == actionAgain }

// readNotice reads a body whose signature verified.
func readNotice(body, apiv3Key []byte) (notice, reason) {
	var outer struct {
		ID        string `json:"id"`
		EventType string `json:"event_type"`
		Resource  *struct {
			Algorithm      string `json:"algorithm"`
			Ciphertext     string `json:"ciphertext"`
			Nonce          string `json:"nonce"`
			AssociatedData string `json:"associated_data"`
		} `json:"resource"`
	}
	if json.Unmarshal(body, &outer) != nil || outer.Resource == nil || !wire.ValidKey(outer.ID) ||
		outer.EventType != eventCreate && outer.EventType != eventChange ||
		outer.Resource.Algorithm != signing.NotificationAlgorithm {
		return notice{}, anotherShape
	}
	r := outer.Resource
	text, err := signing.Decrypt(apiv3Key, []byte(r.Nonce), []byte(r.AssociatedData), r.Ciphertext)
	switch {
	case errors.Is(err, signing.ErrResourceNonce), errors.Is(err, signing.ErrCiphertext):
		return notice{}, anotherShape
	case err != nil:
		return notice{}, cannotDecrypt
	}
	var inner struct {
		ComplaintID string `json:"complaint_id"`
		ActionType  string `json:"action_type"`
	}
	if json.Unmarshal(text, &inner) != nil || !wire.ValidID(inner.ComplaintID) || !isWord(inner.ActionType) {
		return notice{}, anotherShape
	}
	return notice{id: outer.ID, complaintID: inner.ComplaintID, action: inner.ActionType}, ""
}

// isWord reports whether an enum value is one by its form. New ones pass; they are told as they came.
func isWord(s string) bool {
	odd := func(c rune) bool {
		return !(c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_')
	}
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, odd)
}
