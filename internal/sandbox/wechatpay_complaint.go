package sandbox

import (
	"encoding/json"
	"hash/crc32"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// PayerPhone is the phone number in every complaint that the sandbox tells of. It must never get into an answer or a log.
const PayerPhone = "13800138000"

// china is the time zone of every time that WeChat Pay writes.
var china = time.FixedZone("", 8*60*60)

func (o Oddities) time(t time.Time) string {
	if o.Millis {
		return t.In(china).Format("2006-01-02T15:04:05.000-07:00")
	}
	return t.In(china).Format("2006-01-02T15:04:05-07:00")
}

// complete settles the complaint: https://pay.weixin.qq.com/doc/v3/merchant/4012467255.
func (g *WechatPay) complete(q *request) (success, refusal) {
	o, no := readObject("", q.body, complainted)
	if no.status == 0 {
		no = q.mayActFor(o)
	}
	if no.status != 0 {
		return success{}, no
	}
	switch existed, done := g.state.complete(q.account.Merchant, q.id); {
	case !existed:
		return success{}, noComplaint
	case !done: // the code is on the page; that a second time has it is not proved
		return success{}, invalid("投诉单已完结,请勿重复提交")
	}
	q.call.Acted = true
	return success{status: http.StatusNoContent}, refusal{}
}

// complainted is the member that every request about a complaint has.
var complainted = member{name: "complainted_mchid", required: true, limit: 64}

// noComplaint is told of a complaint that is not there. The pages of 2025 list no code for it; this one is what
// https://pay.weixin.qq.com/doc/v3/merchant/4012081709 names for a resource that is not there, so it is not proved here.
var noComplaint = refusal{status: http.StatusNotFound, code: "RESOURCE_NOT_EXISTS", message: "投诉单不存在"}

func (q *request) mayActFor(o object) refusal {
	return q.account.mayActFor(o.str("complainted_mchid"))
}

func (a WechatPayAccount) mayActFor(mchid string) refusal {
	if mchid != a.Mchid && !slices.Contains(a.SubMchids, mchid) {
		return refusal{status: http.StatusForbidden, code: "NO_AUTH", message: "商户无权限"}
	}
	return refusal{}
}

// detail tells of a complaint: https://pay.weixin.qq.com/doc/v3/partner/4012691648.
func (g *WechatPay) detail(q *request) (success, refusal) {
	c, ok := g.state.read(q.account.Merchant, q.id)
	if !ok {
		return success{}, noComplaint
	}
	members, err := g.describe(q, c)
	if err != nil {
		return success{}, broken
	}
	members["payer_openid"] = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o" // the list does not have it
	return answerJSON(members)
}

var broken = refusal{status: http.StatusInternalServerError, code: "SYSTEM_ERROR", message: "系统异常,请稍后重试"}

func answerJSON(v any) (success, refusal) {
	text, err := json.Marshal(v)
	if err != nil {
		return success{}, broken
	}
	return success{status: http.StatusOK, body: text}, refusal{}
}

// describe are the members that a list and a detail have in common. payer_phone is "已做加密处理", under the certificate that the
// merchant signs with.
func (g *WechatPay) describe(q *request, c Complaint) (map[string]any, error) {
	phone, err := encryptFor(q.key, PayerPhone)
	if err != nil {
		return nil, err
	}
	odd, order := g.oddities(), strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(c.ID))), 10)
	members := map[string]any{
		"complaint_id": c.ID, "complaint_time": odd.time(c.CreatedAt), "complaint_detail": c.Words(), "complaint_state": c.State,
		"complainted_mchid": q.account.Mchid, "payer_phone": phone,
		"complaint_order_info": []any{map[string]any{"transaction_id": "420000040420190906" + order,
			"out_trade_no": "20190906" + order, "amount": 300}},
		"complaint_full_refunded": false, "incoming_user_response": c.AwaitsMerchant, "user_complaint_times": c.Times + 1,
		"problem_description": "不满意商家服务", "problem_type": "OTHERS", "user_tag_list": []string{"TRUSTED"},
		"in_platform_service": false, "need_immediate_service": c.Immediate,
	}
	if len(c.Media) > 0 {
		media := mediaList{"USER_COMPLAINT_IMAGE", q.pictureURLs(c.Media)}
		members["complaint_media_list"] = []any{media}
		if odd.OtherMedia {
			members["complaint_media_list"] = media
		}
	}
	if odd.Unknown {
		members["user_tag_list"] = []string{"TRUSTED", "A_TAG_OF_TOMORROW"}
		members["a_member_of_tomorrow"] = map[string]any{"x": nil}
	}
	return members, nil
}

type mediaList struct {
	Type string   `json:"media_type"`
	URLs []string `json:"media_url"`
}

// pictureURLs are the addresses at which pictures can be read. The real ones are on WeChat Pay's host; these are on
// the host that was asked.
func (q *request) pictureURLs(ids []string) []string {
	urls := make([]string, len(ids))
	for i, id := range ids {
		urls[i] = "http://" + q.Host + "/v3/merchant-service/images/" + url.PathEscape(id)
	}
	return urls
}

// list tells of the complaints of some days: https://pay.weixin.qq.com/doc/v3/partner/4012691285.
func (g *WechatPay) list(q *request) (success, refusal) {
	values, no := readQuery(q, "limit", "offset", "begin_date", "end_date", "complainted_mchid")
	if no.status != 0 {
		return success{}, no
	}
	limit, offset, no := g.page(values, 10, 50) // "范围[1,50]"; the default is on the page of 2023
	if no.status != 0 {
		return success{}, no
	}
	from, until, no := days(values)
	if no.status != 0 {
		return success{}, no
	}
	if mchid := values.Get("complainted_mchid"); mchid != "" {
		if no := q.account.mayActFor(mchid); no.status != 0 {
			return success{}, no
		}
	}
	found := slices.DeleteFunc(g.state.Complaints(), func(c Complaint) bool {
		return c.Merchant != q.account.Merchant || c.CreatedAt.Before(from) || !c.CreatedAt.Before(until)
	})
	slices.Reverse(found) // the newest first; no page says which
	data := []any{}
	for _, c := range found[min(offset, len(found)):min(offset+limit, len(found))] {
		members, err := g.describe(q, c)
		if err != nil {
			return success{}, broken
		}
		data = append(data, members)
	}
	return answerPage(data, limit, offset, len(found))
}

// days reads begin_date and end_date, both included: "yyyy-MM-DD", "查询日期跨度不超过30天".
func days(values url.Values) (from, until time.Time, no refusal) {
	from, err := time.ParseInLocation(time.DateOnly, values.Get("begin_date"), china)
	if err != nil {
		return from, until, paramError("query", "begin_date", "格式应为yyyy-MM-DD")
	}
	until, err = time.ParseInLocation(time.DateOnly, values.Get("end_date"), china)
	if err != nil {
		return from, until, paramError("query", "end_date", "格式应为yyyy-MM-DD")
	}
	if until.Before(from) || until.Sub(from) > 30*24*time.Hour {
		return from, until, paramError("query", "end_date", "查询日期跨度不超过30天")
	}
	return from, until.AddDate(0, 0, 1), refusal{}
}

// readQuery reads a query. That a parameter which is not on the page, or stands twice, is refused is not proved.
func readQuery(q *request, names ...string) (url.Values, refusal) {
	values, err := url.ParseQuery(q.URL.RawQuery)
	if err != nil {
		return nil, paramError("url", "", "查询参数格式错误")
	}
	for name, all := range values {
		if !slices.Contains(names, name) || len(all) != 1 {
			return nil, paramError("query", name, "未知或重复的参数")
		}
	}
	return values, refusal{}
}

// page reads limit and offset, "从0开始计数".
func (g *WechatPay) page(values url.Values, usual, most int) (limit, offset int, no refusal) {
	limit = usual
	var err error
	if text := values.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > most {
			return 0, 0, paramError("query", "limit", "范围为[1,"+strconv.Itoa(most)+"]")
		}
	}
	if text := values.Get("offset"); text != "" {
		if offset, err = strconv.Atoi(text); err != nil || offset < 0 || offset > 1<<30 {
			return 0, 0, paramError("query", "offset", "应为非负整数")
		}
	}
	if most := g.oddities().TooMuchAbove; most > 0 && limit > most {
		return 0, 0, invalid("当前查询结果数据量过大,请缩小入参limit并重试")
	}
	return limit, offset, refusal{}
}

// answerPage: total_count is there "当offset=0时".
func answerPage(data []any, limit, offset, total int) (success, refusal) {
	members := map[string]any{"data": data, "limit": limit, "offset": offset}
	if offset == 0 {
		members["total_count"] = total
	}
	return answerJSON(members)
}

// history tells what happened to a complaint: https://pay.weixin.qq.com/doc/v3/merchant/4012533439.
func (g *WechatPay) history(q *request) (success, refusal) {
	values, no := readQuery(q, "limit", "offset")
	if no.status != 0 {
		return success{}, no
	}
	limit, offset, no := g.page(values, 100, 300)
	if no.status != 0 {
		return success{}, no
	}
	c, ok := g.state.read(q.account.Merchant, q.id)
	if !ok {
		return success{}, noComplaint
	}
	odd, now := g.oddities(), g.state.now()
	if odd.HistoryRefused {
		return success{}, refusal{status: http.StatusForbidden, code: "NO_AUTH", message: "商户无权限"}
	}
	items := slices.DeleteFunc(c.History, func(i HistoryItem) bool { return i.At.Add(odd.HistoryLag).After(now) })
	if odd.NewestFirst {
		slices.Reverse(items)
	}
	data := []any{}
	for _, item := range items[min(offset, len(items)):min(offset+limit, len(items))] {
		data = append(data, q.historyItem(item, odd))
	}
	return answerPage(data, limit, offset, len(items))
}

func (q *request) historyItem(i HistoryItem, odd Oddities) map[string]any {
	members := map[string]any{"log_id": i.LogID, "operator": i.Operator, "operate_time": odd.time(i.At), "operate_type": i.Type}
	if i.Details != "" {
		members["operate_details"] = i.Details
	}
	if i.Message != nil {
		members["normal_message"] = i.Message
	}
	if len(i.Images) > 0 {
		media := mediaList{"OPERATION_IMAGE", q.pictureURLs(i.Images)}
		if strings.HasPrefix(i.Type, "USER_CREATE") {
			media.Type = "USER_COMPLAINT_IMAGE"
		}
		members["image_list"], members["complaint_media_list"] = media.URLs, media
		if odd.OtherMedia {
			members["complaint_media_list"] = []any{media}
		}
	}
	if odd.Unknown {
		members["a_member_of_tomorrow"] = []any{1, "x"}
	}
	return members
}

func errorBody(no refusal) []byte {
	members := map[string]any{"code": no.code, "message": no.message}
	if no.detail != nil {
		members["detail"] = no.detail
	}
	text, err := json.Marshal(members)
	if err != nil {
		return nil
	}
	return text
}
