// Package gateway makes one signed call to a gateway, well: the attempts and the waits between them, the hosts and
// their circuit breakers, the pace, the deadline (contract, section 6).
//
// It does not know what is sent. The caller prepares, and so signs, each attempt anew, and judges each answer; the
// package knows what happened to the bytes, and [decide] alone says whether the call is repeated, and why.
package gateway

import "github.com/kesu-go/kesu/internal/version"

// UserAgent names us and our version to the gateways; WeChat Pay refuses a request without one.
var UserAgent = "kesu/" + version.String() + " (+https://github.com/kesu-go/kesu)"
