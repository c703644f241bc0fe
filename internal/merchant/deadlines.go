package merchant

import "time"

// maxNames bounds what is remembered about names that come from outside.
const maxNames = 10_000

// deadlines remembers names until a time each, at most maxNames of them.
type deadlines map[string]time.Time

func (d deadlines) holds(name string, now time.Time) bool { return now.Before(d[name]) }

// remember keeps a name until a time. When there is no room it drops the names that are over, and then a tenth of the
// others, whichever they are, so that making room is rare however fast new names come. Forgetting one costs one more
// read, nothing else.
func (d deadlines) remember(name string, until, now time.Time) {
	if _, there := d[name]; !there && len(d) >= maxNames {
		for other, end := range d {
			if !now.Before(end) {
				delete(d, other)
			}
		}
		for other := range d {
			if len(d) <= maxNames-maxNames/10 {
				break
			}
			delete(d, other)
		}
	}
	d[name] = until
}

// take reports whether a name may be refreshed now, and if so holds it for the next 30 s.
func (d deadlines) take(name string, now time.Time) bool {
	if d.holds(name, now) {
		return false
	}
	d.remember(name, now.Add(refreshEvery), now)
	return true
}
