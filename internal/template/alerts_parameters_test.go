package template

import (
	"slices"
	"strings"
	"testing"
)

// whatChangesTheAlerts has, for each parameter, what it changes of the alerts with Watch on; a parameter that is not here
// changes nothing of them.
var whatChangesTheAlerts = map[string]string{
	"AlertWebhookUrl": "AlertDestination", "AlertWebhookKind": "AlertDueRule AlertLateRule AlertNewRule AlertUnknownRule",
	"EventBusName": "AlertDueRule AlertLateRule AlertNewRule AlertUnknownRule", "Watch": "AlertDeadLettersPolicy AlertDueRule AlertLateRule AlertNewRule",
	"AtRestKmsKeyArn": "AlertDeadLetters", "AlarmTopicArn": "AlertDeadLettersAlarm", "RunbookUrl": "AlertDeadLettersAlarm",
}

func TestEachParameterChangesWhatItIsForOfTheAlerts(t *testing.T) {
	transformed := transform(t, root)[0]
	theirs := func(id string) bool {
		return slices.Contains(behindAlerts, text(transformed, "Resources", id, "Condition"))
	}
	for _, p := range whatParametersChange {
		always := map[string]string{"AlertWebhookUrl": "https://example.com/other", "Watch": "on"}
		if p.parameter == "Watch" {
			always["Watch"] = "off"
		}
		of := slices.DeleteFunc(changed(transformed, always, p.parameter, p.value), func(id string) bool { return !theirs(id) })
		if got := strings.Join(of, " "); got != whatChangesTheAlerts[p.parameter] {
			t.Errorf("%s changes\n  %s\nand should change\n  %s", p.parameter, got, whatChangesTheAlerts[p.parameter])
		}
	}
}
