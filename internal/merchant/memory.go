package merchant

import "time"

// now is the wall clock alone: a process that was frozen between two invocations finds its monotonic clock where it
// was, and a key must not live longer for that.
func (s *Store[T]) now() time.Time { return s.options.Now().Round(0) }

// fresh returns what needs no reading, if there is such: what was made within SoftTTL, or ErrUnknown while that is
// remembered.
func (s *Store[T]) fresh(name string) (loaded Loaded[T], ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.unknown.holds(name, now) {
		return loaded, true, ErrUnknown
	}
	k, there := s.known[name]
	age := now.Sub(k.readAt)
	if !there || age < 0 || age >= s.options.SoftTTL { // a clock that was set back does not lengthen a life
		return loaded, false, nil
	}
	return k, true, nil
}

// usable returns what is kept within HardTTL, and drops it beyond.
func (s *Store[T]) usable(name string) (Loaded[T], bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, there := s.known[name]
	if there && s.now().Sub(k.readAt) >= s.options.HardTTL {
		delete(s.known, name)
		return Loaded[T]{}, false
	}
	return k, there
}

func (s *Store[T]) isUnknown(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unknown.holds(name, s.now())
}

// mayRefresh takes the one forced reading of the next 30 s.
func (s *Store[T]) mayRefresh(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refreshed.take(name, s.now())
}

// begin gives a reading its turn.
func (s *Store[T]) begin() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turns++
	return s.turns
}

// last is the number of the latest reading that began.
func (s *Store[T]) last() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.turns
}

// keep stores what a reading brought and returns what is stored then: a load and a forced refresh may run side by side,
// and the one that began later knows better.
func (s *Store[T]) keep(name string, k Loaded[T]) Loaded[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known[name].turn > k.turn {
		return s.known[name]
	}
	s.known[name] = k
	delete(s.unknown, name)
	return k
}

// forget drops a merchant whose secret is gone, and remembers that it is, unless a later reading found it.
func (s *Store[T]) forget(name string, turn uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known[name].turn > turn {
		return
	}
	delete(s.known, name)
	now := s.now()
	s.unknown.remember(name, now.Add(unknownFor), now)
}
