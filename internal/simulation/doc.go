// Package simulation runs the code that ships against a world that fails it, hundreds of thousands of commands at a time.
//
// A world is one bubble of testing/synctest, so its time is virtual: six merchants, both gateways, Secrets Manager, the
// ledger's table, the bus of settled events, a queue, callers, and five processes. A process is the shipped Handler, Pipeline,
// actions, gateway client with its breakers and pace, merchant cache and Ledger, put together by internal/assembly.
// What is outside of them is replaced, and fails in three of ten steps: every write to the ledger, reading of a secret,
// call to a gateway, settled event, answer on its way back, and deletion of a message. fault.go lists how. Processes
// crash before and after each step; their leases stay behind, and what they do from then on reaches nothing. Their
// clocks are up to four seconds off, and those of processes that reply two, which is what a look allows for. Hosts go away for 25 s at a time, keys are rotated every few minutes, secrets are
// deleted and come back, deliveries come twice, late, in any order and before the one before them has ended.
//
// Of the shipped code only the RSA arithmetic is stood in for, behind crypto.Signer and signing.PlatformKey (rsa.go), and
// the transport with its connections, which internal/gateway tests for itself: here a request has a connection of its own
// or a kept one as it asks for, each is asked before its first byte (connection.go), and an attempt that had a connection
// counts as one that may have arrived. Connections die and speak while they are idle; while they carry a request, answers
// come on them that belong to nothing, and signed ones come twice.
//
// Commands come as they are, as arrays, in what SNS and Lambda put around them, encoded twice, and so that nobody can read
// them (wrapping.go). A queue lets a record become visible again when it is told to (visibility.go), and gives it up after
// the template's hundred receives.
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
//   - Never unnamed. What nobody can read is never taken for done: it fails by its record or with an error that names it,
//     and ends in a dead-letter queue with its text (KindDropped). A record that comes again with a Retry-After, or that
//     cannot be read, becomes visible again then (KindLate).
//   - Seen truly. WeChat Pay keeps each complaint's history (history.go), which lags, misses, lies about order and holds
//     what is like a reply and is none. A reply that is called seen is shown by one of its items, and the replies with the same
//     words that are told to have succeeded are no more than the consumer saw (KindFalse). What a look showed is not called
//     unseen (KindShown), nor sent again, and no resend goes without a look (KindAgain, KindBlind). The unknown is settled
//     before it is looked for (KindLooking), and by a queue it comes again until its window is over (KindPerson).
//     sighted.go says what became of each unknown reply.
//   - Told truly. What succeeded had its effect at that moment (KindNoEffect). What was rejected or retryable had none by
//     that invocation, then or later, and what was rejected none by any attempt that was sent before that invocation began
//     (KindUndone). When an attempt met something after which nobody can know, by the contract's tables, the outcome is
//     unknown (KindUnclear); when nothing did, it is not (KindNeedless). A replay calls nobody (KindReplay). The HTTP answer, the
//     returned result and the settled event say what the pipeline said, with a status that fits (KindAnswer).
//   - In time. No attempt begins, or may run, later than 500 ms before the invocation's deadline (KindDeadline), and there are at
//     most MAX_ATTEMPTS, one more with a newer key, and one more to read a complaint's state (KindAttempts).
//   - In pace. All processes together keep each merchant's calls within the burst and the rate (KindPace). Where the table
//     failed a command its token, its process keeps its own pace, and is held to that. A thousand replies of one merchant go
//     through the queue within twenty minutes, 66 in any minute at most (TestAThousandRepliesOfOneMerchantThroughTheQueue).
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
// did act. WeChat Pay's signature does not cover which request an answer belongs to; one that comes a second time to
// the same process is not believed, one that never came before would be. A stray answer without a signature on a kept
// connection that carries a completion would be taken for its answer (docs/reliability.md), so none is sent there. That tokens
// come back when nothing was sent is not seen here, since without it a queue is only slower: internal/pace, internal/pipeline and
// the end-to-end tests count them. A repeated attempt takes its share of the pace
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
