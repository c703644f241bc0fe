// Package template holds the tests of template.yaml, api/ and events/: what linters do not see, over the template as it
// is written and over what AWS SAM makes of it. Each check is shown to fail by seeding its fault in a copy.
package template
