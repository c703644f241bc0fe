package sandbox

import (
	"net/http"
	"sync"
	"time"
)

// Fault tells a [Host] what to do wrong with one call. The zero Fault is a call that goes well, which is useful in a queue.
//
// Fields may be combined; the order of what happens is: Delay, CutBefore, the work (or a refusal in its place), Hold
// and DelayAnswer, CutAfter, the answer.
type Fault struct {
	// Method limits the fault to calls of one HTTP method; "" is every method. A queued fault waits for its method.
	Method string

	// Delay passes before anything is done. When the caller hangs up meanwhile, nothing is done at all.
	Delay time.Duration
	// CutBefore closes the connection before anything is done, with the request read in full.
	CutBefore bool

	// Status, Code, Message, Body and Garbage put another answer in place of the real one. Without ActFirst the work
	// is not done. Status 0 is the gateway's usual status for such an answer.
	Status  int
	Code    string // the gateway's own code: WeChat Pay's code, 翼码's result.id, an AWS error type
	Message string
	Body    []byte      // sent as it is
	Garbage bool        // an answer that no gateway would give
	Header  http.Header // added to the answer, a Location for instance
	// RetryAfter is sent as the header of that name.
	RetryAfter string
	// ActFirst does the work before the other answer is given: the caller is told wrong.
	ActFirst bool

	// WrongSignature signs another text, SignTest sends WeChat Pay's deliberate WECHATPAY/SIGNTEST/ signature, Unsigned
	// leaves the signature out, ForeignEcho tells of another complaint and transaction, UnknownKey names a key that
	// nobody has, Skew moves the time in the signed answer.
	WrongSignature, SignTest, Unsigned, ForeignEcho, UnknownKey bool
	Skew                                                        time.Duration

	// Hold keeps the answer back, with the work done, until the channel is closed or the caller hangs up.
	Hold <-chan struct{}
	// DelayAnswer passes after the work is done. When the caller hangs up meanwhile, the work stays done.
	DelayAnswer time.Duration
	// CutAfter closes the connection with the work done and no answer sent; CutMidway sends half of the answer first.
	CutAfter, CutMidway bool
}

// replaces tells whether the fault puts another answer in place of the real one.
func (f *Fault) replaces() bool {
	return f.Status != 0 || f.Code != "" || f.Body != nil || f.Garbage
}

// Faults is a script: queued faults are used up one by one, and then the standing one applies. The zero value is a script
// without faults. It may be used by several goroutines at once.
type Faults struct {
	mu       sync.Mutex
	queue    []Fault
	standing []Fault
}

// Next queues faults for the next calls, one each.
func (f *Faults) Next(faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queue = append(f.queue, faults...)
}

// Stand sets the fault for every call that no queued one is for. Several may stand when their methods differ; none
// ends the standing ones.
func (f *Faults) Stand(faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.standing = faults
}

// Clear ends queued and standing faults.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queue, f.standing = nil, nil
}

// take returns the fault for a call, using up a queued one.
func (f *Faults) take(method string) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, fault := range f.queue {
		if fault.Method == "" || fault.Method == method {
			f.queue = append(f.queue[:i:i], f.queue[i+1:]...)
			return fault
		}
	}
	for _, fault := range f.standing {
		if fault.Method == "" || fault.Method == method {
			return fault
		}
	}
	return Fault{}
}
