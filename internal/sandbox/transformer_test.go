package sandbox

import (
	"encoding/json"
	"testing"
)

// instance is the event that AWS's page transforms:
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html.
var instance = Event{ID: "e1", Source: "aws.ec2", DetailType: "EC2 Instance State-change Notification",
	Detail: json.RawMessage(`{"instance-id":"i-0123456789","state":"RUNNING","said":"a \"quote\" <b> & \\ 中","n":7,"none":null,"list":[{"a":"x"},2]}`)}

func TestATransformerMakesWhatAWSsPageShows(t *testing.T) {
	paths := map[string]string{"instance": "$.detail.instance-id", "state": "$.detail.state", "said": "$.detail.said", "n": "$.detail.n",
		"none": "$.detail.none", "list": "$.detail.list", "first": "$.detail.list[0].a", "beyond": "$.detail.list[9]", "absent": "$.detail.absent",
		"of-text": "$.detail.state.x", "wild": "$.detail.list[*]", "odd": "detail"}
	for _, test := range []struct{ name, template, want string }{
		// The table of the page.
		{"simple string", `"instance <instance> is in <state>"`, `"instance i-0123456789 is in RUNNING"`},
		{"string with escaped quotes", `"instance \"<instance>\" is in <state>"`, `"instance \"i-0123456789\" is in RUNNING"`},
		{"simple JSON", `{"instance" : <instance>, "state": <state>}`, `{"instance":"i-0123456789","state":"RUNNING"}`},
		{"JSON with strings and variables", `{"instance" : <instance>, "state": "<state>", "instanceStatus": "instance \"<instance>\" is in <state>"}`,
			`{"instance":"i-0123456789","state":"RUNNING","instanceStatus":"instance \"i-0123456789\" is in RUNNING"}`},
		{"a mix of variables and static information", `{"instance" : <instance>, "state": [ 9, <state>, true ], "Transformed" : "Yes"}`,
			`{"instance":"i-0123456789","state":[9,"RUNNING",true],"Transformed":"Yes"}`},
		// Its common issues.
		{"a variable that is not there, in a string", `{"a": "x<absent>y"}`, `{"a":"xy"}`},
		{"a variable that is not there, as a value", `{"a": <absent>}`, ""},
		{"a text with a quote, in a string", `{"a": "<said>"}`, ""},
		{"a text with a quote, as a value", `{"a": <said>}`, `{"a":"a \"quote\" <b> & \\ 中"}`},
		{"an array, in a string", `{"a": "<list>"}`, `{"a":"[{a:x},2]"}`},
		{"an array, as a value", `{"a": <list>}`, `{"a":[{"a":"x"},2]}`},
		// Paths.
		{"an item of an array", `{"a": <first>}`, `{"a":"x"}`},
		{"an item that is not there", `{"a": "<beyond>"}`, `{"a":""}`},
		{"a member of a text", `{"a": "<of-text>"}`, `{"a":""}`},
		{"a path that is not played", `{"a": "<wild><odd>"}`, `{"a":""}`},
		{"a number, in a string", `{"a": "n=<n>"}`, `{"a":"n=7"}`},
		{"null", `{"a": <none>}`, `{"a":null}`},
		{"a variable without a path", `{"a": <other>}`, ""},
		{"no JSON", `instance <instance>`, ""},
		{"a backslash before the quotes' end", `{"a": "\\", "b": <state>}`, `{"a":"\\","b":"RUNNING"}`},
	} {
		got, err := Transformer{paths, test.template}.Apply(instance)
		if string(got) != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s: %s, %v", test.name, got, err)
		}
	}
}

func TestAPatternTakesWhatAWSsPageSays(t *testing.T) {
	event := Event{Source: "kesu", DetailType: "ComplaintReceived",
		Detail: json.RawMessage(`{"state":"PENDING","amount":1200,"tags":["TRUSTED","x"],"empty":null,"merchant":"kesu-smoke-1"}`)}
	for text, want := range map[string]bool{
		`{"source":["kesu"]}`:        true,
		`{"source":["shop","kesu"]}`: true,
		`{"source":["shop"]}`:        false,
		`{"absent":["x"]}`:           false,
		`{"detail":{"state":["PENDING"]},"detail-type":["ComplaintReceived"]}`: true,
		`{"detail":{"state":["PENDING"]},"detail-type":["Other"]}`:             false,
		`{"detail":{"state":{"x":["y"]}}}`:                                     false,
		`{"detail":{"amount":[1200]}}`:                                         true,
		`{"detail":{"amount":[{"numeric":[">",1000]}]}}`:                       true,
		`{"detail":{"amount":[{"numeric":[">",1000,"<=",1100]}]}}`:             false,
		`{"detail":{"state":[{"numeric":[">",1000]}]}}`:                        false,
		`{"detail":{"tags":["TRUSTED"]}}`:                                      true,
		`{"detail":{"tags":["HIGH_RISK"]}}`:                                    false,
		`{"detail":{"merchant":[{"prefix":"kesu-smoke-"}]}}`:                   true,
		`{"detail":{"merchant":[{"anything-but":{"prefix":"kesu-smoke-"}}]}}`:  false,
		`{"detail":{"state":[{"anything-but":"PENDING"}]}}`:                    false,
		`{"detail":{"state":[{"anything-but":["PENDING","PROCESSED"]}]}}`:      false,
		`{"detail":{"state":[{"anything-but":["PROCESSED"]}]}}`:                true,
		`{"detail":{"absent":[{"anything-but":"x"}]}}`:                         false,
		`{"detail":{"absent":[{"exists":false}]}}`:                             true,
		`{"detail":{"state":[{"exists":false}]}}`:                              false,
		`{"detail":{"state":[{"exists":true}]}}`:                               true,
		`{"detail":{"empty":[null]}}`:                                          true,
		`{"detail":{"absent":[null]}}`:                                         false,
	} {
		p, err := ReadPattern([]byte(text))
		if err != nil || p.Matches(event) != want {
			t.Errorf("%s: %v, want %t", text, err, want)
		}
	}
	for _, refused := range []string{"", "[]", "{}", `{"source":"kesu"}`, `{"source":[{"wildcard":"*"}]}`, `{"a":[{"prefix":"x","exists":true}]}`, `{"a":{"b":1}}`} {
		if _, err := ReadPattern([]byte(refused)); err == nil {
			t.Errorf("%s is taken", refused)
		}
	}
}
