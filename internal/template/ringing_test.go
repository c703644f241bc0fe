package template

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// rings works out an alarm's expression for one period. It knows what the template uses of CloudWatch's metric math: IF, AND,
// comparisons and arithmetic (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html).
func rings(d *deployment, alarm string, sums map[string]float64) (bool, error) {
	properties := at(d.template, "Resources", alarm, "Properties")
	for _, m := range list(at(properties, "Metrics")) {
		if text(m, "Id") == "rings" {
			expression, _ := resolve(d.template, at(m, "Expression"), nil).(string)
			value, err := calculate(expression, sums)
			return value >= number(properties, "Threshold"), err
		}
	}
	return false, fmt.Errorf("%s has no expression", alarm)
}

func calculate(expression string, values map[string]float64) (float64, error) {
	tree, err := parser.ParseExpr(strings.ReplaceAll(expression, " AND ", " && "))
	if err != nil {
		return 0, fmt.Errorf("%q: %w", expression, err)
	}
	return value(tree, values)
}

func value(tree ast.Expr, values map[string]float64) (float64, error) {
	switch e := tree.(type) {
	case *ast.ParenExpr:
		return value(e.X, values)
	case *ast.BasicLit:
		return strconv.ParseFloat(e.Value, 64)
	case *ast.Ident:
		v, ok := values[e.Name]
		if !ok {
			return 0, fmt.Errorf("no metric has the id %s", e.Name)
		}
		return v, nil
	case *ast.CallExpr:
		if name, ok := e.Fun.(*ast.Ident); ok && name.Name == "IF" && len(e.Args) == 3 {
			condition, err := value(e.Args[0], values)
			if err != nil {
				return 0, err
			}
			return value(e.Args[map[bool]int{true: 1, false: 2}[condition != 0]], values)
		}
	case *ast.BinaryExpr:
		x, err := value(e.X, values)
		if err != nil {
			return 0, err
		}
		y, err := value(e.Y, values)
		if err != nil {
			return 0, err
		}
		truth := map[bool]float64{true: 1}
		switch e.Op {
		case token.ADD:
			return x + y, nil
		case token.SUB:
			return x - y, nil
		case token.MUL:
			return x * y, nil
		case token.GTR:
			return truth[x > y], nil
		case token.GEQ:
			return truth[x >= y], nil
		case token.LAND:
			return truth[x != 0 && y != 0], nil
		}
	}
	return 0, fmt.Errorf("metric math that is not known here: %T", tree)
}

// version is what one version did in five minutes.
type version struct{ settled, retryable, unknown, misconfigured float64 }

// beside are the sums that an alarm sees while a version runs beside another.
func beside(canary, other version) map[string]float64 {
	return map[string]float64{
		"v_settled": canary.settled, "v_retryable": canary.retryable, "v_unknown": canary.unknown, "v_misconfigured": canary.misconfigured,
		"settled": canary.settled + other.settled, "retryable": canary.retryable + other.retryable, "unknown": canary.unknown + other.unknown,
		"misconfigured": canary.misconfigured + other.misconfigured,
	}
}

func failing(canary, invoked, others, othersInvoked float64) map[string]float64 {
	return map[string]float64{"v_errors": canary, "v_invocations": invoked, "errors": canary + others, "invocations": invoked + othersInvoked}
}

var ringingCases = []struct {
	name, alarm string
	sums        map[string]float64
	want        bool
}{
	{"half of the commands retryable", "OutageAlarm", beside(version{}, version{settled: 10, retryable: 5}), true},
	{"one command, which is retryable", "OutageAlarm", beside(version{}, version{settled: 1, retryable: 1}), true},
	{"a fifth of the commands misconfigured", "OutageAlarm", beside(version{}, version{settled: 10, misconfigured: 2}), true},
	{"a fifth of the commands unknown", "OutageAlarm", beside(version{}, version{settled: 10, unknown: 2}), true},
	{"a tenth of the commands retryable", "OutageAlarm", beside(version{}, version{settled: 10, retryable: 1}), false},
	{"commands that are all refused for what they ask", "OutageAlarm", beside(version{}, version{settled: 10}), false},
	{"no command at all", "OutageAlarm", beside(version{}, version{}), false},

	{"a version that signs wrongly", "VersionAlarm", beside(version{settled: 10, misconfigured: 10}, version{settled: 90}), true},
	{"a version whose outcomes are unknown", "VersionAlarm", beside(version{settled: 10, unknown: 4}, version{settled: 90}), true},
	{"a version that reaches no gateway", "VersionAlarm", beside(version{settled: 10, retryable: 10}, version{settled: 90, retryable: 9}), true},
	{"a version that took all the traffic and signs wrongly", "VersionAlarm", beside(version{settled: 10, misconfigured: 10}, version{}), true},
	{"a gateway that is down for both versions", "VersionAlarm", beside(version{settled: 10, retryable: 10}, version{settled: 90, retryable: 90}), false},
	{"one hiccup of a gateway in the new version", "VersionAlarm", beside(version{settled: 2, retryable: 2}, version{settled: 20}), false},
	{"a merchant with a wrong key, in both versions alike", "VersionAlarm", beside(version{settled: 10, misconfigured: 3}, version{settled: 90, misconfigured: 25}), false},
	{"a good version", "VersionAlarm", beside(version{settled: 10}, version{settled: 90, retryable: 20}), false},

	{"a version that does not start", "VersionErrorsAlarm", failing(5, 5, 0, 45), true},
	{"a version that crashes in most invocations", "VersionErrorsAlarm", failing(4, 6, 1, 50), true},
	{"retryable events under direct, in both versions alike", "VersionErrorsAlarm", failing(5, 5, 45, 45), false},
	{"one error of a good version", "VersionErrorsAlarm", failing(1, 5, 0, 45), false},
}

// ringing asks each function's alarms what they say of these five minutes.
func ringing(d *deployment) []string {
	var f faults
	for _, id := range functionIDs {
		prefix := strings.TrimSuffix(id, "Function")
		for _, c := range ringingCases {
			if got, err := rings(d, prefix+c.alarm, c.sums); got != c.want || err != nil {
				f.add("%s%s: %s rings: %t (%v)", prefix, c.alarm, c.name, got, err)
			}
		}
		if soon := at(d.template, "Resources", prefix+"OutageAlarm", "Properties"); number(soon, "EvaluationPeriods") != 3 || number(soon, "DatapointsToAlarm") != 3 {
			f.add("%sOutageAlarm does not ring after three times five minutes", prefix)
		}
		// A message that must come again is seen once in each time that a queue hides it, also when it is the only one.
		if hidden := number(d.template, "Resources", prefix+"Queue", "Properties", "VisibilityTimeout"); hidden > 300 {
			f.add("%sQueue hides a message for %v s, so an outage with one message would leave out five minutes", prefix, hidden)
		}
	}
	if p := at(d.template, "Resources", "ReplyUnknownAlarm", "Properties"); text(p, "MetricName") != "Unknown" || number(p, "Threshold") != 1 || text(p, "Statistic") != "Sum" {
		f.add("one unknown reply rings nothing")
	}
	for errors, want := range map[float64]bool{0: false, 5: false, 20: true, 100: true} {
		if got, err := rings(d, "ApiErrorsAlarm", map[string]float64{"answers": 100, "errors": errors}); got != want || err != nil {
			f.add("ApiErrorsAlarm: %v of 100 answers 5XX rings: %t (%v)", errors, got, err)
		}
	}
	return f
}

// versionAlarms wants a deployment to be judged by what the version itself does that is deployed.
func versionAlarms(d *deployment) []string {
	var f faults
	for _, id := range functionIDs {
		seen := map[string]bool{}
		for _, alarm := range list(at(d.template, "Resources", id, "Properties", "DeploymentPreference", "Alarms")) {
			name := target(alarm)
			p, _ := at(d.template, "Resources", name, "Properties").(node)
			for _, m := range watchedMetrics(p) {
				if m.function == id && m.version {
					seen[m.name] = true
				}
			}
			versioned := slices.Equal(words(at(p, "AlarmName", "Fn::Sub", 1, "Version", "Fn::GetAtt")), []string{id, "Version.Version"})
			if !versioned || !strings.Contains(text(p, "AlarmName", "Fn::Sub", 0), "${Version}") {
				f.add("%s is not made anew with each version, so a version would inherit its state", name)
			}
		}
		for _, metric := range []string{"Settled", "Retryable", "Unknown", "Misconfigured", "Errors", "Invocations"} {
			if !seen[metric] {
				f.add("%s is not rolled back for its version's %s", id, metric)
			}
		}
	}
	return f
}
