package redact

import (
	"strconv"
	"strings"
	"unicode"
)

// decimal is the value of a decimal digit of any script, and -1 for what is none. Unicode has them in runs of ten.
func decimal(r rune) int {
	if r < 0x80 {
		if r >= '0' && r <= '9' {
			return int(r - '0')
		}
		return -1
	}
	for _, run := range unicode.Nd.R16 {
		if lo, hi := rune(run.Lo), rune(run.Hi); r >= lo && r <= hi {
			return int(r-lo) % 10
		}
	}
	for _, run := range unicode.Nd.R32 {
		if lo, hi := rune(run.Lo), rune(run.Hi); r >= lo && r <= hi {
			return int(r-lo) % 10
		}
	}
	return -1
}

// others are digits that are not decimal digits to Unicode, each line from 0 or 1 on.
var others = []struct {
	first  int
	digits string
}{
	{0, "〇一二三四五六七八九"}, {0, "零壹贰叁肆伍陆柒捌玖"}, {2, "貳參肆伍陸"}, {1, "幺"}, {1, "弌弍弎"},
	{0, "⁰¹²³⁴⁵⁶⁷⁸⁹"}, {0, "₀₁₂₃₄₅₆₇₈₉"}, {0, "⓪①②③④⑤⑥⑦⑧⑨"}, {0, "⓿❶❷❸❹❺❻❼❽❾"}, {0, "🄋➀➁➂➃➄➅➆➇➈"},
	{0, "🄌➊➋➌➍➎➏➐➑➒"}, {1, "⓵⓶⓷⓸⓹⓺⓻⓼⓽"}, {1, "⑴⑵⑶⑷⑸⑹⑺⑻⑼"}, {1, "⒈⒉⒊⒋⒌⒍⒎⒏⒐"}, {1, "㊀㊁㊂㊃㊄㊅㊆㊇㊈"},
	{1, "㈠㈡㈢㈣㈤㈥㈦㈧㈨"}, {0, "🄁🄂🄃🄄🄅🄆🄇🄈🄉🄊"},
}

// anyDigit is [decimal] and the others.
func anyDigit(r rune) int {
	if d := decimal(r); d >= 0 {
		return d
	}
	if r < 0x80 {
		return -1
	}
	for _, row := range others {
		n := row.first
		for _, digit := range row.digits {
			if digit == r {
				return n
			}
			n++
		}
	}
	return -1
}

// exempted reports whether the groups from first to last are all part of one time or one IPv4 address.
func exempted(cells []cell, groups []group, first, last int) bool {
	for i := max(0, first-timeParts); i <= first; i++ {
		if i+max(timeAt(cells, groups[i:]), addressAt(cells, groups[i:])) > last {
			return true
		}
	}
	return false
}

// timeParts are the groups of a time without a fraction.
const timeParts = 6

// timeAt is how many groups the time takes that begins with the first one: 2024-06-17 15:30:00 or
// 2024-06-17T15:30:00.123.
func timeAt(cells []cell, groups []group) int {
	const parts = timeParts
	if len(groups) < parts {
		return 0
	}
	for i, part := range [parts]struct {
		least, most, length int
		after               string
	}{{2000, 2099, 4, "-/"}, {1, 12, 2, "-/"}, {1, 31, 2, " T"}, {0, 23, 2, ":"}, {0, 59, 2, ":"}, {0, 60, 2, ""}} {
		n, err := strconv.Atoi(string(groups[i].digits))
		if err != nil || len(groups[i].digits) != part.length || n < part.least || n > part.most {
			return 0
		}
		if part.after != "" &&
			(groups[i+1].from-groups[i].to != 1 || !strings.ContainsRune(part.after, cells[groups[i].to].r)) {
			return 0
		}
	}
	if len(groups) > parts && groups[parts].from-groups[parts-1].to == 1 &&
		strings.ContainsRune(".,", cells[groups[parts-1].to].r) &&
		len(groups[parts].digits) <= 9 {
		return parts + 1
	}
	return parts
}

// addressAt is 4 when an IPv4 address begins with the first group, and else 0.
func addressAt(cells []cell, groups []group) int {
	const parts = 4
	if len(groups) < parts {
		return 0
	}
	for i := range parts {
		n, err := strconv.Atoi(string(groups[i].digits))
		if err != nil || n > 255 || strconv.Itoa(n) != string(groups[i].digits) {
			return 0
		}
		if i > 0 && (groups[i].from-groups[i-1].to != 1 || cells[groups[i-1].to].r != '.') {
			return 0
		}
	}
	// With a dot before it or behind it, it is something longer.
	if from := groups[0].from; from > 0 && cells[from-1].r == '.' {
		return 0
	}
	if len(groups) > parts && groups[parts].from-groups[parts-1].to == 1 && cells[groups[parts-1].to].r == '.' {
		return 0
	}
	return parts
}
