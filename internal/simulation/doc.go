// Package simulation runs the code that ships against a world that fails it, a million commands at a time.
//
// A world is one bubble of testing/synctest, so its time is virtual: four merchants, both gateways, Secrets Manager, the
// ledger's table, the bus of settled events, a queue, callers, and five processes. A process is the shipped Handler, Desk,
// actions, gateway client with its breakers and pace, merchant cache and Ledger, put together as internal/wiring does.
// What is outside of them is replaced, and fails in three of ten steps: every write to the ledger, reading of a secret,
// call to a gateway, settled event, answer on its way back, and deletion of a message. fault.go lists how. Processes
// crash before and after each step; their leases stay behind, and what they do from then on reaches nothing. Their
// clocks are up to four seconds off. Hosts go away for 25 s at a time, keys are rotated every few minutes, secrets are
// deleted and come back, deliveries come twice, late, in any order and before the one before them has ended.
//
// Of the shipped code only the RSA arithmetic is stood in for, behind crypto.Signer and signing.PlatformKey (rsa.go), and
// the net/http transport with its connections, which internal/gateway tests for itself: here an attempt that had a
// connection counts as one that may have arrived.
//
// # How each promise is tested
//
// The world knows the truth: the gateways count every reply that a consumer saw. It is compared after each step, and
// once more at the end, when everything late has landed. The kinds are constants of check.go.
//
//   - Never doubled. A reply took effect at most once by all invocations without resend_unknown together, and at most
//     once by each invocation with it (KindTwice). No attempt leaves after one that may have been carried out
//     (KindResent). Whatever is sent after something may have been sent carries the same transaction_id (KindTxn). No nonce
//     comes twice.
//   - Never lost. A message is deleted only after a result that settles it, and, with a bus, after its settled event
//     (KindLost). Every copy of every command ends as exactly one of settled and still held by its caller or its
//     dead-letter queue. And what is still in a dead-letter queue after the storm settles in fair weather (KindWedged).
//   - Told truly. What succeeded had its effect at that moment (KindNoEffect). What was rejected or retryable had none by
//     that invocation, then or later, and what was rejected none by any attempt that was sent before that invocation began
//     (KindUndone). When an attempt met something after which nobody can know, by the contract's tables, the outcome is
//     unknown (KindUnclear); when nothing did, it is not (KindNeedless). A replay calls nobody (KindReplay). The HTTP answer, the
//     returned result and the settled event say what the desk said, with a status that fits (KindAnswer).
//   - In time. No attempt begins, or may run, later than 500 ms before the invocation's deadline (KindDeadline), and there are at
//     most MAX_ATTEMPTS, one more with a newer key, and one more to read a complaint's state (KindAttempts).
//   - In pace. Each process keeps each merchant's calls within the burst and the rate (KindPace).
//
// TestEveryGuardThatIsSwitchedOffIsCaught wraps one guard after the other from outside, and the simulation must find out.
// TestSimulation demands that every fault of the menu happened, TestWithoutFaultsEveryCommandIsCarriedOutOnce that none are
// needed for commands to go through.
//
// # What is not said
//
// A completion without an idempotency key, over HTTP or bare, has no ledger: its invocations are judged one by one. A
// command whose merchant's secret is gone or broken is refused before the ledger is heard (contract, section 2), so one that
// was carried out earlier can be rejected as UNKNOWN_MERCHANT when its event comes again; such are counted and shown. A
// reply whose wrong sign is only warned of is believed, as documented, so with IMAGECO_RESPONSE_SIGN=warn the forger is one that
// did act. WeChat Pay's signature does not cover which request an answer belongs to; a signed answer that somebody replays
// within five minutes would be believed, and only TLS stands against that. A repeated attempt takes its share of the pace
// when it is decided on and leaves after its wait, so that many may leave beyond the burst.
//
// # Repeatability
//
// A world follows from its seed. Dice are rolled for a place (this seed, this visit, this step), never from a stream, and
// every meeting with the outside begins and ends after a wait of its own to the nanosecond, so that hardly ever two things
// happen at one virtual instant; where they must (contexts that share a deadline), what follows is set some microseconds
// apart. The digest of a world is the sum over its events. What remains is chance: two waits of 64-bit dice may fall on the
// same nanosecond, and then the Go scheduler decides which comes first.
package simulation
