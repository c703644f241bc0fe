// What the functions, the sandbox and the console say in English, in Chinese. What a gateway says stays as it is.
import { language, t } from "/console/text.js";

// patterns are texts with {} for what is in them: a number, a name, or more text, which is translated again.
const patterns = [
  // A request's problems (pkg/wire).
  ["must have {} to {} characters, has {}", "须有 {} 到 {} 个字符，现有 {} 个"],
  ["must have {} to {} characters through 翼码, has {}", "经翼码须有 {} 到 {} 个字符，现有 {} 个"],
  ["may hold only printable ASCII", "只能用可见的 ASCII 字符"], ["may hold only {}", "只能用 {}"],
  ["is only white space", "只有空白"], ["has only characters that show nothing", "只有不显示的字符"],
  ["character {} ({}, an emoji?) is outside the Basic Multilingual Plane; WeChat Pay takes UTF-8 of at most three bytes a character", "第 {} 个字符（{}，表情符号？）不能用：微信支付只接受三字节以内的 UTF-8 字符"],
  ["character {} is U+FFFD, the mark of text that was damaged on its way", "第 {} 个字符是 U+FFFD：文字在途中损坏了"],
  ["character {} ({}) is a control character", "第 {} 个字符（{}）是控制字符"],
  ["character {} ({}) does not exist in GBK, which this merchant's gateway set-up needs", "第 {} 个字符（{}）不在 GBK 中，而该商户的设置要求 GBK"],
  ["character {} ({}) does not exist in GBK", "第 {} 个字符（{}）不在 GBK 中"],
  ["character {} (%) begins no escape of two hex digits", "第 {} 个字符（%）后面没有两位十六进制数"],
  ["character {} ({}) is none of a URL (RFC 3986); percent-encode it", "第 {} 个字符（{}）不能用在 URL 中（RFC 3986），请百分号编码"],
  ["must be an https URL with a host", "须是带域名的 https 链接"], ["must not carry a user name or password", "不能带用户名或密码"],
  ["has a host that cannot exist: it must be an address, or a name of letters, digits and hyphens with dots between (other letters in Punycode, xn--)", "域名不可能存在：须是地址，或由字母、数字、连字符和点组成的域名（其他文字用 Punycode，xn--）"],
  ["has a port outside of 1 to 65535", "端口须在 1 到 65535 之间"],
  ["is required", "必填"], ["is required together with {}", "与 {} 须一起填"], ["must be a string", "须是字符串"], ["must be true or false", "须是 true 或 false"],
  ["must be an array of strings", "须是字符串数组"], ["must be an array of 1 to {} strings", "须是 1 到 {} 个字符串的数组"], ["must be an array", "须是数组"], ["must be an object", "须是对象"],
  ["must have 1 to {} entries, has {}", "须有 1 到 {} 项，现有 {} 项"], ["must not hold {}", "不能含有 {}"],
  ["must not stand together with jump_url: a reply has one link", "不能与 jump_url 一起填：一条回复只有一个链接"],
  ["is only for merchants whose replies go through WeChat Pay", "只有经微信支付回复的商户才能用"],
  ["is not a member of a {} request", "不是 {} 请求的成员"], ["stands twice, and differently", "出现两次且不同"], ["stands twice", "出现了两次"],
  ["is null; leave the member out instead", "是 null，请去掉这个成员"],
  ["the body has {} bytes; {} are allowed", "正文有 {} 字节，最多 {} 字节"], ["the command has {} bytes; {} are allowed", "命令有 {} 字节，最多 {} 字节"],
  ["the Content-Type must be application/json (in UTF-8)", "Content-Type 须是 application/json（UTF-8）"], ["the Content-Type must be application/json", "Content-Type 须是 application/json"],
  ["the Content-Type must be image/jpeg, image/png or image/bmp", "图片须是 JPEG、PNG 或 BMP"],
  ["the body is empty; it must be the bytes of the picture", "正文为空，须是图片的字节"],
  ["the picture came as text, which damages it; the API must list its media type among its binary media types", "图片被当作文字传送而损坏：API 的二进制媒体类型里须有它的类型"],
  ["the picture has {} bytes; {} are allowed", "图片有 {} 字节，最多 {} 字节"], ["the first bytes are not those of {}", "文件开头的字节不是 {} 的"],
  ["has {} characters with the suffix {}; {} are allowed", "连同后缀 {} 有 {} 个字符，最多 {} 个", [1, 0, 2]],
  ["the request names two different keys (header and body, or the header twice)", "请求给了两个不同的幂等键（报文头与正文，或报文头两次）"],
  ["the Idempotency-Key header {}", "Idempotency-Key 报文头{}"],
  ["may hold quotes only around a key, and no backslash; such a key, or one with a comma, is for the body", "引号只能在键的两端，不能有反斜杠；这样的键或带逗号的键请放在正文中"],
  ["the request {}", "请求{}"], ["is not UTF-8", "不是 UTF-8"], ["is not a JSON object", "不是 JSON 对象"], ["has the member {} twice", "成员 {} 出现了两次"], ["has more text after the JSON object", "在 JSON 对象之后还有文字"],
  ["is nested more than {} levels deep", "嵌套超过 {} 层"], ["is not JSON: it breaks at byte {} of {}", "不是 JSON：在第 {} 字节出错（共 {} 字节）"], ["is not JSON: it ends too early", "不是 JSON：没有写完"],
  ["{} (and {} more, see errors)", "{}（另有 {} 处，见 errors）"],
  ["must have 1 to {} media ids, has {}", "须有 1 到 {} 个图片 ID，现有 {} 个"], ["must be an object of appid, path and text", "须是含 appid、path、text 的对象"],
  ["is not a member of {}", "不是 {} 的成员"],
  // Results (internal/pipeline, internal/gateway, the actions).
  ["the ledger could not be asked; nothing was sent", "无法访问账本，什么也没发出"],
  ["the same command is being carried out; wait for its result", "同样的命令正在执行，请等待结果"],
  ["an earlier attempt may have reached the consumer; look before you send it again with resend_unknown", "上一次可能已经送达用户；请先查看，再用 resend_unknown 重发"],
  ["an earlier attempt may have reached the consumer, and the complaint's history could not be read; nothing was sent", "上一次可能已经送达用户，而协商历史读不到；这次什么也没发出"],
  ["this idempotency key was used for another request to this complaint", "这个幂等键已用于该投诉的另一个请求"],
  ["there is no secret for this merchant", "没有这个商户的密钥"], ["in the merchant's secret, {}", "商户密钥中，{}"],
  ["the merchant's secret could not be read", "读不到商户密钥"], ["the merchant's secret could not be read; nothing was sent", "读不到商户密钥，什么也没发出"],
  ["the invocation's time ran out before anything was sent", "还没发出，时间就用完了"],
  ["kesu met a bug of its own; nothing was sent", "Kesu 自身出错，什么也没发出"], ["kesu met a bug of its own after something may have been sent", "Kesu 自身出错，可能已经发出"],
  ["kesu met a bug of its own", "Kesu 自身出错"], ["the complaint's history shows the reply", "协商历史中有这条回复"],
  ["too little time is left before the invocation's deadline; nothing was sent", "剩下的时间不够，什么也没发出"],
  ["this merchant's pace is used up; nothing was sent", "该商户的频率已用完，什么也没发出"],
  ["no connection to the gateway could be made (DNS, dial or TLS); nothing was sent", "连接不上网关（DNS、连接或 TLS），什么也没发出"],
  ["the request was sent, and no answer came", "请求已发出，没有应答"],
  ["what came back is no answer: not HTTP, too early, too slow or too long", "收到的不是应答：不是 HTTP，或太早、太慢、太长"],
  ["the request could not be made", "请求无法生成"],
  ["the answer's signature is wrong, so what it says does not count", "应答的签名不对，内容不算数"], ["the gateway gave this code and no words", "网关只给了代码，没有说明"],
  ["the gateway answered with an HTTP status that says nothing about the reply", "网关应答的 HTTP 状态说明不了回复的结果"],
  ["the gateway's answer is about another reply", "网关的应答说的是另一条回复"], ["the gateway refused and said success at once", "网关既拒绝又说成功"],
  ["the gateway takes no more calls for now", "网关暂不接受更多调用"], ["the gateway did not take the request", "网关没有接受请求"],
  ["the gateway answered 408, and it may have taken the request before that", "网关应答 408，但此前可能已接受请求"], ["the gateway refused without saying why", "网关拒绝，没有说明原因"],
  ["the gateway's answer cannot be read", "网关的应答无法读懂"], ["the gateway's answer does not say which reply it is about", "网关的应答没有说明是哪条回复"],
  ["the answer cannot be verified: {}", "应答无法验签：{}"], ["the gateway answered 202: taken, but not done", "网关应答 202：已接收，尚未执行"],
  ["the gateway's answer says nothing about the {}", "网关的应答没有说明结果（{}）"], ["the history does not end", "协商历史没有尽头"],
  ["the complaint is settled", "投诉已处理完成"], ["the complaint was settled already", "投诉此前已处理完成"], ["the complaint's state could not be read", "读不到投诉单的状态"],
  ["the complaint, as WeChat Pay tells it, {}", "微信支付给的投诉单{}"], ["what WeChat Pay tells {}", "微信支付给的内容{}"],
  ["the gateway's answer holds nothing", "网关的应答是空的"], ["the reply is shown to the consumer", "回复已展示给用户"], ["the picture is uploaded", "图片已上传"],
  ["the gateway's answer has no media_id that a reply could show", "网关的应答里没有可用的 media_id"], ["the settled event could not be published", "结果事件未能发布"],
  ["{}; the caller's address is not on 翼码's list", "{}；调用方地址不在翼码的名单上"],
  // A merchant's secret (internal/merchant): "imageco.key is missing".
  ["{} is missing, and the function's IMAGECO_URL is not set", "{} 缺失，函数的 IMAGECO_URL 也没有设置"], ["{} is missing, and the request names none", "{} 缺失，请求也没有给"],
  ["is missing, and the function's IMAGECO_URL is not set", "缺失，函数的 IMAGECO_URL 也没有设置"], ["is missing, and the request names none", "缺失，请求也没有给"],
  ["has a character that does not exist in GBK", "有 GBK 中没有的字符"], ["{} is missing", "{} 缺失"], ["{} is not a string", "{} 不是字符串"], ["{} is empty", "{} 为空"], ["{} has a character that does not exist in GBK", "{} 有 GBK 中没有的字符"],
  // The sandbox, the console, the gateway before the functions.
  ["the answer cannot be encoded", "应答无法编码"], ["there is nothing at this path; {}", "此路径没有内容"], ["this path takes {}", "此路径只接受 {}"], ["the request is too large or was cut off", "请求过大或不完整"],
  ["the event cannot be encoded", "事件无法编码"], ["the function cannot be run: {}", "函数无法运行：{}"], ["the function did not answer in time", "函数没有及时应答"],
  ["the function failed: {}", "函数失败：{}"], ["the function's answer is not a proxy response", "函数的应答格式不对"], ["the function's answer is not the base64 that it says", "函数的应答不是所说的 base64"],
  ["the entry is too large or was cut off", "事件过大或不完整"], ["the body must be one PutEvents entry: {}", "正文须是一条 PutEvents 事件"],
  ["the Host is not this machine's loopback interface", "只能从本机访问"], ["pages of another origin may not call this", "其他来源的网页不能调用"],
  ["the console answers on the loopback interface only", "控制台只能从本机访问"], ["pages of another origin may not use the console", "其他来源的网页不能使用控制台"],
  ["there is nothing at this path; the console is at /console", "此路径没有内容，控制台在 /console"], ["there is more than one JSON object", "不止一个 JSON 对象"],
  ["the body must be a JSON object with the members that the console knows", "正文须是控制台认识的 JSON 对象"], ["the body is too large", "正文过大"],
  ["there is no such merchant", "没有这个商户"], ["a complaint has at most {} characters", "投诉最多 {} 个字符"], ["a complaint is {} to {} hours old", "投诉的时间须在 {} 到 {} 小时前"],
  ["every is {} to {}, and late_seconds {} to {}", "every 须在 {} 到 {} 之间，late_seconds 须在 {} 到 {} 之间"], ["functions/watch does not run", "functions/watch 没有运行"],
  ["there is no such complaint", "没有这个投诉"], ["there is no such picture", "没有这张图片"], ["{} to {} complaints can be made at once", "一次可新建 {} 到 {} 个投诉"],
  ["the action is neither reply nor complete", "只能回复或处理完成"], ["the merchant or the complaint cannot stand in a path", "商户或投诉单号不能放在路径中"], ["the merchant cannot stand in a path", "商户不能放在路径中"],
  ["{} pages are listening already", "已有 {} 个页面打开"], ["there is no such call, or it is no longer kept", "没有这次调用，或已不再保存"],
  ["there is no such gateway, or no such fault of it", "没有这个网关或这种故障"], ["the port was taken by another program meanwhile: {}", "端口已被别的程序占用：{}"], ["the keys could not be changed: {}", "密钥未能更换：{}"],
];

// The text with the most words of its own is tried first.
const own = (pattern) => pattern[0].replaceAll("{}", "").length;
const compiled = [...patterns].sort((a, b) => own(b) - own(a)).map(([english, chinese, order]) => {
  const parts = english.split("{}").map((s) => s.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return [new RegExp(`^${parts.join("(.+?)")}$`, "su"), chinese, order];
});

// inWords is a server's text in the page's language.
export function inWords(text) { return language() === "zh" ? toChinese(text) : text; }

export function toChinese(text) {
  if (/\p{Script=Han}/u.test(text) && !text.includes("翼码")) return text; // a gateway's own words
  const pointer = /^(\/[\w/]+) (.+)$/su.exec(text);
  if (pointer) return `${t("field." + pointer[1].slice(1)).replace(/^field\./, "")}：${toChinese(pointer[2])}`;
  for (const [pattern, chinese, order] of compiled) {
    const found = pattern.exec(text);
    if (!found) continue;
    const values = found.slice(1), ordered = order ? order.map((i) => values[i]) : values;
    let i = 0;
    return chinese.replace(/\{\}/g, () => toChinese(ordered[i++]));
  }
  return text;
}
