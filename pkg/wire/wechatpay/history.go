package wechatpay

import (
	"encoding/json"
	"strings"
)

// MerchantResponse is the operate_type of a reply of the merchant's (商户回复).
const MerchantResponse = "MERCHANT_RESPONSE"

// Item is one entry of a complaint's negotiation history. Who made it (operator) is not read: its wording varies.
type Item struct {
	LogID       string    `json:"log_id"`
	OperateTime Time      `json:"operate_time"`
	OperateType string    `json:"operate_type"`
	Details     string    `json:"operate_details"`
	Images      []string  `json:"image_list"`
	Media       MediaList `json:"complaint_media_list"`
	Message     message   `json:"normal_message"`
}

// UnmarshalJSON forgives an item that is no reply of the merchant's whatever cannot be read of it: it decides nothing,
// and must not hide the reply that stands beside it. In a reply that is an error, because one that is not recognised
// may be sent again.
func (i *Item) UnmarshalJSON(raw []byte) error {
	type plain Item // without this method
	err := json.Unmarshal(raw, (*plain)(i))
	if err == nil {
		return nil
	}
	var kind struct {
		OperateType string `json:"operate_type"`
	}
	if json.Unmarshal(raw, &kind) != nil || kind.OperateType == "" || kind.OperateType == MerchantResponse {
		return err
	}
	*i = Item{OperateType: kind.OperateType}
	return nil
}

// Text is what the item says: operate_details, or the text blocks of normal_message when that is empty.
func (i Item) Text() string {
	if i.Details != "" {
		return i.Details
	}
	var text strings.Builder
	for _, b := range i.Message.Blocks {
		if b.Type == blockText && b.Text != nil {
			text.WriteString(b.Text.Text)
		}
	}
	return text.String()
}

// Pictures is how many pictures the item shows: the most that any of its three lists has, because WeChat Pay fills
// them in side by side.
func (i Item) Pictures() int {
	media := 0
	for _, m := range i.Media {
		media += len(m.URLs)
	}
	blocks := 0
	for _, b := range i.Message.Blocks {
		if b.Type == blockImage {
			blocks++
		}
	}
	return max(len(i.Images), media, blocks)
}

// History is one page of 查询投诉单协商历史. The order of its items is not documented.
type History struct {
	Items      []Item `json:"data"`
	TotalCount *int   `json:"total_count"` // told when offset is 0
}

// ReadHistory reads a page of 查询投诉单协商历史: https://pay.weixin.qq.com/doc/v3/merchant/4012533439.
func ReadHistory(body []byte) (History, error) {
	var h History
	if json.Unmarshal(body, &h) != nil {
		return History{}, errNotReadable
	}
	return h, nil
}
