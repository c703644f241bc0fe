package wire

// Action is what a command asks for.
type Action string

const (
	Reply    Action = "reply"    // send words to the consumer
	Complete Action = "complete" // tell WeChat Pay that the complaint is settled
	Upload   Action = "upload"   // give WeChat Pay a picture, for replies
)

// filing is whether a command goes through the ledger, and under what.
type filing int

const (
	notFiled       filing = iota
	filedByKey            // under its idempotency key; without one it is not filed
	filedByContent        // under its idempotency key, else under a hash of its content
)

// row is what is fixed about an action. Nothing else tells one action from another.
type row struct {
	requested, settled string   // the detail-types of its events; empty: it does not come as an event
	provider           Provider // where its commands go unless the merchant's secret says otherwise
	repeatable         bool     // repeating what may have been done is harmless
	filed              filing
	numbered           bool   // its commands have a transaction id
	route              string // the path of its HTTP requests
	picture            bool   // their body is a picture, not JSON
	rules              []rule // its members, apart from merchant and complaint_id
}

// The rows, one an action.
var rows = map[Action]row{
	Reply: {
		requested: "ComplaintReplyRequested", settled: "ComplaintReplySettled", provider: Imageco,
		filed: filedByContent, numbered: true,
		route: "/merchants/{merchant}/complaints/{complaint_id}/reply", rules: replyRules,
	},
	Complete: {
		requested: "ComplaintCompletionRequested", settled: "ComplaintCompletionSettled", provider: WechatPay,
		repeatable: true, filed: filedByKey,
		route: "/merchants/{merchant}/complaints/{complaint_id}/complete", rules: completeRules,
	},
	Upload: {
		provider: WechatPay, repeatable: true, route: "/merchants/{merchant}/images", picture: true,
	},
}

// DetailType is the EventBridge detail-type of a request for the action; empty for one that comes by HTTP only.
func (a Action) DetailType() string { return rows[a].requested }

// SettledType is the EventBridge detail-type of the event that tells what became of a request.
func (a Action) SettledType() string { return rows[a].settled }

// Provider is the gateway that the action goes to, unless the merchant's secret says otherwise.
func (a Action) Provider() Provider { return rows[a].provider }

// Route is the path of the action's HTTP requests, with {merchant} and perhaps {complaint_id} in it.
func (a Action) Route() string { return rows[a].route }

// TakesPicture reports whether the body of the action's HTTP requests is a picture, for [ReadPicture].
func (a Action) TakesPicture() bool { return rows[a].picture }

// Members are the names of the action's members, apart from merchant and complaint_id.
func (a Action) Members() []string {
	var names []string
	for _, r := range rows[a].rules {
		names = append(names, r.name)
	}
	return names
}

// NeedsKey reports whether a command of the action is filed in the ledger only when it has an idempotency key.
func (a Action) NeedsKey() bool { return rows[a].filed == filedByKey }

// Repeatable reports whether repeating the command is harmless although it may have been carried out: each command of
// some actions, and a reply for immediate service, whose idempotent_id WeChat Pay carries out once.
func (c *Command) Repeatable() bool { return rows[c.Action].repeatable || c.ImmediateService }
