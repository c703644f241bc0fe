package redact

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// phones gives the places of mobile numbers of mainland China in a text: eleven digits from 13 to 19 on, with or
// without +86, whatever separates them.
//
// What is looked at are groups, runs of digits with nothing between. A number is one or more whole groups, so that the
// digits of an order number or a complaint id, which are more than eleven in a row, are none. Between two groups may
// stand any characters that are neither letters nor digits, or the same few letters each time ("138转0013转8000").
// A time (2024-06-17 15:30:00.123) and an IPv4 address are read as what they are.
//
// Digits are first the decimal digits of every script, then also those in circles and Chinese numerals: a number behind
// ① is a number of its own. Each time the text is read as it stands and with its escapes decoded.
func phones(text string) []span {
	if len(text) < numberDigits {
		return nil
	}
	var found []span
	for cells := range readings(text) {
		for i, digitOf := range [...]func(rune) int{decimal, anyDigit} {
			if i > 0 && isASCII(cells) {
				break
			}
			if groups := groupsOf(cells, digitOf); digitsIn(groups) >= numberDigits {
				found = numbers(found, cells, groups)
			}
		}
	}
	return found
}

const (
	numberDigits      = 11 // of a mobile number
	maxSeparatorWords = 4  // characters between two groups when there are letters among them
	maxSeparatorCode  = 16 // characters between a country code and the number
)

// group is a run of digits: its digits, and its cells from and to.
type group struct {
	digits   []byte
	from, to int
}

func digitsIn(groups []group) (n int) {
	for _, g := range groups {
		n += len(g.digits)
	}
	return n
}

// groupsOf finds the groups in a text.
func groupsOf(cells []cell, digitOf func(rune) int) []group {
	all := make([]byte, 0, len(cells))
	groups := make([]group, 0, 8)
	for i := 0; i < len(cells); {
		from, before := i, len(all)
		for ; i < len(cells); i++ {
			d := digitOf(cells[i].r)
			if d < 0 {
				break
			}
			all = append(all, byte('0'+d))
		}
		if len(all) == before {
			i++
			continue
		}
		groups = append(groups, group{all[before:], from, i})
	}
	return groups
}

// countryCodes may stand before a number, by themselves or in its first group, where a 0 may too.
var countryCodes = []string{"86", "086", "0086"}

// numbers adds the places of the numbers among groups.
func numbers(found []span, cells []cell, groups []group) []span {
	for i, first := range groups {
		prefix := prefixLength(first.digits)
		if prefix < 0 {
			continue
		}
		digits := len(first.digits) - prefix
		last := i
		for digits < numberDigits && last+1 < len(groups) {
			last++
			digits += len(groups[last].digits)
		}
		switch {
		case digits != numberDigits, !beginsNumber(groups[i:last+1], prefix), !separated(cells, groups[i:last+1]):
			continue
		case exempted(cells, groups, i, last):
			continue
		}
		start := first.from
		if prefix == 0 && i > 0 && slices.Contains(countryCodes, string(groups[i-1].digits)) &&
			first.from-groups[i-1].to <= maxSeparatorCode &&
			wordless(cells[groups[i-1].to:first.from]) {
			start = groups[i-1].from
		}
		start = withSigns(cells, start, groups[last].to)
		found = append(found, span{cells[start].start, cells[groups[last].to-1].end})
	}
	return found
}

// prefixLength is how many digits of a number's first group come before the number; -1 when no number begins there.
func prefixLength(digits []byte) int {
	if digits[0] == '1' {
		return 0
	}
	for _, prefix := range [...]string{"0086", "086", "86", "0"} {
		if n := len(prefix); len(digits) > n && string(digits[:n]) == prefix && digits[n] == '1' {
			return n
		}
	}
	return -1
}

// beginsNumber reports whether the second digit is one that follows the 1 of a mobile number.
func beginsNumber(groups []group, prefix int) bool {
	second := groups[0].digits[prefix:]
	if second = second[1:]; len(second) == 0 {
		second = groups[1].digits
	}
	return second[0] >= '3'
}

// separated reports whether what stands between the groups can separate the digits of one number.
func separated(cells []cell, groups []group) bool {
	between := make([][]cell, 0, len(groups))
	for i := 1; i < len(groups); i++ {
		between = append(between, cells[groups[i-1].to:groups[i].from])
	}
	if !slices.ContainsFunc(between, func(b []cell) bool { return !wordless(b) }) {
		return true
	}
	same := func(a, b cell) bool { return unicode.ToLower(a.r) == unicode.ToLower(b.r) }
	for _, b := range between {
		if len(b) > maxSeparatorWords || !slices.EqualFunc(b, between[0], same) {
			return false
		}
	}
	return len(between) > 1
}

func isASCII(cells []cell) bool {
	return !slices.ContainsFunc(cells, func(c cell) bool { return c.r >= utf8.RuneSelf })
}

func wordless(cells []cell) bool {
	return !slices.ContainsFunc(cells, func(c cell) bool { return unicode.IsLetter(c.r) })
}

// withSigns takes in a + before a number, and a bracket that closes within it.
func withSigns(cells []cell, start, end int) int {
	closes := slices.ContainsFunc(cells[start:end], func(c cell) bool { return c.r == ')' || c.r == '）' })
	for ; start > 0; start-- {
		switch r := cells[start-1].r; {
		case r == '+' || r == '＋':
		case closes && (r == '(' || r == '（'):
		default:
			return start
		}
	}
	return start
}
