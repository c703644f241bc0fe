package template

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/kesu-go/kesu/internal/telemetry"
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
		if text(p, "LoggingConfig", "LogFormat") != "JSON" || resolve(d.template, p["Tracing"], nil) != "Active" {
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
	for choice, tells := range map[string]bool{"no": false, "yes": true} {
		format, _ := resolve(d.template, at(d.template, "Resources", "Api", "Properties", "AccessLogSetting", "Format"), map[string]string{"LogValidationErrors": choice}).(string)
		clear(line)
		if err := json.Unmarshal([]byte(format), &line); err != nil || strings.Contains(format, "\n") {
			f.add("the access log's format is not one line of JSON")
		}
		if (line["validation"] == "$context.error.validationErrorString") != tells {
			f.add("LogValidationErrors %s: the access log tells %v of a wrong body", choice, line["validation"])
		}
	}
	return f
}

// ofCommands writes a line of each kind that the functions write which carry out commands.
func ofCommands(m *telemetry.Metrics, at time.Time) {
	m.Settled(telemetry.Settled{Action: "reply", Provider: "imageco", Outcome: "succeeded"}, at)
	m.Unpublished(at)
	m.KeyEnds("acme", "0ABC", at, at)
}

// ofWatcher writes a line of each kind that functions/watch writes.
func ofWatcher(m *telemetry.Metrics, at time.Time) {
	m.Published("ComplaintReceived", at)
	m.Refused("signature", 1, at)
	m.SweepAge("acme", time.Minute, at)
	m.KeyEnds("acme", "0ABC", at, at)
}

// ownMetrics are the functions' metrics by the dimensions that they are written by, with spaces between.
func ownMetrics(writers ...func(m *telemetry.Metrics, at time.Time)) (namespace string, bySet map[string][]string) {
	var out bytes.Buffer
	for _, write := range writers {
		write(telemetry.NewMetrics(&out), time.Unix(0, 0))
	}
	bySet = map[string][]string{}
	for text := range strings.Lines(out.String()) {
		var line node
		_ = json.Unmarshal([]byte(text), &line) // an unreadable line has no metrics, which every check then reports
		for _, directive := range list(at(line, "_aws", "CloudWatchMetrics")) {
			namespace, _ = at(directive, "Namespace").(string)
			for _, set := range list(at(directive, "Dimensions")) {
				dimensions := words(set)
				slices.Sort(dimensions)
				for _, m := range list(at(directive, "Metrics")) {
					by := strings.Join(dimensions, " ")
					name, _ := at(m, "Name").(string)
					bySet[by] = append(bySet[by], name)
				}
			}
		}
	}
	return namespace, bySet
}

// awsMetrics are the metrics of AWS's services that the template may watch, with their dimensions, sorted:
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html (ExecutedVersion is there for an alias that
// shares its invocations among two versions),
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html,
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html,
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html.
var awsMetrics = map[string]struct{ metrics, dimensions []string }{
	"AWS/Lambda":     {[]string{"Errors", "Throttles", "Invocations"}, []string{"FunctionName", "FunctionName Resource", "ExecutedVersion FunctionName Resource"}},
	"AWS/SQS":        {[]string{"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"}, []string{"QueueName"}},
	"AWS/ApiGateway": {[]string{"Count", "4XXError", "5XXError", "Latency"}, []string{"ApiName", "ApiName Stage"}},
	"AWS/DynamoDB":   {[]string{"WriteThrottleEvents"}, []string{"TableName"}},
}

// metricExists reports whether somebody writes a metric by these dimensions, which are sorted and have spaces between.
func metricExists(namespace, metric, dimensions string) bool {
	own, bySet := ownMetrics(ofCommands, ofWatcher)
	if namespace == own {
		return slices.Contains(bySet[dimensions], metric)
	}
	service := awsMetrics[namespace]
	return slices.Contains(service.metrics, metric) && slices.Contains(service.dimensions, dimensions)
}

var (
	heading = regexp.MustCompile(`(?m)^## (.+)$`)
	han     = regexp.MustCompile(`\p{Han}`)
)

// sections are the anchors of the runbook's sections, as GitHub makes them.
func sections(runbook string) []string {
	var anchors []string
	for _, h := range heading.FindAllStringSubmatch(runbook, -1) {
		anchors = append(anchors, strings.ReplaceAll(strings.ToLower(strings.TrimSpace(h[1])), " ", "-"))
	}
	return anchors
}

// watchedMetric is one metric of an alarm.
type watchedMetric struct {
	namespace, name, dimensions, function string
	version                               bool // of the version that is deployed
}

// watchedMetrics are the metrics of an alarm, whichever way it names them.
func watchedMetrics(p node) (all []watchedMetric) {
	add := func(metric any) {
		m := watchedMetric{namespace: text(metric, "Namespace"), name: text(metric, "MetricName")}
		var dimensions []string
		for _, dimension := range list(at(metric, "Dimensions")) {
			name, value := text(dimension, "Name"), at(dimension, "Value")
			dimensions = append(dimensions, name)
			if name == "function" || name == "FunctionName" {
				m.function = target(value)
			}
			if name == "version" || name == "ExecutedVersion" {
				m.version = slices.Equal(words(at(value, "Fn::GetAtt")), []string{m.function, "Version.Version"})
			}
		}
		slices.Sort(dimensions)
		m.dimensions = strings.Join(dimensions, " ")
		all = append(all, m)
	}
	if text(p, "MetricName") != "" {
		add(p)
	}
	for _, m := range list(at(p, "Metrics")) {
		if metric := at(m, "MetricStat", "Metric"); metric != nil {
			add(metric)
		}
	}
	return all
}

func alarms(d *deployment) []string {
	var f faults
	ids, properties := ofType(d.template, "AWS::CloudWatch::Alarm")
	watched := map[string]int{}
	for _, id := range ids {
		p := properties[id]
		described(&f, d, id, p)
		if at(p, "AlarmActions") == nil {
			f.add("%s tells nobody", id)
		}
		if text(p, "TreatMissingData") != "notBreaching" {
			f.add("%s rings when nothing happens", id)
		}
		if strings.HasSuffix(id, "KeyEndsAlarm") {
			f.same(id, []string{text(p, "Statistic"), text(p, "ComparisonOperator"), fmt.Sprint(p["Threshold"]), fmt.Sprint(p["Period"])},
				[]string{"Minimum", "LessThanThreshold", "30", "86400"})
		}
		counted := map[string]bool{}
		for _, m := range watchedMetrics(p) {
			counted[m.name], counted[m.name+" of "+m.function] = true, true
			if own, _ := ownMetrics(ofCommands); !metricExists(m.namespace, m.name, m.dimensions) {
				f.add("%s: %s %s %s by %s", id, map[bool]string{true: "the functions write no metric", false: "there is no metric"}[m.namespace == own], m.namespace, m.name, m.dimensions)
			}
		}
		for name := range counted {
			if !strings.HasSuffix(id, "VersionAlarm") && !strings.HasSuffix(id, "VersionErrorsAlarm") {
				watched[name]++
			}
		}
	}
	for name, least := range map[string]int{"Errors": 2, "Throttles": 2, "ApproximateAgeOfOldestMessage": 2,
		"ApproximateNumberOfMessagesVisible": 5, "5XXError": 1, "Latency": 1, "WriteThrottleEvents": 1} {
		if watched[name] < least {
			f.add("%s is watched by %d alarms, should be by %d", name, watched[name], least)
		}
	}
	for _, name := range []string{"Retryable", "Unknown", "Misconfigured", "Unpublished", "Unverified", "StaleSecret", "KeyDaysLeft"} {
		for _, function := range functionIDs {
			if watched[name+" of "+function] == 0 {
				f.add("%s of %s is watched by no alarm", name, function)
			}
		}
	}
	return f
}

// described wants an alarm to say in both languages what it is about, and to end with an address that a mail's reader can
// open, of a section of the runbook.
func described(f *faults, d *deployment, id string, p node) {
	description, _ := resolve(d.template, at(p, "AlarmDescription"), nil).(string)
	address, section, _ := strings.Cut(description[strings.LastIndex(description, " ")+1:], "#")
	if !strings.HasPrefix(address, "https://") || !strings.HasSuffix(address, "/docs/runbook.md") || !slices.Contains(sections(d.runbook), section) {
		f.add("%s: the description names no section of docs/runbook.md by an address", id)
	}
	if !han.MatchString(description) {
		f.add("%s: the description says nothing in Chinese", id)
	}
	if len(description) > 1024 {
		f.add("%s: the description is longer than CloudWatch takes", id)
	}
}

// searched is an expression of the dashboard's that finds metrics by the names of their dimensions.
var searched = regexp.MustCompile(`SEARCH\('\{(\w+),([\w,]+)\} MetricName="(\w+)"'`)

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
	for _, shown := range []string{`"reply", "provider", "imageco"`, `"reply", "provider", "wechatpay"`, `"complete", "provider", "wechatpay"`, "KeyDaysLeft"} {
		if !strings.Contains(source, shown) {
			f.add("the dashboard does not show %s", shown)
		}
	}
	for i, widget := range list(body["widgets"]) {
		var before []any
		for _, line := range list(at(widget, "properties", "metrics")) {
			metric := list(line)
			if expression := text(line, 0, "expression"); expression != "" {
				found := searched.FindStringSubmatch(expression)
				if found == nil || !metricExists(found[1], found[3], strings.ReplaceAll(found[2], ",", " ")) {
					f.add("widget %d searches for a metric that does not exist: %s", i, expression)
				}
			}
			if first, _ := at(line, 0).(string); first == "" || first == "..." { // an expression, or only the last dimension is another one
				continue
			}
			for n := range min(len(metric), len(before)) {
				if metric[n] == "." {
					metric[n] = before[n]
				}
			}
			before = metric
			own, bySet := ownMetrics(ofCommands, ofWatcher)
			exists := slices.Contains(awsMetrics[text(metric, 0)].metrics, text(metric, 1)) ||
				text(metric, 0) == own && slices.Contains(bySet["action outcome provider"], text(metric, 1))
			if !exists {
				f.add("widget %d shows a metric that does not exist: %v %v", i, metric[0], metric[1])
			}
		}
	}
	return f
}
