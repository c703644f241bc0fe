package wire

import (
	"fmt"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// EncodeGBK writes s in GBK. It fails, naming the first character and its place, when GBK lacks one.
func EncodeGBK(s string) ([]byte, error) {
	position := 0
	for _, r := range s {
		position++
		if !inGBK(r) {
			return nil, fmt.Errorf("character %d (U+%04X) does not exist in GBK", position, r)
		}
	}
	return simplifiedchinese.GBK.NewEncoder().Bytes([]byte(s))
}

// inGBK tells whether every implementation of GBK reads r the same.
//
// x/text follows the WHATWG's index, which is wider than GBK in 81 places: the euro sign (0x80 there, A2E3 in Java,
// absent in GBK itself), U+01F9 and 79 characters of GB 18030 in rows A8, A9 and FE, which glibc's and Python's GBK do
// not have. 翼码 does not say which one it runs, and a sign over bytes that it reads differently cannot be explained
// to anyone, so those count as lacking.
func inGBK(r rune) bool {
	if r < 0x80 {
		return true
	}
	var pair [2]byte
	encoded, _, err := simplifiedchinese.GBK.NewEncoder().Transform(pair[:], []byte(string(r)), true)
	if err != nil || encoded != 2 {
		return false
	}
	lead, trail := pair[0], pair[1]
	switch lead {
	case 0xA8:
		return trail != 0xBF
	case 0xA9:
		return trail < 0x89 || trail > 0x95
	case 0xFE:
		return trail > 0xA0
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
