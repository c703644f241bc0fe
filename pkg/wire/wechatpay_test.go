package wire_test

import (
	"strings"
	"testing"

	"github.com/kesu-go/kesu/pkg/wire"
)

func TestCompletionOnTheWire(t *testing.T) {
	if got, want := wire.CompletePath(complaintID), "/v3/merchant-service/complaints-v2/"+complaintID+"/complete"; got != want {
		t.Errorf("the path is %s, want %s", got, want)
	}
	if got, want := wire.ComplaintPath(complaintID), "/v3/merchant-service/complaints-v2/"+complaintID; got != want {
		t.Errorf("the complaint's path is %s, want %s", got, want)
	}
	if got, want := string(wire.CompleteBody("1900000109")), `{"complainted_mchid":"1900000109"}`; got != want {
		t.Errorf("the body is %s, want %s", got, want)
	}
}

func TestReadWechatPayError(t *testing.T) {
	for _, row := range []struct{ name, body, code, message string }{
		{"code and message", `{"code":"PARAM_ERROR","message":"参数错误"}`, "PARAM_ERROR", "参数错误"},
		{"the detail, which may quote what was signed, is left aside", `{"code":"SIGN_ERROR","message":"签名错误","detail":{"sign_information":{"sign_message_length":100}}}`, "SIGN_ERROR", "签名错误"},
		{"no message", `{"code":"SYSTEM_ERROR"}`, "SYSTEM_ERROR", ""},
		{"a message that is no string", `{"code":"SYSTEM_ERROR","message":{"a":1}}`, "SYSTEM_ERROR", ""},
		{"a code of 64 characters", `{"code":"` + strings.Repeat("A", 64) + `"}`, strings.Repeat("A", 64), ""},
		{"a code of 65 characters", `{"code":"` + strings.Repeat("A", 65) + `"}`, "", ""},
		{"no code", `{"message":"a"}`, "", ""},
		{"an empty code", `{"code":"","message":"a"}`, "", ""},
		{"a code in lower case", `{"code":"param_error","message":"a"}`, "", ""},
		{"a code with a line feed", `{"code":"PARAM_ERROR\n","message":"a"}`, "", ""},
		{"a code that is a number", `{"code":400,"message":"a"}`, "", ""},
		{"a code that stands twice", `{"code":"A","code":"B","message":"a"}`, "", ""},
		{"a name in another case", `{"Code":"A","message":"a"}`, "", ""},
		{"a page of HTML", `<html>`, "", ""},
		{"nothing", ``, "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			code, message := wire.ReadWechatPayError([]byte(row.body))
			if code != row.code || message != row.message {
				t.Errorf("%q, %q", code, message)
			}
		})
	}
}

func TestReadComplaintState(t *testing.T) {
	for _, row := range []struct{ name, body, state, err string }{
		{"a complaint that is settled", `{"complaint_id":"` + complaintID + `","complaint_state":"PROCESSED","payer_phone":"x"}`, wire.StateProcessed, ""},
		{"a complaint that waits", `{"complaint_state":"PENDING","complaint_id":"` + complaintID + `"}`, "PENDING", ""},
		{"an answer that does not name the complaint", `{"complaint_state":"PROCESSED"}`, wire.StateProcessed, ""},
		{"another complaint", `{"complaint_id":"1","complaint_state":"PROCESSED"}`, "", "is about another complaint"},
		{"the complaint in a list", `{"data":[{"complaint_id":"` + complaintID + `","complaint_state":"PROCESSED"}]}`, "", "has no complaint_state"},
		{"no state", `{"complaint_id":"` + complaintID + `"}`, "", "has no complaint_state"},
		{"a state that is no string", `{"complaint_state":["PROCESSED"]}`, "", "has no complaint_state"},
		{"a state that stands twice", `{"complaint_state":"PENDING","complaint_state":"PROCESSED"}`, "", "has a member that stands twice"},
		{"an answer that breaks off", `{"complaint_state":"PROCESSED"`, "", "is not JSON: it ends too early"},
	} {
		t.Run(row.name, func(t *testing.T) {
			state, err := wire.ReadComplaintState([]byte(row.body), complaintID)
			if state != row.state || (err == nil) != (row.err == "") || err != nil && err.Error() != row.err {
				t.Errorf("%q, %v", state, err)
			}
		})
	}
}

func TestRequestID(t *testing.T) {
	for _, row := range []struct{ name, value, want string }{
		{"WeChat Pay's own form", "08F3FAA0B00610B30418D9D5A0F90120D1F4D8012896B502-268435456", "08F3FAA0B00610B30418D9D5A0F90120D1F4D8012896B502-268435456"},
		{"none", "", ""},
		{"128 characters", strings.Repeat("a", 128), strings.Repeat("a", 128)},
		{"129 characters", strings.Repeat("a", 129), ""},
		{"a space", "a b", ""},
		{"a line feed at the end", "a\n", ""},
		{"Chinese", "请求", ""},
		{"markup", "<b>", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := wire.RequestID(row.value); got != row.want {
				t.Errorf("%q", got)
			}
		})
	}
}
