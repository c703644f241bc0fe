// Package e2e drives the two compiled functions through the Lambda Runtime API and holds what they send, answer, log and
// publish against the contract. It has tests only.
//
// What a gateway sees is checked with the standard library's own crypto and encoders, not with the code that made it.
package e2e
