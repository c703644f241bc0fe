package wire_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/kesu-go/kesu/pkg/wire"
)

func TestEncodeGBK(t *testing.T) {
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
		{"a no-break space", "\u00a0", "", "character 1 (U+00A0) does not exist in GBK"},
		{"bytes that are not UTF-8", "你\xff", "", "character 2 (U+FFFD) does not exist in GBK"},
		{"a character that breaks off", "你\xe4\xbd", "", "character 2 (U+FFFD) does not exist in GBK"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := wire.EncodeGBK(row.text)
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

// What EncodeGBK refuses although golang.org/x/text writes it is what its comment says, and no more.
func TestEncodeGBKRefusesWhatIsDocumented(t *testing.T) {
	rows := map[string]int{}
	plane(func(r rune) {
		theirs, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(string(r)))
		if err != nil {
			theirs = nil
		}
		ours, err := wire.EncodeGBK(string(r))
		switch {
		case err == nil && !bytes.Equal(ours, theirs):
			t.Errorf("U+%04X is % X here and % X in x/text", r, ours, theirs)
		case err != nil && theirs != nil:
			rows[fmt.Sprintf("%02X", theirs[0])]++
		}
	})
	want := map[string]int{"80": 1, "A8": 1, "A9": 13, "FE": 66}
	if fmt.Sprint(rows) != fmt.Sprint(want) {
		t.Errorf("refused by lead byte: %v, want %v", rows, want)
	}
}

// glibc's GBK is another implementation: it has to have every character that EncodeGBK takes, as the same bytes, and no
// other but the euro sign.
func TestEncodeGBKAgreesWithIconv(t *testing.T) {
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
		got, err := wire.EncodeGBK(string(r))
		if err == nil {
			taken++
		}
		if r == '€' && err != nil {
			continue
		}
		if !bytes.Equal(got, lines[i]) {
			t.Errorf("U+%04X is % X here and % X in iconv", r, got, lines[i])
		}
	}
	if taken != 96+21_791 { // ASCII from the space on, and what Python's gbk has beyond it
		t.Errorf("%d characters were taken", taken)
	}
}

func TestGBKProblems(t *testing.T) {
	const needs = " does not exist in GBK, which this merchant's gateway set-up needs"
	for _, row := range []struct {
		name    string
		content wire.ReplyContent
		want    string
	}{
		{"nothing is lacking", sample().ReplyContent, ""},
		{"absent options are not looked at", wire.ReplyContent{ResponseContent: "好"}, ""},
		{"every member is looked at, and all problems are told", wire.ReplyContent{
			ResponseContent: "5€", ResponseImages: []string{"a", "\u00e4"}, JumpURL: "https://a.cn/\u00f1", JumpURLText: "\u00a0", SellerAccount: "ab\u200b"},
			"/response_content character 2 (U+20AC)" + needs + "\n/response_images/1 character 1 (U+00E4)" + needs +
				"\n/jump_url character 14 (U+00F1)" + needs + "\n/jump_url_text character 1 (U+00A0)" + needs + "\n/seller_account character 3 (U+200B)" + needs},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := wire.Command{Action: wire.Reply, ReplyContent: row.content}
			if got := told(c.GBKProblems()); got != row.want {
				t.Errorf("got\n%s\nwant\n%s", got, row.want)
			}
		})
	}
}

func TestEncodeGBKAllocatesOncePerTextAndNotPerCharacter(t *testing.T) {
	text := strings.Repeat("已与用户沟通解决", 200)
	got := testing.AllocsPerRun(20, func() {
		if _, err := wire.EncodeGBK(text); err != nil {
			t.Fatal(err)
		}
	})
	if got > 4 {
		t.Errorf("%v allocations", got)
	}
}
