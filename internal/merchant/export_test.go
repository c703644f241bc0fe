package merchant

// Remembered is how many names the store remembers as unknown.
func Remembered[T any](s *Store[T]) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.unknown)
}
