package sandbox

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// processOn names the process that listens on a loopback port, as far as /proc lets us see; "" when it does not.
func processOn(address string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return ""
	}
	inode := listener(port)
	if inode == "" {
		return ""
	}
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*") // an error is a wrong pattern
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && to == "socket:["+inode+"]" {
			pid := strings.Split(link, "/")[2]
			name, _ := os.ReadFile("/proc/" + pid + "/comm") // gone meanwhile: no name
			return fmt.Sprintf("%s (process %s)", strings.TrimSpace(string(name)), pid)
		}
	}
	return ""
}

// listener is the inode of the socket that listens on a port, from /proc/net/tcp (proc_net_tcp in Linux's
// documentation): the second field is the address in hex, the fourth the state, of which 0A is listening, the tenth the inode.
func listener(port string) string {
	n, err := strconv.Atoi(port)
	if err != nil {
		return ""
	}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, _ := os.ReadFile(table) // a table that is not there has no line
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) > 9 && f[3] == "0A" && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", n)) {
				return f[9]
			}
		}
	}
	return ""
}
