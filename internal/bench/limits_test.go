package bench_test

import (
	"testing"

	"github.com/kesu-go/kesu/internal/bench"
)

// The functions are built as for Lambda, for the processor that the template names.
func TestTheFunctionsStaySmall(t *testing.T) {
	root, err := bench.Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{bench.Reply, bench.Complete} {
		path, err := bench.Build(t.Context(), root, t.TempDir(), program, "arm64")
		if err != nil {
			t.Fatal(err)
		}
		size, err := bench.SizeOf(path)
		if err != nil {
			t.Fatal(err)
		}
		if size.Binary > bench.BinaryLimit {
			t.Errorf("%s: the stripped binary has %d bytes; %d are allowed", program, size.Binary, bench.BinaryLimit)
		}
		if size.Zip > bench.ZipLimit {
			t.Errorf("%s: the zip has %d bytes; %d are allowed", program, size.Zip, bench.ZipLimit)
		}
	}
}
