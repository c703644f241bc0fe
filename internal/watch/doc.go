// Package watch hears complaints as they arrive and watches their clocks (contract, section 10).
//
// Two ways lead to a complaint: WeChat Pay's notification, which may be lost, late or doubled, and the sweep, which
// reads the list. What both find is told once, as an event on the result bus; the ledger remembers what was told.
package watch
