// Package wire holds the callers' side of the wire: the commands that they send, the rules for them, and the normalized
// result with its HTTP form. The gateways' messages are in pkg/wire/imageco and pkg/wire/wechatpay.
//
// It knows no network and no clock: everything is a function from bytes to values or back.
package wire
