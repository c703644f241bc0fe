package main

import (
	"context"
	"net/url"

	"github.com/kesu-go/kesu/internal/operate"
	"github.com/kesu-go/kesu/internal/send"
)

// deskAPI is a deployed Kesu as the desk's page calls it.
type deskAPI struct {
	api     send.Target
	bus     string
	account operate.AWS
}

// Send sends one command to the API.
func (a deskAPI) Send(ctx context.Context, merchant, complaintID, action string, body []byte) (int, []byte, error) {
	path := "/merchants/" + url.PathEscape(merchant) + "/complaints/" + url.PathEscape(complaintID) + "/" + action
	status, _, answer, err := a.api.Call(ctx, path, "application/json", body)
	return status, answer, err
}

// Upload sends one picture to the API.
func (a deskAPI) Upload(ctx context.Context, merchant, filename, mediaType string, picture []byte) (int, []byte, error) {
	path := "/merchants/" + url.PathEscape(merchant) + "/images?filename=" + url.QueryEscape(filename)
	status, _, answer, err := a.api.Call(ctx, path, mediaType, picture)
	return status, answer, err
}

// Put puts an event on the bus.
func (a deskAPI) Put(ctx context.Context, detailType string, detail []byte) (string, error) {
	return send.Entry{EventBusName: a.bus, Source: "kesu-desk", DetailType: detailType, Detail: string(detail)}.Put(ctx, a.account)
}
