package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/kesu-go/kesu/internal/attention"
)

type attentionCommand struct {
	List    attentionList    `cmd:"" default:"withargs" help:"List what waits for a person, with reason and age."`
	Show    attentionShow    `cmd:"" help:"Show one message in full."`
	Redrive attentionRedrive `cmd:"" help:"Put requests back, to be carried out once more."`
	Answer  attentionAnswer  `cmd:"" help:"Settle one: send an unknown reply again, or record that a person settled it."`
}

const attentionExamples = `What waits for a person: results in the attention queue (rejected, or unknown: the reply may have been shown), and requests in the dead-letter queues that were never carried out. The queues come from a stack's outputs, or are given with --queue. Looking takes a message out of sight for a moment and puts it back; another person who looks at the same time may see less.

Examples:
  kesu attention list --stack kesu
  kesu attention list --stack kesu --look
  kesu attention show --stack kesu 8c1f
  kesu attention redrive --stack kesu 8c1f 77aa
  kesu attention redrive --stack kesu --all --yes
  kesu attention answer --stack kesu 8c1f --resend
  kesu attention answer --stack kesu 8c1f --drop --note "the consumer was called"

--look reads the negotiation history (协商历史) of each unknown reply's complaint at WeChat Pay. What is shown was sent; what is not shown may have been sent all the same. --resend looks first, and the function does so again: what is seen is not sent.

The event of an unknown reply holds the request as it was sent, and --resend sends that; where it does not, give it with --file. It is refused when the words are others. Redriving is safe within the ledger's time: what was done is not done twice.

Exit codes: 0 done; 1 something could not be done, or you said no; 2 wrong command line.`

// Help is the example that kesu help shows.
func (attentionCommand) Help() string { return attentionExamples }

// Help is the example that kesu help shows.
func (attentionList) Help() string { return attentionExamples }

// Help is the example that kesu help shows.
func (attentionShow) Help() string { return attentionExamples }

// Help is the example that kesu help shows.
func (attentionRedrive) Help() string { return attentionExamples }

// Help is the example that kesu help shows.
func (attentionAnswer) Help() string { return attentionExamples }

// More messages than these take a while, and a terminal shows how far it is.
const (
	manyToRead = 100 // of a queue
	manyToMove = 10
)

// queueFlags say which queues are meant.
type queueFlags struct {
	Stack string   `placeholder:"NAME" help:"Find the queues and the bus in the outputs of a deployed stack."`
	Queue []string `sep:"none" placeholder:"URL" help:"A queue to look at, in place of a stack; may stand more than once."`
	Limit int      `default:"1000" help:"Look at this many messages of each queue at most."`
	awsFlags
	jsonFlag
}

type attentionList struct {
	Look bool `help:"Look into the complaint's history for each unknown reply, with the merchant's own key, and show what it shows now."`
	lookFlags
	queueFlags
}

type attentionShow struct {
	ID string `arg:"" help:"The message, as kesu attention list names it; the beginning will do."`
	queueFlags
}

type attentionRedrive struct {
	ID  []string `arg:"" optional:"" help:"The messages to put back."`
	All bool     `help:"Put every request back."`
	To  string   `placeholder:"URL" help:"The queue to put them into; by default the one that they came from."`
	Yes bool     `help:"Do not ask."`
	queueFlags
}

type attentionAnswer struct {
	ID     string `arg:"" help:"The message to settle."`
	Resend bool   `xor:"answer" help:"Send the identical reply again, unless the complaint's history shows it."`
	Drop   bool   `xor:"answer" help:"Record that a person settled it, and take it out of the queue."`
	File   string `type:"path" placeholder:"FILE" help:"With --resend: the request as it was sent, a body or an event, in place of the one that the message holds; - is standard input (and needs --yes)."`
	Note   string `placeholder:"TEXT" help:"With --drop: what was done, for the record."`
	By     string `env:"USER" placeholder:"NAME" help:"With --drop: who did it."`
	Bus    string `placeholder:"NAME" help:"With --drop: the bus to record it on; by default the stack's."`
	To     string `placeholder:"URL" help:"With --resend: the queue for replies; by default the stack's."`
	Yes    bool   `help:"Do not ask."`
	lookFlags
	queueFlags
}

// open reads the queues, and shows on a terminal how far it is.
func (f queueFlags) open(ctx context.Context, t terminal) (*attention.Attention, error) {
	o := attention.Options{Stack: f.Stack, Queues: f.Queue, Limit: f.Limit, AWS: f.account()}
	if onTerminal(os.Stderr) {
		o.Progress = func(queue string, read, about int) {
			if about > manyToRead {
				fmt.Fprintf(t.err, "\r\x1b[K%s: %d of about %d", queue, read, about)
			}
		}
	}
	found, err := attention.Open(ctx, o)
	if err == nil && onTerminal(os.Stderr) {
		fmt.Fprint(t.err, "\r\x1b[K")
	}
	return found, err
}

// Run lists everything.
func (c attentionList) Run(ctx context.Context, t terminal) error {
	found, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer found.Release(ctx)
	if c.Look {
		watcher, err := c.onlooker(c.account())
		if err != nil {
			return err
		}
		for _, i := range found.Items {
			watcher.Look(ctx, i)
		}
	}
	if c.JSON {
		return writeJSON(t.out, map[string]any{"queues": found.Queues, "items": found.Items})
	}
	if len(found.Items) == 0 {
		fmt.Fprintf(t.out, "%s nothing waits for a person in %s\n", t.paint(green, "✓"), plural(len(found.Queues), "queue"))
		return nil
	}
	rows := [][]string{{"id", "queue", "age", "action", "merchant", "complaint", "reason"}}
	for _, i := range found.Items {
		rows = append(rows, []string{found.Short(i.ID), i.Queue, age(i.Age()), i.Action, i.Merchant, i.ComplaintID, i.Reason})
	}
	if c.Look {
		rows[0] = append(rows[0], "history")
		for n, i := range found.Items {
			rows[n+1] = append(rows[n+1], attention.SightingWords(i.Look))
		}
	}
	for _, row := range rows {
		for n := range row {
			row[n] = strings.ReplaceAll(clean(row[n]), "\n", " ")
		}
	}
	fmt.Fprint(t.out, table(rows, func(row, column int, cell string) string {
		if row == 0 {
			return t.paint(grey, cell)
		}
		return cell
	}))
	fmt.Fprintf(t.out, "\n%s. kesu attention show ID tells more.\n", plural(len(found.Items), "message"))
	return nil
}

// Run shows one message.
func (c attentionShow) Run(ctx context.Context, t terminal) error {
	found, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer found.Release(ctx)
	i, err := found.Pick(c.ID)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(t.out, map[string]any{"item": i, "attributes": i.Attributes, "body": jsonOrText(i.Body)})
	}
	rows := [][]string{{"id", i.ID}, {"queue", i.Queue}, {"kind", i.Kind}, {"since", i.Since.UTC().Format(time.RFC3339) + " (" + age(i.Age()) + ")"},
		{"deliveries", fmt.Sprint(i.Deliveries)}, {"reason", i.Reason}, {"what now", i.Advice()}}
	for _, row := range rows {
		row[1] = clean(row[1])
	}
	fmt.Fprint(t.out, table(rows, func(_, column int, cell string) string {
		if column == 0 {
			return t.paint(grey, cell)
		}
		return cell
	}))
	fmt.Fprintln(t.out)
	fmt.Fprintln(t.out, clean(indented(i.Body)))
	return nil
}

// jsonOrText gives JSON as it is, and anything else as text.
func jsonOrText(body []byte) any {
	if json.Valid(body) {
		return json.RawMessage(body)
	}
	return string(body)
}

func indented(body []byte) string {
	var out bytes.Buffer
	if json.Indent(&out, body, "", "  ") != nil {
		return string(body)
	}
	return out.String()
}

// age writes a time span as people say it.
func age(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return plural(int(d.Hours())/24, "day")
	case d >= 2*time.Hour:
		return plural(int(d.Hours()), "hour")
	case d >= 2*time.Minute:
		return plural(int(d.Minutes()), "minute")
	}
	return plural(int(d.Seconds()), "second")
}
