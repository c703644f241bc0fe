package bench

import (
	"fmt"
	"strings"
)

// The measures of the picture, in pixels.
const (
	barLeft, barHeight, barStep = 190, 26, 44
	pictureWidth                = 860
)

// colours of the parts, in order; they differ in brightness too.
var colours = []string{"#1b4965", "#5fa8d3", "#bee9e8", "#ca6702", "#ee9b00", "#9aa5b1"}

// Picture draws the cold path in its parts, a bar for each, as SVG.
func Picture(all []Parts) string {
	longest := 1.0
	for _, p := range all {
		longest = max(longest, p.Total())
	}
	scale := (pictureWidth - barLeft - 90) / longest
	height := 70 + barStep*len(all) + 40
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13" role="img" aria-label="The cold path in its parts">`+"\n", pictureWidth, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", pictureWidth, height)
	b.WriteString(`<text x="12" y="22" font-size="15" font-weight="bold" fill="#1f2933">From exec to the first answer, 20 ms a round trip, prefetch off (ms)</text>` + "\n")
	names := []string{"start", "connect, TLS roots", "secret", "gateway's connection, sign", "call", "answer, settle"}
	x := 12
	for i, name := range names {
		fmt.Fprintf(&b, `<rect x="%d" y="36" width="12" height="12" fill="%s"/><text x="%d" y="47" fill="#1f2933">%s</text>`+"\n", x, colours[i], x+17, name)
		x += 34 + 8*len(name)
	}
	for i, p := range all {
		y := 66 + i*barStep
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end" fill="#1f2933">%s</text>`+"\n", barLeft-10, y+18, p.Name)
		at := float64(barLeft)
		for j, part := range []float64{p.Start, p.Connect, p.Secret, p.Gateway, p.Call, p.After} {
			width := max(part, 0) * scale
			fmt.Fprintf(&b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"><title>%s: %.1f ms</title></rect>`+"\n", at, y, width, barHeight, colours[j], names[j], part)
			at += width
		}
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" fill="#1f2933" font-weight="bold">%.0f</text>`+"\n", at+8, y+18, p.Total())
	}
	b.WriteString("</svg>\n")
	return b.String()
}
