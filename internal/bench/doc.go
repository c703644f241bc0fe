// Package bench measures what the two functions cost, each figure beside its yardstick in the same run, so that ratios
// can be compared between machines (docs/performance.md).
//
// It drives the compiled functions under a minimal Runtime API, with Secrets Manager, DynamoDB and the gateways as TLS
// servers of this process, and the warm path in memory. Nothing here is part of a function. internal/sandbox is not used
// on purpose: its strict gateways check every signature, and their own work would drown what is measured.
package bench
