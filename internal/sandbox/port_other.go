//go:build !linux

package sandbox

import "net"

// ReservePort gives a port that was free a moment ago. Only on Linux is it kept from others until release is called.
func ReservePort() (address string, release func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	return l.Addr().String(), func() {}, l.Close()
}
