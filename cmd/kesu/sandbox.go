package main

import (
	"context"
	"text/template"

	"github.com/kesu-go/kesu/internal/sandbox"
)

type sandboxCommand struct {
	Dir  string `type:"path" default:"kesu-sandbox" placeholder:"DIR" help:"Folder that keeps ports, keys and complaints between starts; refused to others."`
	Port int    `placeholder:"PORT" help:"First of the five ports on 127.0.0.1. By default those that the folder has, or 8721."`
}

// Help is the example that kesu help shows.
func (sandboxCommand) Help() string {
	return `Both gateways, for programs that use other clients. The folder has each merchant's keys and certificates, a page with
one program for each client, and sandbox.json for programs. Prints a line for each call.

Examples:
  kesu sandbox
  kesu sandbox --dir ~/kesu-sandbox --port 9000

Exit codes: 0 after Ctrl-C; 1 it cannot start.`
}

// Run serves until the context ends.
func (c sandboxCommand) Run(ctx context.Context, t terminal) (err error) {
	out := &syncWriter{to: t.out}
	told := &teller{out: out, only: func(sandbox.Call) bool { return true }}
	d, err := sandbox.NewDemo(sandbox.Options{CreateOnSight: true, Folder: c.Dir, FirstPort: c.Port, Told: told.tell})
	if err != nil {
		return err
	}
	told.world.Store(d)
	defer func() {
		if failed := d.Close(); err == nil {
			err = failed
		}
	}()
	if err := sandboxWelcome.Execute(out, map[string]any{"Dir": c.Dir, "Demo": d}); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

var sandboxWelcome = template.Must(template.New("welcome").Parse(`Nothing leaves this machine; the keys are worth nothing.

  WeChat Pay {{.Demo.Primary.URL}} and {{.Demo.Backup.URL}}, instead of https://api.mch.weixin.qq.com
  翼码       {{.Demo.ImagecoHost.URL}}/
  keys       {{.Dir}}: a folder for each merchant with a README.md, and sandbox.json

Merchants: acme (JSON, public key), acme-xml (GBK XML, certificate), acme-both (JSON signed over GBK, both keys),
acme-wrong-key (its folder holds other keys than the gateways know). Any complaint id can be tried.

Calls follow. Ctrl-C ends it; the next start has the same ports, keys and complaints.
`))
