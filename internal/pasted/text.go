// Package pasted reads what people have at hand in the forms in which editors, browsers, terminals and consoles give it:
// keys and certificates, JSON, HTTP messages. It says what it had to forgive, so that nobody takes a forgiven text for one
// that a function reads too. Nothing it returns but the text itself holds a part of the text.
package pasted

import (
	"bytes"
	"encoding/binary"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Forgiven names something that was read over.
type Forgiven string

// What can be forgiven in any text.
const (
	UTF16      Forgiven = "utf-16"             // a file in UTF-16, as Windows' Notepad and PowerShell write it
	BOM        Forgiven = "byte-order-mark"    // U+FEFF at the beginning
	Escapes    Forgiven = "terminal-escapes"   // colours of a terminal
	ZeroWidth  Forgiven = "zero-width"         // characters that take no place
	OtherSpace Forgiven = "other-space"        // no-break spaces and their kind in place of spaces
	Quotes     Forgiven = "typographic-quotes" // “ ” in place of "
)

var ansi = regexp.MustCompile("\x1b\\[[0-9;?]*[ -/]*[@-~]")

// Bytes takes off what stands around a text and is not a part of it: UTF-16, a byte order mark, a terminal's colours.
// What is inside stays byte for byte, because a signature may cover it.
func Bytes(raw []byte) ([]byte, []Forgiven) {
	var forgiven []Forgiven
	if text, ok := fromUTF16(raw); ok {
		raw, forgiven = text, append(forgiven, UTF16)
	}
	if text, ok := bytes.CutPrefix(raw, []byte("\xEF\xBB\xBF")); ok {
		raw, forgiven = text, append(forgiven, BOM)
	}
	if bytes.Contains(raw, []byte("\x1b[")) {
		raw, forgiven = ansi.ReplaceAll(raw, nil), append(forgiven, Escapes)
	}
	return raw, forgiven
}

// fromUTF16 reads a file that begins with UTF-16's byte order mark, or whose every other byte is zero.
func fromUTF16(raw []byte) ([]byte, bool) {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(raw, []byte{0xFF, 0xFE}):
		order, raw = binary.LittleEndian, raw[2:]
	case bytes.HasPrefix(raw, []byte{0xFE, 0xFF}):
		order, raw = binary.BigEndian, raw[2:]
	case len(raw) >= 8 && raw[1] == 0 && raw[3] == 0 && raw[5] == 0:
		order = binary.LittleEndian
	case len(raw) >= 8 && raw[0] == 0 && raw[2] == 0 && raw[4] == 0:
		order = binary.BigEndian
	default:
		return nil, false
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = order.Uint16(raw[2*i:])
	}
	return []byte(string(utf16.Decode(units))), true
}

// zeroWidth are characters that take no place on a screen and come along from web pages and chats.
const zeroWidth = "\u200B\u200C\u200D\u200E\u200F\u2060\uFEFF\u00AD\u202A\u202B\u202C\u202D\u202E"

// otherSpaces are spaces that are not U+0020.
const otherSpaces = "\u00A0\u2002\u2003\u2007\u2009\u202F\u3000"

// Plain makes a text of which only ASCII counts fit to be read: besides what [Bytes] takes off, it drops characters that
// take no place and turns every kind of space into a space.
func Plain(raw []byte) (string, []Forgiven) {
	raw, forgiven := Bytes(raw)
	text := string(raw)
	if !utf8.ValidString(text) {
		return text, forgiven
	}
	if strings.ContainsAny(text, zeroWidth) {
		forgiven = append(forgiven, ZeroWidth)
		text = strings.Map(func(r rune) rune {
			if strings.ContainsRune(zeroWidth, r) {
				return -1
			}
			return r
		}, text)
	}
	if strings.ContainsAny(text, otherSpaces) {
		forgiven = append(forgiven, OtherSpace)
		text = strings.Map(func(r rune) rune {
			if strings.ContainsRune(otherSpaces, r) {
				return ' '
			}
			return r
		}, text)
	}
	return text, forgiven
}
