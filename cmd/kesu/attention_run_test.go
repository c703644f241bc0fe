package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"
)

// What kesu run prints about attention is done here as it is printed: a reply that the gateway refused waits for a person,
// is shown, and is settled.
func TestAttentionIsPractisedOnTheSandbox(t *testing.T) {
	t.Parallel()
	welcome := runs(t)
	find := func(pattern string) string {
		found := regexp.MustCompile(pattern).FindStringSubmatch(welcome)
		if found == nil {
			t.Fatalf("there is no %s in\n%s", pattern, welcome)
		}
		return found[1]
	}
	env := strings.Fields(find(`(?m)^  export (.*)$`))
	queue, bus := find(`attention list --look --queue (\S+)`), find(`--bus (\S+)`)
	answer := fetch(t, `-sS `+find(`gateway +(http://\S+)`)+`/events -H 'Content-Type: application/json' -d '{"Source":"shop","DetailType":`+
		`"ComplaintReplyRequested","Detail":"{\"merchant\":\"acme\",\"complaint_id\":\"7404\",\"response_content\":\"已处理\"}"}'`)
	if !strings.Contains(answer, `"FailedEntryCount":0`) {
		t.Fatalf("the event is not taken: %s", answer)
	}

	var list struct {
		Items []struct {
			ID          string `json:"id"`
			ComplaintID string `json:"complaint_id"`
			Outcome     string `json:"outcome"`
		} `json:"items"`
	}
	look := func() int {
		o := process{args: []string{"attention", "list", "--queue", queue, "--json"}, env: env}.run(t)
		if err := json.Unmarshal([]byte(o.out), &list); o.code != 0 || err != nil {
			t.Fatalf("list ends with %d: %v\n%s%s", o.code, err, o.out, o.errors)
		}
		return len(list.Items)
	}
	for end := time.Now().Add(time.Minute); look() == 0; {
		if time.Now().After(end) {
			t.Fatalf("nothing waits for a person; settled: %s", fetch(t, `-sS `+find(`gateway +(http://\S+)`)+`/events`))
		}
	}
	if m := list.Items[0]; m.ComplaintID != "7404" || m.Outcome != "rejected" {
		t.Fatalf("%+v waits", list.Items)
	}
	id := list.Items[0].ID
	if o := (process{args: []string{"attention", "show", "--queue", queue, id}, env: env}).run(t); o.code != 0 || !strings.Contains(o.out, "已处理") {
		t.Errorf("show ends with %d and does not show the words: %s%s", o.code, o.out, o.errors)
	}
	o := process{args: []string{"attention", "answer", "--queue", queue, id, "--drop", "--note", "there is no such complaint",
		"--bus", bus, "--by", "me", "--yes"}, env: env}.run(t)
	if o.code != 0 || look() != 0 {
		t.Errorf("drop ends with %d, and %d wait:\n%s%s", o.code, len(list.Items), o.out, o.errors)
	}
}
