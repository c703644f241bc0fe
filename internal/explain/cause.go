package explain

import (
	"fmt"

	"github.com/kesu-go/kesu/internal/advice"
	"github.com/kesu-go/kesu/internal/pasted"
)

// tables are all causes, by subject.
var tables = [][]advice.Cause{imagecoCauses, textCauses, bodyCauses, formCauses, keyCauses, headerCauses}

var rows = func() map[string]advice.Cause {
	all := map[string]advice.Cause{}
	for _, table := range tables {
		for _, row := range table {
			all[row.ID] = row
		}
	}
	return all
}()

// causeOf is the row of a cause.
func causeOf(id string) advice.Cause {
	row, ok := rows[id]
	if !ok {
		return advice.Cause{ID: id, Says: advice.Words{EN: id, ZH: id}}
	}
	return row
}

// argumentsIn are what a cause's words need. How JSON was written is a word of this package, and is put into words here.
func argumentsIn(l advice.Language, c found) []any {
	switch c.id {
	case "body.spacing", "body.unicode", "body.slash", "body.html", "body.order":
		sent, signed := "?", "?"
		if len(c.args) == 2 {
			sent, signed = styleIn(l, c.id, c.args[0].(string)), styleIn(l, c.id, c.args[1].(string))
		}
		return []any{signed, sent}
	}
	return c.args
}

// styleIn words one part of a [style].
func styleIn(l advice.Language, id, word string) string {
	words, ok := styleWords[id+" "+word]
	if !ok {
		return fmt.Sprintf("%q", word)
	}
	return words.In(l)
}

var styleWords = map[string]advice.Words{
	"body.spacing ":        {EN: "without white space", ZH: "没有空白"},
	"body.spacing python":  {EN: "with a space behind each : and , (Python's json.dumps)", ZH: "每个冒号和逗号后有空格（Python 的 json.dumps）"},
	"body.spacing colon":   {EN: "with a space behind each :", ZH: "每个冒号后有空格"},
	"body.spacing comma":   {EN: "with a space behind each ,", ZH: "每个逗号后有空格"},
	"body.spacing 2":       {EN: "indented by 2 spaces", ZH: "缩进 2 个空格"},
	"body.spacing 2crlf":   {EN: "indented by 2 spaces, with Windows line ends", ZH: "缩进 2 个空格，Windows 换行"},
	"body.spacing 4":       {EN: "indented by 4 spaces", ZH: "缩进 4 个空格"},
	"body.spacing tab":     {EN: "indented by tabs", ZH: "用制表符缩进"},
	"body.spacing jackson": {EN: "indented, with \" : \" (Jackson)", ZH: "带缩进和 \" : \"（Jackson）"},
	"body.unicode ":        {EN: "as the characters themselves", ZH: "原样字符"},
	"body.unicode lower":   {EN: `as \uXXXX`, ZH: `\uXXXX`},
	"body.unicode upper":   {EN: `as \uXXXX with capital digits`, ZH: `大写十六进制的 \uXXXX`},
	"body.slash ":          {EN: "as /", ZH: "/"},
	"body.slash escaped":   {EN: `as \/ (PHP's json_encode)`, ZH: `\/（PHP 的 json_encode）`},
	"body.html ":           {EN: "as the characters themselves", ZH: "原样字符"},
	"body.html go":         {EN: `as \u003c, \u003e, \u0026 (Go's encoding/json)`, ZH: `\u003c、\u003e、\u0026（Go 的 encoding/json）`},
	"body.html gson":       {EN: `as \u003c, \u003e, \u0026, \u003d, \u0027 (Gson)`, ZH: `\u003c、\u003e、\u0026、\u003d、\u0027（Gson）`},
	"body.html net":        {EN: `as \u003C, \u003E, \u0026, \u002B … (System.Text.Json)`, ZH: `\u003C、\u003E、\u0026、\u002B 等（System.Text.Json）`},
	"body.order ":          {EN: "in the order of the message", ZH: "报文里的顺序"},
	"body.order sorted":    {EN: "sorted by name", ZH: "按名称排序"},
	"body.order reversed":  {EN: "in reverse", ZH: "倒序"},
	"body.order other":     {EN: "in another order, as an unordered map gives", ZH: "另一种顺序（无序的 map）"},
}

// forgivenWords say what was read over in a message.
var forgivenWords = map[pasted.Forgiven]advice.Words{
	pasted.UTF16:         {EN: "the file is UTF-16 and was read as such; what travels must be UTF-8", ZH: "文件是 UTF-16，已按此读取；实际发送的必须是 UTF-8"},
	pasted.BOM:           {EN: "the file begins with a byte order mark, which was taken for the editor's and not for the message's", ZH: "文件以字节顺序标记（BOM）开头，视为编辑器所加，不算报文的"},
	pasted.Escapes:       {EN: "a terminal's colours were taken out", ZH: "已去掉终端的颜色控制符"},
	pasted.CurlVerbose:   {EN: "the text was read as what curl -v prints", ZH: "按 curl -v 的输出读取"},
	pasted.CurlCommand:   {EN: "the text was read as a command line of curl: what it would send", ZH: "按 curl 命令行读取：取它会发送的内容"},
	pasted.Browser:       {EN: "the headers were read as a browser's tools show them", ZH: "按浏览器开发者工具显示的形式读取请求头"},
	pasted.NoFirstLine:   {EN: "the headers came without the line before them", ZH: "请求头前面缺少首行"},
	pasted.WrappedHeader: {EN: "a header that was wrapped was put together again", ZH: "折行的请求头已重新拼接"},
	pasted.EditorsEnd:    {EN: "a line feed behind the body is the file's: Content-Length does not count it", ZH: "正文后的换行符是文件的：Content-Length 没有计入"},
	pasted.ShortBody:     {EN: "Content-Length counts more bytes than the body has: a part of it was not pasted", ZH: "Content-Length 比正文长：正文没有贴全"},
	pasted.TwoMessages:   {EN: "the text holds a request and its answer; one was taken, and --part takes the other", ZH: "文本里既有请求也有应答，只取了其一；用 --part 取另一个"},
}
