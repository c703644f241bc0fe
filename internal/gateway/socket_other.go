//go:build !unix

package gateway

import (
	"errors"
	"os"
	"time"
)

// readHere reads what this host has received. Where a socket cannot be asked without waiting it waits a millisecond;
// the functions run on Linux.
func (s *socket) readHere(p []byte) (int, error) {
	if err := s.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		return 0, err
	}
	defer func() { _ = s.SetReadDeadline(time.Time{}) }()
	n, err := s.Conn.Read(p)
	if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, errNothingHere
	}
	return n, err
}
