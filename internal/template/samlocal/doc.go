// Package samlocal holds the test that make sam-local runs: every file of events/, both routes and the notifications,
// through sam local on one side and the local gateway on the other, with the same results.
package samlocal
