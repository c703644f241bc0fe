package gateway

import "net/http"

// NotTaken reports whether an answer without words of the gateway's own says that the request was certainly not carried
// out and may be sent again: 425 Too Early (RFC 8470, section 5.2), and 408 Request Timeout with which the connection
// is closed, because the server did not receive the whole request (RFC 9110, section 15.5.9). A 408 on a connection
// that stays open may come from something that waited behind the gateway.
func (a Answer) NotTaken() bool {
	return a.Status == http.StatusTooEarly || a.Status == http.StatusRequestTimeout && a.Close
}
