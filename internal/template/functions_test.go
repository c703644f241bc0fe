package template

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/kesu-go/kesu/pkg/wire"
)

var integrationURI = regexp.MustCompile(`^arn:\$\{AWS::Partition\}:apigateway:\$\{AWS::Region\}:lambda:path/2015-03-31/functions/\$\{(\w+)\.Arn\}:(\w+)/invocations$`)

func integrations(d *deployment) []string {
	var f faults
	for path, item := range at(d.openapi, "paths").(node) {
		integration := at(item, "post", "x-amazon-apigateway-integration")
		uri := integrationURI.FindStringSubmatch(text(integration, "uri", "Fn::Sub"))
		if uri == nil {
			f.add("%s: the integration's URI is not one of a function's alias", path)
			continue
		}
		if text(d.template, "Resources", uri[1], "Type") != "AWS::Serverless::Function" {
			f.add("%s: the integration names %s, which is no function", path, uri[1])
		}
		action := wire.Action(text(item, "post", "operationId"))
		if uri[1] != takenBy[action] || action.Route() != path {
			f.add("%s: the operation or the integration (%s) is another action's", path, uri[1])
		}
		if alias := text(functionProperties(d, uri[1]), "AutoPublishAlias"); uri[2] != alias {
			f.add("%s: the integration names the alias %s, and the function has %q", path, uri[2], alias)
		}
		if text(integration, "type") != "aws_proxy" || text(integration, "httpMethod") != "POST" {
			f.add("%s: the integration is not a Lambda proxy's", path)
		}
		if number(integration, "timeoutInMillis") <= 1000*number(functionProperties(d, uri[1]), "Timeout") {
			f.add("%s: API Gateway gives up before the function", path)
		}
	}
	return f
}

func eventPaths(d *deployment) []string {
	var f faults
	var fromEvents, fromDocument []string
	ids, resources := ofType(d.template, "AWS::Serverless::Function")
	for _, id := range ids {
		events, _ := at(resources[id], "Events").(node)
		for name, event := range events {
			if text(event, "Type") != "Api" {
				continue
			}
			fromEvents = append(fromEvents, text(event, "Properties", "Method")+" "+text(event, "Properties", "Path"))
			if target(at(event, "Properties", "RestApiId")) != "Api" {
				f.add("%s/%s is not an event of the stack's API", id, name)
			}
		}
	}
	for path, item := range at(d.openapi, "paths").(node) {
		for method := range item.(node) {
			fromDocument = append(fromDocument, method+" "+path)
		}
	}
	f.same("event paths against api/openapi.yaml", fromEvents, fromDocument)
	if text(d.template, "Resources", "Api", "Properties", "DefinitionBody", "Fn::Transform", "Parameters", "Location") != "api/openapi.yaml" {
		f.add("the API is not defined by api/openapi.yaml")
	}
	return f
}

func builds(d *deployment) []string {
	var f faults
	ids, _ := ofType(d.template, "AWS::Serverless::Function")
	for _, id := range ids {
		p := functionProperties(d, id)
		metadata := at(d.template, "Resources", id, "Metadata")
		if text(metadata, "BuildMethod") != "makefile" {
			f.add("%s: the build method is not makefile", id)
		}
		if !strings.Contains(d.makefile, "\nbuild-"+id+":") {
			f.add("%s: the Makefile has no target build-%s", id, id)
		}
		if text(p, "Handler") != "bootstrap" || text(p, "Runtime") != "provided.al2023" {
			f.add("%s: the handler is not bootstrap on provided.al2023", id)
		}
		for _, architecture := range list(at(d.template, "Parameters", "Architecture", "AllowedValues")) {
			given := map[string]string{"Architecture": architecture.(string)}
			folder, _ := resolve(d.template, at(metadata, "WorkingDirectory"), given).(string)
			want := map[string]string{"arm64": "arm64", "x86_64": "amd64"}[architecture.(string)]
			made, err := os.ReadFile(filepath.Join(root, folder, "goarch.mk"))
			if err != nil || strings.TrimSpace(string(made)) != "GOARCH := "+want {
				f.add("%s: %s/goarch.mk does not say GOARCH := %s", id, folder, want)
			}
			if resolved := resolve(d.template, at(p, "Architectures", 0), given); resolved != architecture {
				f.add("%s: with the parameter %s the architecture is %v", id, architecture, resolved)
			}
		}
		for _, flag := range []string{"CGO_ENABLED=0", "FUNCTION_FLAGS"} {
			if _, recipe, _ := strings.Cut(d.makefile, "\nbuild-"+id+":"); !strings.Contains(strings.SplitN(recipe, "\nbuild-", 2)[0], flag) {
				f.add("build-%s does not use %s", id, flag)
			}
		}
	}
	for _, flag := range []string{"-tags lambda.norpc", "-trimpath", "-buildvcs=false", "-s -w"} {
		if !strings.Contains(d.makefile, flag) {
			f.add("the Makefile does not build with %s", flag)
		}
	}
	return f
}
