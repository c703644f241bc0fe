//go:build unix

package gateway

import (
	"io"
	"os"
	"syscall"
)

// readHere reads what the kernel holds for this connection and does not wait: Go's sockets do not block.
func (s *socket) readHere(p []byte) (n int, err error) {
	refused := s.raw.Read(func(fd uintptr) (done bool) {
		for {
			if n, err = syscall.Read(int(fd), p); err != syscall.EINTR {
				return true
			}
		}
	})
	n = max(n, 0) // it is -1 with an error
	switch {
	case refused != nil: // closed here, or out of time
		return 0, refused
	case err == syscall.EAGAIN || err == syscall.EWOULDBLOCK:
		return 0, errNothingHere
	case err != nil:
		return n, os.NewSyscallError("read", err)
	case n == 0 && len(p) > 0:
		return 0, io.EOF
	}
	return n, nil
}
