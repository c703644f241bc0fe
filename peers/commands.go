package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// limit is how long one client or program may take, with a cold Java virtual machine on a busy machine.
const limit = 2 * time.Minute

// client is one client of WeChat Pay's.
type client struct {
	name string
	run  func(context.Context, *env) ([]done, error)
}

func clients(tools string) []client {
	all := []client{{"wechatpay-go", runWechatpayGo}, {"gopay", runGopay}}
	if tools == "" {
		return all
	}
	here, err := filepath.Abs(".")
	if err != nil {
		here = "."
	}
	t := toolbox{tools}
	return append(all,
		client{"wechatpay-java", t.external(t.java(filepath.Join(here, "java", "WechatpayJava.java")))},
		client{"WxJava", t.external(t.java(filepath.Join(here, "java", "WxJava.java")))},
		client{"wechatpayv3", t.external(t.python(filepath.Join(here, "python", "wechatpayv3_peer.py")))},
		client{"wechatpay-axios-plugin", t.external(t.node(filepath.Join(here, "node", "axios.js")))},
		client{"wechatpay-node-v3", t.external(t.node(filepath.Join(here, "node", "nodev3.js")))})
}

// toolbox knows the commands that run a program in each language.
type toolbox struct{ dir string }

func (t toolbox) java(file string) []string {
	return []string{"java", "-Dfile.encoding=UTF-8", "-cp", filepath.Join(t.dir, "java", "lib") + "/*", file}
}

func (t toolbox) python(file string) []string {
	return []string{filepath.Join(t.dir, "python", "bin", "python"), file}
}

func (t toolbox) node(file string) []string { return []string{"node", file} }

func (t toolbox) environment(more ...string) []string {
	return append(append(os.Environ(), "NODE_PATH="+filepath.Join(t.dir, "node", "node_modules"), "PYTHONIOENCODING=utf-8",
		"NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1"), more...)
}

// external runs a client as a program that prints a line of JSON for each operation, among whatever else it prints.
func (t toolbox) external(command []string) func(context.Context, *env) ([]done, error) {
	return func(ctx context.Context, e *env) ([]done, error) {
		keys, theirs := "certificate", e.CertificateSerial
		if e.Public {
			keys, theirs = "public", e.PublicKeyID
		}
		scratch, err := os.MkdirTemp("", "kesu-peer-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(scratch)
		out, err := t.command(ctx, e.Dir, command, "URL="+e.URL, "FOLDER="+e.Dir, "MCHID="+e.Mchid, "SERIAL_NO="+e.SerialNo,
			"KEYS="+keys, "THEIR_SERIAL="+theirs, "COMPLAINT="+e.Complaint, "MERCHANT="+e.Merchant, "PICTURE="+e.Picture,
			"REPLY="+replyText, "ECHO="+echoText, "SCRATCH="+scratch)
		var all []done
		for line := range bytes.Lines(out) {
			var d done
			if json.Unmarshal(line, &d) == nil && d.Operation != "" {
				all = append(all, d)
			}
		}
		return all, err
	}
}

// command runs a program in a folder and returns what it printed; an error has the end of what it printed.
func (t toolbox) command(ctx context.Context, dir string, command []string, more ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir, cmd.Env = dir, t.environment(more...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return out, fmt.Errorf("%w: %s", err, out[max(0, len(out)-600):])
	}
	return out, nil
}
