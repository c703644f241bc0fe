package lambdaio

import (
	"testing"

	"github.com/kesu-go/kesu/pkg/wire"
)

func TestPlace(t *testing.T) {
	both := []wire.Action{wire.Reply, wire.Upload}
	for _, row := range []struct {
		name    string
		event   httpEvent
		actions []wire.Action
		want    place
		found   bool
	}{
		{"a reply's path", httpEvent{path: "/merchants/acme/complaints/c%2D1/reply"}, both, place{wire.Reply, "acme", "c-1"}, true},
		{"a picture's path", httpEvent{path: "/merchants/acme/images"}, both, place{wire.Upload, "acme", ""}, true},
		{"a picture's path, where none are taken", httpEvent{path: "/merchants/acme/images"}, both[:1], place{}, false},
		{"another action's path", httpEvent{path: "/merchants/acme/complaints/c1/complete"}, both, place{}, false},
		{"a picture under a custom domain", httpEvent{path: "/v1/merchants/acme/images", merchant: "acme"}, both, place{wire.Upload, "acme", ""}, true},
		{"a reply under a path of the operator's own", httpEvent{path: "/answer/acme", merchant: "acme"}, both, place{wire.Reply, "acme", ""}, true},
		{"a reply whose path ends like a picture's", httpEvent{path: "/of/acme/images", merchant: "acme", complaint: "c1"}, both, place{wire.Reply, "acme", "c1"}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got, found := row.event.place(row.actions); got != row.want && found || found != row.found {
				t.Errorf("%+v, %t", got, found)
			}
		})
	}
}
