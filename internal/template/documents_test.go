package template

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	shellBlock  = regexp.MustCompile("(?s)```sh\n(.*?)```")
	inlineShell = regexp.MustCompile("`(aws [^`]+)`")
	command     = regexp.MustCompile(`\baws ([a-z0-9-]+) ([a-z-]+)([^&|]*)`)
	removal     = regexp.MustCompile(`\b(rm|aws [a-z0-9-]+ (delete|remove)-[a-z-]+)\b`)
)

// regionless are commands of the AWS CLI that ask no region.
var regionless = []string{"sts get-caller-identity", "configure export-credentials", "lambda invoke"}

// deployCommands says what keeps somebody from following docs/deploy.md literally: a command that leaves its region to
// chance, a deletion that does not wait for the step before it to succeed, a command without the settings it names.
func deployCommands(document string) []string {
	var f faults
	var lines []string
	for _, block := range shellBlock.FindAllStringSubmatch(document, -1) {
		lines = append(lines, strings.Split(strings.ReplaceAll(block[1], "\\\n", " "), "\n")...)
	}
	for _, inline := range inlineShell.FindAllStringSubmatch(document, -1) {
		lines = append(lines, inline[1])
	}
	found := 0
	for _, line := range lines {
		for _, c := range command.FindAllStringSubmatch(line, -1) {
			found++
			if !slices.Contains(regionless, c[1]+" "+c[2]) && !strings.Contains(c[3], `--region "$AWS_REGION"`) {
				f.add("aws %s %s names no region", c[1], c[2])
			}
		}
		for _, place := range removal.FindAllStringIndex(line, -1) {
			if before := strings.TrimSpace(line[:place[0]]); !strings.HasSuffix(before, "&&") && before != "" || before == "" && strings.HasPrefix(line, "rm") {
				f.add("%s is done although the step before may have failed", line[place[0]:place[1]])
			}
		}
	}
	if found < 6 || !strings.Contains(document, "export AWS_REGION=") {
		f.add("%d commands of the AWS CLI, and the region is set: %t", found, strings.Contains(document, "export AWS_REGION="))
	}
	return f
}

func TestTheDeploymentCanBeFollowedLiterally(t *testing.T) {
	document := read(t, "docs/deploy.md")
	for _, fault := range deployCommands(document) {
		t.Error(fault)
	}
	for _, f := range []struct{ name, from, to, told string }{
		{"a secret made in any region", `aws secretsmanager create-secret --region "$AWS_REGION"`, "aws secretsmanager create-secret", "aws secretsmanager create-secret names no region"},
		{"a secret written in any region", `aws secretsmanager put-secret-value --region "$AWS_REGION"`, "aws secretsmanager put-secret-value", "aws secretsmanager put-secret-value names no region"},
		{"a file that is deleted in any case", " && rm acme.json\n```", "\nrm acme.json\n```", "rm is done although the step before may have failed"},
		{"no region at all", "export AWS_REGION=", "export REGION=", "and the region is set: false"},
	} {
		seeded := strings.Replace(document, f.from, f.to, 1)
		if told := deployCommands(seeded); !slices.ContainsFunc(told, func(s string) bool { return strings.Contains(s, f.told) }) {
			t.Errorf("%s: nobody said %q; said was %q", f.name, f.told, told)
		}
	}
}

// The API key's recipe must stand on the operation, in one item with the caller: an item of its own would be another way in.
func TestTheRecipeForAnAPIKeyAddsItToTheCaller(t *testing.T) {
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(read(t, "docs/deploy.md"))
	if block == nil {
		t.Fatal("docs/deploy.md has no recipe")
	}
	recipe := parseYAML(t, block[1])
	if recipe["security"] != nil {
		t.Error("the recipe has security at the root")
	}
	operations(recipe, func(name string, operation node) {
		asked := list(operation["security"])
		if len(asked) != 1 || at(asked[0], "caller") == nil || at(asked[0], "key") == nil {
			t.Errorf("%s asks for %v", name, asked)
		}
	})
}
