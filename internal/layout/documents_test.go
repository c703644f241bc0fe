package layout

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// readmeLines is how long the README may be: one page.
const readmeLines = 200

func TestTheReadmeIsOnePage(t *testing.T) {
	for _, file := range []string{"README.md", "README.zh-CN.md"} {
		if n := strings.Count(readFile(t, file), "\n"); n > readmeLines {
			t.Errorf("%s has %d lines", file, n)
		}
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	anchor  = regexp.MustCompile(`<a id="([^"]+)">`)
	fences  = regexp.MustCompile("(?ms)^```.*?^```$")
)

// anchors are the places in a page that a link can lead to: its headings, as GitHub spells them, and its own anchors.
func anchors(page string) map[string]bool {
	page = fences.ReplaceAllString(page, "")
	places := map[string]bool{}
	for _, h := range heading.FindAllStringSubmatch(page, -1) {
		text := link.ReplaceAllString(anchor.ReplaceAllString(h[1], ""), "]")
		places[strings.Map(func(c rune) rune {
			switch {
			case c == ' ':
				return '-'
			case unicode.IsLetter(c), unicode.IsDigit(c), c == '-', c == '_':
				return unicode.ToLower(c)
			}
			return -1
		}, text)] = true
	}
	for _, a := range anchor.FindAllStringSubmatch(page, -1) {
		places[a[1]] = true
	}
	return places
}

// lostLinks are the links of a page, in a file of the repository, that lead nowhere.
func lostLinks(file, page string, exists func(string) bool, read func(string) string) []string {
	var lost []string
	for _, l := range link.FindAllStringSubmatch(fences.ReplaceAllString(page, ""), -1) {
		path, place, _ := strings.Cut(l[1], "#")
		target := file
		switch {
		case strings.Contains(path, "://"):
			continue
		case path != "":
			target = filepath.Join(filepath.Dir(file), path)
		}
		if !exists(target) || place != "" && strings.HasSuffix(target, ".md") && !anchors(read(target))[place] {
			lost = append(lost, l[1])
		}
	}
	return lost
}

func TestEveryLinkOfTheDocumentsLeadsSomewhere(t *testing.T) {
	links := 0
	for _, file := range tracked(t, ".md") {
		page := readFile(t, file)
		links += len(link.FindAllString(page, -1))
		exists := func(path string) bool {
			_, err := os.Stat(filepath.Join(root, path))
			return err == nil
		}
		for _, lost := range lostLinks(file, page, exists, func(path string) string { return readFile(t, path) }) {
			t.Errorf("%s: %s leads nowhere", file, lost)
		}
	}
	if links < 200 {
		t.Errorf("only %d links were found", links)
	}
}

func TestALinkThatLeadsNowhereIsFound(t *testing.T) {
	pages := map[string]string{"docs/a.md": "# One, two: `three`\n\n<a id=\"here\"></a>\n", "docs/b.md": ""}
	for text, want := range map[string]string{
		"[a](a.md#one-two-three)":               "",
		"[a](a.md#here) and [b](b.md)":          "",
		"[a](a.md#there)":                       "a.md#there",
		"[c](../c.md)":                          "../c.md",
		"[d](https://example.com/nowhere#here)": "",
		"```\n[c](c.md)\n```":                   "",
	} {
		exists := func(path string) bool { return pages[path] != "" || path == "docs/b.md" }
		got := strings.Join(lostLinks("docs/b.md", text, exists, func(path string) string { return pages[path] }), " ")
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// otherWords are words that stand for something that the glossary has another word for.
var otherWords = map[string]string{
	"结局": "结果状态", "落定": "给出结果", "裸命令": "命令对象", "完结": "处理完成", "台账": "账本", "密文": "密钥条目", "监视": "监听",
	"待处理队列": "待人工队列", "完成事件": "结果事件",
}

// vendorsWords begins the names of the files in which the sandbox answers in WeChat Pay's own words.
const vendorsWords = "internal/sandbox/wechatpay_"

func TestOneChineseWordForOneThing(t *testing.T) {
	pages := 0
	for _, file := range tracked(t, ".md", ".go", ".js", ".yaml") {
		if strings.HasSuffix(file, "_test.go") || strings.HasPrefix(file, vendorsWords) {
			continue
		}
		text := readFile(t, file)
		if strings.ContainsFunc(text, func(c rune) bool { return unicode.Is(unicode.Han, c) }) {
			pages++
		}
		for word, instead := range otherWords {
			if strings.Contains(text, word) {
				t.Errorf("%s: say %s in place of %s", file, instead, word)
			}
		}
	}
	if pages < 10 {
		t.Errorf("only %d pages with Chinese were found", pages)
	}
}

func TestTheGlossaryIsTheSameInBothLanguages(t *testing.T) {
	pairs := func(file string, english, chinese int) []string {
		var all []string
		for line := range strings.Lines(readFile(t, file)) {
			if cells := strings.Split(strings.Trim(strings.TrimSpace(line), "| "), " | "); len(cells) == 3 && strings.HasPrefix(line, "| ") {
				all = append(all, cells[english]+" "+cells[chinese])
			}
		}
		return all[1:] // without the head
	}
	one, other := pairs("docs/glossary.md", 0, 1), pairs("docs/zh-CN/glossary.md", 1, 0)
	if len(one) < 20 || !slices.Equal(one, other) {
		t.Errorf("%d and %d words:\n%s\n%s", len(one), len(other), strings.Join(one, "\n"), strings.Join(other, "\n"))
	}
	words := readFile(t, "docs/zh-CN/glossary.md")
	for word := range otherWords {
		if strings.Contains(words, word) {
			t.Errorf("the glossary has %s", word)
		}
	}
	for _, instead := range []string{"结果状态", "命令对象", "处理完成", "账本", "密钥条目"} {
		if !strings.Contains(words, "| "+instead+" |") {
			t.Errorf("the glossary lacks %s", instead)
		}
	}
}

var (
	code   = regexp.MustCompile("^```(?:sh|json|toml|yaml|http)?\n")
	note   = regexp.MustCompile(`(?m) +#.*$`)
	figure = regexp.MustCompile(`\*\*[0-9,.]+\*\*`)
	// What is written as it is in both languages: names, commands, values.
	backticked = regexp.MustCompile("`[!-_a-~]+`")
	row        = regexp.MustCompile(`(?m)^\| ([0-9]+) \| `)
	title      = regexp.MustCompile(`(?m)^#+ .*$`)
)

// TestEveryChinesePageKeepsUpWithTheEnglishOne compares what does not need a translator: the blocks of code, how many
// sections there are, the names in the text, the anchors that alarms and other pages lead to, and the sums of the costs.
func TestEveryChinesePageKeepsUpWithTheEnglishOne(t *testing.T) {
	pages := 0
	for _, file := range tracked(t, ".md") {
		name, chinese := strings.CutPrefix(file, "docs/zh-CN/")
		if !chinese {
			continue
		}
		pages++
		english, chineseText := readFile(t, "docs/"+name), readFile(t, file)
		if !strings.Contains(english, "(zh-CN/"+name+")") || !strings.Contains(chineseText, "(../"+name+")") {
			t.Errorf("%s: the two pages do not lead to each other", name)
		}
		if shortened[name] == "" {
			same(t, name+": sections", titles(english), titles(chineseText))
			same(t, name+": code", blocksOf(english), blocksOf(chineseText))
		}
		same(t, name+": sums", figure.FindAllString(english, -1), figure.FindAllString(chineseText, -1))
		same(t, name+": numbered rows", row.FindAllString(english, -1), row.FindAllString(chineseText, -1))
		for _, word := range backticked.FindAllString(fences.ReplaceAllString(chineseText, ""), -1) {
			if !strings.Contains(english, strings.Trim(word, "`")) {
				t.Errorf("%s: %s does not stand in the English page", file, word)
			}
		}
		if name == "runbook.md" {
			for place := range anchors(english) {
				if place != "runbook" && !anchors(chineseText)[place] {
					t.Errorf("%s: there is no anchor %s", file, place)
				}
			}
		}
	}
	if pages < 7 {
		t.Errorf("only %d pages were found", pages)
	}
}

// shortened are the pages that leave parts to the English one, and what they leave.
var shortened = map[string]string{
	"operations.md":  "packs of secrets, kesu smoke's checks, sentences of the log, how kesu sign was tried",
	"reliability.md": "which test guards a promise, how the pace works, and the simulation",
}

func same(t *testing.T, what string, english, chinese []string) {
	t.Helper()
	if !slices.Equal(english, chinese) {
		t.Errorf("%s differ:\n%s\n\n%s", what, strings.Join(english, "\n"), strings.Join(chinese, "\n"))
	}
}

// titles are the depths of a page's headings.
func titles(page string) []string {
	var depths []string
	for _, heading := range title.FindAllString(fences.ReplaceAllString(page, ""), -1) {
		depth, _, _ := strings.Cut(heading, " ")
		depths = append(depths, depth)
	}
	return depths
}

// blocksOf are a page's blocks of code without their comments, which are translated.
func blocksOf(page string) []string {
	var blocks []string
	for _, block := range fences.FindAllString(page, -1) {
		if code.MatchString(block) {
			blocks = append(blocks, note.ReplaceAllString(block, ""))
		}
	}
	return blocks
}
