package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"

	"github.com/kesu-go/kesu/internal/send"
	"github.com/kesu-go/kesu/pkg/strictjson"
	"github.com/kesu-go/kesu/pkg/wire"
)

type sendImage struct {
	Files    []string `arg:"" name:"file" type:"existingfile" help:"A picture: JPEG, PNG or BMP, at most 2 MiB."`
	Merchant string   `placeholder:"NAME" required:"" help:"The merchant."`
	targetFlags
	awsFlags
	jsonFlag
}

// Help is the example that kesu help shows.
func (sendImage) Help() string {
	return `Uploads pictures to WeChat Pay and prints their ids, one a line, for kesu send reply --image. Uploading a picture again is harmless: it gives another id.

Examples:
  kesu send image --merchant acme receipt.png parcel.jpg
  kesu send reply --merchant acme --complaint 2001 --content 已退款 --image receipt.png

Exit codes: as for kesu send.`
}

// Run uploads the pictures.
func (c sendImage) Run(ctx context.Context, t terminal) error {
	pictures, err := readPictures(c.Merchant, c.Files)
	if err != nil {
		return err
	}
	target, err := c.find(ctx, c.account())
	if err != nil {
		return err
	}
	results := []wire.Result{}
	for _, p := range pictures {
		result, err := upload(ctx, t, target, p, c.JSON)
		if err != nil {
			return err
		}
		if !c.JSON {
			fmt.Fprintln(t.out, clean(result.MediaID))
		}
		results = append(results, *result)
	}
	if c.JSON {
		return writeJSON(t.out, results)
	}
	return nil
}

// readPictures reads files and holds them against the rules of a picture.
func readPictures(merchant string, files []string) ([]send.Picture, error) {
	var pictures []send.Picture
	for _, file := range files {
		data, err := readPicture(file)
		if err != nil {
			return nil, usage(filepath.Base(file) + " cannot be read")
		}
		picture, err := send.NewPicture(merchant, filepath.Base(file), data)
		if err != nil {
			return nil, err
		}
		pictures = append(pictures, picture)
	}
	return pictures, nil
}

// readPicture reads a file, and of one that is too long as much as shows it.
func readPicture(file string) ([]byte, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return io.ReadAll(io.LimitReader(in, wire.MaxPicture+1))
}

// upload sends one picture to the API. What is no success is shown, and is an error.
func upload(ctx context.Context, t terminal, to send.Target, p send.Picture, asJSON bool) (*wire.Result, error) {
	report, err := to.Upload(ctx, p)
	if err == nil && report.Result.Outcome != wire.Succeeded {
		err = showResult(t, report, asJSON)
	}
	return report.Result, err
}

// withPictures uploads the values of --image that are files, and gives their ids in their place. A reply without a key of its
// own gets one that knows it again although the ids are others.
func (c sendReply) withPictures(
	ctx context.Context, t terminal, given map[string]json.RawMessage, members map[string]any,
) error {
	ids := append([]string{}, c.Image...)
	var files []string
	for _, value := range c.Image {
		if info, err := os.Stat(value); err == nil && info.Mode().IsRegular() {
			files = append(files, value)
		}
	}
	if len(files) == 0 {
		return nil
	}
	pictures, err := readPictures(c.Merchant, files)
	if err != nil {
		return err
	}
	target, err := c.find(ctx, c.account())
	if err != nil {
		return err
	}
	trial := maps.Clone(members) // what is wrong with the reply is told before a picture is sent
	trial["response_images"] = ids
	if _, err := c.order(wire.Reply, given, trial); err != nil {
		return err
	}
	for i, next := 0, 0; i < len(ids) && next < len(files); i++ {
		if ids[i] != files[next] {
			continue
		}
		ids[i] = "the-id-of-" + pictures[next].Sum // what a dry run shows
		if !c.DryRun {
			result, err := upload(ctx, t, target, pictures[next], c.JSON)
			if err != nil {
				return err
			}
			ids[i] = result.MediaID
		}
		next++
	}
	members["response_images"] = ids
	if c.IdempotencyKey == "" {
		file, err := strictjson.Encode(given)
		if err != nil {
			return err
		}
		members["idempotency_key"] = send.KeyWithPictures(pictures, c.Content, c.JumpURL, c.JumpURLText, c.SellerAccount, string(file))
	}
	return nil
}
