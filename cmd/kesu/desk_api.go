package main

import (
	"context"
	"net/url"
)

// deskAPI is a deployed Kesu as the desk's page calls it.
type deskAPI struct{ target }

// Send sends one command to the API.
func (a deskAPI) Send(ctx context.Context, merchant, complaintID, action string, body []byte) (int, []byte, error) {
	address := a.base + "/merchants/" + url.PathEscape(merchant) + "/complaints/" + url.PathEscape(complaintID) + "/" + action
	status, _, answer, err := a.post(ctx, address, body)
	return status, answer, err
}

// Upload sends one picture to the API.
func (a deskAPI) Upload(ctx context.Context, merchant, filename, mediaType string, picture []byte) (int, []byte, error) {
	address := a.base + "/merchants/" + url.PathEscape(merchant) + "/images?filename=" + url.QueryEscape(filename)
	status, _, answer, err := a.postAs(ctx, address, mediaType, picture)
	return status, answer, err
}

// Put puts an event on the bus.
func (a deskAPI) Put(ctx context.Context, detailType string, detail []byte) (string, error) {
	return a.put(ctx, detailType, "kesu-desk", detail)
}
