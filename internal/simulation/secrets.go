package simulation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/kesu-go/kesu/pkg/wire"
)

// secrets is Secrets Manager as one process reaches it.
type secrets struct{ p *process }

// GetSecretValue implements merchant.SecretReader.
func (s *secrets) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	p, v := s.p, visitOf(ctx)
	if err := p.leave(ctx, v, stepSecret); err != nil {
		return nil, err
	}
	f, n := p.w.fault(v, stepSecret)
	if f == crashBefore {
		p.die(v, "before a secret was read")
		return nil, unreachable("crashed")
	}
	latency := p.w.latency(v, n, 5*time.Millisecond, 60*time.Millisecond)
	switch f {
	case secretSlow:
		latency = p.w.latency(v, n, 500*time.Millisecond, 7*time.Second)
	case secretHangs:
		latency = time.Hour
	}
	if err := p.wait(ctx, v, latency); err != nil {
		return nil, err
	}
	switch f {
	case crashAfter:
		p.die(v, "after a secret was read")
		return nil, unreachable("crashed")
	case secretThrottles:
		return nil, &smithy.GenericAPIError{Code: "ThrottlingException", Message: "rate exceeded"}
	case secretFails:
		return nil, unreachable("no route")
	}
	return p.w.secret(v, aws.ToString(in.SecretId), f == secretBroken)
}

// secret is what is stored at this moment.
func (w *world) secret(v *visit, id string, broken bool) (*secretsmanager.GetSecretValueOutput, error) {
	m := w.sellerNamed(strings.TrimPrefix(id, secretPrefix))
	now := time.Since(w.began)
	w.mu.Lock()
	w.note(v, "secret read", m.name, int64(m.stored(now)))
	w.mu.Unlock()
	if m.deletedAt(now) {
		return nil, &smithy.GenericAPIError{Code: "ResourceNotFoundException", Message: "no such secret"}
	}
	version := m.stored(now)
	text := m.texts[version]
	if broken {
		text = "{"
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: aws.String(text), VersionId: aws.String(fmt.Sprint("v", version, broken))}, nil
}

func unreachable(why string) error { return &smithyhttp.RequestSendError{Err: errors.New(why)} }

// rotation is one change of a merchant's keys: when Secrets Manager has the new ones, and from when to when each gateway
// takes which.
type rotation struct {
	stored   time.Duration // Secrets Manager gives the new keys
	accepted time.Duration // the gateways take the new keys
	refused  time.Duration // the gateways no longer take the old ones
}

// seller is one merchant of a world, with every version of its keys.
type seller struct {
	name       string
	xml, gbk   bool
	onlyOne    wire.Provider // the half of its secret that is there; empty: both are
	turns      bool          // each version of its secret names the other gateway for its replies
	withheld   bool          // WeChat Pay does not let it read a complaint's history
	rotations  []rotation    // version i+1 comes with rotations[i]
	texts      []string      // its secret, by version
	gone, back time.Duration
}

// newSeller makes a merchant whose keys are rotated now and then, and one in six whose secret is deleted for a while.
func (w *world) newSeller(i int) *seller {
	n := uint64(i)
	m := &seller{name: fmt.Sprintf("shop-%d", i), xml: i == 1, gbk: i == 2, withheld: i == 2, turns: i == 4}
	switch i {
	case onlyWechatPay:
		m.onlyOne = wire.WechatPay
	case onlyImageco:
		m.onlyOne = wire.Imageco
	}
	for at, c := time.Duration(0), uint64(0); ; c++ {
		at += w.dice.span(placeMerchant, n, 10+c, 60*time.Second, 4*time.Minute)
		if at > w.span || w.options.Crowd {
			break
		}
		accepted := at + w.dice.span(placeMerchant, n, 110+c, -3*time.Second, 3*time.Second)
		refused := at + w.dice.span(placeMerchant, n, 210+c, -2*time.Second, 30*time.Second)
		m.rotations = append(m.rotations, rotation{at, accepted, refused})
	}
	for version := range len(m.rotations) + 1 {
		m.texts = append(m.texts, m.text(version))
	}
	if w.dice.share(placeMerchant, n, 1) < 1.0/6 {
		m.gone = w.dice.span(placeMerchant, n, 2, 0, w.span)
		m.back = m.gone + w.dice.span(placeMerchant, n, 3, 10*time.Second, 90*time.Second)
	}
	if w.options.Faults == 0 {
		m.gone, m.back = 0, 0
	}
	return m
}

// The merchants of a world. The first two have both halves of the secret.
const (
	onlyWechatPay = 3
	onlyImageco   = 5
	sellers       = 6
)

// through is the gateway that carries its replies.
func (m *seller) through(version int) wire.Provider {
	switch {
	case m.onlyOne != "":
		return m.onlyOne
	case m.turns && version%2 == 0:
		return wire.WechatPay
	}
	return wire.Imageco
}

// readable reports whether what became of its replies can be looked for.
func (m *seller) readable() bool { return m.onlyOne != wire.Imageco && !m.withheld }

func (w *world) sellerNamed(name string) *seller {
	for _, m := range w.merchants {
		if m.name == name {
			return m
		}
	}
	panic("no merchant " + name)
}

// stored is the version that Secrets Manager gives at a time.
func (m *seller) stored(now time.Duration) int {
	version := 0
	for _, r := range m.rotations {
		if now >= r.stored {
			version++
		}
	}
	return version
}

func (m *seller) deletedAt(now time.Duration) bool { return now >= m.gone && now < m.back }

// accepts tells whether the gateways take a version of the keys at a time.
func (m *seller) accepts(version int, now time.Duration) bool {
	if version < 0 || version > len(m.rotations) {
		return false
	}
	if version > 0 && now < m.rotations[version-1].accepted {
		return false
	}
	return version == len(m.rotations) || now < m.rotations[version].refused
}

// text is the secret of a version, as the contract's section 1 has it. Its RSA keys are names of keys, see rsa.go.
func (m *seller) text(version int) string {
	format, charset := "json", "utf-8"
	if m.xml {
		format = "xml"
	}
	if m.gbk {
		charset = "gbk"
	}
	platform := []map[string]string{{"id": platformID(m.name, version), "pem": platformKey(m.name, version)}}
	if version > 0 {
		platform = append(platform, map[string]string{"id": platformID(m.name, version-1), "pem": platformKey(m.name, version-1)})
	}
	halves := map[string]any{
		"reply_through": m.through(version),
		"imageco": map[string]string{
			"isspid": "39493002", "system_id": "8888", "seller_account": "66660000000000001",
			"key": m.imagecoKey(version), "format": format, "sign_charset": charset,
		},
		"wechatpay": map[string]any{
			"mchid": "mch-" + m.name, "serial_no": fmt.Sprintf("%04X", 0xA000+version), "private_key": m.privateKey(version),
			"platform_keys": platform,
		},
	}
	switch m.onlyOne {
	case wire.Imageco:
		delete(halves, "wechatpay")
	case wire.WechatPay:
		delete(halves, "imageco")
	}
	return string(encode(halves))
}

func (m *seller) imagecoKey(version int) string { return fmt.Sprintf("imageco-%s-%d", m.name, version) }

func (m *seller) privateKey(version int) string {
	return fmt.Sprintf("wechatpay-%s-%d", m.name, version)
}
