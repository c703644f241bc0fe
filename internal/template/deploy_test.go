package template

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// refusals asks scripts/deploy what it says to an account before it changes anything. The account is told by three answers
// of AWS: the role that API Gateway writes logs with, the stack, and the tables that are there.
func refusals(t *testing.T, account map[string]any) string {
	t.Helper()
	const program = `
import importlib.machinery, importlib.util, json, sys
loader = importlib.machinery.SourceFileLoader("deploy", sys.argv[1])
deploy = importlib.util.module_from_spec(importlib.util.spec_from_loader("deploy", loader))
loader.exec_module(deploy)
account = json.loads(sys.argv[2])
class Gateway:
    def get_account(self):
        return {"cloudwatchRoleArn": account["role"]} if account["role"] else {}
class Tables:
    def get_paginator(self, _):
        return self
    def paginate(self):
        return [{"TableNames": account["tables"][:1]}, {"TableNames": account["tables"][1:]}]
class Session:
    def client(self, name):
        return {"apigateway": Gateway, "dynamodb": Tables}[name]()
stack = deploy.Stack.__new__(deploy.Stack)
stack.dry, stack.session = False, Session()
stack.now = {"Parameters": []} if account["stack"] else None
stack.what = {"stack": "kesu-dev", "region": "ap-southeast-1", "parameters": account["parameters"]}
stack.check()`
	script, err := filepath.Abs(filepath.Join(root, "scripts/deploy"))
	if err != nil {
		t.Fatal(err)
	}
	told, err := json.Marshal(account)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(python(t), "-B", "-c", program, script, string(told)).CombinedOutput()
	if (err == nil) != (len(out) == 0) || strings.Contains(string(out), "Traceback") {
		t.Fatalf("scripts/deploy: %v\n%s", err, out)
	}
	return string(out)
}

func TestAnAccountThatIsNotReadyIsToldWhatToDo(t *testing.T) {
	for _, tt := range []struct {
		name, apiGatewayAccount, role, table string
		stack                                bool
		tables                               []string
		want                                 string
	}{
		{"an empty account", "existing", "", "", false, []string{}, "make deploy PARAMETERS=ApiGatewayAccount=create"},
		{"an empty account that is told to make the role", "create", "", "", false, []string{"other"}, ""},
		{"an account that has the role", "existing", "arn:aws:iam::1:role/x", "", false, []string{}, ""},
		{"a role that would be replaced", "create", "arn:aws:iam::1:role/x", "", false, []string{}, "would replace it"},
		{"the stack that made the role", "create", "arn:aws:iam::1:role/x", "", true, []string{"kesu-dev-LedgerTable-1"}, ""},
		{"a ledger of a stack that is gone", "existing", "arn:aws:iam::1:role/x", "", false, []string{"other", "kesu-dev-LedgerTable-1"}, "ExistingLedgerTable=kesu-dev-LedgerTable-1"},
		{"a ledger that is handed over", "existing", "arn:aws:iam::1:role/x", "kesu-dev-LedgerTable-1", false, []string{"kesu-dev-LedgerTable-1"}, ""},
		{"a ledger of another stack", "existing", "arn:aws:iam::1:role/x", "", false, []string{"kesu-prod-LedgerTable-1"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			said := refusals(t, map[string]any{"role": tt.role, "tables": tt.tables, "stack": tt.stack,
				"parameters": map[string]string{"ApiGatewayAccount": tt.apiGatewayAccount, "ExistingLedgerTable": tt.table}})
			if (said == "") != (tt.want == "") || !strings.Contains(said, tt.want) {
				t.Errorf("said is %q", said)
			}
		})
	}
}
