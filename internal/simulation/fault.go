package simulation

// step is a place where a process meets the world outside, and where the world may fail it.
type step uint8

const (
	stepLedger  step = iota // a write to the ledger's store
	stepSecret              // a reading of a merchant's secret
	stepReply               // a call to 翼码
	stepSettle              // a completion's call to WeChat Pay
	stepState               // a reading of a complaint's state from WeChat Pay
	stepPublish             // a settled event
	stepAnswer              // an invocation's answer on its way to whoever invoked
	stepDelete              // the deletion of a delivered message
	stepPace                // a write for a token of the pace
	stepIdle                // the connection that a request is about to use
	stepShow                // a record that should become visible again at another time
	stepRespond             // a reply's call to WeChat Pay
	stepHistory             // a reading of a complaint's history from WeChat Pay
	stepNote                // a write to the ledger's store about words, beside another write
	steps
)

// fault is one way of the world to fail.
type fault uint8

const (
	noFault fault = iota

	crashBefore // the process is gone before the step
	crashAfter  // the step was made, and then the process is gone

	ledgerThrottles  // refused, not written
	ledgerFails      // failed, not written
	ledgerLosesAck   // written, and then failed
	ledgerHangs      // not written, no answer
	ledgerHangsAfter // written, no answer
	ledgerWritesLate // no answer; written later, after the caller gave up
	ledgerTwice      // written, and a second copy of the same write lands later
	ledgerRetries    // written, the acknowledgement lost, and written again by the SDK: the second answer is told
	ledgerSlow

	secretThrottles
	secretFails // no connection
	secretHangs
	secretSlow
	secretBroken // an operator's slip: what is stored is no JSON

	dialFails     // never left, at once
	dialHangs     // never left, no answer
	cutBefore     // written, the connection cut, not acted on
	cutAfter      // acted on, the connection cut
	cutInAnswer   // acted on, the answer ends in its middle
	hangBefore    // never acted on, no answer
	hangAfter     // acted on, no answer
	actsLate      // acted on after the caller gave up
	slowAnswer    // acted on, the answer takes seconds
	noHTTP        // acted on; what comes back is not HTTP
	tooLong       // acted on; over 1 MiB come back
	redirects     // acted on or not
	errorBefore   // 5xx, not acted on
	errorAfter    // 5xx, acted on
	limits        // 429 with Retry-After
	refuses       // the vendor's refusal of the request
	refusesKey    // 6100 or SIGN_ERROR although the key is right
	garbles       // 200 with something unreadable, acted on or not
	forges        // says that it was done, signed wrongly; acted on or not
	unsigned      // says that it was done, unsigned
	signTest      // WeChat Pay's own test of its callers: signed wrongly on purpose
	staleAnswer   // an old answer, rightly signed: not acted on
	echoesForeign // says that another one was done, rightly signed: not acted on
	foreignNo     // refuses another one, rightly signed; acted on or not
	timedOut      // 翼码's 9998, acted on or not
	accepted      // WeChat Pay's 202: acted on later or not
	asksLater     // WeChat Pay's refusal that asks to try later: not acted on
	olderCopy     // a history as it was three minutes ago, rightly signed

	publishFails
	publishLosesAck
	publishRefuses // FailedEntryCount
	publishHangs

	paceFails    // not written
	paceLosesAck // written, and then failed
	paceHangs
	paceSlow

	idleDies      // the connection was closed while it was idle
	idleDiesTwice // and so is the new one
	idleSpeaks    // something came while it was idle
	straySpeaks   // an answer that belongs to nothing comes while a request is under way
	strayRepeats  // the answer to the request before comes once more

	showFails    // not done
	showLosesAck // done, and then failed
	showHangs

	answerLost  // the answer does not reach the caller
	deleteFails // the message is delivered again although it was settled

	faults
)

var stepNames = [steps]string{"ledger", "secret", "reply", "completion", "state", "publish", "answer", "delete", "pace", "idle", "show", "response",
	"history", "note"}

var faultNames = [faults]string{
	noFault: "none", crashBefore: "crash before", crashAfter: "crash after",
	ledgerThrottles: "throttled", ledgerFails: "failed before the write", ledgerLosesAck: "acknowledgement lost",
	ledgerHangs: "hung before the write", ledgerHangsAfter: "hung after the write", ledgerWritesLate: "written late",
	ledgerTwice: "landed twice", ledgerRetries: "retried by the SDK", ledgerSlow: "slow",
	secretThrottles: "throttled", secretFails: "unreachable", secretHangs: "hung", secretSlow: "slow", secretBroken: "broken text",
	dialFails: "dial failed", dialHangs: "dial hung", cutBefore: "cut before acting", cutAfter: "cut after acting",
	cutInAnswer: "cut in the answer", hangBefore: "timeout before acting", hangAfter: "timeout after acting",
	actsLate: "acted late", slowAnswer: "slow", noHTTP: "no HTTP", tooLong: "over 1 MiB", redirects: "redirect",
	errorBefore: "5xx before acting", errorAfter: "5xx after acting", limits: "429", refuses: "refused",
	refusesKey: "signature refused", garbles: "garbled", forges: "forged", unsigned: "unsigned", signTest: "SIGNTEST",
	staleAnswer: "old answer", echoesForeign: "foreign ids", foreignNo: "foreign refusal", timedOut: "9998", accepted: "202",
	asksLater: "try later", olderCopy: "older copy",
	paceFails: "failed", paceLosesAck: "acknowledgement lost", paceHangs: "hung", paceSlow: "slow",
	idleDies: "closed", idleDiesTwice: "closed, and the new one too", idleSpeaks: "spoke", straySpeaks: "stray answer",
	strayRepeats: "repeated answer", showFails: "failed", showLosesAck: "acknowledgement lost", showHangs: "hung",
	publishFails: "failed", publishLosesAck: "acknowledgement lost", publishRefuses: "entry refused", publishHangs: "hung",
	answerLost: "answer lost", deleteFails: "deletion failed",
}

// weighted is one fault of a step and how often it comes, compared with the step's others.
type weighted struct {
	fault  fault
	weight int
}

// network lists what every call to a gateway can meet; the vendors' own ways come on top.
var network = []weighted{
	{crashBefore, 2}, {crashAfter, 4}, {dialFails, 8}, {dialHangs, 3}, {cutBefore, 5}, {cutAfter, 6}, {cutInAnswer, 4},
	{hangBefore, 4}, {hangAfter, 5}, {actsLate, 5}, {slowAnswer, 5}, {noHTTP, 2}, {redirects, 2}, {errorBefore, 4},
	{errorAfter, 4}, {limits, 7}, {refuses, 5}, {refusesKey, 6}, {garbles, 4}, {forges, 6}, {unsigned, 4},
}

// writes lists what every write to the ledger's store can meet.
var writes = []weighted{
	{crashBefore, 2}, {crashAfter, 3}, {ledgerThrottles, 6}, {ledgerFails, 6}, {ledgerLosesAck, 8}, {ledgerHangs, 3},
	{ledgerHangsAfter, 4}, {ledgerWritesLate, 5}, {ledgerTwice, 10}, {ledgerRetries, 6}, {ledgerSlow, 6},
}

// menu is what can go wrong at each step.
var menu = [steps][]weighted{
	stepLedger: writes,
	stepNote:   writes,
	stepSecret: {
		{crashBefore, 1}, {crashAfter, 1}, {secretThrottles, 8}, {secretFails, 8}, {secretHangs, 4}, {secretSlow, 8}, {secretBroken, 1},
	},
	stepReply:   append([]weighted{{echoesForeign, 6}, {foreignNo, 4}, {timedOut, 6}, {tooLong, 1}}, network...),
	stepSettle:  append([]weighted{{signTest, 8}, {staleAnswer, 4}, {accepted, 3}, {tooLong, 1}}, network...),
	stepState:   append([]weighted{{signTest, 8}, {staleAnswer, 4}, {echoesForeign, 6}}, network...),
	stepRespond: append([]weighted{{signTest, 8}, {staleAnswer, 4}, {accepted, 3}, {asksLater, 3}, {tooLong, 1}}, network...),
	stepHistory: append([]weighted{{signTest, 8}, {staleAnswer, 4}, {olderCopy, 6}, {tooLong, 1}}, network...),
	stepPublish: {{crashBefore, 2}, {crashAfter, 3}, {publishFails, 6}, {publishLosesAck, 6}, {publishRefuses, 6}, {publishHangs, 3}},
	stepAnswer:  {{crashAfter, 1}, {answerLost, 9}},
	stepDelete:  {{deleteFails, 1}},
	stepPace:    {{paceFails, 6}, {paceLosesAck, 6}, {paceHangs, 3}, {paceSlow, 6}},
	stepIdle:    {{idleDies, 6}, {idleDiesTwice, 1}, {idleSpeaks, 4}, {straySpeaks, 6}, {strayRepeats, 8}},
	stepShow:    {{showFails, 2}, {showLosesAck, 2}, {showHangs, 1}},
}

// pick chooses a fault of a step, or noFault: rolls[0] from 0 up to 1 decides whether, rolls[1] which.
func pick(s step, rate, whether float64, which uint64) fault {
	if whether >= rate {
		return noFault
	}
	total := 0
	for _, w := range menu[s] {
		total += w.weight
	}
	at := int(which % uint64(total))
	for _, w := range menu[s] {
		if at -= w.weight; at < 0 {
			return w.fault
		}
	}
	return noFault
}
