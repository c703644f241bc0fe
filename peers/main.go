package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

func main() {
	tools := flag.String("tools", "", "folder with what scripts/peers-install installed")
	docs := flag.String("docs", "", "folder with sandbox.md and zh-CN/sandbox.md, whose tables are to be written")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *tools, *docs); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// run lets every client and every program use one sandbox, prints the tables, and writes them into the documents.
func run(ctx context.Context, tools, docs string) error {
	tools, err := filepath.Abs(tools) // the programs run in other folders
	if err != nil {
		return err
	}
	d, dir, err := start()
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	defer d.Close()
	t := &table{}
	for _, c := range clients(tools) {
		for _, public := range []bool{true, false} {
			e, err := newEnv(d, dir, c.name, public)
			if err != nil {
				return err
			}
			t.client(c.name, public, judge(ctx, d, e, c))
		}
	}
	if err := t.programs(ctx, d, dir, tools); err != nil {
		return err
	}
	fmt.Println(t.text(english))
	if t.bad > 0 {
		return fmt.Errorf("%d cells are red", t.bad)
	}
	if docs == "" {
		return nil
	}
	if err := t.write(filepath.Join(docs, "sandbox.md"), english); err != nil {
		return err
	}
	return t.write(filepath.Join(docs, "zh-CN", "sandbox.md"), chinese)
}

// start starts a sandbox in a folder of its own, on ports that are free.
func start() (*sandbox.Demo, string, error) {
	dir, err := os.MkdirTemp("", "kesu-peers-")
	if err != nil {
		return nil, "", err
	}
	for port := 10000 + time.Now().Nanosecond()%20000; ; port += 5 { // below those that the system hands out by itself
		d, err := sandbox.NewDemo(sandbox.Options{CreateOnSight: true, Folder: dir, FirstPort: port})
		if err == nil {
			return d, dir, nil
		}
		if port > 32000 {
			return nil, "", err
		}
	}
}

// newEnv is what a client is given. acme-both has both kinds of keys, acme-xml has a certificate only.
func newEnv(d *sandbox.Demo, dir, client string, public bool) (*env, error) {
	m, kind := d.XML, "certificate"
	if public {
		m, kind = d.Both, "public"
	}
	picture, err := writePicture(dir)
	return &env{URL: d.Primary.URL(), Dir: filepath.Join(dir, m.Name), Mchid: m.WechatPay.Mchid,
		SerialNo: m.WechatPay.SerialNo, APIv3Key: m.WechatPay.APIv3Key, PublicKeyID: d.PublicKey.ID,
		CertificateSerial: d.Certificate.ID, Public: public, Complaint: client + "-" + kind, Merchant: m.Name,
		Picture: picture}, err
}
