package sandbox

import "fmt"

// String is the call in one line, for a person: when, where, what, by whom, and what became of it. It holds no header and
// no body.
func (c Call) String() string {
	who, became := orElse(c.Merchant, "-"), orElse(c.Code, "-")
	line := fmt.Sprintf("%s %s %s %s %s %d %s", c.At.Format("15:04:05"), c.Host, c.Method, c.Target, who, c.Status, became)
	if c.Problem != "" {
		line += " " + c.Problem
	}
	return line
}
