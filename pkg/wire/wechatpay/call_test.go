package wechatpay_test

import (
	"strings"
	"testing"

	"github.com/kesu-go/kesu/pkg/wire/wechatpay"
)

const complaintID = "200201820200101080076610000"

func TestCompletionOnTheWire(t *testing.T) {
	if got, want := wechatpay.CompletePath(complaintID), "/v3/merchant-service/complaints-v2/"+complaintID+"/complete"; got != want {
		t.Errorf("the path is %s, want %s", got, want)
	}
	if got, want := wechatpay.ComplaintPath(complaintID), "/v3/merchant-service/complaints-v2/"+complaintID; got != want {
		t.Errorf("the complaint's path is %s, want %s", got, want)
	}
	if got, want := string(wechatpay.CompleteBody("1900000109")), `{"complainted_mchid":"1900000109"}`; got != want {
		t.Errorf("the body is %s, want %s", got, want)
	}
}

func TestTheWordsThatAskToTryLaterAreToldFromOthers(t *testing.T) {
	for words, want := range map[string]bool{"系统繁忙，请稍后再试": true, "请稍后重试": true, "参数错误": false} {
		if wechatpay.AsksToTryLater(words) != want {
			t.Errorf("%s: want %t", words, want)
		}
	}
	if wechatpay.ResponsePath("1") != "/v3/merchant-service/complaints-v2/1/response" ||
		wechatpay.ImmediatePath("1") != "/v3/merchant-service/complaints-v2/1/response-immediate-service" {
		t.Error("the paths of a reply")
	}
}

func TestReadError(t *testing.T) {
	for _, row := range []struct{ name, body, code, message string }{
		{"code and message", `{"code":"PARAM_ERROR","message":"参数错误"}`, "PARAM_ERROR", "参数错误"},
		{"the detail, which may quote what was signed, is left aside", `{"code":"SIGN_ERROR","message":"签名错误","detail":{"sign_information":{"sign_message_length":100}}}`, "SIGN_ERROR", "签名错误"},
		{"no message", `{"code":"SYSTEM_ERROR"}`, "SYSTEM_ERROR", ""},
		{"a message that is no string", `{"code":"SYSTEM_ERROR","message":{"a":1}}`, "SYSTEM_ERROR", ""},
		{"a code of 64 characters", `{"code":"` + strings.Repeat("A", 64) + `"}`, strings.Repeat("A", 64), ""},
		{"a code of 65 characters", `{"code":"` + strings.Repeat("A", 65) + `"}`, "", ""},
		{"no code", `{"message":"a"}`, "", ""},
		{"an empty code", `{"code":"","message":"a"}`, "", ""},
		{"a code in lower case", `{"code":"param_error","message":"a"}`, "param_error", "a"},
		{"a code with a dot and a hyphen", `{"code":"A-1.b","message":"a"}`, "A-1.b", "a"},
		{"a code with a line feed", `{"code":"PARAM_ERROR\n","message":"a"}`, "", ""},
		{"a code that is a number", `{"code":400,"message":"a"}`, "", ""},
		{"a code that stands twice", `{"code":"A","code":"B","message":"a"}`, "", ""},
		{"a name in another case", `{"Code":"A","message":"a"}`, "", ""},
		{"a page of HTML", `<html>`, "", ""},
		{"nothing", ``, "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			code, message := wechatpay.ReadError([]byte(row.body))
			if code != row.code || message != row.message {
				t.Errorf("%q, %q", code, message)
			}
		})
	}
}

func TestReadState(t *testing.T) {
	for _, row := range []struct{ name, body, state, err string }{
		{"a complaint that is settled", `{"complaint_id":"` + complaintID + `","complaint_state":"PROCESSED","payer_phone":"x"}`, wechatpay.StateProcessed, ""},
		{"a complaint that waits", `{"complaint_state":"PENDING","complaint_id":"` + complaintID + `"}`, "PENDING", ""},
		{"an answer that does not name the complaint", `{"complaint_state":"PROCESSED"}`, "", "does not say which complaint it is about"},
		{"an answer whose complaint is a number", `{"complaint_id":` + complaintID + `,"complaint_state":"PROCESSED"}`, "", "does not say which complaint it is about"},
		{"another complaint", `{"complaint_id":"1","complaint_state":"PROCESSED"}`, "", "is about another complaint"},
		{"the complaint in a list", `{"data":[{"complaint_id":"` + complaintID + `","complaint_state":"PROCESSED"}]}`, "", "does not say which complaint it is about"},
		{"no state", `{"complaint_id":"` + complaintID + `"}`, "", "has no complaint_state"},
		{"a state that is no string", `{"complaint_id":"` + complaintID + `","complaint_state":["PROCESSED"]}`, "", "has no complaint_state"},
		{"a state that stands twice", `{"complaint_state":"PENDING","complaint_state":"PROCESSED"}`, "", "has the member complaint_state twice"},
		{"an answer that breaks off", `{"complaint_state":"PROCESSED"`, "", "is not JSON: it ends too early"},
	} {
		t.Run(row.name, func(t *testing.T) {
			state, err := wechatpay.ReadState([]byte(row.body), complaintID)
			if state != row.state || (err == nil) != (row.err == "") || err != nil && err.Error() != row.err {
				t.Errorf("%q, %v", state, err)
			}
		})
	}
}
