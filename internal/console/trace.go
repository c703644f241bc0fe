package console

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// trace is everything that the sandbox saw of one call, in the order of arrival.
type trace struct {
	attempts []attempt
	secrets  []sandbox.Call
	ledger   []sandbox.Call
}

// attempt is one call to a gateway: as the function logged it, as the gateway saw it, or both. A request that never left
// was not seen; a function that died did not log.
type attempt struct {
	line *logLine
	seen *sandbox.Call
}

// slack is how much later than the gateway's clock the function's line may say that an attempt began: it rounds to whole
// milliseconds.
const slack = 20 * time.Millisecond

// trace collects what belongs to a call.
//
// A function of the sandbox does one invocation at a time, so a gateway's calls between its beginning and its end are
// its own. Secrets Manager and the ledger are asked by both functions, so there the name tells.
func (c *Console) trace(k *call, cmd *command) trace {
	end := k.ended
	if end.IsZero() {
		end = time.Now()
	}
	during := func(h *sandbox.Host, ours func(*sandbox.Call) bool) []sandbox.Call {
		return slices.DeleteFunc(h.Calls.Since(k.began), func(x sandbox.Call) bool { return x.At.After(end) || !ours(&x) })
	}
	var t trace
	t.secrets = during(c.world.Secrets.Host, func(x *sandbox.Call) bool {
		var in struct{ SecretId string }
		return json.Unmarshal(x.Body, &in) == nil && in.SecretId == sandbox.SecretPrefix+cmd.Merchant
	})
	prefix := cmd.Merchant + "#" + cmd.Action + "#" + cmd.ComplaintID + "#"
	if c.world.Ledger != nil && cmd.Merchant != "" {
		t.ledger = during(c.world.Ledger.Host, func(x *sandbox.Call) bool { return strings.HasPrefix(ledgerID(x), prefix) })
	}
	var seen []sandbox.Call
	for _, h := range c.gatewaysOf(cmd.Action) {
		seen = append(seen, during(h, func(x *sandbox.Call) bool {
			if cmd.Action == "watch" {
				return x.Method == http.MethodGet
			}
			picture := strings.HasSuffix(x.Target, "/images/upload")
			return picture == (cmd.Action == "upload") && (x.ComplaintID == "" || x.ComplaintID == cmd.ComplaintID)
		})...)
	}
	slices.SortStableFunc(seen, func(a, b sandbox.Call) int { return a.At.Compare(b.At) })
	t.attempts = c.pair(k.attempts(), seen)
	return t
}

// gatewaysOf are the hosts that an action goes to.
func (c *Console) gatewaysOf(action string) []*sandbox.Host {
	if action == "reply" {
		return []*sandbox.Host{c.world.ImagecoHost}
	}
	return []*sandbox.Host{c.world.Primary, c.world.Backup}
}

// pair finds for each line about an attempt the call that the gateway saw, and adds the calls that have no line.
func (c *Console) pair(lines []*logLine, seen []sandbox.Call) []attempt {
	taken := make([]bool, len(seen))
	var attempts []attempt
	for _, line := range lines {
		a := attempt{line: line}
		for i := range seen {
			began := line.At.Add(-time.Duration(line.DurationMS)*time.Millisecond - slack)
			if taken[i] || line.Bytes == "never left" || c.address(seen[i].Host) != line.Host || seen[i].At.Before(began) || seen[i].At.After(line.At) {
				continue
			}
			taken[i], a.seen = true, &seen[i]
			break
		}
		attempts = append(attempts, a)
	}
	for i := range seen {
		if !taken[i] {
			attempts = append(attempts, attempt{seen: &seen[i]})
		}
	}
	return attempts
}

// address is where the host of that name listens, as the functions' log writes it.
func (c *Console) address(name string) string {
	for _, h := range []*sandbox.Host{c.world.ImagecoHost, c.world.Primary, c.world.Backup} {
		if h.Name == name {
			return strings.TrimPrefix(h.URL(), "http://")
		}
	}
	return ""
}

// hostName is the name of the host at an address; the address when there is none.
func (c *Console) hostName(address string) string {
	for _, h := range []*sandbox.Host{c.world.ImagecoHost, c.world.Primary, c.world.Backup} {
		if strings.TrimPrefix(h.URL(), "http://") == address {
			return h.Name
		}
	}
	return address
}

// ledgerID is the id of the entry that a call to the ledger's table is about.
func ledgerID(x *sandbox.Call) string {
	var write sandbox.LedgerWrite
	if json.Unmarshal(x.Body, &write) != nil {
		return ""
	}
	return write.ID()
}
