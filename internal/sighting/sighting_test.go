package sighting

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	messages "github.com/kesu-go/kesu/pkg/wire/wechatpay"
)

// claimed is 16:00:10.9 in China.
var claimed = time.Date(2026, 11, 21, 8, 0, 10, 900_000_000, time.UTC)

const link, linkText = "https://example.com/refund?id=1", "查看退款"

var (
	plain    = Reply{Content: "已与用户沟通解决", ClaimedAt: claimed}
	pictures = Reply{Content: "已与用户沟通解决", Pictures: 2, ClaimedAt: claimed}
	jump     = Reply{Content: "已与用户沟通解决", Link: []string{linkText, link}, ClaimedAt: claimed}
)

func TestShownBy(t *testing.T) {
	for _, row := range []struct {
		name    string
		reply   Reply
		members string // beside log_id, operate_type and operate_time, or instead of them
		want    bool
	}{
		{"the same words", plain, `"operate_details":"已与用户沟通解决"`, true},
		{"white space around them", plain, `"operate_details":" \r\n已与用户沟通解决\n\t"`, true},
		{"line ends of another kind", Reply{Content: "a\nb", ClaimedAt: claimed}, `"operate_details":"a\r\nb"`, true},
		{"white space within them", plain, `"operate_details":"已与用户 沟通解决"`, false},
		{"a part of the words", plain, `"operate_details":"已与用户沟通"`, false},
		{"more words", plain, `"operate_details":"已与用户沟通解决。"`, false},
		{"other case", Reply{Content: "Done", ClaimedAt: claimed}, `"operate_details":"done"`, false},
		{"no words", plain, `"operate_details":""`, false},
		{"words in a text block", plain, `"operate_details":"","normal_message":{"blocks":[{"type":"TEXT","text":{"text":"已与用户沟通解决"}}]}`, true},
		{"a text block counts only without details", plain, `"operate_details":"x","normal_message":{"blocks":[{"type":"TEXT","text":{"text":"已与用户沟通解决"}}]}`, false},
		{"words in a block of another type", plain, `"normal_message":{"blocks":[{"type":"LINK","text":{"text":"已与用户沟通解决"}}]}`, false},

		{"the second of the claim less two", plain, `"operate_time":"2026-11-21T16:00:08+08:00","operate_details":"已与用户沟通解决"`, true},
		{"one second earlier", plain, `"operate_time":"2026-11-21T16:00:07+08:00","operate_details":"已与用户沟通解决"`, false},
		{"one millisecond earlier", plain, `"operate_time":"2026-11-21T16:00:07.999+08:00","operate_details":"已与用户沟通解决"`, false},
		{"a day later", plain, `"operate_time":"2026-11-22T16:00:10+08:00","operate_details":"已与用户沟通解决"`, true},
		{"no time", plain, `"operate_time":"","operate_details":"已与用户沟通解决"`, false},

		{"the consumer's own words", plain, `"operate_type":"USER_RESPONSE","operate_details":"已与用户沟通解决"`, false},
		{"an unknown type", plain, `"operate_type":"MERCHANT_RESPONSE_2","operate_details":"已与用户沟通解决"`, false},
		{"whoever the operator is", plain, `"operator":"微信支付客服","operate_details":"已与用户沟通解决"`, true},
		{"no id", plain, `"log_id":"","operate_details":"已与用户沟通解决"`, false},
		{"an id that is none", plain, `"log_id":"1#2","operate_details":"已与用户沟通解决"`, false},
		{"an id of 129 characters", plain, `"log_id":"` + strings.Repeat("1", 129) + `","operate_details":"已与用户沟通解决"`, false},

		{"as many pictures", pictures, `"operate_details":"已与用户沟通解决","image_list":["a","b"]`, true},
		{"as many, in a media object", pictures, `"operate_details":"已与用户沟通解决","complaint_media_list":{"media_type":"OPERATION_IMAGE","media_url":["a","b"]}`, true},
		{"as many, in a media array", pictures, `"operate_details":"已与用户沟通解决","complaint_media_list":[{"media_url":["a"]},{"media_url":["b"]}]`, true},
		{"as many, in image blocks", pictures, `"operate_details":"已与用户沟通解决","normal_message":{"blocks":[{"type":"IMAGE"},{"type":"IMAGE"}]}`, true},
		{"the same ones in two lists", pictures, `"operate_details":"已与用户沟通解决","image_list":["a","b"],"complaint_media_list":[{"media_url":["a","b"]}]`, true},
		{"fewer pictures", pictures, `"operate_details":"已与用户沟通解决","image_list":["a"]`, false},
		{"more pictures", pictures, `"operate_details":"已与用户沟通解决","image_list":["a","b","c"]`, false},
		{"a picture where there should be none", plain, `"operate_details":"已与用户沟通解决","image_list":["a"]`, false},

		{"a jump that is not in the words", jump, `"operate_details":"已与用户沟通解决"`, true},
		{"the jump's text behind them", jump, `"operate_details":"已与用户沟通解决 查看退款"`, true},
		{"the jump's address behind them", jump, `"operate_details":"已与用户沟通解决<a href=\"https://example.com/refund?id=1\">x</a>"`, true},
		{"another jump behind them", jump, `"operate_details":"已与用户沟通解决 查看订单"`, false},
		{"the jump before them", jump, `"operate_details":"查看退款 已与用户沟通解决"`, false},
		{"a jump that was not asked for", plain, `"operate_details":"已与用户沟通解决 查看退款"`, false},
		{"an empty text of a jump", Reply{Content: "已与用户沟通解决", Link: []string{"", ""}, ClaimedAt: claimed}, `"operate_details":"已与用户沟通解决 x"`, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			item := messages.Item{}
			usual := `{"log_id":"300285320210322170000071077","operate_type":"MERCHANT_RESPONSE","operate_time":"2026-11-21T16:00:12+08:00"}`
			for _, text := range []string{usual, "{" + row.members + "}"} {
				if err := json.Unmarshal([]byte(text), &item); err != nil {
					t.Fatal(err)
				}
			}
			if got := row.reply.ShownBy(item); got != row.want {
				t.Errorf("shown: %v, want %v", got, row.want)
			}
		})
	}
}
