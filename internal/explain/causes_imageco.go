package explain

import "github.com/kesu-go/kesu/internal/advice"

type words = advice.Words

// row makes a row that proves itself: nothing is needed to tell it.
func row(id, en, zh string, do words) advice.Cause {
	return advice.Cause{ID: id, Says: words{EN: en, ZH: zh}, Do: do}
}

var (
	doRule = words{EN: "sign by the rule: the key, the top-level string members sorted by name (name and value, nothing between), the key again; without the member sign",
		ZH: "按规则签名：密钥 + 按名称排序的顶层字符串成员（名称和值直接相连）+ 密钥；不含成员 sign"}
	doValues = words{EN: "sign the values as they are before they are written as JSON, XML or a form", ZH: "用写入 JSON、XML 或表单之前的原值签名"}
	doXML    = words{EN: "write the XML once, keep its bytes, and both sign and send exactly those", ZH: "XML 只生成一次，保留其字节，签名和发送都用这份字节"}
	doKey    = words{EN: "put the key exactly as 翼码 gave it directly before and directly after the text", ZH: "把翼码给的密钥原样放在文本的最前和最后"}
)

// imagecoCauses are the mistakes with 翼码's sign and mac.
var imagecoCauses = []advice.Cause{
	row("order.written", "the members stand in the order of the message, not sorted by name", "成员按报文里的顺序排列，没有按名称排序", doRule),
	row("order.reversed", "the members are sorted backwards", "成员按名称倒序排列", doRule),
	row("order.folded", "the members are sorted without regard to case", "成员排序时不分大小写", doRule),
	row("order.values", "the members are sorted by their values", "成员按值排序", doRule),
	row("order.length", "the members are sorted by the length of their names", "成员按名称长度排序", doRule),
	row("sign.empty", "the member sign is signed too, empty", "空的 sign 成员也参与了签名", doRule),
	row("sign.as", "the member sign is signed too, as it stands", "sign 成员连同其值也参与了签名", doRule),
	row("nested", "nested members are signed too", "嵌套成员也参与了签名", doRule),
	row("notstrings", "members that are no strings (numbers, true, null) are signed too", "非字符串成员（数字、true、null）也参与了签名", doRule),
	row("empties", "empty members are left out", "空值成员没有参与签名", doRule),
	row("member.missing", "the member %s is not signed", "成员 %s 没有参与签名", doRule),
	row("member.added", "a member %s that was not sent is signed, empty", "没有发送的空成员 %s 参与了签名", words{EN: "leave an absent option out of both, the message and the text that is signed", ZH: "没有的选项在报文和待签文本里都不要出现"}),
	row("member.twice", "the member %s stands twice; a receiver may take either", "成员 %s 出现了两次，接收方可能取任意一个", words{EN: "send each member once", ZH: "每个成员只发送一次"}),
	row("member.notstring", "the member %s is not a string, and 翼码's members are all strings", "成员 %s 不是字符串，而翼码的成员都是字符串", words{EN: "send its value between quotes, and sign it", ZH: "把它的值作为字符串发送，并参与签名"}),
	row("join.form", "the members are joined as name=value&name=value", "成员用 name=value&name=value 连接", doRule),
	row("join.equals", "an = stands between name and value", "名称和值之间有 =", doRule),
	row("join.and", "an & stands between the members", "成员之间有 &", doRule),
	row("join.names", "the values alone are signed, without the names", "只签了值，没有名称", doRule),
	row("join.other", "something stands between names and values, or between the members", "名称和值之间或成员之间有别的分隔符", doRule),
	row("values.raw", `the values are signed as they are escaped in the JSON that was sent (\/, \n, \u4e2d)`, `值是按发送的 JSON 里的转义形式（\/、\n、\u4e2d）签名的`, doValues),
	row("values.escaped", `the values are signed with JSON escapes (\/, \n, \u4e2d) that were not sent`, `值是按 JSON 转义形式（\/、\n、\u4e2d）签名的，而发送时没有转义`, doValues),
	row("values.quoted", "the values are signed with their quotes", "值连同引号一起签名了", doValues),
	row("values.urlencoded", "the values are signed URL-encoded", "值是 URL 编码后签名的", doValues),
	row("values.urldecoded", "the values are signed URL-decoded, and sent encoded", "值是 URL 解码后签名的，而发送的是编码后的", doValues),
	row("values.entities", "the values are signed with &amp;, &lt; … in place of &, < …", "签名时把 &、< 等写成了 &amp;、&lt;", doValues),
	row("values.entities.sent", "the values were sent with &amp;, &lt; … and signed without", "发送的是 &amp;、&lt; 等，签名用的是 &、<", doValues),
	row("values.trimmed", "the values are signed without the white space at their ends", "签名时去掉了值首尾的空白", doValues),
	row("values.crlf", "line feeds within the values are signed as Windows line ends (CRLF)", "签名时值里的换行符是 CRLF", doValues),
	row("values.lf", "Windows line ends (CRLF) within the values are signed as line feeds", "值里的 CRLF 签名时成了换行符 LF", doValues),
	row("values.oneline", "the values are signed without their line breaks", "签名时去掉了值里的换行", doValues),
	row("values.lower", "the values are signed in lower case", "签名时值转成了小写", doValues),
	row("values.upper", "the values are signed in upper case", "签名时值转成了大写", doValues),
	row("json.whole", "the JSON is signed as a text, and not the members' names and values", "签的是整个 JSON 文本，而不是各成员的名称和值", doRule),
	row("json.bytes.gbk", "the message is GBK bytes; JSON travels in UTF-8, whatever charset is signed", "报文是 GBK 字节；无论用哪种字符集签名，JSON 都以 UTF-8 发送", words{EN: "send UTF-8", ZH: "以 UTF-8 发送"}),

	row("key.before", "the key stands only before the text", "密钥只在文本前面", doKey),
	row("key.behind", "the key stands only behind the text", "密钥只在文本后面", doKey),
	row("key.missing", "the key is missing in the text that is signed", "待签文本里没有密钥", doKey),
	row("key.member", "the key is appended as a member (&key=…)", "密钥作为成员附加在后面（&key=…）", doKey),
	row("key.space.secret", "white space at an end of the key in the secret is not a part of it", "密钥条目里密钥首尾的空白不属于密钥", words{EN: "take the white space out of imageco.key in the secret", ZH: "去掉密钥条目中 imageco.key 首尾的空白"}),
	row("key.lf", "a line feed at its end counts as a part of the key", "密钥末尾的换行符被当作密钥的一部分", words{EN: "cut the line feed off when the key is read from a file", ZH: "从文件读取密钥时去掉末尾换行符"}),
	row("key.crlf", "a Windows line end (CRLF) counts as a part of the key", "密钥末尾的 CRLF 被当作密钥的一部分", words{EN: "cut the line end off when the key is read from a file", ZH: "从文件读取密钥时去掉末尾的 CRLF"}),
	row("key.space", "a space at its end or before it, or a tab, counts as a part of the key", "密钥首尾的空格或制表符被当作密钥的一部分", words{EN: "trim the key where it is read", ZH: "读取密钥时去掉首尾空白"}),
	row("key.quotes", "quotes around it count as a part of the key", "密钥两侧的引号被当作密钥的一部分", words{EN: "take the quotes off where the key is read", ZH: "读取密钥时去掉引号"}),
	row("key.quotes.secret", "quotes around the key in the secret are not a part of it", "密钥条目里密钥两侧的引号不属于密钥", words{EN: "take the inner quotes out of imageco.key", ZH: "去掉 imageco.key 里的内层引号"}),
	row("key.upper", "the key is used in upper case", "密钥被转成了大写", doKey),
	row("key.lower", "the key is used in lower case", "密钥被转成了小写", doKey),
	row("key.bom", "a byte order mark at its beginning counts as a part of the key", "密钥前的字节顺序标记（BOM）被当作密钥的一部分", words{EN: "save the key's file without a byte order mark, or cut it off", ZH: "密钥文件保存时不带 BOM，或读取时去掉"}),
	row("key.zerowidth", "an invisible character counts as a part of the key", "不可见字符被当作密钥的一部分", words{EN: "type the key in again as plain text", ZH: "以纯文本重新输入密钥"}),
	row("key.hashed", "the MD5 of the key is used in its place", "用的是密钥的 MD5，而不是密钥本身", doKey),
	row("key.decoded", "the key is decoded from hex before it is used", "使用前把密钥按十六进制解码了", doKey),
	row("key.cut", "a part of the key is used", "只用了密钥的一部分", doKey),
	row("key.twice", "the key stands twice in each place", "每处的密钥都出现了两次", doKey),

	row("algorithm", "the digest is %s in place of MD5", "摘要算法是 %s，而不是 MD5", words{EN: "use MD5", ZH: "使用 MD5"}),
	row("algorithm.twice", "the MD5 is made twice, of the first one's result", "做了两次 MD5", words{EN: "make the MD5 once", ZH: "只做一次 MD5"}),
	row("algorithm.salted", "the MD5 is made once more with the key", "用密钥又做了一次 MD5", words{EN: "make the MD5 once", ZH: "只做一次 MD5"}),

	row("declaration.missing", "the XML declaration is not signed", "XML 声明没有参与签名", doXML),
	row("declaration.utf8", "the declaration that is signed says UTF-8, the one that was sent GBK", "签名用的 XML 声明是 UTF-8，发送的是 GBK", doXML),
	row("declaration.other", "the XML declaration is signed in another form than it was sent", "签名用的 XML 声明与发送的形式不同", doXML),
	row("declaration.added", "an XML declaration is signed that was not sent", "签名里有发送时没有的 XML 声明", doXML),
	row("xml.space.removed", "white space between the elements is not signed", "元素之间的空白没有参与签名", doXML),
	row("xml.space.added", "white space between the elements is signed that was not sent", "签名里有发送时没有的元素间空白", doXML),
	row("xml.space.after", "a line feed behind the XML declaration is signed that was not sent", "签名里 XML 声明后有发送时没有的换行", doXML),
	row("xml.lf.added", "a line end behind the XML is signed that was not sent", "签名里 XML 末尾有发送时没有的换行", doXML),
	row("xml.lf.missing", "white space around the XML was sent and not signed", "发送的 XML 前后有空白，签名里没有", doXML),
	row("xml.cdata.missing", "the CDATA section's marks are not signed", "CDATA 标记没有参与签名", doXML),
	row("xml.cdata.escaped", "the CDATA section is signed as escaped text", "CDATA 部分按转义文本签名了", doXML),
	row("xml.cdata.added", "a CDATA section is signed where text was sent", "签名里是 CDATA，发送的是普通文本", doXML),
	row("xml.emptytags", "empty elements are signed as <a/>", "空元素签名时写成了 <a/>", doXML),
	row("xml.root", "the root element is not signed", "根元素没有参与签名", doXML),
	row("xml.urlencoded", "the XML is signed as it stands in the form, URL-encoded", "签的是表单里 URL 编码后的 XML", doXML),
	row("xml.prefix", "xml= is signed too", "xml= 也参与了签名", doXML),
	row("xml.jsonrule", "the members' names and values are signed as in JSON, and not the XML's bytes", "按 JSON 的规则签了成员名称和值，而不是 XML 的字节", doXML),
	row("xml.values", "the members' values alone are signed, and not the XML's bytes", "只签了成员的值，而不是 XML 的字节", doXML),
	row("xml.utf8", "the bytes that are signed are UTF-8, the ones that were sent GBK", "签的是 UTF-8 字节，发送的是 GBK", doXML),
	row("xml.gbk", "the bytes that are signed are GBK, the ones that were sent UTF-8", "签的是 GBK 字节，发送的是 UTF-8", doXML),
	row("xml.bytes.utf8", "the XML says that it is GBK, and its bytes are UTF-8: 翼码 reads other characters", "XML 声明是 GBK，字节却是 UTF-8：翼码读到的是另外的字符", words{EN: "encode the XML as GBK, then sign and send those bytes", ZH: "把 XML 编码为 GBK，再签名和发送这些字节"}),
	row("form.unencoded", "the form's members were sent without URL encoding, so & + and % in them are read as something else", "表单成员没有 URL 编码，其中的 &、+、% 会被误读", words{EN: "URL-encode the XML's GBK bytes in the form", ZH: "表单里的 XML（GBK 字节）要 URL 编码"}),

	row("account.isspid", "isspid is another one than in the merchant's secret", "isspid 与商户密钥条目里的不同", words{EN: "compare both with what 翼码 gave this merchant; the key belongs to one isspid", ZH: "与翼码给该商户的值核对；密钥只属于一个 isspid"}),
	row("account.system", "system_id is another one than in the merchant's secret", "system_id 与商户密钥条目里的不同", words{EN: "compare both with what 翼码 gave this merchant", ZH: "与翼码给该商户的值核对"}),
	{ID: "text.other", Says: words{EN: "another text was signed than this message holds, for instance before a member was changed, added or made anew", ZH: "签名的文本与这份报文不同，例如签名之后又修改、增加或重新生成了成员"},
		Tell: words{EN: "log the text that is signed, with the key blanked, and hold it against what is shown here: the first difference is the mistake; is there none, it is the next cause", ZH: "把待签文本（密钥打码）记到日志里，与这里显示的逐字比较：第一处不同就是错误；若完全相同，则是下一条"},
		Do:   words{EN: "sign last, and send what was signed", ZH: "最后一步才签名，签什么就发什么"}, Failed: []string{"kesu sign"}},
	{ID: "key.other", Says: words{EN: "the text is the same and the key is another one", ZH: "文本相同，密钥不同"},
		Tell: words{EN: "compare the key's fingerprint on both sides: printf %s \"$KEY\" | sha256sum", ZH: "比较两边密钥的指纹：printf %s \"$KEY\" | sha256sum"},
		Do:   words{EN: "use the key that 翼码 holds for this isspid", ZH: "使用翼码为该 isspid 登记的密钥"}, Failed: []string{"kesu sign"}},
}
