package wire

import (
	"fmt"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// EncodeGBK writes s in GBK. It fails, naming the first character and its place, when GBK lacks one.
func EncodeGBK(s string) ([]byte, error) {
	encoded := make([]byte, len(s)) // no character is longer in GBK than in UTF-8
	written, read, err := simplifiedchinese.GBK.NewEncoder().Transform(encoded, []byte(s), true)
	encoded = encoded[:written]

	position := 0
	rest := encoded
	for _, r := range s[:read] {
		position++
		switch {
		case r < utf8.RuneSelf:
			rest = rest[1:]
		case rest[0] == euroByte || !inEveryGBK(rest[0], rest[1]):
			return nil, lacks(position, r)
		default:
			rest = rest[2:]
		}
	}
	if err != nil {
		r, _ := utf8.DecodeRuneInString(s[read:])
		return nil, lacks(position+1, r)
	}
	return encoded, nil
}

func lacks(position int, r rune) error {
	return fmt.Errorf("character %d (U+%04X) does not exist in GBK", position, r)
}

// euroByte is the only character that x/text writes as one byte beyond ASCII.
const euroByte = 0x80

// inEveryGBK tells whether every implementation of GBK reads the pair of bytes the same.
//
// x/text follows the WHATWG's index, which is wider than GBK in 81 places: the euro sign (0x80 there and in glibc, A2E3 in
// GB 18030, absent in Python and in GBK itself), U+01F9 and 79 characters of GB 18030 in rows A9 and FE, which glibc's
// and Python's GBK do not have. 翼码 does not say which one it runs, and a sign over bytes that it reads differently cannot be explained
// to anyone, so those count as lacking.
func inEveryGBK(lead, trail byte) bool {
	switch lead {
	case 0xA8:
		return trail != 0xBF
	case 0xA9:
		return trail < 0x89 || trail > 0x95
	case 0xFE:
		return trail < 0x50 || trail > 0xA0
	}
	return true
}

// GBKProblems lists the members of a reply that cannot be written in GBK, which a merchant with format xml or
// sign_charset gbk needs (contract, section 2).
func (c *Command) GBKProblems() []Problem {
	var problems []Problem
	check := func(pointer, value string) {
		if _, err := EncodeGBK(value); err != nil {
			problems = append(problems, Problem{Pointer: pointer, Detail: err.Error() + ", which this merchant's gateway set-up needs"})
		}
	}
	check("/response_content", c.ResponseContent)
	for i, id := range c.ResponseImages {
		check(fmt.Sprintf("/response_images/%d", i), id)
	}
	check("/jump_url", c.JumpURL)
	check("/jump_url_text", c.JumpURLText)
	check("/seller_account", c.SellerAccount)
	return problems
}
