package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/kesu-go/kesu/internal/operate"
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
		result, err := target.upload(ctx, t, p, c.JSON)
		if err != nil {
			return err
		}
		if !c.JSON {
			fmt.Fprintln(t.out, clean(result.MediaID))
		}
		results = append(results, shown(result))
	}
	if c.JSON {
		return writeJSON(t.out, results)
	}
	return nil
}

// picture is one file that is to be uploaded.
type picture struct {
	wire.Command
	sum string // of its bytes, in hex
}

// readPictures reads files and holds them against the rules of a picture.
func readPictures(merchant string, files []string) ([]picture, error) {
	var pictures []picture
	for _, file := range files {
		data, err := readPicture(file)
		if err != nil {
			return nil, usage(filepath.Base(file) + " cannot be read")
		}
		request := wire.ReadPicture(wire.PictureRequest{Merchant: merchant, ContentType: http.DetectContentType(data),
			Filenames: []string{filepath.Base(file)}, Body: data})
		if len(request.Problems) > 0 {
			return nil, usage(filepath.Base(file) + ": " + wordsOf(request))
		}
		sum := sha256.Sum256(data)
		pictures = append(pictures, picture{request.Command, hex.EncodeToString(sum[:])})
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

// wordsOf lists all that is wrong with a request.
func wordsOf(r wire.Request) string {
	var list []string
	for _, p := range r.Problems {
		list = append(list, strings.TrimSpace(strings.TrimPrefix(p.Pointer, "/")+" "+p.Detail))
	}
	return strings.Join(list, "; ")
}

// upload sends one picture to the API. What is no success is shown, and is an error.
func (t target) upload(ctx context.Context, term terminal, p picture, asJSON bool) (wire.Result, error) {
	if t.bus != "" || t.local {
		return wire.Result{}, usage("pictures are uploaded by HTTP, not over a bus; upload them first with kesu send image")
	}
	address := t.base + "/merchants/" + p.Merchant + "/images?filename=" + url.QueryEscape(p.Picture.Filename)
	status, header, answer, err := t.postAs(ctx, address, p.Picture.MediaType, p.Picture.Data)
	if err != nil {
		return wire.Result{}, err
	}
	var result wire.Result
	switch {
	case json.Unmarshal(answer, &result) != nil || result.Outcome == "":
		return wire.Result{}, notFromTheFunction(status, answer)
	case !agrees(status, result.Outcome) || result.Outcome == wire.Succeeded && result.MediaID == "":
		return wire.Result{}, operate.New(operate.Unknown, fmt.Sprintf("the answer contradicts itself: HTTP %d, and an outcome of %s", status, clean(string(result.Outcome))))
	case result.Outcome != wire.Succeeded:
		return wire.Result{}, showResult(term, result, header.Get("Retry-After"), asJSON)
	}
	return result, nil
}

// withPictures uploads the values of --image that are files, and gives their ids in their place.
//
// The ids of pictures are new each time, so the reply's content is no key by which the ledger could know the same command
// again: without a key of its own it gets one that is made of its words and of the files.
func (c sendReply) withPictures(ctx context.Context, t terminal, members map[string]any) error {
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
	if _, err := c.order(wire.Reply, trial); err != nil {
		return err
	}
	sums := sha256.New()
	for i, next := 0, 0; i < len(ids) && next < len(files); i++ {
		if ids[i] != files[next] {
			continue
		}
		fmt.Fprintf(sums, "%s\n", pictures[next].sum)
		ids[i] = "the-id-of-" + pictures[next].sum // what a dry run shows
		if !c.DryRun {
			result, err := target.upload(ctx, t, pictures[next], c.JSON)
			if err != nil {
				return err
			}
			ids[i] = result.MediaID
		}
		next++
	}
	members["response_images"] = ids
	if c.IdempotencyKey == "" {
		fmt.Fprintf(sums, "%q %q %q %q %q", c.Content, c.JumpURL, c.JumpURLText, c.SellerAccount, c.File)
		members["idempotency_key"] = "pictures-" + hex.EncodeToString(sums.Sum(nil))
	}
	return nil
}
