// Package layout holds the rules of the layout: which package may import which, how long a file may be, what documents cite. docs/architecture.md says why.
package layout

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/kesu-go/kesu/"

// floors are the rooms from the ground up. A room may import rooms of lower floors only.
var floors = [][]string{
	{"pkg/signing", "pkg/redact", "pkg/strictjson", "pkg/gbk", "internal/version", "internal/budget"},
	{"pkg/wire"},
	{"pkg/wire/imageco", "pkg/wire/wechatpay"},
	{"internal/telemetry", "internal/config", "internal/merchant", "internal/ledger", "internal/sighting"},
	{"internal/pace"},
	{"internal/gateway"},
	{"internal/wechatpay"},
	{"internal/pipeline"},
	{"internal/lambdaio", "functions/reply/reply", "functions/complete/completion"},
	{"internal/watch"},
	{"internal/assembly"},
	{"internal/assembly/watching"},
	{"functions/reply", "functions/complete", "functions/watch"},
}

// besides are rooms that no function may have in it: they stand beside the floors.
var besides = []string{"internal/sandbox", "internal/console", "internal/bench", "internal/e2e", "internal/template", "internal/simulation",
	"internal/explain", "internal/doctor", "internal/pasted", "internal/advice", "internal/secretfile",
	"internal/ledger/mototest", "internal/onboard", "internal/smoke", "internal/operate", "internal/send", "internal/attention",
	"internal/feed", "internal/notifyurl",
	"cmd/", "api"}

// modules are what the functions are made of.
var modules = []string{
	"github.com/aws/aws-lambda-go", "github.com/aws/aws-sdk-go-v2", "github.com/aws/smithy-go",
	"golang.org/x/text", "golang.org/x/sync",
	"github.com/sony/gobreaker/v2",
}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list %v: %v", args, err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func TestImportsRunDownwards(t *testing.T) {
	floor := map[string]int{}
	for i, rooms := range floors {
		for _, room := range rooms {
			floor[room] = i
		}
	}
	seen := 0
	for _, line := range goList(t, "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"...") {
		room, imports, _ := strings.Cut(strings.TrimPrefix(line, module), " ")
		from, known := floor[room]
		if !known {
			continue
		}
		seen++
		for imported := range strings.SplitSeq(imports, " ") {
			imported, ours := strings.CutPrefix(imported, module)
			if to, known := floor[imported]; ours && (!known || to >= from) {
				t.Errorf("%s imports %s, which is not below it", room, imported)
			}
		}
	}
	if seen != len(floor) {
		t.Errorf("%d of %d rooms were found", seen, len(floor))
	}
}

func TestTheFunctionsHoldOnlyWhatTheyNeed(t *testing.T) {
	for _, imported := range goList(t, "-deps", "-f", `{{if not .Standard}}{{.ImportPath}}{{end}}`, module+"functions/...") {
		if imported == "" {
			continue
		}
		if room, ours := strings.CutPrefix(imported, module); ours {
			if slices.ContainsFunc(besides, func(b string) bool { return strings.HasPrefix(room, b) }) {
				t.Errorf("the functions hold %s", room)
			}
			continue
		}
		if !slices.ContainsFunc(modules, func(m string) bool { return imported == m || strings.HasPrefix(imported, m+"/") }) {
			t.Errorf("the functions hold %s, which is not on the list", imported)
		}
	}
}

func TestTheSandboxStandsOnPkgAndThePublishedInterface(t *testing.T) {
	for _, imported := range goList(t, "-f", `{{join .Imports "\n"}}`, module+"internal/sandbox") {
		if room, ours := strings.CutPrefix(imported, module); ours && !strings.HasPrefix(room, "pkg/") && room != "api" {
			t.Errorf("the sandbox imports %s: it is the other side of the wire", room)
		}
	}
}
