package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/template"

	"github.com/alecthomas/kong"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"The shell: ${enum}."`
}

// Help is the example that kesu help shows.
func (completionCommand) Help() string {
	return `Prints a script that teaches a shell the commands and flags.

Examples:
  source <(kesu completion bash)
  kesu completion zsh > "${fpath[1]}/_kesu"
  kesu completion fish > ~/.config/fish/completions/kesu.fish`
}

// Run prints the script, made from the same model that reads the command line.
func (c completionCommand) Run(k *kong.Kong, t terminal) error {
	return writeCompletion(t.out, c.Shell, k.Model.Node)
}

// level is one command as a shell sees it: what may stand behind it.
type level struct {
	At       string // the commands so far, each with a space before it: " send reply"; "" is the program
	Commands []word
	Flags    []word
	Args     []string // the words that an argument may be
}

// word is one thing to offer.
type word struct {
	Name, Help string
	Values     []string // what a flag takes, when that is a few words
	File       bool     // a flag takes a file
	Takes      bool     // a flag takes a value
}

// Words are all that may stand behind a command.
func (l level) Words() string {
	var words []string
	for _, w := range l.Commands {
		words = append(words, w.Name)
	}
	words = append(words, l.Args...)
	for _, w := range l.Flags {
		words = append(words, "--"+w.Name)
	}
	return strings.Join(words, " ")
}

func levels(node *kong.Node, at string) []level {
	l := level{At: at}
	below := []level{}
	for _, child := range node.Children {
		if child.Hidden || child.Type != kong.CommandNode {
			continue
		}
		l.Commands = append(l.Commands, word{Name: child.Name, Help: quotable(child.Help)})
		below = append(below, levels(child, at+" "+child.Name)...)
	}
	for _, argument := range node.Positional {
		if argument.Enum != "" {
			l.Args = append(l.Args, strings.Split(argument.Enum, ",")...)
		}
	}
	for _, group := range node.AllFlags(true) {
		for _, flag := range group {
			w := word{Name: flag.Name, Help: quotable(flag.Help), Takes: !flag.IsBool(), File: flag.Tag.Type == "path"}
			if flag.Enum != "" {
				w.Values = strings.Split(flag.Enum, ",")
			}
			l.Flags = append(l.Flags, w)
		}
	}
	slices.SortFunc(l.Flags, func(a, b word) int { return cmp.Compare(a.Name, b.Name) })
	return append([]level{l}, below...)
}

// quotable keeps a help text from ending the quotes that it stands in.
func quotable(help string) string {
	return strings.NewReplacer("'", "’", "\\", "", "${enum}", "see the values", "\n", " ").Replace(help)
}

func writeCompletion(w io.Writer, shell string, root *kong.Node) error {
	text, known := completions[shell]
	if !known {
		return fmt.Errorf("there is no completion for %s", shell)
	}
	script, err := template.New(shell).Parse(text)
	if err != nil {
		return err
	}
	return script.Execute(w, levels(root, ""))
}

// completions are the scripts. Each finds the command that is being typed first, and then offers what belongs to it.
var completions = map[string]string{
	"bash": `_kesu() {
	local at="" word cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}"
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case "$at $word" in {{range $i, $l := .}}{{if $l.At}}{{if gt $i 1}}|{{end}}"{{$l.At}}"{{end}}{{end}}) at="$at $word" ;; esac
	done
	case "$at $prev" in
{{- range $l := .}}{{range .Flags}}{{if .Values}}
	"{{$l.At}} --{{.Name}}") COMPREPLY=($(compgen -W "{{range .Values}}{{.}} {{end}}" -- "$cur")); return ;;
{{- else if .File}}
	"{{$l.At}} --{{.Name}}") COMPREPLY=($(compgen -f -- "$cur")); return ;;
{{- else if .Takes}}
	"{{$l.At}} --{{.Name}}") return ;;
{{- end}}{{end}}{{end}}
	esac
	case "$at" in
{{- range .}}
	"{{.At}}") COMPREPLY=($(compgen -W "{{.Words}}" -- "$cur")) ;;
{{- end}}
	esac
}
complete -o bashdefault -o default -F _kesu kesu
`,
	"zsh": `#compdef kesu
_kesu() {
	local at="" word prev="${words[CURRENT-1]}"
	for word in "${(@)words[2,CURRENT-1]}"; do
		case "$at $word" in ({{range $i, $l := .}}{{if $l.At}}{{if gt $i 1}}|{{end}}"{{$l.At}}"{{end}}{{end}}) at="$at $word" ;; esac
	done
	case "$at $prev" in
{{- range $l := .}}{{range .Flags}}{{if .Values}}
	("{{$l.At}} --{{.Name}}") compadd --{{range .Values}} {{.}}{{end}}; return ;;
{{- else if .File}}
	("{{$l.At}} --{{.Name}}") _files; return ;;
{{- else if .Takes}}
	("{{$l.At}} --{{.Name}}") return ;;
{{- end}}{{end}}{{end}}
	esac
	case "$at" in
{{- range .}}
	("{{.At}}") compadd -- {{.Words}} ;;
{{- end}}
	esac
	[[ "$PREFIX" == -* ]] || [[ -z "$at" ]] || _files
}
compdef _kesu kesu
`,
	"fish": `function __kesu_at
	set -l at ""
	for word in (commandline -opc)[2..-1]
		switch "$at $word"
			case{{range .}}{{if .At}} '{{.At}}'{{end}}{{end}}
				set at "$at $word"
		end
	end
	test "$at" = "$argv[1]"
end
{{range $l := .}}{{range .Commands}}complete -c kesu -f -n '__kesu_at "{{$l.At}}"' -a '{{.Name}}' -d '{{.Help}}'
{{end}}{{range .Args}}complete -c kesu -f -n '__kesu_at "{{$l.At}}"' -a '{{.}}'
{{end}}{{range .Flags}}complete -c kesu -n '__kesu_at "{{$l.At}}"' -l '{{.Name}}'{{if .Values}} -x -a '{{range .Values}}{{.}} {{end}}'{{else if .File}} -r -F{{else if .Takes}} -x{{end}} -d '{{.Help}}'
{{end}}{{end}}`,
}
