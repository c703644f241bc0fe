package gbk_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/kesu-go/kesu/pkg/gbk"
)

func TestEncode(t *testing.T) {
	for _, row := range []struct{ name, text, want, err string }{
		{"nothing", "", "", ""},
		{"ASCII stays as it is, control characters too", "a\n\x00\x7f", "a\n\x00\x7f", ""},
		{"two bytes a character", "你好", "\xC4\xE3\xBA\xC3", ""},
		{"a character that GB 2312 lacks", "镕", "\xE9\x46", ""},
		{"a character of GBK's last row", "\ufa0c", "\xFE\x40", ""},
		{"full-width punctuation", "，。·—", "\xA3\xAC\xA1\xA3\xA1\xA4\xA1\xAA", ""},
		{"an emoji is named by its place in characters", "你好a😀b", "", "character 4 (U+1F600) does not exist in GBK"},
		{"the first of two is named", "a€b😀", "", "character 2 (U+20AC) does not exist in GBK"},
		{"the euro sign, which platforms encode differently", "€", "", "character 1 (U+20AC) does not exist in GBK"},
		{"a letter of pinyin that only newer tables have", "ǹ", "", "character 1 (U+01F9) does not exist in GBK"},
		{"a circled plus, which Java's GBK reads as another sign", "\u2295", "", "character 1 (U+2295) does not exist in GBK"},
		{"a no-break space", "\u00a0", "", "character 1 (U+00A0) does not exist in GBK"},
		{"bytes that are not UTF-8", "你\xff", "", "character 2 (U+FFFD) does not exist in GBK"},
		{"a character that breaks off", "你\xe4\xbd", "", "character 2 (U+FFFD) does not exist in GBK"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := gbk.Encode(row.text)
			if string(got) != row.want || (err == nil) != (row.err == "") || err != nil && err.Error() != row.err {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// plane calls f with every character of the Basic Multilingual Plane but ASCII's control characters.
func plane(f func(r rune)) {
	for r := rune(' '); r <= 0xFFFF; r++ {
		if utf8.ValidRune(r) {
			f(r)
		}
	}
}

// What Encode refuses although golang.org/x/text writes it is what its comment says, and no more.
func TestEncodeRefusesWhatIsDocumented(t *testing.T) {
	rows := map[string]int{}
	plane(func(r rune) {
		theirs, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(string(r)))
		if err != nil {
			theirs = nil
		}
		ours, err := gbk.Encode(string(r))
		switch {
		case err == nil && !bytes.Equal(ours, theirs):
			t.Errorf("U+%04X is % X here and % X in x/text", r, ours, theirs)
		case err != nil && theirs != nil:
			rows[fmt.Sprintf("%02X", theirs[0])]++
		}
	})
	want := map[string]int{"80": 1, "A8": 2, "A9": 13, "FE": 66}
	if fmt.Sprint(rows) != fmt.Sprint(want) {
		t.Errorf("refused by lead byte: %v, want %v", rows, want)
	}
}

// Encode takes exactly the characters that the implementations named in the file have in common, as the same bytes.
func TestEncodeTakesWhatEveryImplementationReadsAlike(t *testing.T) {
	table, err := os.ReadFile("testdata/gbk-common.txt")
	if err != nil {
		t.Fatal(err)
	}
	common := map[rune]string{}
	for line := range strings.Lines(string(table)) {
		lead, row, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		first, err := strconv.ParseUint(lead, 16, 8)
		if err != nil { // a comment
			continue
		}
		trail := 0x40
		for _, r := range row {
			if r != '-' {
				common[r] = string([]byte{byte(first), byte(trail)})
			}
			if trail++; trail == 0x7F {
				trail++
			}
		}
	}
	if len(common) != 21_790 {
		t.Fatalf("the table has %d characters", len(common))
	}
	plane(func(r rune) {
		got, err := gbk.Encode(string(r))
		if want, there := common[r]; r >= utf8.RuneSelf && ((err == nil) != there || string(got) != want) {
			t.Errorf("U+%04X is % X here (%v) and % X elsewhere", r, got, err, want)
		}
	})
}

// glibc's GBK is another implementation: it has to have every character that Encode takes, as the same bytes, and no
// other but the euro sign and the circled plus.
func TestEncodeAgreesWithIconv(t *testing.T) {
	iconv, err := exec.LookPath("iconv")
	if err != nil {
		t.Log("there is no iconv on this machine to compare with")
		return
	}
	var input bytes.Buffer
	var order []rune
	plane(func(r rune) {
		input.WriteString(string(r) + "\n")
		order = append(order, r)
	})
	command := exec.Command(iconv, "-c", "-f", "UTF-8", "-t", "GBK") // -c leaves out what GBK lacks
	command.Stdin = &input
	output, err := command.Output()
	if _, left := err.(*exec.ExitError); err != nil && !left { // some versions exit with 1 when they left something out
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSuffix(output, []byte("\n")), []byte("\n"))
	if len(lines) != len(order) {
		t.Fatalf("iconv gave %d lines for %d characters", len(lines), len(order))
	}
	taken := 0
	for i, r := range order {
		got, err := gbk.Encode(string(r))
		if err == nil {
			taken++
		}
		if (r == '€' || r == '⊕') && err != nil {
			continue
		}
		if !bytes.Equal(got, lines[i]) {
			t.Errorf("U+%04X is % X here and % X in iconv", r, got, lines[i])
		}
	}
	if taken != 96+21_790 { // ASCII from the space on, and what every implementation has beyond it
		t.Errorf("%d characters were taken", taken)
	}
}

func TestEncodeAllocatesOncePerTextAndNotPerCharacter(t *testing.T) {
	text := strings.Repeat("已与用户沟通解决", 200)
	got := testing.AllocsPerRun(20, func() {
		if _, err := gbk.Encode(text); err != nil {
			t.Fatal(err)
		}
	})
	if got > 4 {
		t.Errorf("%v allocations", got)
	}
}
