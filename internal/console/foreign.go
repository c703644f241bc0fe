package console

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kesu-go/kesu/internal/advice"
	"github.com/kesu-go/kesu/internal/explain"
	"github.com/kesu-go/kesu/internal/sandbox"
)

// foreignMost is how many calls of other programs a page is told of, the latest ones.
const foreignMost = 20

// foreign is a call of another program to a gateway, as the page shows it. It holds no header and no body.
type foreign struct {
	N        int       `json:"n"`
	At       time.Time `json:"at"`
	Host     string    `json:"host"`
	Method   string    `json:"method"`
	Target   string    `json:"target"`
	Merchant string    `json:"merchant"`
	Status   int       `json:"status"`
	Code     string    `json:"code"`
	Why      string    `json:"why,omitempty"`

	WhyChinese string `json:"why_zh,omitempty"`
}

// Foreign reports whether a call came from another program than the functions, which say so as gateway.UserAgent does.
func Foreign(x sandbox.Call) bool { return !strings.HasPrefix(x.Header.Get("User-Agent"), "kesu/") }

// Why says why a call to a gateway was refused, in one sentence: what kesu sign would say about its signature, or, when
// that is right or was not what was refused, what the gateway had against it. It is "" for a call that was not refused.
// The search for a wrong signature ends with ctx.
func Why(ctx context.Context, world *sandbox.Demo, x sandbox.Call, language advice.Language) string {
	vendor, message := "wechatpay", wireRequest(&x)
	if x.Host == world.ImagecoHost.Name {
		vendor, message = "imageco", x.Body
	}
	secret, _, known := world.Secrets.Get(sandbox.SecretPrefix + x.Merchant)
	if x.Problem == "" || !known || x.Code != wrongSignature[vendor] {
		return x.Problem
	}
	report, err := explain.Run(ctx, explain.Options{Message: message, For: vendor, Secret: secret, Now: x.At, Language: language})
	if said := firstWords(report); err == nil && said != "" {
		return said
	}
	return x.Problem
}

// wrongSignature is each gateway's code for a signature that is wrong.
var wrongSignature = map[string]string{"wechatpay": "SIGN_ERROR", "imageco": "6100"}

// foreigners keeps what was found out about the latest calls, because a search can take seconds.
type foreigners struct {
	mu    sync.Mutex
	known map[foreignKey]foreign
}

type foreignKey struct {
	host string
	n    int
}

// foreign are the latest answered calls of other programs, the newest first.
func (c *Console) foreign() []foreign {
	var calls []sandbox.Call
	for _, h := range []*sandbox.Host{c.world.ImagecoHost, c.world.Primary, c.world.Backup} {
		calls = append(calls, slices.DeleteFunc(h.Calls.Calls(), func(x sandbox.Call) bool { return x.Done.IsZero() || !Foreign(x) })...)
	}
	slices.SortStableFunc(calls, func(a, b sandbox.Call) int { return b.At.Compare(a.At) })
	c.foreigners.mu.Lock()
	defer c.foreigners.mu.Unlock()
	known, list := map[foreignKey]foreign{}, []foreign{}
	for _, x := range calls[:min(len(calls), foreignMost)] {
		key := foreignKey{x.Host, x.N}
		view, ok := c.foreigners.known[key]
		if !ok {
			ctx, cancel := context.WithTimeout(c.ending, engineLimit)
			view = foreign{N: x.N, At: x.At, Host: x.Host, Method: x.Method, Target: cut(x.Target, wordsLimit), Merchant: x.Merchant, Status: x.Status, Code: x.Code,
				Why: Why(ctx, c.world, x, advice.English), WhyChinese: Why(ctx, c.world, x, advice.Chinese)}
			cancel()
		}
		known[key] = view
		list = append(list, view)
	}
	c.foreigners.known = known
	return list
}
