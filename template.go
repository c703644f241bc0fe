// Package kesu holds what is deployed, for programs that play it on one machine.
package kesu

import _ "embed"

// Template is template.yaml.
//
//go:embed template.yaml
var Template []byte
