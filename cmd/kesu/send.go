package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"

	"github.com/kesu-go/kesu/internal/send"
	"github.com/kesu-go/kesu/pkg/strictjson"
	"github.com/kesu-go/kesu/pkg/wire"
)

type sendCommand struct {
	Reply    sendReply    `cmd:"" help:"Reply to a complaint."`
	Complete sendComplete `cmd:"" help:"Tell WeChat Pay that a complaint is settled."`
	Image    sendImage    `cmd:"" help:"Upload pictures for replies, and print their ids."`
}

// Help is the example that kesu help shows.
func (sendCommand) Help() string { return sendExamples }

const sendExamples = `Sends one command to the local gateway (the default), to a deployed API (--stack or --url, signed with SigV4 where it is IAM's), or to a bus, and shows its result. A request that is wrong is told before anything is sent. Sending the same again is safe: the ledger knows it, and a reply that went out is not sent twice.

Examples:
  kesu send reply --merchant acme --complaint 2001 --content 已与用户沟通解决
  kesu send reply --merchant acme --complaint 2001 --file reply.json --stack kesu --dry-run
  kesu send complete --merchant acme --complaint 2001 --url https://abc123.execute-api.ap-east-1.amazonaws.com/v1
  kesu send complete --merchant acme --complaint 2001 --bus kesu

Exit codes: 0 it succeeded (to a bus: it was taken); 1 it was refused; 2 wrong command line or request; 3 certainly not done, try again; 4 it may have been done.`

// Help is the example that kesu help shows.
func (sendReply) Help() string { return sendExamples }

// Help is the example that kesu help shows.
func (sendComplete) Help() string { return sendExamples }

// sendFlags are what both actions have.
type sendFlags struct {
	Merchant       string `placeholder:"NAME" help:"The merchant."`
	Complaint      string `placeholder:"ID" help:"The complaint."`
	IdempotencyKey string `placeholder:"TEXT" help:"Names this request: the same key again is the same request."`
	File           string `type:"path" placeholder:"FILE" help:"A file with members of the request as JSON, or with an event or an entry of PutEvents (also in an array) that holds them; - is standard input. Flags win over it."`
	DryRun         bool   `help:"Show what would be sent, and send nothing."`
	targetFlags
	awsFlags
	jsonFlag
}

type sendReply struct {
	Content          string   `placeholder:"TEXT" help:"response_content: the words, 1 to 500 characters (through 翼码 200)."`
	Image            []string `sep:"none" placeholder:"ID|FILE" help:"response_images: a media id, or a picture's file, which is uploaded first; may stand up to four times."`
	ImmediateService bool     `help:"immediate_service: the complaint asks for immediate service (through WeChat Pay only)."`
	JumpURL          string   `name:"jump-url" placeholder:"URL" help:"jump_url; together with --jump-url-text."`
	JumpURLText      string   `name:"jump-url-text" placeholder:"TEXT" help:"jump_url_text, 1 to 10 characters."`
	MiniProgram      string   `placeholder:"APPID PATH TEXT" help:"mini_program_jump_info, its three members with a blank between them (through WeChat Pay only); not together with --jump-url."`
	SellerAccount    string   `placeholder:"TEXT" help:"seller_account; by default the secret's."`
	TransactionID    string   `name:"transaction-id" placeholder:"TEXT" help:"transaction_id; by default made from the idempotency key."`
	ResendUnknown    bool     `help:"Send again what may have been sent already. Look at the complaint first."`
	sendFlags
}

type sendComplete struct {
	ComplaintedMchid string `placeholder:"TEXT" help:"complainted_mchid; by default the secret's mchid."`
	sendFlags
}

// Run sends a reply.
func (c sendReply) Run(ctx context.Context, t terminal) error {
	members := map[string]any{"response_content": c.Content, "jump_url": c.JumpURL, "jump_url_text": c.JumpURLText,
		"seller_account": c.SellerAccount, "transaction_id": c.TransactionID}
	if len(c.Image) > 0 {
		members["response_images"] = c.Image
	}
	given, err := c.fromFile()
	if err != nil {
		return err
	}
	if err := c.withPictures(ctx, t, given, members); err != nil {
		return err
	}
	if c.MiniProgram != "" {
		parts := append(strings.SplitN(strings.TrimSpace(c.MiniProgram), " ", 3), "", "", "")
		members["mini_program_jump_info"] = map[string]string{"appid": parts[0], "path": parts[1], "text": strings.TrimSpace(parts[2])}
	}
	if c.ImmediateService {
		members["immediate_service"] = true
	}
	if c.ResendUnknown {
		members["resend_unknown"] = true
	}
	return c.send(ctx, t, wire.Reply, given, members)
}

// Run sends a completion.
func (c sendComplete) Run(ctx context.Context, t terminal) error {
	given, err := c.fromFile()
	if err != nil {
		return err
	}
	return c.send(ctx, t, wire.Complete, given, map[string]any{"complainted_mchid": c.ComplaintedMchid})
}

func (c sendFlags) send(
	ctx context.Context, t terminal, action wire.Action, given map[string]json.RawMessage, members map[string]any,
) error {
	o, err := c.order(action, given, members)
	if err != nil {
		return err
	}
	target, err := c.find(ctx, c.account())
	if err != nil {
		return err
	}
	if c.DryRun {
		return preview(t, target.Preview(o), c.JSON)
	}
	report, err := target.Deliver(ctx, o)
	if err != nil {
		return err
	}
	if report.Result == nil {
		return taken(t, o.Command.Action, report.EventID, c.JSON)
	}
	return showResult(t, report, c.JSON)
}

// fromFile reads the members that the file has, once: standard input cannot be read again.
func (c sendFlags) fromFile() (map[string]json.RawMessage, error) {
	if c.File == "" {
		return nil, nil
	}
	text, err := readInput(c.File, os.Stdin)
	if err != nil {
		return nil, err
	}
	given, err := send.MembersOfFile(text)
	if err != nil {
		return nil, fmt.Errorf("the file %w", err)
	}
	return given, nil
}

// order puts the command together from the file's members and the flags', and holds it against the rules of the request.
func (c sendFlags) order(action wire.Action, given map[string]json.RawMessage, members map[string]any) (send.Order, error) {
	all := map[string]json.RawMessage{}
	maps.Copy(all, given)
	members["merchant"], members["complaint_id"] = c.Merchant, c.Complaint
	if members["idempotency_key"] == nil || c.IdempotencyKey != "" {
		members["idempotency_key"] = c.IdempotencyKey
	}
	for name, value := range members {
		if value == "" {
			continue
		}
		var err error
		if all[name], err = strictjson.Encode(value); err != nil {
			return send.Order{}, err
		}
	}
	return send.NewOrder(action, all)
}
