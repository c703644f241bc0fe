package console

import (
	"strings"
	"testing"

	"github.com/kesu-go/kesu/internal/explain"
	"github.com/kesu-go/kesu/internal/sandbox"
)

// TestAWrongSignatureIsExplainedAsOnTheCommandLine holds the page's words against the engine's.
func TestAWrongSignatureIsExplainedAsOnTheCommandLine(t *testing.T) {
	m := &sandbox.Merchant{Imageco: &sandbox.ImagecoSecret{ISSPID: "39493002", SystemID: "8888", Key: "3f9Aq27cKp0LzzTw"}}
	body := []byte(`{"isspid":"39493002","a":"b","sign":"` + strings.Repeat("0", 32) + `"}`)
	body = []byte(strings.Replace(string(body), strings.Repeat("0", 32), "C1A6C1D1B1E0B0D6A1F0E6F5A2B3C4D5", 1)) // of no text at all
	e := imagecoJSON(m, body)
	r, err := explain.Run(t.Context(), explain.Options{Message: body, For: "imageco", Secret: m.Secret()})
	if err != nil {
		t.Fatal(err)
	}
	if e.Verdict != wrong || e.Why != firstWords(r) || e.Why == "" || e.WhyChinese == "" || e.WhyChinese == e.Why {
		t.Errorf("%+v", e)
	}
	if e := imagecoJSON(m, []byte(`{"isspid":"1"}`)); e.Verdict != unsigned {
		t.Errorf("%+v", e)
	}
}
