// Package sandbox stands in for everything that the two functions talk to: 翼码, WeChat Pay, Secrets Manager, EventBridge,
// and Lambda itself with the API Gateway before it. It serves `kesu run`, `kesu demo` and the tests.
//
// It is strict where the vendors are strict: every signature, header, length and charset is checked, by code that
// shares no encoder with the functions, so that a mistake there cannot hide behind the same mistake here. It can be
// told to misbehave, see [Fault]. Every listener is on the loopback interface; nothing here is meant for any other.
package sandbox
