package wire

import (
	"fmt"
	"unicode/utf8"

	"github.com/kesu-go/kesu/pkg/gbk"
)

// ImagecoProblems finds what 翼码 does not take though WeChat Pay does: a reply of more than 200 characters (its
// documentation, section 4.73), a link to a mini program, and immediate service.
func (c *Command) ImagecoProblems() []Problem {
	var problems []Problem
	if n := utf8.RuneCountInString(c.ResponseContent); n > ImagecoContentMax {
		problems = append(problems, Problem{"/response_content",
			fmt.Sprintf("must have 1 to %d characters through 翼码, has %d", ImagecoContentMax, n)})
	}
	for _, r := range rows[c.Action].rules {
		if r.onlyWechatPay && len(r.content(c)) > 0 {
			problems = append(problems, Problem{Pointer(r.name), onlyThroughWechatPay})
		}
	}
	return problems
}

const onlyThroughWechatPay = "is only for merchants whose replies go through WeChat Pay, and this one's go through 翼码"

// GBKProblems lists the members of a reply that cannot be written in GBK, which a merchant with format xml or
// sign_charset gbk needs (contract, section 2).
func (c *Command) GBKProblems() []Problem {
	var problems []Problem
	for _, r := range rows[c.Action].rules {
		if r.content == nil || r.onlyWechatPay {
			continue
		}
		for i, value := range r.content(c) {
			pointer := Pointer(r.name)
			if r.array {
				pointer += fmt.Sprintf("/%d", i)
			}
			if _, err := gbk.Encode(value); err != nil {
				problems = append(problems,
					Problem{pointer, err.Error() + ", which this merchant's gateway set-up needs"})
			}
		}
	}
	return problems
}

// WechatPayProblems finds what WeChat Pay does not take though 翼码 does: a seller_account that is no merchant number,
// because it stands for complainted_mchid (被诉商户号) there (contract, section 5.1).
func (c *Command) WechatPayProblems() []Problem {
	var problems []Problem
	if c.SellerAccount != "" {
		for _, p := range idText.problems(c.SellerAccount) {
			problems = append(problems,
				Problem{"/seller_account", p + ", because it is complainted_mchid through WeChat Pay"})
		}
	}
	return problems
}
