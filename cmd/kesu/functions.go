package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// functionsFlag says where the compiled functions are.
type functionsFlag struct {
	Functions string `type:"path" placeholder:"DIR" help:"Directory with the compiled functions reply, complete and watch. By default the directory functions beside this program."`
}

// programs finds the compiled functions.
func (f functionsFlag) programs() (sandbox.Programs, error) {
	dir := f.Functions
	if dir == "" {
		self, err := os.Executable()
		if err != nil {
			return sandbox.Programs{}, err
		}
		dir = filepath.Join(filepath.Dir(self), "functions")
	}
	p := sandbox.Programs{Reply: filepath.Join(dir, "reply"), Complete: filepath.Join(dir, "complete"), Watch: filepath.Join(dir, "watch")}
	for _, path := range []string{p.Reply, p.Complete, p.Watch} {
		stat, err := os.Stat(path)
		if err != nil || !stat.Mode().IsRegular() {
			return p, fmt.Errorf("there is no compiled function at %s; run `make build` first, or say where it is with --functions", path)
		}
	}
	return p, nil
}

// startDemo starts the sandbox with the demo merchants, the functions and the local gateway, and returns the gateway's URL.
// The caller closes the demo.
func startDemo(ctx context.Context, o sandbox.Options, p sandbox.Programs, address string) (*sandbox.Demo, string, error) {
	l, err := sandbox.Listen(address) // first, so that a port in use is told before anything is started
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, "", fmt.Errorf("%s is in use by another program; end it, or choose another port with --port", address)
	}
	if err != nil {
		return nil, "", err
	}
	d, err := sandbox.NewDemo(o)
	if err != nil {
		return nil, "", errors.Join(err, l.Close())
	}
	if err := d.StartFunctions(ctx, p); err != nil {
		return nil, "", errors.Join(err, d.Close(), l.Close())
	}
	url, err := d.Serve(l)
	if err != nil {
		return nil, "", errors.Join(err, d.Close())
	}
	for _, m := range []*sandbox.Merchant{d.Acme, d.XML, d.Both, d.WrongKey} {
		if m != nil {
			d.SetNotificationURL(m, sandbox.NotificationURL(url, m.Name))
		}
	}
	return d, url, nil
}
