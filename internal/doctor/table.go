package doctor

import "github.com/kesu-go/kesu/internal/advice"

type words = advice.Words

func row(id, en, zh, doEN, doZH string) advice.Cause {
	return advice.Cause{ID: id, Says: words{EN: en, ZH: zh}, Do: words{EN: doEN, ZH: doZH}}
}

// tell adds what tells a cause from its neighbours, and the words of the step that has just failed.
func tell(r advice.Cause, en, zh string, failed ...string) advice.Cause {
	r.Tell, r.Failed = words{EN: en, ZH: zh}, failed
	return r
}

var tables = [][]advice.Cause{secretRows, pemRows, imagecoRows, wechatRows, gatewayRows, awsRows}

var rows = func() map[string]advice.Cause {
	all := map[string]advice.Cause{}
	for _, table := range tables {
		for _, r := range table {
			all[r.ID] = r
		}
	}
	return all
}()

// temporary are the findings that may be otherwise in a minute: they say nothing about the set-up.
var temporary = map[string]bool{"aws.throttled": true, "aws.timeout": true, "aws.network": true, "aws.down": true, "echo.busy": true}

// ringing are the warnings that turn into failures by themselves.
var ringing = map[string]bool{"platform.soon": true, "certificate.soon": true, "host.expires": true}

// The cures that many rows share. A command in them is to be typed as it stands; {path} is the field as jq names it.
const (
	makeEN = "let `kesu merchant make --from secret.json --out new.json` write it as the functions read it, and store new.json"
	makeZH = "用 `kesu merchant make --from secret.json --out new.json` 写成函数能读的形式，再存入 new.json"
	serial = "openssl x509 -in apiclient_cert.pem -noout -serial"
	pubEN  = "download WeChat Pay's public key from the merchant platform (API安全 → 微信支付公钥) and copy the id that stands beside it (PUB_KEY_ID_…)"
	pubZH  = "从商户平台（API安全 → 微信支付公钥）下载微信支付公钥，并复制旁边的公钥 ID（PUB_KEY_ID_…）"
)

// secretRows are about the secret as JSON, and about its members' form.
var secretRows = []advice.Cause{
	row("value", "%s", "%s", "", ""),
	row("settings", "%s", "%s", "the function would not start with this setting; correct the variable, the flag or the stack's parameter", "函数不会以这个设置启动；请更正环境变量、参数或堆栈参数"),
	row("field", "%s", "%s", "the function refuses the secret as it is; correct this field", "函数会拒绝现在的密钥条目；请更正此字段"),
	row("secret.byte-order-mark", "begins with a byte order mark, which some editors put there; it is read over", "以字节顺序标记（BOM）开头，是某些编辑器所加；读取时会忽略", makeEN, makeZH),
	row("secret.encoded-twice", "is a JSON string and not an object: it was encoded twice", "是 JSON 字符串而不是对象：被编码了两次", makeEN, makeZH),
	row("secret.get-secret-value", "is the output of `aws secretsmanager get-secret-value`, and not the secret itself", "是 `aws secretsmanager get-secret-value` 的输出，而不是密钥条目本身", makeEN, makeZH),
	row("secret.halves-are-strings", "holds its halves as strings and not as objects, as AWS's console stores key/value pairs", "imageco 或 wechatpay 是字符串而不是对象（在 AWS 控制台按键值对填写会这样）", makeEN, makeZH),
	row("secret.code-fence", "stands between the ``` of a chat or a page", "带有聊天或网页里的 ``` 标记", makeEN, makeZH),
	row("secret.typographic-quotes", "has other quotes than JSON's \"", "用了 JSON 以外的引号", makeEN, makeZH),
	row("secret.utf-16", "is UTF-16, as Windows' Notepad and PowerShell write it", "是 UTF-16（Windows 记事本或 PowerShell 保存的）", makeEN, makeZH),
	row("secret.zero-width", "holds characters that take no place between its JSON", "JSON 之间有不可见字符", makeEN, makeZH),
	row("secret.other-space", "holds spaces of another kind between its JSON", "JSON 之间有特殊空格", makeEN, makeZH),
	row("secret.form", "is not written as the functions read it", "写法不是函数能读的形式", makeEN, makeZH),
	row("json.empty", "is empty", "是空的", "store the JSON object (docs/operations.md shows its form)", "存入 JSON 对象（形式见 docs/operations.md）"),
	row("json.string", "is a JSON string and not an object: it was encoded twice", "是 JSON 字符串而不是对象：被编码了两次", "store the object itself", "直接存对象本身"),
	row("json.array", "is a JSON array and not an object", "是 JSON 数组而不是对象", "store the one object that stands in it, `jq '.[0]' secret.json > new.json`", "存入其中的对象：`jq '.[0]' secret.json > new.json`"),
	row("json.member", "is %s and not a JSON object", "是 %s，而不是 JSON 对象", "write it as one object, {…}, with the members that docs/operations.md shows", "写成一个对象 {…}，成员见 docs/operations.md"),
	row("json.pem", "is a PEM file and not the JSON object that holds one", "是 PEM 文件，而不是包含它的 JSON 对象", "let kesu merchant make --private-key apiclient_key.pem … put the files together", "用 kesu merchant make --private-key apiclient_key.pem … 把各文件合成密钥条目"),
	row("json.quotes", "has other quotes than JSON's \"", "用了 JSON 以外的引号", "write every name and value between double quotes", "所有名称和值都用双引号"),
	row("json.linebreak", "is not JSON: a string in it holds a line break, as a PEM that was pasted between the quotes", "不是 JSON：某个字符串里有换行，例如把 PEM 直接粘到了引号里", `write \n for each line break of the PEM, or let kesu merchant make --private-key apiclient_key.pem … put it there`, `PEM 的每个换行写成 \n，或用 kesu merchant make --private-key apiclient_key.pem … 生成`),
	row("json", "%s", "%s", "correct the JSON at that place; it must be one object", "更正该处的 JSON；必须是一个对象"),
	row("half.missing", "this half of the secret is missing", "密钥条目缺少这一半", "add it; without it every %s is refused (MERCHANT_MISCONFIGURED). If the merchant does not need it, say --only", "请补上；否则每次 %s 都会被拒绝（MERCHANT_MISCONFIGURED）。如果该商户不需要，请用 --only"),
	row("half.near", "this half of the secret is missing; there is a member %[1]q, which looks like a slip of the pen for it", "密钥条目缺少这一半；有一个成员 %[1]q，像是写错了", "rename it to %[2]s, in exactly this spelling", "改名为 %[2]s，拼写要完全一致"),
	row("half.flat", "this half of the secret is missing: its members stand beside the halves and not in an object %s", "密钥条目缺少这一半：它的成员直接写在外层，没有放进对象 %s", "put them into one: {\"imageco\": {…}, \"wechatpay\": {…}}", "放进对象里：{\"imageco\": {…}, \"wechatpay\": {…}}"),
	row("member.twice", "stands twice", "出现了两次", "nobody can say which of the two is meant; take one out", "无法判断以哪个为准；请删掉一个"),
	row("member.beside", "there is also a member %q, which has no effect", "另有成员 %q，不起作用", "take it out, or rename it if it is a note of yours", "请删除；如果是备注请改名"),
	row("member.near", "is missing; there is a member %[1]q, which looks like a slip of the pen for it", "缺失；有一个成员 %[1]q，像是写错了", "rename it, in exactly this spelling: `jq '%[2]s |= with_entries(if .key == \"%[3]s\" then .key = \"%[4]s\" else . end)' secret.json > new.json`", "改名，拼写要完全一致：`jq '%[2]s |= with_entries(if .key == \"%[3]s\" then .key = \"%[4]s\" else . end)' secret.json > new.json`"),
	row("member.missing", "is missing", "缺失", "add it, in exactly this spelling", "请补上，拼写要完全一致"),
	row("member.number", "is a number and not a string", "是数字而不是字符串", "put the value between quotes: `jq '{path} |= tostring' secret.json > new.json`", "把值放在引号里：`jq '{path} |= tostring' secret.json > new.json`"),
	row("member.kind", "is %s and not a string", "是 %s 而不是字符串", "write the value as one string, between quotes", "把值写成一个字符串，放在引号里"),
	row("member.unreadable", "is a string that cannot be read", "是无法读取的字符串", "write it again", "请重新填写"),
	row("member.empty", "is empty", "是空的", "fill it in", "请填写"),
	row("line.break", "holds a line break", "含有换行", "take it out; it counts as a part of the value: `jq '{path} |= gsub(\"[\\\\r\\\\n]\"; \"\")' secret.json > new.json`", "请去掉，它会被当作值的一部分：`jq '{path} |= gsub(\"[\\\\r\\\\n]\"; \"\")' secret.json > new.json`"),
	row("line.tab", "holds a tab", "含有制表符", "take it out; it counts as a part of the value: `jq '{path} |= gsub(\"\\t\"; \"\")' secret.json > new.json`", "请去掉，它会被当作值的一部分：`jq '{path} |= gsub(\"\\t\"; \"\")' secret.json > new.json`"),
	row("line.invisible", "holds an invisible character (%s)", "含有不可见字符（%s）", "write the value again by hand, or take out what is not ASCII: `jq '{path} |= gsub(\"[^ -~]\"; \"\")' secret.json > new.json`", "请手工重新填写，或去掉非 ASCII 字符：`jq '{path} |= gsub(\"[^ -~]\"; \"\")' secret.json > new.json`"),
	row("line.otherspace", "holds a space of another kind (%s)", "含有特殊空格（%s）", "write the value again by hand, or take out what is not ASCII: `jq '{path} |= gsub(\"[^ -~]\"; \"\")' secret.json > new.json`", "请手工重新填写，或去掉非 ASCII 字符：`jq '{path} |= gsub(\"[^ -~]\"; \"\")' secret.json > new.json`"),
	row("line.fullwidth", "holds a full-width character (%s), which only looks like ASCII", "含有全角字符（%s），只是看起来像 ASCII", "write the value again by hand, in half-width letters and digits", "请用半角字符手工重新填写"),
	row("line.lost", "holds a character that was lost on the way (U+FFFD)", "含有途中损坏的字符（U+FFFD）", "copy the value again from its source", "从来源重新复制"),
	row("line.space", "begins or ends with white space", "首尾有空白", "take the white space out; it counts as a part of the value, so every signature comes out wrong: `jq '{path} |= gsub(\"^\\\\s+|\\\\s+$\"; \"\")' secret.json > new.json`", "请去掉空白；它会被当作值的一部分，签名都会出错：`jq '{path} |= gsub(\"^\\\\s+|\\\\s+$\"; \"\")' secret.json > new.json`"),
	row("line.quotes", "stands between quotes that are a part of the value", "值里多了一层引号", "take the inner quotes out: `jq '{path} |= .[1:-1]' secret.json > new.json`", "去掉内层引号：`jq '{path} |= .[1:-1]' secret.json > new.json`"),
	row("line.placeholder", "is a placeholder that was not filled in", "是没有替换的占位符", "fill in the merchant's own value", "填入商户自己的值"),
}

// pemRows are about PEM in any field.
var pemRows = []advice.Cause{
	row("pem.backslash-n", `holds \n as two characters where line breaks belong`, `换行处是 \n 两个字符`, `in JSON write \n once, not \\n; or `+makeEN, `JSON 里写一次 \n，不要写 \\n；或`+makeZH),
	row("pem.base64-of-pem", "is the base64 of a whole PEM and not the PEM", "是整个 PEM 的 base64，而不是 PEM", "decode it: `jq '{path} |= @base64d' secret.json > new.json`", "解码：`jq '{path} |= @base64d' secret.json > new.json`"),
	row("pem.no-frame", "is the base64 of a key or certificate without its lines -----BEGIN …----- and -----END …-----", "是密钥或证书的 base64，缺少 -----BEGIN …----- 和 -----END …----- 两行", makeEN, makeZH),
	row("pem.lost-line-breaks", "has lost its line breaks: all of it stands on one line", "丢失了换行：全部在一行上", makeEN, makeZH),
	row("pem.indented", "has blanks before its lines", "各行前面有空白", makeEN, makeZH),
	row("pem.odd-dashes", "has dashes of another kind, or another number of them, around BEGIN or END", "BEGIN 或 END 两侧的短横线种类或数量不对", makeEN, makeZH),
	row("pem.zero-width", "holds characters that take no place", "含有不可见字符", makeEN, makeZH),
	row("pem.other-space", "holds spaces of another kind", "含有特殊空格", makeEN, makeZH),
	row("pem.quoted", "stands between quotes that are a part of the value", "值里多了一层引号", makeEN, makeZH),
	row("pem.text-around", "has more text behind the PEM block", "PEM 块后面还有内容", makeEN, makeZH),
	row("pem.form", "is not PEM as the functions read it", "不是函数能读的 PEM", makeEN, makeZH),
	row("pem.empty", "%s", "是空的", "fill in the file's text: kesu merchant make --private-key apiclient_key.pem … does", "填入文件内容：可用 kesu merchant make --private-key apiclient_key.pem …"),
	row("pem.filename", "%s", "是文件名，而不是文件内容", "put the file's text there, for instance with `jq --rawfile pem apiclient_key.pem '{path} = $pem' secret.json > new.json`", "填入文件内容，例如 `jq --rawfile pem apiclient_key.pem '{path} = $pem' secret.json > new.json`"),
	row("pem.cut", "%s", "被截断：缺少 -----END …----- 一行", "copy the whole file, from its first line to its last", "复制整个文件，从第一行到最后一行"),
	tell(row("pem.damaged", "%s", "不是完整的 PEM：有字符缺失或被改动", "take the file itself from where it was made; what was copied has lost characters", "请从最初生成处取原文件；复制件已丢失字符"),
		"openssl pkey -noout -in FILE (a certificate: openssl x509 -noout -in FILE) tells whether the file is whole", "openssl pkey -noout -in 文件（证书用 openssl x509 -noout -in 文件）可看出原文件是否完整"),
	row("pem.several", "%s", "有不止一个 PEM 块", "keep the one that belongs here; each platform key is an entry of its own", "只保留属于这里的那一个；每把平台密钥单独一项"),
	row("pem.encrypted", "%s", "有口令加密", "take the passphrase off: openssl pkcs8 -topk8 -nocrypt -in apiclient_key.pem", "去掉口令：openssl pkcs8 -topk8 -nocrypt -in apiclient_key.pem"),
	row("pem.none", "%s", "不是 PEM：没有以 -----BEGIN 开头的行", "put the file's text there: from -----BEGIN to the END line", "填入文件内容：从 -----BEGIN 一直到 END 行"),
	row("pem.request", "%s", "是证书请求（CSR），既不是密钥也不是证书", "take apiclient_key.pem, which was made together with the request", "请取与该请求同时生成的 apiclient_key.pem"),
	row("pem.ssh", "%s", "是 OpenSSH 格式的密钥", "this is another system's key; take apiclient_key.pem", "这是别的系统的密钥；请取 apiclient_key.pem"),
	row("pem.keystore", "%s", "是密钥库（.p12 或 .pfx），不是 PEM", "let kesu merchant make --p12 apiclient_cert.p12 --mchid NUMBER … read it; its passphrase is the 商户号", "用 kesu merchant make --p12 apiclient_cert.p12 --mchid 商户号 … 读取；口令是商户号"),
	row("pem.other", "%s", "%s", "WeChat Pay APIv3 takes RSA keys of 2048 bits; this is another system's key", "微信支付 APIv3 使用 2048 位 RSA 密钥；这是别的系统的密钥"),
	row("pem.read.byte-order-mark", "begins with a byte order mark; it is read all the same, and other programs may not", "以字节顺序标记（BOM）开头；可以读取，但别的程序可能不行", makeEN, makeZH),
	row("pem.read.carriage-return", "has Windows line ends (CRLF); it is read all the same, and other programs may not", "是 Windows 换行（CRLF）；可以读取，但别的程序可能不行", "store it with line feeds alone (`dos2unix`), or "+makeEN, "只用换行符存储（dos2unix），或"+makeZH),
	row("pem.read.other-label", "has a label that does not fit what is inside; it is read all the same, and other programs may not", "标签与内容不符；可以读取，但别的程序可能不行", makeEN, makeZH),
}

// imagecoRows are about 翼码's half.
var imagecoRows = []advice.Cause{
	row("imageco.number", "is not a number of up to %d digits, as in 翼码's documentation", "不是 %d 位以内的数字（翼码文档如此规定）", "compare it with what 翼码 gave you", "与翼码提供的值核对"),
	row("seller.missing", "is missing, so every reply must name one", "缺失，因此每次回复都必须自带", "add the 收款账户编号 that most complaints are about", "填入大多数投诉所属的收款账户编号"),
	row("seller.number", "is not a number", "不是数字", "compare it with the 收款账户编号 that 翼码 gave you", "与翼码提供的收款账户编号核对"),
	row("url", "%s", "%s", "give the address from the contract with 翼码, beginning with https://, or take the member out to use IMAGECO_URL", "填写与翼码约定的地址，以 https:// 开头；或删去此成员以使用 IMAGECO_URL"),
	row("url.own", "is an address of this merchant's own", "是该商户自己的地址", "", ""),
	row("key.pem", "is a PEM, which is WeChat Pay's kind of key", "是 PEM，那是微信支付的密钥", "keys were swapped: 翼码's key is one line of text that 翼码 gave you; the PEM belongs to wechatpay", "密钥放反了：翼码的密钥是翼码提供的一行文本；PEM 属于 wechatpay"),
	row("key.same", "is the same as imageco.%s", "与 imageco.%s 相同", "one of the two was pasted into the other's place", "其中一个贴错了位置"),
	row("key.short", "has only %d characters; no fingerprint is shown of a key that could be guessed", "只有 %d 个字符；可被猜到的密钥不显示指纹", "compare its length with what 翼码 gave you; part of it may have been lost", "与翼码提供的密钥核对长度；可能丢了一部分"),
	row("key.space", "holds a space; fingerprint %s", "含有空格；指纹 %s", "compare it with what 翼码 gave you", "与翼码提供的密钥核对"),
	row("key.ok", "%d characters, fingerprint %s", "%d 个字符，指纹 %s", "", ""),
	row("choice.case", "is not written as %s", "没有写成 %s", "write it exactly so, in lower case and without spaces: `jq '{path} |= (ascii_downcase | gsub(\"\\\\s\"; \"\"))' secret.json > new.json`", "请写成完全一样，小写、没有空格：`jq '{path} |= (ascii_downcase | gsub(\"\\\\s\"; \"\"))' secret.json > new.json`"),
	row("choice", "is none of %s", "不是 %s 之一", "write one of these words, or take the member out: `jq 'del({path})' secret.json > new.json`", "写成其中一个，或删去此成员：`jq 'del({path})' secret.json > new.json`"),
	row("choice.charset", "is none of %s", "不是 %s 之一", "write gbk for GB 2312 and GB 18030, and utf-8 with the hyphen", "GB 2312 和 GB 18030 写 gbk；utf-8 要带连字符"),
	row("charset.xml", "has no effect: with format xml the message and its mac are GBK, whatever stands here (%s)", "不起作用：format 为 xml 时报文和 mac 都是 GBK，与这里的值（%s）无关", "take the member out: `jq 'del({path})' secret.json > new.json`. If 翼码 expects another charset than GBK of this merchant, format xml is wrong", "删去此成员：`jq 'del({path})' secret.json > new.json`。如果翼码对该商户约定的不是 GBK，则 format 不应为 xml"),
	row("format.xml", "xml, in GBK", "xml，GBK", "", ""),
	row("format.json", "json, its sign over %s", "json，签名字符集 %s", "", ""),
	row("charset.proved", "翼码 took a text beyond ASCII that was signed in %s", "翼码接受了以 %s 签名的非 ASCII 文本", "", ""),
	tell(row("charset.wrong", "翼码 refuses a text beyond ASCII that is signed in %s, and takes it signed in %s", "翼码拒绝以 %s 签名的非 ASCII 文本，接受以 %s 签名的", "write the charset that was taken into sign_charset", "把 sign_charset 改为被接受的字符集"), "", ""),
	row("charset.unclear", "not proved: the query is ASCII, which every charset signs alike, and 翼码 did not take a member beyond ASCII in either; %s is what the secret says", "未经证实：查询只有 ASCII，各字符集签名相同，而翼码对非 ASCII 成员的两种签名都没有接受；密钥条目里写的是 %s", "ask 翼码 which charset it signs this merchant's JSON in, and look at the first reply with Chinese words", "向翼码确认该商户 JSON 签名的字符集，并留意第一条含中文的回复"),
}

// wechatRows are about WeChat Pay's half.
var wechatRows = []advice.Cause{
	row("mchid.form", "is not a number of 8 to 10 digits", "不是 8 到 10 位数字", "compare it with the 商户号 on the merchant platform", "与商户平台上的商户号核对"),
	row("apiv3.ok", "32 characters, fingerprint %s", "32 个字符，指纹 %s", "", ""),
	row("apiv3.length", "has %d characters; the APIv3 密钥 has 32, all ASCII", "有 %d 个字符；APIv3 密钥是 32 个 ASCII 字符", "copy the APIv3 密钥 that was set on the merchant platform; only notifications need it", "复制在商户平台设置的 APIv3 密钥；只有接收通知才需要"),
	row("serial.platform", "is the id of WeChat Pay's public key", "是微信支付公钥的 ID", "put the serial number of the merchant's own API certificate here: `"+serial+"`", "这里应填商户自己的 API 证书序列号：`"+serial+"`"),
	row("serial.prefix", "begins with serial=, as openssl prints it", "以 serial= 开头（openssl 的输出）", "write the digits alone: `jq '{path} |= sub(\"^(?i)serial=\"; \"\")' secret.json > new.json`", "只写数字：`jq '{path} |= sub(\"^(?i)serial=\"; \"\")' secret.json > new.json`"),
	row("serial.separators", "has colons, blanks or 0x between or before its digits", "数字之间或前面有冒号、空格或 0x", "write the digits alone: `jq '{path} |= gsub(\"[: -]|0x\"; \"\")' secret.json > new.json`", "只写数字：`jq '{path} |= gsub(\"[: -]|0x\"; \"\")' secret.json > new.json`"),
	row("serial.form", "is not a number in hex", "不是十六进制数", "take the digits behind = from `"+serial+"`", "取 `"+serial+"` 输出中 = 后面的数字"),
	row("serial.decimal", "has %d decimal digits: certificate viewers show the number so; WeChat Pay takes it in hex", "是 %d 位十进制数：证书查看器会这样显示；微信支付要十六进制", "take the digits behind = from `"+serial+"`", "取 `"+serial+"` 输出中 = 后面的数字"),
	row("serial.length", "has %d hex digits; those of WeChat Pay's certificates have 40", "有 %d 位十六进制；微信支付证书是 40 位", "compare it with the merchant platform (API安全 → 商户API证书)", "与商户平台（API安全 → 商户API证书）核对"),
	row("private.certificate", "is a certificate where a private key belongs", "应是私钥，这里却是证书", "this is apiclient_cert.pem; the private key is in apiclient_key.pem: `jq --rawfile pem apiclient_key.pem '{path} = $pem' secret.json > new.json`", "这是 apiclient_cert.pem；私钥在 apiclient_key.pem 里：`jq --rawfile pem apiclient_key.pem '{path} = $pem' secret.json > new.json`"),
	row("private.public", "is PEM, but not of a private key", "是 PEM，但不是私钥", "keys were swapped: a public key belongs to platform_keys; the private key is in apiclient_key.pem", "密钥放反了：公钥属于 platform_keys；私钥在 apiclient_key.pem 里"),
	row("private.bits", "is an RSA key of %d bits; WeChat Pay's certificates are for keys of %d", "是 %d 位 RSA 密钥；微信支付证书对应 %d 位", "this is another system's key, or a test's; take apiclient_key.pem", "这是别的系统或测试用的密钥；请取 apiclient_key.pem"),
	row("private.ok", "RSA, %d bits, its public half has the fingerprint %s", "RSA，%d 位，其公钥指纹 %s", "", ""),
	row("platform.missing", "is missing", "缺失", "add WeChat Pay's public key with its id; without it no answer can be trusted", "请加入微信支付公钥及其 ID；否则任何应答都不可信"),
	row("platform.string", "is a string and not an array: it was encoded twice", "是字符串而不是数组：被编码了两次", "`jq '{path} |= fromjson' secret.json > new.json`", "`jq '{path} |= fromjson' secret.json > new.json`"),
	row("platform.kind", "is %s and not an array", "是 %s 而不是数组", "write [{\"id\": \"PUB_KEY_ID_…\", \"pem\": \"…\"}]: `jq '{path} |= [.]' secret.json > new.json`", "写成 [{\"id\": \"PUB_KEY_ID_…\", \"pem\": \"…\"}]：`jq '{path} |= [.]' secret.json > new.json`"),
	row("platform.empty", "is an empty array", "是空数组", "add WeChat Pay's public key with its id; without it no answer can be trusted", "请加入微信支付公钥及其 ID；否则任何应答都不可信"),
	row("platform.private", "is a private key where WeChat Pay's public key or certificate belongs", "应是微信支付公钥或平台证书，这里却是私钥", "keys were swapped: a private key belongs to private_key; "+pubEN, "密钥放反了：私钥属于 private_key；"+pubZH),
	row("platform.ownkey", "is the merchant's own key and not WeChat Pay's", "是商户自己的密钥，不是微信支付的", "this is apiclient_cert.pem or the public half of private_key; "+pubEN, "这是 apiclient_cert.pem 或私钥对应的公钥；"+pubZH),
	row("platform.owncertificate", "is the merchant's own API certificate (apiclient_cert.pem) and not WeChat Pay's", "是商户自己的 API 证书（apiclient_cert.pem），不是微信支付的", "take WeChat Pay's public key, or its platform certificate: "+pubEN, "请用微信支付公钥或平台证书："+pubZH),
	row("platform.twice", "is the same key as %s", "与 %s 是同一把密钥", "take one of them out, or put the key there that was meant", "请删掉一个，或换成本来要放的密钥"),
	row("platform.bits", "is an RSA key of %d bits; WeChat Pay's have %d", "是 %d 位 RSA 密钥；微信支付的是 %d 位", pubEN, pubZH),
	row("platform.expired", "is a certificate (serial %s) that expired on %s", "是证书（序列号 %s），已于 %s 过期", "replace it with WeChat Pay's public key (PUB_KEY_ID_…), or with the current platform certificate; answers that it signs are not trusted", "换成微信支付公钥（PUB_KEY_ID_…）或当前的平台证书；它签的应答不可信"),
	row("platform.notyet", "is a certificate (serial %s) that is valid only from %s on", "是证书（序列号 %s），自 %s 起才有效", "check this machine's date, or put the current key first", "检查本机日期，或把当前密钥放在第一个"),
	row("platform.soon", "is a certificate (serial %s) that expires soon, on %s", "是证书（序列号 %s），即将于 %s 过期", "add its successor, or WeChat Pay's public key, to platform_keys now", "现在就把后继证书或微信支付公钥加入 platform_keys"),
	row("platform.certificate", "certificate, serial %s, valid until %s, fingerprint %s", "证书，序列号 %s，有效至 %s，指纹 %s", "", ""),
	row("platform.certificate.first", "certificate, serial %s, valid until %s, fingerprint %s; requests ask for answers that are signed with it", "证书，序列号 %s，有效至 %s，指纹 %s；请求会要求用它签应答", "", ""),
	row("platform.public", "public key %s, fingerprint %s", "公钥 %s，指纹 %s", "", ""),
	row("platform.public.first", "public key %s, fingerprint %s; requests ask for answers that are signed with it", "公钥 %s，指纹 %s；请求会要求用它签应答", "", ""),
	row("id.missing", "is missing: a public key does not say its own id", "缺失：公钥本身不含 ID", "add the id that stands beside the key on the merchant platform, PUB_KEY_ID_…", "填入商户平台上公钥旁边的 ID：PUB_KEY_ID_…"),
	row("id.form", "%s", "%s", "copy the id that stands beside the key on the merchant platform, PUB_KEY_ID_…", "复制商户平台上公钥旁边的 ID：PUB_KEY_ID_…"),
	row("id.ignored", "is not the certificate's serial number, and has no effect", "不是该证书的序列号，不起作用", "take it out; a certificate is known by its own number: `jq 'del({path})' secret.json > new.json`", "请删去；证书以自身序列号识别：`jq 'del({path})' secret.json > new.json`"),
	row("id.unusual", "does not begin with PUB_KEY_ID_", "没有以 PUB_KEY_ID_ 开头", "copy the id that stands beside the key on the merchant platform", "复制商户平台上公钥旁边的 ID"),
	row("certificate.none", "the file does not hold a certificate", "文件里不是证书", "give apiclient_cert.pem", "请给出 apiclient_cert.pem"),
	row("certificate.key", "does not belong to the certificate in the file", "与文件里的证书不配对", "take the apiclient_key.pem that was made together with this apiclient_cert.pem", "请取与这份 apiclient_cert.pem 同时生成的 apiclient_key.pem"),
	row("certificate.serial", "is the serial number of another certificate; the one in the file has %[1]s", "是另一张证书的序列号；文件里的是 %[1]s", "write the file's number, since private_key belongs to it: `jq '{path} = \"%[1]s\"' secret.json > new.json`", "写文件里的序列号，因为 private_key 与它配对：`jq '{path} = \"%[1]s\"' secret.json > new.json`"),
	row("certificate.mchid", "is not the merchant of the certificate in the file, %[1]s", "不是文件里证书所属的商户 %[1]s", "put together what belongs together; if the certificate is the right one: `jq '{path} = \"%[1]s\"' secret.json > new.json`", "请把配套的放在一起；若证书是对的：`jq '{path} = \"%[1]s\"' secret.json > new.json`"),
	row("certificate.expired", "the merchant's API certificate expired on %s", "商户 API 证书已于 %s 过期", "make a new one on the merchant platform (API安全), and store its key and serial number", "在商户平台（API安全）重新申请，并存入其私钥和序列号"),
	row("certificate.notyet", "the merchant's API certificate is valid only from %s on", "商户 API 证书自 %s 起才有效", "check this machine's date; until then use the certificate before it, with its key and serial number", "检查本机日期；在此之前使用前一张证书及其私钥和序列号"),
	row("certificate.soon", "the merchant's API certificate expires soon, on %s", "商户 API 证书即将于 %s 过期", "make a new one on the merchant platform (API安全)", "在商户平台（API安全）重新申请"),
	row("certificate.alone", "serial %s, valid until %s; private_key or serial_no cannot be held against it as they are", "序列号 %s，有效至 %s；private_key 或 serial_no 现在无法与它核对", "correct them first", "请先更正它们"),
	row("certificate.ok", "private_key belongs to it, serial %s, valid until %s", "与 private_key 配对，序列号 %s，有效至 %s", "", ""),
}
