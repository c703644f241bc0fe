package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	yaml "github.com/oasdiff/yaml3"

	"github.com/kesu-go/kesu/api"
	"github.com/kesu-go/kesu/internal/sandbox"
)

// eventSchemas are the schemas of api/asyncapi.yaml by the detail-type that they are for. Its schemas are those that OpenAPI
// knows too.
func eventSchemas(t *testing.T) map[string]*openapi3.Schema {
	t.Helper()
	var document struct {
		Components struct {
			Schemas map[string]any
		}
	}
	if err := yaml.Unmarshal(api.AsyncAPI, &document); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{"openapi": "3.0.3", "info": map[string]any{"title": "kesu", "version": "1"},
		"paths": map[string]any{}, "components": map[string]any{"schemas": document.Components.Schemas}})
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*openapi3.Schema{}
	for kind, name := range map[string]string{"ComplaintReceived": "ReceivedEvent", "ComplaintChanged": "ChangedEvent", "ComplaintDue": "DueEvent"} {
		found[kind] = wrapped.Components.Schemas[name].Value
	}
	return found
}

// holds reports how an event differs from the schema of its detail-type; nil when it does not.
func holds(t *testing.T, schemas map[string]*openapi3.Schema, text []byte) error {
	t.Helper()
	var event map[string]any
	if err := json.Unmarshal(text, &event); err != nil {
		t.Fatal(err)
	}
	kind, _ := event["detail-type"].(string)
	return schemas[kind].VisitJSON(event)
}

func TestWhatIsPublishedAndTheSamplesAreWhatTheDocumentSays(t *testing.T) {
	t.Parallel()
	schemas := eventSchemas(t)
	w := newWatcher(t)
	full, bare := w.old(25*time.Hour), w.complaint("acme")
	w.State.AskImmediate("acme", full)
	w.State.AttachPictures("acme", full, w.State.AddPicture(sandbox.Picture{Merchant: "acme", Media: "image/png", Data: []byte("x")}))
	if got := w.notify(full, "CREATE_COMPLAINT"); got != 204 {
		t.Fatalf("answered %d", got)
	}
	w.Primary.Faults.Next(sandbox.Fault{Status: http.StatusForbidden, Code: "NO_AUTH"})
	for _, id := range []string{bare, full} {
		if got := w.notify(id, "USER_RESPONSE"); got != 204 {
			t.Fatalf("answered %d", got)
		}
	}
	w.sweep()
	kinds := map[string]int{}
	for _, e := range w.Bus.Events() {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		kinds[e.DetailType]++
		if err := holds(t, schemas, text); err != nil {
			t.Errorf("%s: %v\n%s", e.DetailType, err, text)
		}
		if strings.Contains(string(text), sandbox.PayerPhone) || strings.Contains(string(text), "oUpF8uMuAJO") {
			t.Errorf("it tells of the payer: %s", text)
		}
	}
	if kinds["ComplaintReceived"] == 0 || kinds["ComplaintChanged"] < 2 || kinds["ComplaintDue"] == 0 {
		t.Errorf("published %v", kinds)
	}

	samples, err := filepath.Glob("../../events/complaint-*.json")
	if err != nil || len(samples) != len(schemas) {
		t.Fatalf("%v: samples %v", err, samples)
	}
	for _, sample := range samples {
		text, err := os.ReadFile(sample)
		if err != nil {
			t.Fatal(err)
		}
		if err := holds(t, schemas, text); err != nil {
			t.Errorf("%s: %v", sample, err)
		}
		for _, spoilt := range []string{`"payer_phone":"1",`, `"payer_openid":"o",`} {
			changed := strings.Replace(string(text), `"merchant"`, spoilt+`"merchant"`, 1)
			if holds(t, schemas, []byte(changed)) == nil {
				t.Errorf("%s with %s is what the document says", sample, spoilt)
			}
		}
	}
}
