package main

import (
	"context"
	"fmt"
	"os"

	"github.com/kesu-go/kesu/internal/attention"
)

// Run puts requests back.
func (c attentionRedrive) Run(ctx context.Context, t terminal) error {
	if c.All == (len(c.ID) > 0) {
		return usage("which messages? Name them, or give --all")
	}
	found, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer found.Release(ctx)
	chosen := found.Requests()
	if !c.All {
		if chosen, err = found.Redrivable(c.ID); err != nil {
			return err
		}
	}
	if len(chosen) == 0 {
		return report(t, c.JSON, nil)
	}
	if err := confirm(t, os.Stdin, c.Yes, fmt.Sprintf("Put %s back, to be carried out once more?", plural(len(chosen), "request"))); err != nil {
		return err
	}
	var deeds []attention.Deed
	for n, i := range chosen {
		if ctx.Err() != nil {
			break
		}
		if onTerminal(os.Stderr) && len(chosen) > manyToMove {
			fmt.Fprintf(t.err, "\r\x1b[K%d of %d", n+1, len(chosen))
		}
		deeds = append(deeds, found.Redrive(ctx, i, c.To))
	}
	return report(t, c.JSON, deeds)
}

// report prints what was done, and fails when something was not.
func report(t terminal, asJSON bool, deeds []attention.Deed) error {
	wrong := 0
	for _, d := range deeds {
		if d.Error != "" {
			wrong++
		}
	}
	var err error
	if wrong > 0 {
		err = failed()
	}
	if asJSON {
		if problem := writeJSON(t.out, map[string]any{"messages": append([]attention.Deed{}, deeds...)}); problem != nil {
			return problem
		}
		return err
	}
	if onTerminal(os.Stderr) && len(deeds) > manyToMove {
		fmt.Fprint(t.err, "\r\x1b[K")
	}
	for _, d := range deeds {
		if d.Error != "" {
			fmt.Fprintf(t.out, "%s %s: %s\n", t.paint(red, "✗"), d.ID, clean(d.Error))
			continue
		}
		fmt.Fprintf(t.out, "%s %s %s\n", t.paint(green, "✓"), d.ID, clean(d.Done))
	}
	if len(deeds) == 0 {
		fmt.Fprintln(t.out, "There was nothing to do.")
	}
	return err
}

// Run settles one message.
func (c attentionAnswer) Run(ctx context.Context, t terminal) error {
	if !c.Resend && !c.Drop {
		return usage("say --resend or --drop")
	}
	found, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer found.Release(ctx)
	i, err := found.Pick(c.ID)
	if err != nil {
		return err
	}
	settle := c.drop
	if c.Resend {
		settle = c.resend
	}
	done, err := settle(ctx, t, found, i)
	if err != nil {
		return err
	}
	return report(t, c.JSON, []attention.Deed{done})
}

// resend sends the identical reply again, after a look into the complaint's history and a yes.
func (c attentionAnswer) resend(ctx context.Context, t terminal, found *attention.Attention, i *attention.Item) (attention.Deed, error) {
	var text []byte // nil: the message's own
	if c.File != "" && i.UnknownReply() {
		if c.File == "-" && !c.Yes {
			return attention.Deed{}, usage("--file - takes standard input, so the question cannot be answered there; give --yes")
		}
		var err error
		if text, err = readInput(c.File, os.Stdin); err != nil {
			return attention.Deed{}, err
		}
	}
	prepared, err := found.Resend(i, text, c.To)
	if err != nil {
		return attention.Deed{}, err
	}
	watcher, err := c.onlooker(c.account())
	if err != nil {
		return attention.Deed{}, err
	}
	if err := prepared.Look(ctx, watcher); err != nil {
		return attention.Deed{}, err
	}
	if i.Look.Error != "" {
		fmt.Fprintf(t.err, "The reply was %s. The function looks before it sends.\n", clean(attention.SightingWords(i.Look)))
	}
	if err := confirm(t, os.Stdin, c.Yes, prepared.Question); err != nil {
		return attention.Deed{}, err
	}
	return prepared.Send(ctx)
}

// drop records that a person settled it, and takes it out of the queue.
func (c attentionAnswer) drop(ctx context.Context, t terminal, found *attention.Attention, i *attention.Item) (attention.Deed, error) {
	prepared, err := found.Drop(i, c.Note, c.By, c.Bus)
	if err != nil {
		return attention.Deed{}, err
	}
	if err := confirm(t, os.Stdin, c.Yes, prepared.Question); err != nil {
		return attention.Deed{}, err
	}
	return prepared.Record(ctx)
}
