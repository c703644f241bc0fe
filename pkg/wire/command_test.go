package wire_test

import (
	"regexp"
	"testing"

	"github.com/kesu-go/kesu/pkg/wire"
)

func TestActionNames(t *testing.T) {
	for _, row := range []struct {
		action             wire.Action
		requested, settled string
		provider           wire.Provider
	}{
		{wire.Reply, "ComplaintReplyRequested", "ComplaintReplySettled", "imageco"},
		{wire.Complete, "ComplaintCompletionRequested", "ComplaintCompletionSettled", "wechatpay"},
		{wire.Upload, "", "", "wechatpay"},
	} {
		if row.action.DetailType() != row.requested || row.action.SettledType() != row.settled || row.action.Provider() != row.provider {
			t.Errorf("%s: %s, %s, %s", row.action, row.action.DetailType(), row.action.SettledType(), row.action.Provider())
		}
	}
}

// content is the reply of 翼码's documentation, section 4.73: https://open.wangcaio2o.com/docs/ipos-sa/1845.
func content() wire.ReplyContent {
	return wire.ReplyContent{
		ResponseContent: "已与用户沟通解决",
		ResponseImages:  []string{"file752398_7983424", "file752399_7983425"},
		JumpURL:         "https://www.xxx.com/aaaa",
		JumpURLText:     "查看订单详情",
	}
}

func reply(change func(*wire.Command)) *wire.Command {
	c := &wire.Command{Action: wire.Reply, Merchant: "acme", ComplaintID: complaintID, ReplyContent: content()}
	change(c)
	return c
}

// What makes two requests the same: contract, section 6.
func TestPayloadHashCoversTheContentAndNothingElse(t *testing.T) {
	base := reply(func(*wire.Command) {}).PayloadHash()
	for _, row := range []struct {
		name   string
		change func(*wire.Command)
		same   bool
	}{
		{"the same request", func(*wire.Command) {}, true},
		{"another transaction id", func(c *wire.Command) { c.TransactionID = transactionID }, true},
		{"another idempotency key", func(c *wire.Command) { c.IdempotencyKey = "k" }, true},
		{"with resend_unknown", func(c *wire.Command) { c.ResendUnknown = true }, true},
		{"other words", func(c *wire.Command) { c.ResponseContent += "。" }, false},
		{"another image", func(c *wire.Command) { c.ResponseImages = []string{"a"} }, false},
		{"the images in another order", func(c *wire.Command) { c.ResponseImages = []string{c.ResponseImages[1], c.ResponseImages[0]} }, false},
		{"two images written as one", func(c *wire.Command) { c.ResponseImages = []string{c.ResponseImages[0] + c.ResponseImages[1]} }, false},
		{"another URL", func(c *wire.Command) { c.JumpURL += "b" }, false},
		{"another text", func(c *wire.Command) { c.JumpURLText += "b" }, false},
		{"a character moved from the URL to its text", func(c *wire.Command) { c.JumpURL, c.JumpURLText = c.JumpURL[:len(c.JumpURL)-1], "a"+c.JumpURLText }, false},
		{"another account", func(c *wire.Command) { c.SellerAccount = "1" }, false},
		{"a mini program", func(c *wire.Command) { c.MiniProgram = &wire.MiniProgram{AppID: "a", Path: "p", Text: "t"} }, false},
		{"immediate service", func(c *wire.Command) { c.ImmediateService = true }, false},
		{"immediate service that is not asked for", func(c *wire.Command) { c.ImmediateService = false }, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			if same := reply(row.change).PayloadHash() == base; same != row.same {
				t.Errorf("the same hash: %t", same)
			}
		})
	}
	t.Run("a completion's is its complainted_mchid", func(t *testing.T) {
		own := wire.Command{Action: wire.Complete, Merchant: "acme", ComplaintID: "1"}
		other := wire.Command{Action: wire.Complete, Merchant: "acme", ComplaintID: "1", ComplaintedMchid: "19"}
		keyed := wire.Command{Action: wire.Complete, Merchant: "acme", ComplaintID: "1", IdempotencyKey: "k"}
		if own.PayloadHash() == other.PayloadHash() || own.PayloadHash() != keyed.PayloadHash() {
			t.Error("it covers something else")
		}
	})
}

// Images that spell a mini program are images: no two contents have one hash.
func TestAMiniProgramIsNotTakenForImages(t *testing.T) {
	mini := reply(func(c *wire.Command) {
		c.ResponseImages, c.MiniProgram = nil, &wire.MiniProgram{AppID: "a", Path: "p", Text: "t"}
	})
	for _, mark := range []string{"mini_program_jump_info", "mini_program_jump_info|"} {
		images := reply(func(c *wire.Command) { c.ResponseImages = []string{mark, "a", "p", "t"} })
		if mini.PayloadHash() == images.PayloadHash() {
			t.Errorf("the images %v have the hash of a mini program", images.ResponseImages)
		}
	}
}

// What is repeated harmlessly, which the ledger, the queue and the gateway's client all ask for.
func TestRepeatable(t *testing.T) {
	for _, row := range []struct {
		command wire.Command
		want    bool
	}{
		{wire.Command{Action: wire.Reply}, false},
		{wire.Command{Action: wire.Reply, ImmediateService: true}, true},
		{wire.Command{Action: wire.Complete}, true},
		{wire.Command{Action: wire.Upload}, true},
	} {
		if got := row.command.Repeatable(); got != row.want {
			t.Errorf("%+v: %t", row.command, got)
		}
	}
}

func TestLedgerKey(t *testing.T) {
	for _, row := range []struct {
		name    string
		command *wire.Command
		want    string
	}{
		{"a reply's own key", reply(func(c *wire.Command) { c.IdempotencyKey = "k" }), "k"},
		{"a reply without a key is filed under its content", reply(func(*wire.Command) {}), "content-" + reply(func(*wire.Command) {}).PayloadHash()},
		{"a completion's own key", &wire.Command{Action: wire.Complete, IdempotencyKey: "k"}, "k"},
		{"an upload is not filed, whatever its key", &wire.Command{Action: wire.Upload, IdempotencyKey: "k"}, ""},
		{"a completion without a key is not filed", &wire.Command{Action: wire.Complete}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.command.LedgerKey(); got != row.want {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestUpstreamTransactionID(t *testing.T) {
	derived := reply(func(*wire.Command) {}).UpstreamTransactionID()
	if !regexp.MustCompile(`^[0-9A-Za-z]{13,32}$`).MatchString(derived) {
		t.Fatalf("%q is not one that 翼码 takes", derived)
	}
	for _, row := range []struct {
		name   string
		change func(*wire.Command)
		same   bool
	}{
		{"the same request again", func(*wire.Command) {}, true},
		{"the same request with resend_unknown", func(c *wire.Command) { c.ResendUnknown = true }, true},
		{"another merchant", func(c *wire.Command) { c.Merchant = "acme2" }, false},
		{"another complaint", func(c *wire.Command) { c.ComplaintID = "1" }, false},
		{"another key", func(c *wire.Command) { c.IdempotencyKey = "k" }, false},
		{"other words without a key", func(c *wire.Command) { c.ResponseContent = "a" }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if same := reply(row.change).UpstreamTransactionID() == derived; same != row.same {
				t.Errorf("the same id: %t", same)
			}
		})
	}
	t.Run("the caller's own is sent as it is", func(t *testing.T) {
		if got := reply(func(c *wire.Command) { c.TransactionID = transactionID }).UpstreamTransactionID(); got != transactionID {
			t.Errorf("%q", got)
		}
	})
	t.Run("a completion has none", func(t *testing.T) {
		c := wire.Command{Action: wire.Complete, Merchant: "acme", ComplaintID: "1", IdempotencyKey: "k"}
		if got := c.UpstreamTransactionID(); got != "" {
			t.Errorf("%q", got)
		}
	})
}

// A transaction id that was sent before a new version was deployed must be derived the same after it.
func TestDerivedNamesDoNotChangeBetweenVersions(t *testing.T) {
	c := reply(func(*wire.Command) {})
	if got, want := c.PayloadHash(), "79977d31be1101cb2fa7258509a9f4c89e53720cf9910f9ebb20bbdd8946da3e"; got != want {
		t.Errorf("the payload hash is %s, was %s", got, want)
	}
	if got, want := c.UpstreamTransactionID(), "9c3b153e8fa12d8212f501fd5217cdcd"; got != want {
		t.Errorf("the transaction id is %s, was %s", got, want)
	}
}
