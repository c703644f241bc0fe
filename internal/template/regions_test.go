package template

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// plan is what scripts/deploy would deploy.
type plan struct {
	Stack, Region string
	Parameters    map[string]string
}

// planned asks scripts/deploy what it would deploy with the settings of an environment in samconfig.toml.
func planned(t *testing.T, environment string) plan {
	t.Helper()
	build := t.TempDir()
	for _, id := range functionIDs {
		if err := errors.Join(os.Mkdir(filepath.Join(build, id), 0o755), os.WriteFile(filepath.Join(build, id, "bootstrap"), nil, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command(python(t), "-B", filepath.Join(root, "scripts/deploy"), "--plan", "--config-env", environment, "--build", build)
	out, err := command.Output()
	if err != nil {
		t.Fatalf("scripts/deploy --plan: %v", err)
	}
	var p plan
	if err := json.Unmarshal(out, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// alwaysOn are regions that an account has without asking for them:
// https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html.
var alwaysOn = []string{"ap-northeast-1", "ap-southeast-1", "ap-southeast-2", "eu-central-1", "us-east-1", "us-west-2"}

func TestTheProfilesAreForRegionsThatAnAccountHas(t *testing.T) {
	for environment, in := range map[string][]string{"default": alwaysOn, "prod": alwaysOn, "cn": {"cn-north-1", "cn-northwest-1"}} {
		if p := planned(t, environment); !slices.Contains(in, p.Region) {
			t.Errorf("%s deploys to %s", environment, p.Region)
		}
	}
}

// violated returns what the template's rules say against these parameters.
func violated(template node, given map[string]string) (said []string) {
	r := resolver{template, given}
	rules, _ := template["Rules"].(node)
	for _, name := range names(rules) {
		if condition := at(rules, name, "RuleCondition"); condition != nil && !r.test(condition) {
			continue
		}
		for _, assertion := range list(at(rules, name, "Assertions")) {
			if !r.test(at(assertion, "Assert")) {
				said = append(said, text(assertion, "AssertDescription"))
			}
		}
	}
	return said
}

func TestParametersThatDoNotGoTogetherAreRefused(t *testing.T) {
	template := loadWhole(t).template
	for _, tt := range []struct {
		name  string
		given map[string]string
		want  string
	}{
		{"the defaults", map[string]string{"AWS::Region": "ap-southeast-1"}, ""},
		{"a user pool", map[string]string{"AWS::Region": "ap-southeast-1", "CognitoUserPoolArn": somePool}, ""},
		{"a user pool in Beijing", map[string]string{"AWS::Region": "cn-north-1", "CognitoUserPoolArn": somePool}, "no Cognito user pools in the China regions"},
		{"a user pool in Ningxia", map[string]string{"AWS::Region": "cn-northwest-1", "CognitoUserPoolArn": somePool}, "no Cognito user pools in the China regions"},
		{"a user pool and other accounts", map[string]string{"CognitoUserPoolArn": somePool, "CallerAccounts": "222222222222"}, "With a user pool callers are no AWS principals"},
		{"other accounts", map[string]string{"CallerAccounts": "222222222222,333333333333"}, ""},
		{"subnets without a security group", map[string]string{"SubnetIds": "subnet-1,subnet-2"}, "SubnetIds needs SecurityGroupIds"},
		{"watching nobody", map[string]string{"Watch": "on"}, "Watch on needs WatchMerchants"},
		{"watching one merchant", map[string]string{"Watch": "on", "WatchMerchants": "acme"}, ""},
		{"watching everybody", map[string]string{"Watch": "on", "WatchMerchants": "*"}, ""},
		{"watching everybody whose keys are packed", map[string]string{"Watch": "on", "WatchMerchants": "*", "MerchantKeys": "packed:8"}, "with packed keys name the merchants"},
		{"a first reply without Watch", map[string]string{"FirstReply": "您好"}, "FirstReply needs Watch on"},
		{"a first reply", map[string]string{"FirstReply": "您好", "Watch": "on", "WatchMerchants": "acme"}, ""},
		{"a first reply that is forgotten an hour too early", map[string]string{"FirstReply": "您好", "Watch": "on", "WatchMerchants": "acme", "LedgerTtl": "119h"},
			"FirstReply needs a LedgerTtl of at least 120h"},
		{"a first reply that is remembered just long enough", map[string]string{"FirstReply": "您好", "Watch": "on", "WatchMerchants": "acme", "LedgerTtl": "120h"}, ""},
		{"subnets with a security group", map[string]string{"SubnetIds": "subnet-1", "SecurityGroupIds": "sg-1"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			said := strings.Join(violated(template, tt.given), "; ")
			if (said == "") != (tt.want == "") || !strings.Contains(said, tt.want) {
				t.Errorf("said is %q", said)
			}
		})
	}
}

// inChina says what in a transformed template would not work in a China region.
func inChina(transformed node, given map[string]string) []string {
	var f faults
	left := resources(transformed, given)
	for id, resource := range left {
		written, err := json.Marshal(resource)
		if err != nil {
			f.add("%s: %v", id, err)
		}
		for _, foreign := range []string{"arn:aws:", "console.aws.amazon.com", "xray:Put"} {
			if strings.Contains(string(written), foreign) {
				f.add("%s has %s, which is not of China", id, foreign)
			}
		}
	}
	for id := range left {
		if kind := text(transformed, "Resources", id, "Type"); kind == "AWS::Lambda::Url" || strings.HasPrefix(kind, "AWS::Cognito") {
			f.add("%s: there is no %s", id, kind)
		}
	}
	for _, id := range functionIDs {
		if mode := text(left[id], "", "TracingConfig", "Mode"); mode == "Active" {
			f.add("%s is traced", id)
		}
		if got := words(at(left[id], "", "Architectures")); !slices.Equal(got, []string{"x86_64"}) {
			f.add("%s is built for %v", id, got)
		}
	}
	if at(left["Apiv1Stage"], "", "TracingEnabled") != false {
		f.add("the API is traced")
	}
	if policy := text(left["CodeDeployServiceRole"], "", "ManagedPolicyArns", 0); !strings.HasPrefix(policy, "arn:aws-cn:") {
		f.add("deployments are made with %q", policy)
	}
	region := given["AWS::Region"]
	if url := text(left["output DashboardUrl"], "", "Fn::Sub"); !strings.HasPrefix(url, "https://"+region+".console.amazonaws.cn/") {
		f.add("the dashboard is at %q", url)
	}
	if url := text(left["output ApiUrl"], "", "Fn::Sub"); !strings.HasSuffix(url, ".execute-api."+region+".amazonaws.com.cn/v1") {
		f.add("the API is at %q", url)
	}
	keys := words(at(resolve(transformed, at(transformed, "Resources", "FunctionPolicy", "Properties"), given), "PolicyDocument", "Statement", 1, "Condition", "StringEquals", "kms:ViaService"))
	f.same("services that may decrypt", keys, []string{"secretsmanager." + region + ".amazonaws.com", "secretsmanager." + region + ".amazonaws.com.cn"})
	return f
}

func TestTheChinaRegions(t *testing.T) {
	source := read(t, "template.yaml")
	profile := planned(t, "cn").Parameters
	faults := []struct{ from, to, told string }{
		{"  Traced: !And [!Equals [!Ref Tracing, xray], !Not [!Condition InChina]]\n", "  Traced: !Equals [!Ref Tracing, xray]\n", "ReplyFunction is traced"},
		{"!Sub 'arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs'", "'arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs'", "ApiGatewayLoggingRole has arn:aws:, which is not of China"},
		{"      - !Sub https://${AWS::Region}.console.amazonaws.cn/", "      - !Sub https://${AWS::Region}.console.aws.amazon.com/", "the dashboard is at"},
	}
	folders := []string{root}
	for _, f := range faults {
		folders = append(folders, copied(t, source, f.from, f.to))
	}
	for _, region := range []string{"cn-north-1", "cn-northwest-1"} {
		given := map[string]string{"AWS::Partition": "aws-cn", "AWS::Region": region, "AWS::URLSuffix": "amazonaws.com.cn"}
		for name, value := range profile {
			given[name] = value
		}
		given["SecretsKmsKeyArn"] = "arn:aws-cn:kms:" + region + ":123456789012:key/x"
		given["ApiGatewayAccount"] = "create"
		given["Tracing"] = "xray" // forgotten, or another profile
		var groups [][]string
		for _, folder := range folders {
			groups = append(groups, []string{folder, "AWS::Region=" + region})
		}
		transformed := transformWith(t, groups...)
		for _, fault := range inChina(transformed[0], given) {
			t.Errorf("%s: %s", region, fault)
		}
		for i, f := range faults {
			told := inChina(transformed[1+i], given)
			if !slices.ContainsFunc(told, func(s string) bool { return strings.Contains(s, f.told) }) {
				t.Errorf("%s: nobody said %q; said was %q", region, f.told, told)
			}
		}
	}
	if profile["Tracing"] != "none" || profile["Architecture"] != "x86_64" {
		t.Errorf("the profile cn has %s and tracing by %s", profile["Architecture"], profile["Tracing"])
	}
}
