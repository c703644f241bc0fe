package watch

import (
	"math"
	"time"

	"github.com/kesu-go/kesu/pkg/wire/wechatpay"
)

// What a complaint waits for.
const (
	dueReply      = "reply"
	dueCompletion = "completion"
)

// late is the name of the threshold that is passed when the time is up.
const late = "late"

// due is something that a complaint waits for.
type due struct {
	What string
	At   time.Time
}

// dues lists what a complaint waits for as its state stands: the reply while it is PENDING, and the completion until it
// is PROCESSED.
func dues(c wechatpay.Complaint) []due {
	if c.ComplaintTime.IsZero() || c.ComplaintState == wechatpay.StateProcessed {
		return nil
	}
	list := []due{{dueCompletion, c.ComplaintTime.Add(completionWithin)}}
	if c.ComplaintState == wechatpay.StatePending {
		list = append([]due{{dueReply, c.ComplaintTime.Add(replyWithin)}}, list...)
	}
	return list
}

// passed lists the thresholds that lie behind now, the latest last: one for each time of warnBefore, which is sorted
// from the longest to the shortest, and one for the end itself. Of those that were not told, only the latest is told;
// the others count as told.
func (d due) passed(warnBefore []time.Duration, now time.Time) []string {
	var names []string
	for _, before := range warnBefore {
		if !now.Before(d.At.Add(-before)) {
			names = append(names, before.String())
		}
	}
	if !now.Before(d.At) {
		names = append(names, late)
	}
	return names
}

// secondsLeft is the time until the end in whole seconds. It is rounded down, so that it is negative as soon as the
// time is over.
func (d due) secondsLeft(now time.Time) int64 { return int64(math.Floor(d.At.Sub(now).Seconds())) }
