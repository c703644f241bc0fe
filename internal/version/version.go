// Package version says which build of Kesu this is.
package version

import "runtime/debug"

// commit is set by the linker, with -ldflags "-X github.com/kesu-go/kesu/internal/version.commit=…": the same commit
// gives the same bytes. Nothing else that changes from build to build belongs here.
var commit string

// String is the version as a short text of letters, digits, dots and dashes: what `git describe --always` said of the
// commit, else the module's version, else "devel".
func String() string {
	if clean := plain(commit); clean != "" {
		return clean
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		if clean := plain(info.Main.Version); clean != "" && info.Main.Version != "(devel)" {
			return clean
		}
	}
	return "devel"
}

// plain drops what may not stand in a User-Agent's version.
func plain(text string) string {
	var out []byte
	for _, c := range []byte(text) {
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '.' || c == '-' || c == '+' {
			out = append(out, c)
		}
	}
	return string(out[:min(len(out), 64)])
}
