package sandbox

import (
	"net"
	"strconv"
	"syscall"
)

// ReservePort binds a socket to a free port of the loopback interface and does not listen: dialling is refused, and
// nobody else is given the port until release is called. A server may listen there meanwhile, since both sockets have
// SO_REUSEADDR (socket(7)); net.Listen sets it.
func ReservePort() (address string, release func(), err error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", nil, err
	}
	release = func() { _ = syscall.Close(fd) }
	if err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	var bound syscall.Sockaddr
	if err == nil {
		bound, err = syscall.Getsockname(fd)
	}
	v4, ok := bound.(*syscall.SockaddrInet4)
	if err != nil || !ok {
		release()
		return "", nil, err
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(v4.Port)), release, nil
}
