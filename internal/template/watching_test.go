package template

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/kesu-go/kesu/internal/telemetry"
	"github.com/kesu-go/kesu/pkg/wire"
)

func logs(d *deployment) []string {
	var f faults
	ids, properties := ofType(d.template, "AWS::Logs::LogGroup")
	for _, id := range ids {
		if at(properties[id], "RetentionInDays") == nil {
			f.add("%s keeps logs for ever", id)
		}
	}
	for _, id := range functionIDs {
		p := functionProperties(d, id)
		if group := target(at(p, "LoggingConfig", "LogGroup")); !slices.Contains(ids, group) {
			f.add("%s has no log group of the stack's, so Lambda makes one that keeps logs for ever", id)
		}
		if text(p, "LoggingConfig", "LogFormat") != "JSON" || text(p, "Tracing") != "Active" {
			f.add("%s does not log JSON or is not traced", id)
		}
	}
	// Lambda takes a line without a level, as the metrics' are, for INFO and drops it at a higher one.
	for _, level := range list(at(d.template, "Parameters", "LogLevel", "AllowedValues")) {
		if !slices.Contains([]any{"DEBUG", "INFO"}, level) {
			f.add("LogLevel %v would throw the metrics away", level)
		}
	}
	if group := target(at(d.template, "Resources", "Api", "Properties", "AccessLogSetting", "DestinationArn")); !slices.Contains(ids, group) {
		f.add("the API has no access log")
	}
	var line node
	format := text(d.template, "Resources", "Api", "Properties", "AccessLogSetting", "Format")
	if err := json.Unmarshal([]byte(format), &line); err != nil || strings.Contains(format, "\n") {
		f.add("the access log's format is not one line of JSON")
	}
	return f
}

// emitted is a metrics line as the functions write it.
func emitted() node {
	var out bytes.Buffer
	telemetry.NewMetrics(&out).Settled(telemetry.Settled{Action: "reply", Provider: "imageco", Outcome: "succeeded"}, time.Unix(0, 0))
	var line node
	_ = json.Unmarshal(out.Bytes(), &line) // an unreadable line has no metrics, which every check then reports
	return line
}

func ownMetrics() (namespace string, metrics, dimensions []string) {
	directive := at(emitted(), "_aws", "CloudWatchMetrics", 0)
	for _, m := range list(at(directive, "Metrics")) {
		metrics = append(metrics, text(m, "Name"))
	}
	for _, name := range list(at(directive, "Dimensions", 0)) {
		dimensions = append(dimensions, name.(string))
	}
	return text(directive, "Namespace"), metrics, dimensions
}

// awsMetrics are the metrics of AWS's services that the template may watch.
var awsMetrics = map[string][]string{
	"AWS/Lambda":     {"Errors", "Throttles", "Invocations", "Duration", "ConcurrentExecutions"},
	"AWS/SQS":        {"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"},
	"AWS/ApiGateway": {"Count", "4XXError", "5XXError", "Latency"},
}

func metricExists(namespace, metric string) bool {
	own, metrics, _ := ownMetrics()
	return slices.Contains(awsMetrics[namespace], metric) || namespace == own && slices.Contains(metrics, metric)
}

var (
	runbookLink = regexp.MustCompile(`docs/runbook\.md#([a-z-]+)`)
	heading     = regexp.MustCompile(`(?m)^## (.+)$`)
)

// sections are the anchors of the runbook's sections.
func sections(runbook string) []string {
	var anchors []string
	for _, h := range heading.FindAllStringSubmatch(runbook, -1) {
		anchors = append(anchors, strings.ReplaceAll(strings.ToLower(strings.TrimSpace(h[1])), " ", "-"))
	}
	return anchors
}

func alarms(d *deployment) []string {
	var f faults
	ids, properties := ofType(d.template, "AWS::CloudWatch::Alarm")
	anchors := sections(d.runbook)
	watched := map[string]int{}
	for _, id := range ids {
		p := properties[id]
		link := runbookLink.FindStringSubmatch(text(p, "AlarmDescription"))
		if link == nil || !slices.Contains(anchors, link[1]) {
			f.add("%s: the description names no section of docs/runbook.md", id)
		}
		if at(p, "AlarmActions") == nil {
			f.add("%s tells nobody", id)
		}
		if text(p, "TreatMissingData") != "notBreaching" {
			f.add("%s rings when nothing happens", id)
		}
		if name := text(p, "MetricName"); name != "" {
			watched[name]++
			if !metricExists(text(p, "Namespace"), name) {
				f.add("%s: there is no metric %s %s", id, text(p, "Namespace"), name)
			}
			continue
		}
		for _, name := range ownAlarm(&f, id, p) {
			watched[name]++
		}
	}
	for name, least := range map[string]int{"Errors": 2, "Throttles": 2, "ApproximateAgeOfOldestMessage": 2,
		"ApproximateNumberOfMessagesVisible": 5, "Unverified": 1, "StaleSecret": 1} {
		if watched[name] < least {
			f.add("%s is watched by %d alarms, should be by %d", name, watched[name], least)
		}
	}
	return f
}

// ownAlarm checks an alarm over our own metric, which must add up every action and outcome: each is a metric by itself.
func ownAlarm(f *faults, id string, p node) (watched []string) {
	namespace, metrics, dimensions := ownMetrics()
	seen := map[string]int{}
	for _, m := range list(at(p, "Metrics")) {
		metric := at(m, "MetricStat", "Metric")
		if metric == nil {
			continue
		}
		name := text(metric, "MetricName")
		watched = append(watched, name)
		if text(metric, "Namespace") != namespace || !slices.Contains(metrics, name) {
			f.add("%s: the functions write no metric %s %s", id, text(metric, "Namespace"), name)
		}
		values := node{}
		for _, dimension := range list(at(metric, "Dimensions")) {
			values[text(dimension, "Name")] = text(dimension, "Value")
		}
		f.same(id+": dimensions", names(values), dimensions)
		seen[text(values, "action")+" "+text(values, "provider")+" "+text(values, "outcome")]++
	}
	var all []string
	for _, action := range []wire.Action{wire.Reply, wire.Complete} {
		for _, outcome := range []wire.Outcome{wire.Succeeded, wire.Rejected, wire.Retryable, wire.Unknown} {
			all = append(all, string(action)+" "+string(action.Provider())+" "+string(outcome))
		}
	}
	f.same(id+": what it adds up", names(seen), all)
	return sorted(watched)
}

var placeholder = regexp.MustCompile(`\$\{[^}]*\}`)

func dashboard(d *deployment) []string {
	var f faults
	var body node
	source := text(d.template, "Resources", "Dashboard", "Properties", "DashboardBody", "Fn::Sub")
	if err := json.Unmarshal([]byte(placeholder.ReplaceAllString(source, "x")), &body); err != nil {
		f.add("the dashboard's body is not JSON: %v", err)
		return f
	}
	if len(list(body["widgets"])) == 0 {
		f.add("the dashboard is empty")
	}
	for i, widget := range list(body["widgets"]) {
		var before []any
		for _, line := range list(at(widget, "properties", "metrics")) {
			metric := list(line)
			if first, _ := at(line, 0).(string); first == "" || first == "..." { // an expression, or only the last dimension is another one
				continue
			}
			for n := range min(len(metric), len(before)) {
				if metric[n] == "." {
					metric[n] = before[n]
				}
			}
			before = metric
			if !metricExists(text(metric, 0), text(metric, 1)) {
				f.add("widget %d shows a metric that does not exist: %v %v", i, metric[0], metric[1])
			}
		}
	}
	return f
}
