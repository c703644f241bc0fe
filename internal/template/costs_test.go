package template

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/telemetry"
)

// size is how much a stack has to do in a month.
type size struct {
	complaints, merchants float64
	processes             float64 // of each function, that hold keys at the same time
	packs                 float64 // secrets when many merchants share one
}

var sizes = []size{{1e3, 1, 2, 1}, {1e6, 10, 2, 1}, {3e7, 10_000, 4, 1200}}

const (
	hours = 730.0 // a month's
	reads = 12.0  // an hour's, of one key in one process: SecretSoftTtl is five minutes
)

// keyReads are the reads of a month: each process reads each secret twelve times an hour, but not more often than it has a
// command to carry out.
func keyReads(s size, secrets float64) float64 {
	return min(reads*hours*secrets*2*s.processes, 2*s.complaints)
}

// traces are what X-Ray's default rule samples: one a second, and 5 percent of the others.
func traces(s size) float64 { return min(2*s.complaints, 3600*hours+0.05*2*s.complaints) }

// costLine is one line of the table in docs/deploy.md: what it is, how it is worked out, and what that gives in US dollars.
type costLine struct {
	line, how string
	cost      func(s size) float64
}

// costLines are the lines of every stack. Prices are those that docs/deploy.md names, for US East (N. Virginia).
func costLines(d *deployment) []costLine {
	metrics, watched := ownMetricCount(), alarmMetrics(d.template)
	return []costLine{
		{"EventBridge, events put", "4 for each complaint (2 requests, 2 settled), 1.00 a million", func(s size) float64 { return 4 * s.complaints * 1.00e-6 }},
		{"EventBridge, archive", "2 KB for each complaint, 0.10 a GB in, 0.023 a GB-month kept for 14 days", func(s size) float64 { return 2e-6 * s.complaints * (0.10 + 0.023*14/30) }},
		{"SQS, messages", "6 requests for each complaint (send, receive, delete), 0.40 a million", func(s size) float64 { return 6 * s.complaints * 0.40e-6 }},
		{"SQS, idle polling", "2 queues × 5 pollers × 3 a minute × 43,800 minutes = 1.3 million requests", func(size) float64 { return 2 * 5 * 3 * 60 * hours * 0.40e-6 }},
		{"Lambda, requests", "2 for each complaint at most (a batch is one), 0.20 a million", func(s size) float64 { return 2 * s.complaints * 0.20e-6 }},
		{"Lambda, time", "2 × 0.3 s × 0.25 GB = 0.15 GB-s for each complaint, arm64 0.0000133334", func(s size) float64 { return 0.15 * s.complaints * 0.0000133334 }},
		{"DynamoDB, writes", "10 units for each complaint (pace 1, claim 1, settle 2, twice; 2 for the words of a reply that can be looked for), on demand 0.625 a million", func(s size) float64 { return 10 * s.complaints * 0.625e-6 }},
		{"DynamoDB, storage and recovery", "2 items of 1 KB kept for 15 days, 0.25 + 0.20 a GB-month", func(s size) float64 { return 2e-6 * s.complaints * 0.5 * (0.25 + 0.20) }},
		{"CloudWatch, logs", "5 KB for each complaint, 0.50 a GB in, 0.03 a GB-month", func(s size) float64 { return 5e-6 * s.complaints * (0.50 + 0.03) }},
		{"CloudWatch, metrics", fmt.Sprintf("%.0f at most (160 by action, gateway and outcome, 16 by function, 8 by version), 0.30 each", metrics), func(size) float64 { return metrics * 0.30 }},
		{"CloudWatch, alarms", fmt.Sprintf("they watch %.0f metrics together, 0.10 each", watched), func(size) float64 { return watched * 0.10 }},
		{"CloudWatch, dashboard", "3.00", func(size) float64 { return 3 }},
		{"X-Ray", "the default rule: one trace a second and 5 % of the others, 5.00 a million", func(s size) float64 { return traces(s) * 5e-6 }},
		{"Data out", "4 KB for each complaint, 0.09 a GB", func(s size) float64 { return 4e-6 * s.complaints * 0.09 }},
	}
}

const (
	notifications = 4.0       // of a complaint: it arrives, is answered, the consumer adds something, it is settled
	sweepsAMonth  = 4 * hours // of each merchant: one every 15 minutes
)

// watchLines are the lines that Watch adds. What one notification and one sweep ask of DynamoDB is counted from the calls of
// internal/watch: two claims, the pace, two settlings and the book; the book read and written, and the pace for two pages.
func watchLines(t *testing.T) []costLine {
	sweeps := func(s size) float64 { return sweepsAMonth * s.merchants }
	metrics := watcherMetricCount(len(regexp.MustCompile(`reason = "`).FindAllString(read(t, "internal/watch/refusal.go"), -1)))
	watched := alarmMetrics(node{"Resources": toAny(behind(loadWhole(t), behindWatch))})
	return []costLine{
		{"Watch, HTTP API", "4 notifications for each complaint, 1.00 a million", func(s size) float64 { return notifications * s.complaints * 1.00e-6 }},
		{"Watch, Lambda requests", "the notifications, and 2,920 sweeps of each merchant, 0.20 a million", func(s size) float64 { return (notifications*s.complaints + sweeps(s)) * 0.20e-6 }},
		{"Watch, Lambda time", "0.3 s for a notification, 0.6 s for a sweep, 0.25 GB, arm64 0.0000133334", func(s size) float64 {
			return (0.3*notifications*s.complaints + 0.6*sweeps(s)) * 0.25 * 0.0000133334
		}},
		{"Watch, DynamoDB", "6 writes for a notification; 3 writes and a read for a sweep; 0.625 and 0.125 a million", func(s size) float64 {
			return (6*notifications*s.complaints+3*sweeps(s))*0.625e-6 + sweeps(s)*0.125e-6
		}},
		{"Watch, SQS", "2.1 requests for a sweep (sent ten at a time), and 5 idle pollers × 3 a minute, 0.40 a million", func(s size) float64 {
			return (2.1*sweeps(s) + 5*3*60*hours) * 0.40e-6
		}},
		{"Watch, events put", "5 for each complaint (4 notifications, 1 that it comes due), 1.00 a million", func(s size) float64 { return 5 * s.complaints * 1.00e-6 }},
		{"Watch, Secrets Manager reads", "one for a sweep, and the list of 100 names at a time, 0.05 for 10,000", func(s size) float64 {
			return (sweeps(s) + sweepsAMonth*math.Ceil(s.merchants/100)) * 5e-6
		}},
		{"Watch, logs", "1 KB for a notification, 0.5 KB for a sweep, 0.50 a GB in, 0.03 a GB-month", func(s size) float64 {
			return (notifications*s.complaints + 0.5*sweeps(s)) * 1e-6 * (0.50 + 0.03)
		}},
		{"Watch, metrics and alarms", fmt.Sprintf("%.0f metrics at most (3 by event, 16 by reason, 2 by function), 0.30 each, and %.0f that its alarms watch, 0.10 each", metrics, watched),
			func(size) float64 { return metrics*0.30 + watched*0.10 }},
	}
}

func toAny(resources map[string]node) node {
	all := node{}
	for id, resource := range resources {
		all[id] = resource
	}
	return all
}

var (
	ownSecrets = []costLine{
		{"Secrets Manager, one secret each", "0.40 each", func(s size) float64 { return 0.40 * s.merchants }},
		{"Secrets Manager, reads of them", "12 an hour for each secret, function and process (2, 2 and 4 processes), one for each command at most, 0.05 for 10,000", func(s size) float64 { return keyReads(s, s.merchants) * 5e-6 }},
	}
	packs = []costLine{
		{"Secrets Manager, packed", "1, 1 and 1,200 secrets, 0.40 each", func(s size) float64 { return 0.40 * s.packs }},
		{"Secrets Manager, reads of them, packed", "as above", func(s size) float64 { return keyReads(s, s.packs) * 5e-6 }},
	}
	fixedAddresses = []costLine{
		{"NAT gateways", "2 × 730 hours, 0.045 each", func(size) float64 { return 2 * hours * 0.045 }},
		{"Their addresses", "2 × 730 hours, 0.005 each", func(size) float64 { return 2 * hours * 0.005 }},
		{"NAT, data", "20 KB for each complaint, 0.045 a GB", func(s size) float64 { return 20e-6 * s.complaints * 0.045 }},
	}
)

// ownMetricCount is how many metrics the functions can write which carry out commands: each combination of dimensions is
// one. Replies go through two gateways, and completions and pictures through one.
func ownMetricCount() float64 {
	return countMetrics(ofCommands, map[string]float64{"action outcome provider": 4 * 4, "function": 2, "function version": 2})
}

// watcherMetricCount is how many functions/watch can write: one for each of three events, for each reason to refuse.
func watcherMetricCount(reasons int) float64 {
	return countMetrics(ofWatcher, map[string]float64{"detail_type function": 3, "function reason": float64(reasons), "function": 1})
}

func countMetrics(written func(*telemetry.Metrics, time.Time), combinations map[string]float64) float64 {
	_, bySet := ownMetrics(written)
	total := 0.0
	for set, metrics := range bySet {
		total += combinations[set] * float64(len(metrics))
	}
	return total
}

// alarmMetrics is how many metrics the alarms watch: CloudWatch bills an alarm by them.
func alarmMetrics(template node) float64 {
	ids, properties := ofType(template, "AWS::CloudWatch::Alarm")
	total := 0
	for _, id := range ids {
		total += len(watchedMetrics(properties[id]))
	}
	return float64(total)
}

func dollars(v float64) string {
	cents := fmt.Sprintf("%.2f", math.Round(v*100)/100)
	whole, part, _ := strings.Cut(cents, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return whole + "." + part
}

// costTable writes the table as it must stand in docs/deploy.md. Each sum adds up what is written above it.
func costTable(d *deployment, watch []costLine) string {
	var table strings.Builder
	sums := map[string][]float64{}
	lines := func(of string, all []costLine) {
		sums[of] = make([]float64, len(sizes))
		for _, l := range all {
			fmt.Fprintf(&table, "| %s | %s |", l.line, l.how)
			for i, s := range sizes {
				cost := math.Round(l.cost(s)*100) / 100
				sums[of][i] += cost
				fmt.Fprintf(&table, " %s |", dollars(cost))
			}
			table.WriteString("\n")
		}
	}
	total := func(name, how string, parts ...string) {
		fmt.Fprintf(&table, "| **%s** | %s |", name, how)
		for i := range sizes {
			sum := 0.0
			for _, part := range parts {
				sum += sums[part][i]
			}
			fmt.Fprintf(&table, " **%s** |", dollars(sum))
		}
		table.WriteString("\n")
	}
	table.WriteString("| line | how it is worked out | 1,000 a month, 1 merchant | 1,000,000, 10 merchants | 30,000,000, 10,000 merchants |\n|---|---|---:|---:|---:|\n")
	lines("all", costLines(d))
	lines("own", ownSecrets)
	total("in all", "", "all", "own")
	lines("packs", packs)
	total("in all, packed", "with these two in place of the two above", "all", "packs")
	lines("nat", fixedAddresses)
	total("in all, with fixed addresses", "", "all", "own", "nat")
	total("in all, packed and with fixed addresses", "", "all", "packs", "nat")
	lines("watch", watch)
	total("in all, with Watch", "one secret each, no fixed addresses", "all", "own", "watch")
	return table.String()
}

func TestTheCostTableAddsUp(t *testing.T) {
	d := load(t)
	docs := read(t, "docs/deploy.md")
	if table := costTable(d, watchLines(t)); !strings.Contains(docs, table) {
		t.Errorf("docs/deploy.md does not have this table:\n%s", table)
	}
	if n := ownMetricCount(); n != 160+16+8 {
		t.Errorf("the functions write %v metrics, and the table's words say 160, 16 and 8", n)
	}
}

// costRow reads a row of the table: its figures are the last three cells.
var costRow = regexp.MustCompile(`(?m)^\| (\**[^|]+?\**) \| [^|]* \| \**([\d,.]+)\** \| \**([\d,.]+)\** \| \**([\d,.]+)\** \|$`)

// TestTheCostTablesColumnsAddUp adds up what is written, without knowing how it was worked out.
func TestTheCostTablesColumnsAddUp(t *testing.T) {
	figures := map[string][3]float64{}
	var order []string
	for _, row := range costRow.FindAllStringSubmatch(read(t, "docs/deploy.md"), -1) {
		var f [3]float64
		for i := range f {
			v, err := strconv.ParseFloat(strings.ReplaceAll(row[2+i], ",", ""), 64)
			if err != nil {
				t.Fatal(err)
			}
			f[i] = v
		}
		figures[row[1]], order = f, append(order, row[1])
	}
	sum := func(names ...string) (total [3]float64) {
		for _, name := range names {
			for i := range total {
				total[i] += figures[name][i]
			}
		}
		return total
	}
	common, own, packed, nat := order[:14], order[14:16], order[17:19], order[20:23]
	watch := order[25:34]
	million := func(line int) float64 { return figures[order[line]][1] }
	byHTTP := figures["**in all**"][1] - million(0) - million(1) - million(2) + 7.00 + 0.42
	for _, want := range []string{dollars(million(0)+million(1)+million(2)) + " for a million)", ": " + dollars(byHTTP) + " for a million."} {
		if !strings.Contains(read(t, "docs/deploy.md"), want) {
			t.Errorf("docs/deploy.md does not say %q of calls by HTTP", want)
		}
	}
	for name, parts := range map[string][][]string{
		"**in all**": {common, own}, "**in all, packed**": {common, packed},
		"**in all, with Watch**":                      {common, own, watch},
		"**in all, with fixed addresses**":            {common, own, nat},
		"**in all, packed and with fixed addresses**": {common, packed, nat},
	} {
		want, got := sum(append(append([]string{}, parts[0]...), flat(parts[1:])...)...), figures[name]
		for i := range want {
			if math.Abs(want[i]-got[i]) > 0.001 {
				t.Errorf("%s is %.2f, and its lines add up to %.2f", name, got[i], want[i])
			}
		}
	}
}

func flat(lists [][]string) (all []string) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}
