package explain

import "github.com/kesu-go/kesu/internal/advice"

var doForm = words{EN: "write the signature as the documentation does: WeChat Pay's in base64 on one line, 翼码's JSON sign in upper-case hex, its XML mac in lower-case hex",
	ZH: "按文档的形式写签名：微信支付用一行 base64，翼码 JSON 的 sign 用大写十六进制，XML 的 mac 用小写十六进制"}

// formCauses are the mistakes with the form in which a signature is written.
var formCauses = []advice.Cause{
	{ID: "form.case", Says: words{EN: "the signature is in the other case: the documentation prints a JSON sign in upper and an XML mac in lower case", ZH: "签名的大小写不对：文档里 JSON 的 sign 是大写，XML 的 mac 是小写"},
		Tell: words{EN: "whether 翼码 takes the other case is not proved", ZH: "翼码是否接受另一种大小写，未经证实"}, Do: doForm},
	row("form.16digits", "only the middle 16 digits of the MD5 are given", "只取了 MD5 中间的 16 位", doForm),
	row("form.base64", "the digest is written in base64 in place of hex", "摘要写成了 base64，而不是十六进制", doForm),
	row("form.base64hex", "the hex digits are encoded in base64 once more", "十六进制又做了一次 base64", doForm),
	row("form.hexhex", "the hex digits are written as hex once more", "十六进制又做了一次十六进制", doForm),
	row("form.zeros", "zeros are lost at the beginning of the digest or of its bytes (a number written in hex, and not 32 digits)", "摘要开头或某些字节的前导零丢失了（按数字而不是按 32 位输出）", words{EN: "write each byte as two hex digits", ZH: "每个字节都输出两位十六进制"}),
	row("form.separated", "the hex digits are separated (: or - or blanks)", "十六进制之间有分隔符（:、- 或空格）", doForm),
	row("form.prefix", "0x stands before the hex digits", "十六进制前面有 0x", doForm),
	row("form.reversed", "the signature's bytes are in reverse order (a little-endian library, such as Windows' CryptoAPI)", "签名的字节顺序颠倒了（小端库，例如 Windows CryptoAPI）", words{EN: "reverse the bytes before they are encoded", ZH: "编码之前把字节倒过来"}),
	row("form.hex", "the signature is in hex in place of base64; the key and the bytes are right", "签名写成了十六进制，而不是 base64；密钥和字节是对的", doForm),
	row("form.twice", "the signature is encoded in base64 twice; the key and the bytes are right", "签名做了两次 base64；密钥和字节是对的", doForm),
	row("form.urlsafe", "the signature is in URL-safe base64 (- and _ in place of + and /)", "签名用了 URL 安全的 base64（- 和 _ 代替 + 和 /）", doForm),
	row("form.padding", "the signature lacks the = at its end, or has too many", "签名末尾缺少 = 或多了 =", doForm),
	row("form.plus", "the + of the base64 became spaces (it went through a form or a URL)", "base64 里的 + 变成了空格（经过了表单或 URL）", words{EN: "put the signature into the header as it is, without URL decoding", ZH: "签名原样放进请求头，不要做 URL 解码"}),
	row("form.percent", "the signature is URL-encoded (%2B, %2F, %3D)", "签名被 URL 编码了（%2B、%2F、%3D）", words{EN: "put the signature into the header as it is, without URL encoding", ZH: "签名原样放进请求头，不要 URL 编码"}),
	row("form.entities", "the signature is HTML-escaped (&#43; …)", "签名被 HTML 转义了（&#43; 等）", doForm),
	row("form.wrapped", "the signature has line breaks, blanks, backslashes or quotes in it (a MIME encoder breaks lines)", "签名里有换行、空白、反斜杠或引号（MIME 编码器会折行）", words{EN: "use an encoder that writes one line (Java: Base64.getEncoder(), PHP: base64_encode)", ZH: "使用不折行的编码器（Java：Base64.getEncoder()，PHP：base64_encode）"}),
	row("form.folded", "the base64 was turned into one case: its capital or small letters are lost", "base64 被统一成了大写或小写，信息已丢失", words{EN: "keep the signature's case; base64 distinguishes it", ZH: "不要改变签名的大小写，base64 区分大小写"}),
	row("given.wrapped", "quotes, blanks or a name cling to the signature that was given; without them it is right", "给出的签名带有引号、空白或名称；去掉后是对的", words{EN: "send the signature alone", ZH: "只发送签名本身"}),
	row("given.form", "what was given is of no form in which a signature is written", "给出的内容不是任何一种签名的形式", doForm),
	row("given.digest", "the signature has %d hex digits: that is a digest or an HMAC, as of APIv2, and no RSA signature", "签名是 %d 位十六进制：这是摘要或 HMAC（例如 APIv2），不是 RSA 签名", words{EN: "APIv3 is signed with the merchant's RSA key: SHA256withRSA, base64", ZH: "APIv3 要用商户 RSA 私钥签名：SHA256withRSA，再 base64"}),
	row("given.cut", "the signature is cut off, or holds more than one: it has not the length of any RSA signature", "签名被截断或多了内容：长度不是 RSA 签名的长度", words{EN: "take the whole signature; a log or a column may have cut it", ZH: "取完整的签名；日志或数据库字段可能截断了它"}),
	row("given.key", "the key was given in the place of the signature", "把密钥当作签名给出了", words{EN: "give the signature; a key does not belong on a command line or in a header", ZH: "请给出签名；密钥不应出现在命令行或请求头里"}),
	row("given.changed", "one character of the signature was changed, or two changed places, on the way; the key is right", "签名在途中有一个字符被改动，或相邻两个字符互换；密钥是对的", words{EN: "copy the signature as a whole, and do not type it", ZH: "整段复制签名，不要手工输入"}),
	{ID: "given.damaged", Says: words{EN: "some characters of the signature were changed on the way", ZH: "签名的某些字符在途中被改动了"},
		Tell: words{EN: "compare it with the signature where it is made, character by character", ZH: "与生成处的签名逐字比较"}, Do: doForm, Failed: []string{"kesu sign"}},
}

// keyCauses are the mistakes with RSA keys and padding.
var keyCauses = []advice.Cause{
	row("rsa.hash", "the digest is %s in place of SHA-256", "摘要算法是 %s，而不是 SHA-256", doSHA256),
	row("rsa.pss", "the padding is PSS in place of PKCS#1 v1.5", "填充方式是 PSS，而不是 PKCS#1 v1.5", doSHA256),
	row("rsa.noinfo", "the RSA operation was done on bytes as they are, without the name of the digest (NONEwithRSA, private encrypt)", "直接对字节做了 RSA 运算，没有摘要标识（NONEwithRSA、私钥加密）", doSHA256),
	row("key.platforms", "this signature was made by WeChat Pay (with a key of platform_keys): it is an answer's and not a request's", "这个签名出自微信支付（platform_keys 里的密钥）：它是应答的签名，不是请求的", words{EN: "explain the answer: give its headers and body", ZH: "请给出应答的头和正文"}),
	row("key.merchants", "this signature was made with the merchant's own key: it is a request's and not an answer's", "这个签名出自商户自己的密钥：它是请求的签名，不是应答的", words{EN: "explain the request: give its first line, headers and body", ZH: "请给出请求的首行、头和正文"}),
	row("key.size", "the signature is one of a key of %d bits, and the given key has %d: another key made it", "签名来自 %d 位的密钥，而给出的密钥是 %d 位：出自另一把密钥", words{EN: "sign with the key of the certificate that serial_no names", ZH: "用 serial_no 所指证书的私钥签名"}),
	{ID: "key.private", Says: words{EN: "another private key is used than the one that belongs to the given key", ZH: "签名用的私钥不是给出的这一把"},
		Tell: words{EN: "compare the public keys' fingerprints on both sides: openssl pkey -in apiclient_key.pem -pubout -outform DER | sha256sum", ZH: "比较两边公钥的指纹：openssl pkey -in apiclient_key.pem -pubout -outform DER | sha256sum"},
		Do:   words{EN: "sign with the key of the certificate that serial_no names", ZH: "用 serial_no 所指证书的私钥签名"}, Failed: []string{"kesu sign"}},
	{ID: "answer.key", Says: words{EN: "none of platform_keys made this signature: the key that Wechatpay-Serial names is missing, or its PEM belongs to another id", ZH: "签名不是 platform_keys 里任何一把密钥做的：缺少 Wechatpay-Serial 所指的密钥，或其 PEM 属于另一个 id"},
		Tell: words{EN: "Wechatpay-Serial with PUB_KEY_ID_ names WeChat Pay's public key (微信支付公钥); one of 40 hex digits names the platform certificate (平台证书), which signs until the merchant switches to the public key", ZH: "Wechatpay-Serial 以 PUB_KEY_ID_ 开头的是微信支付公钥；40 位十六进制的是平台证书，在商户切换到公钥之前由它签名"},
		Do:   words{EN: "put the key that Wechatpay-Serial names into platform_keys, with its own id", ZH: "把 Wechatpay-Serial 所指的密钥连同其 id 放进 platform_keys"}, Failed: []string{"kesu sign"}},
	row("signtest", "it begins with WECHATPAY/SIGNTEST/: WeChat Pay sends a wrong signature on purpose now and then, to see that it is refused", "以 WECHATPAY/SIGNTEST/ 开头：微信支付偶尔会故意发送错误签名，以检验商户是否拒绝", words{EN: "refuse it like any wrong signature; the next answer will be signed rightly", ZH: "像其他错误签名一样拒绝；下一份应答的签名会是正确的"}),
}

// headerCauses are the mistakes in the headers around a signature that may itself be right.
var headerCauses = []advice.Cause{
	row("header.mchid", "mchid in Authorization is another one than in the secret, which has %s", "Authorization 里的 mchid 与密钥条目不同，密钥条目里是 %s", words{EN: "send the mchid that the certificate and the private key belong to", ZH: "发送证书和私钥所属的 mchid"}),
	row("header.serial.platform", "serial_no is the id of WeChat Pay's own key, and not the serial number of the merchant's API certificate", "serial_no 填的是微信支付公钥的 id，而不是商户 API 证书的序列号", words{EN: "take the number of the merchant's certificate: openssl x509 -in apiclient_cert.pem -noout -serial", ZH: "取商户证书的序列号：openssl x509 -in apiclient_cert.pem -noout -serial"}),
	{ID: "header.serial.other", Says: words{EN: "serial_no is the number of another certificate than in the secret, which has %s; WeChat Pay answers 401", ZH: "serial_no 与密钥条目里的不同，密钥条目里是 %s；微信支付会回 401"},
		Tell: words{EN: "openssl x509 -in apiclient_cert.pem -noout -serial tells which of the two is right", ZH: "openssl x509 -in apiclient_cert.pem -noout -serial 可看出哪个是对的"},
		Do:   words{EN: "send the number of the certificate that belongs to the private key", ZH: "发送与私钥配对的证书的序列号"}},
	row("header.serial.form", "serial_no is the right number in another form than plain hex digits (colons, blanks, serial=)", "serial_no 的数字正确，但不是纯十六进制（有冒号、空格或 serial=）", words{EN: "write the hex digits alone", ZH: "只写十六进制数字"}),
	row("header.named.own", "Wechatpay-Serial of the request is the merchant's own certificate; it names the key that WeChat Pay is to answer with", "请求头 Wechatpay-Serial 填的是商户自己的证书；它应是微信支付的公钥或平台证书", words{EN: "send the id of WeChat Pay's public key (PUB_KEY_ID_…)", ZH: "填写微信支付公钥的 id（PUB_KEY_ID_…）"}),
	row("header.named.unknown", "Wechatpay-Serial of the request names a key that is not in platform_keys", "请求头 Wechatpay-Serial 所指的密钥不在 platform_keys 里", words{EN: "send the id of one of platform_keys", ZH: "填写 platform_keys 里某一把的 id"}),
	row("header.name", "the header's value begins with its own name, Authorization", "请求头的值以 Authorization 这个名称开头", words{EN: "begin the value with WECHATPAY2-SHA256-RSA2048", ZH: "值应以 WECHATPAY2-SHA256-RSA2048 开头"}),
	row("header.scheme", "the scheme of Authorization is not %s", "Authorization 的认证类型不是 %s", words{EN: "begin the value with this word and one blank", ZH: "值应以这个词加一个空格开头"}),
	row("header.missing", "Authorization lacks %s", "Authorization 缺少 %s", words{EN: "send mchid, nonce_str, timestamp, serial_no and signature", ZH: "要有 mchid、nonce_str、timestamp、serial_no 和 signature"}),
	row("header.quotes", "the values in Authorization are not all between plain double quotes", "Authorization 里的值没有都用英文双引号括起来", words{EN: `write name="value", with a comma between`, ZH: `写成 name="value"，用逗号分隔`}),
	row("header.form", "Authorization is not of the form that WeChat Pay reads: %s", "Authorization 的形式微信支付无法读取：%s", words{EN: `write name="value", with one comma between, each once`, ZH: `写成 name="value"，各出现一次，用一个逗号分隔`}),
	row("answer.serial", "the answer was made with the key %s, and Wechatpay-Serial names %s", "应答出自密钥 %s，而 Wechatpay-Serial 写的是 %s", words{EN: "put each PEM of platform_keys beside its own id", ZH: "platform_keys 里每个 PEM 要配自己的 id"}),
	row("answer.unsigned", "the answer has no %s, so nobody can say who made it", "应答没有 %s，无法确认是谁发的", words{EN: "do not take it for WeChat Pay's; errors of a proxy come so", ZH: "不要当作微信支付的应答；代理的错误就是这样"}),
	row("timestamp.milliseconds", "the timestamp has 13 digits: milliseconds; it must be seconds", "时间戳有 13 位，是毫秒；应为秒", words{EN: "send and sign whole seconds since 1970", ZH: "发送和签名都用 1970 年以来的整秒数"}),
	row("timestamp.form", "the timestamp is not a number of whole seconds", "时间戳不是整秒数", words{EN: "send and sign whole seconds since 1970", ZH: "发送和签名都用 1970 年以来的整秒数"}),
	row("timestamp.future", "the timestamp is %s ahead of this machine's clock", "时间戳比本机时钟快 %s", words{EN: "set the clock of the sending machine by NTP; WeChat Pay takes 5 minutes at most", ZH: "用 NTP 校准发送机器的时钟；微信支付最多容许 5 分钟"}),
}
