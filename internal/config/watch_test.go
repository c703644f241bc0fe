package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/config"
)

func TestTheWatchersSettings(t *testing.T) {
	base := env{"RESULT_BUS": "bus", "LEDGER_TABLE": "ledger"}
	got, err := config.ReadWatch(base.get)
	if err != nil || got.RatePerMinute != 180 || got.LedgerTTL != 840*time.Hour || len(got.WarnBefore) != 2 || got.WarnBefore[0] != 4*time.Hour ||
		got.Everybody || len(got.Merchants) != 0 || len(got.Hosts) != 2 {
		t.Errorf("%+v %v", got, err)
	}
	for _, row := range []struct {
		name, value string
		says        string // "" is right
	}{
		{"RESULT_BUS", "", "RESULT_BUS is required"},
		{"LEDGER_TABLE", "", "LEDGER_TABLE is required"},
		{"WATCH_MERCHANTS", "*", ""},
		{"WATCH_MERCHANTS", "acme, other", ""},
		{"WATCH_MERCHANTS", "acme,*", "WATCH_MERCHANTS must be"},
		{"WATCH_WARN_BEFORE", "1h, 30m,1h", ""},
		{"WATCH_WARN_BEFORE", "24h", "WATCH_WARN_BEFORE must be"},
		{"WATCH_WARN_BEFORE", "-1h", "WATCH_WARN_BEFORE must be"},
		{"WATCH_QUEUE", "https://sqs.ap-east-1.amazonaws.com/1/q", ""},
		{"WATCH_QUEUE", "http://sqs.ap-east-1.amazonaws.com/1/q", "WATCH_QUEUE is not"},
		{"WATCH_TTL", "119h", "WATCH_TTL must be"},
		{"WATCH_TTL", "120h", ""},
		{"READ_RATE_PER_MINUTE", "0", ""},
	} {
		changed := env{row.name: row.value}
		for name, value := range base {
			if name != row.name {
				changed[name] = value
			}
		}
		_, err := config.ReadWatch(changed.get)
		if (err == nil) != (row.says == "") || err != nil && !strings.HasPrefix(err.Error(), row.says) {
			t.Errorf("%s=%s: %v", row.name, row.value, err)
		}
	}
	local := env{"RESULT_BUS": "bus", "AWS_ENDPOINT_URL_EVENTBRIDGE": "http://127.0.0.1:9"}
	if _, err := config.ReadWatch(local.get); err != nil {
		t.Errorf("on this machine: %v", err)
	}
}
