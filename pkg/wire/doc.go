// Package wire holds the words on the wire: the commands that callers send and the rules for them, 翼码's messages in
// JSON and GBK XML, WeChat Pay's messages, and the normalized result with its HTTP form.
//
// It knows no network and no clock: everything is a function from bytes to values or back.
package wire
