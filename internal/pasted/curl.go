package pasted

import (
	"bytes"
	"net/url"
	"strings"
)

func isCurlCommand(text []byte) bool {
	text = bytes.TrimLeft(text, " \t$")
	return bytes.HasPrefix(text, []byte("curl ")) || bytes.HasPrefix(text, []byte("curl.exe "))
}

// readCurl reads a command line of curl, as people write it and as browsers copy it.
func readCurl(command string) (HTTP, bool) {
	words := shellWords(strings.TrimLeft(command, " \t$"))
	m := HTTP{Header: map[string]string{}, Forgiven: []Forgiven{CurlCommand}}
	hasBody := false
	for i := 1; i < len(words); i++ {
		word, value := words[i], ""
		if name, inline, ok := strings.Cut(word, "="); ok && strings.HasPrefix(word, "--") {
			word, value = name, inline
		} else if len(word) > 2 && word[0] == '-' && word[1] != '-' && strings.ContainsRune("HXd", rune(word[1])) {
			word, value = word[:2], word[2:]
		} else if takesValue[word] && i+1 < len(words) {
			i++
			value = words[i]
		}
		switch word {
		case "-H", "--header":
			name, text, _ := strings.Cut(value, ":")
			m.header(name, text)
		case "-X", "--request":
			m.Method = value
		case "-d", "--data", "--data-ascii", "--data-raw", "--data-binary":
			if word == "-d" || word == "--data" || word == "--data-ascii" {
				value = strings.NewReplacer("\r", "", "\n", "").Replace(value) // as curl itself does
			}
			if strings.HasPrefix(value, "@") && word != "--data-raw" {
				m.Forgiven = append(m.Forgiven, MissingBody)
				break
			}
			if hasBody {
				m.Body = append(m.Body, '&')
			}
			m.Body, hasBody = append(m.Body, value...), true
		default:
			if target, ok := requestTarget(word); ok && !strings.HasPrefix(word, "-") {
				m.Target = target
			}
		}
	}
	if m.Method == "" {
		m.Method = map[bool]string{true: "POST", false: "GET"}[hasBody]
	}
	return m, m.Target != ""
}

// takesValue are curl's options that are followed by a value.
var takesValue = map[string]bool{"-H": true, "--header": true, "-X": true, "--request": true, "-d": true, "--data": true, "--data-raw": true,
	"--data-binary": true, "--data-ascii": true, "-o": true, "--output": true, "-u": true, "--user": true, "-A": true, "--user-agent": true,
	"-b": true, "--cookie": true, "-e": true, "--referer": true, "-m": true, "--max-time": true, "-x": true, "--proxy": true, "-w": true,
	"--connect-timeout": true, "--cacert": true, "--cert": true, "--key": true, "--resolve": true}

// requestTarget is what curl puts into the request's first line for a URL.
func requestTarget(word string) (string, bool) {
	u, err := url.Parse(word)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", false
	}
	_, rest, _ := strings.Cut(word, "://")
	slash := strings.IndexAny(rest, "/?")
	if slash < 0 {
		return "/", true
	}
	target, _, _ := strings.Cut(rest[slash:], "#")
	if target[0] == '?' {
		target = "/" + target
	}
	return target, true
}

// shellWords splits a command as a POSIX shell does, with its quotes and with $'…'.
func shellWords(line string) []string {
	var words []string
	var word strings.Builder
	inWord := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && i+1 < len(line):
			i++
			if line[i] == '\r' && i+1 < len(line) {
				i++
			}
			if line[i] != '\n' {
				word.WriteByte(line[i])
				inWord = true
			}
		case c == '$' && i+1 < len(line) && line[i+1] == '\'':
			i = quotedANSI(line, i+2, &word)
			inWord = true
		case c == '\'':
			end := strings.IndexByte(line[i+1:], '\'')
			if end < 0 {
				end = len(line) - i - 1
			}
			word.WriteString(line[i+1 : i+1+end])
			i, inWord = i+1+end, true
		case c == '"':
			for i++; i < len(line) && line[i] != '"'; i++ {
				if line[i] == '\\' && i+1 < len(line) && strings.ContainsRune("\"\\$`\n", rune(line[i+1])) {
					i++
				}
				word.WriteByte(line[i])
			}
			inWord = true
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	return words
}

// quotedANSI reads bash's $'…' from i on, and returns the place of its end.
func quotedANSI(line string, i int, word *strings.Builder) int {
	for ; i < len(line) && line[i] != '\''; i++ {
		if line[i] != '\\' || i+1 == len(line) {
			word.WriteByte(line[i])
			continue
		}
		i++
		switch line[i] {
		case 'n':
			word.WriteByte('\n')
		case 'r':
			word.WriteByte('\r')
		case 't':
			word.WriteByte('\t')
		case 'u':
			var r rune
			for n := 0; n < 4 && i+1 < len(line) && strings.IndexByte("0123456789abcdefABCDEF", line[i+1]) >= 0; n++ {
				i++
				r = r<<4 | rune(strings.IndexByte("0123456789abcdef", line[i]|0x20))
				if line[i] <= '9' {
					r = r&^0xF | rune(line[i]-'0')
				}
			}
			word.WriteRune(r)
		default:
			word.WriteByte(line[i])
		}
	}
	return i
}
