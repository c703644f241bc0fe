// Package api holds the documents of Kesu's two sides: HTTP (openapi.yaml) and events (asyncapi.yaml). The stack is deployed
// from the first one, and the local gateway holds itself to it with [Enforce], so that the two cannot drift apart.
package api

import _ "embed"

// OpenAPI is api/openapi.yaml, the HTTP side.
//
//go:embed openapi.yaml
var OpenAPI []byte

// AsyncAPI is api/asyncapi.yaml, the events.
//
//go:embed asyncapi.yaml
var AsyncAPI []byte
