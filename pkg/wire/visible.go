package wire

import "unicode"

// blank is what prints nothing although no property of Unicode's says so: the braille pattern without a dot (U+2800),
// and the place of an object that is not there (U+FFFC).
var blank = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x2800, Hi: 0x2800, Stride: 1}, {Lo: 0xFFFC, Hi: 0xFFFC, Stride: 1},
}}

// unseen are the characters that show nothing, or that mean nothing to whoever gets them: white space and controls;
// Default_Ignorable_Code_Point (a zero-width space, a Hangul filler, a variation selector), derived as Unicode says;
// the other format characters; private use; noncharacters. What the standard prints although it is a format character
// (Prepended_Concatenation_Mark) is taken out in [shows].
// https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point,
// https://www.unicode.org/Public/15.0.0/ucd/DerivedCoreProperties.txt.
var unseen = []*unicode.RangeTable{
	unicode.White_Space, unicode.Cc, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector,
	unicode.Co, unicode.Noncharacter_Code_Point, blank,
}

// shows reports whether a character shows something to a reader.
func shows(r rune) bool {
	return !unicode.In(r, unseen...) || unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}
