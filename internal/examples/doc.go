// Package examples runs the programs of the folder examples/ against the functions on gateways of this machine, as `make
// examples` asks for it: each sends replies by HTTP and by event, meets each outcome, and reads the settled events.
package examples
