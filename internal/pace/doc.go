// Package pace keeps each merchant's calls within what a gateway allows, for all processes together.
//
// WeChat Pay allows a merchant 60 replies and 1,500 completions a minute, according to its support's list of questions
// and answers (https://developers.weixin.qq.com/community/pay/doc/000a0606d345a064a4eb5c5455ec08, Q1).
//
// # The algorithm
//
// It is the generic cell rate algorithm (GCRA, recommendation I.371 of the ITU-T). The tokens of a merchant and an
// action stand one interval (60 s divided by the figure) apart on a time line. Each token has its place there, its
// theoretical arrival time; the one of the next token (TAT) is all that is stored. A token may be used from burst-1
// intervals before its place until its place. So in any minute no more are used than places lie in a minute and burst-1
// intervals: the figure and a burst.
//
// A [Store] moves the TAT on by one interval in one conditional write. A token whose place is near enough is used at
// once; one further ahead can be reserved and waited for.
//
// # Giving back
//
// A token that was not used gives its place up and nothing else, so that no place is ever used twice. The store's TAT
// goes back when the place is the last one that was taken. Any other place is kept by the process for its next command,
// until the place is an interval past. Adding a token to a count instead would let more through: one whose place is
// past has no more room to give.
//
// # What is not exact
//
// A command takes its token when it begins and sends a moment later, when its claim and its secret are there. A token
// is good for one interval after its place, and for a second where an interval is shorter: within an interval this does
// not change the bound above; beyond it a call more can pass for each interval by which it came late.
//
// The processes' clocks are compared with each other through the table. One that is ahead by d uses its tokens d
// earlier than the others see them, so that d divided by the interval more can pass in a minute (at 60 a minute one for
// each second), and leaves less of the burst to the others. Lambda's clocks differ by milliseconds. A TAT that is
// further ahead than any process can have reserved, and a minute more, is taken for a broken clock's and begun anew.
package pace
