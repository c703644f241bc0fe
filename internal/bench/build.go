package bench

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

const module = "github.com/kesu-go/kesu/"

// The programs that are built; the first is the yardstick.
const (
	Bare     = "internal/bench/bare"
	Reply    = "functions/reply"
	Complete = "functions/complete"
	Watch    = "functions/watch"
)

// Build compiles one program of this module for Linux with the flags of the Makefile and returns its path in dir. root
// is the checkout; arch is "" for this machine's own.
func Build(ctx context.Context, root, dir, program, arch string, extra ...string) (string, error) {
	out := filepath.Join(dir, filepath.Base(program)+arch)
	args := append([]string{"build", "-tags", "lambda.norpc", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", out}, extra...)
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+program)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOFLAGS=")
	if arch != "" {
		cmd.Env = append(cmd.Env, "GOARCH="+arch)
	}
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", program, err, text)
	}
	return out, nil
}

// Size is what a program weighs, in bytes.
type Size struct{ Binary, Zip int64 }

// SizeOf weighs a compiled program, alone and as the zip that Lambda takes.
func SizeOf(path string) (Size, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Size{}, err
	}
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	entry, err := archive.Create("bootstrap")
	if err != nil {
		return Size{}, err
	}
	if _, err := entry.Write(text); err != nil {
		return Size{}, err
	}
	if err := archive.Close(); err != nil {
		return Size{}, err
	}
	return Size{int64(len(text)), int64(packed.Len())}, nil
}

// Root is the checkout that the working directory is in.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("not inside a checkout of %s", module)
		}
		dir = parent
	}
}
