package wire_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

const (
	complaintID   = "200201820200101080076610000"
	transactionID = "resp202406170000000001"
)

var at = time.Date(2026, 11, 21, 8, 0, 0, 999_000_000, time.FixedZone("", 0))

// golden reads the exact bytes of a message; testdata/README.md says where they come from.
func golden(t testing.TB, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
