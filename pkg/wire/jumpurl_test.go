package wire_test

import (
	"strings"
	"testing"

	"github.com/kesu-go/kesu/pkg/wire"
)

func TestAJumpURLIsOneThatAPhoneCanOpen(t *testing.T) {
	const (
		noHost = "must be an https URL with a host"
		host   = "has a host that cannot exist"
		port   = "has a port outside of 1 to 65535"
		none   = "is none of a URL"
		escape = "begins no escape"
		user   = "must not carry a user name or password"
	)
	label := strings.Repeat("a", 63)
	long := label + "." + label + "." + label + "." + strings.Repeat("b", 61)
	for _, row := range []struct{ url, problem string }{
		{"https://a.cn", ""},
		{"HTTPS://A.CN", ""},
		{"https://a.cn/", ""},
		{"https://a.cn?x=1", ""},
		{"https://a.cn#f", ""},
		{"https://a.cn:443/", ""},
		{"https://a.cn:1/", ""},
		{"https://a.cn:65535/", ""},
		{"https://xn--fsqu00a.xn--0zwm56d/", ""},
		{"https://a-b.c--d.cn/~u/;p=1,2/(x)!$&'*+", ""},
		{"https://1a.cn/", ""},
		{"https://1.2.3.4/", ""},
		{"https://1.2.3.4:8443/", ""},
		{"https://1.2.3.4.cn/", ""},
		{"https://[2001:db8::1]/", ""},
		{"https://[2001:db8::1]:8443/", ""},
		{"https://[::ffff:1.2.3.4]/", ""},
		{"https://localhost/", ""},
		{"https://0xcafe.cn/", ""},
		{"https://a.0xg/", ""},
		{"https://a.cn/%E8%B7%AF?q=%20", ""},
		{"https://a.cn/?next=https://b.cn/@x", ""},
		{"https://" + label + ".cn/", ""},
		{"https://" + long + "/", ""},

		{"https://\"><script>alert(1)</script>", none},
		{"https://a.cn/\"", none},
		{"https://a.cn/<b>", none},
		{"https://a.cn/a b", none},
		{"https://a.cn/路", none},
		{"https://路.cn/", none},
		{"https://a.cn/\\x", none},
		{"https://a.cn\\@b.cn/", none},
		{"https://a.cn/{x}", none},
		{"https://a.cn/x|y", none},
		{"https://a.cn/^", none},
		{"https://a.cn/`", none},
		{"https://a.cn/\u200b", none},
		{"https://\u202excn", none},
		{"https://a\u3002cn/", none},
		{"https://a.cn/%", escape},
		{"https://a.cn/%2", escape},
		{"https://a.cn/%zz", escape},
		{"https://a.cn/?x=100%", escape},

		{"https://a.cn:0/", port},
		{"https://a.cn:65536/", port},
		{"https://x.cn:99999/", port},
		{"https://a.cn:4294967297/", port},
		{"https://a.cn:/", port},
		{"https://a.cn:-1/", port},
		{"https://a.cn:+1/", port},
		{"https://a.cn:80a/", port},
		{"https://a.cn:000443/", port},
		{"https://[2001:db8::1]:0/", port},

		{"https://.", host},
		{"https://-", host},
		{"https://x..cn", host},
		{"https://.cn/", host},
		{"https://a.cn./", host},
		{"https://-a.cn/", host},
		{"https://a-.cn/", host},
		{"https://a.-cn/", host},
		{"https://a_b.cn/", host},
		{"https://a%2Ecn/", host},
		{"https://a~b/", host},
		{"https://a.cn:1:2/", host},
		{"https://2001:db8::1/", host},
		{"https://" + label + "a.cn/", host},
		{"https://" + long + "b/", host},
		{"https://1.2.3/", host},
		{"https://1.2.3.4.5/", host},
		{"https://1.2.3.256/", host},
		{"https://1.2.3.04/", host},
		{"https://2130706433/", host},
		{"https://0x7f000001/", host},
		{"https://a.0x1/", host},
		{"https://a.0x/", host},
		{"https://a.0X1/", host},
		{"https://a.1/", host},
		{"https://[1.2.3.4]/", host},
		{"https://[2001:db8::1/", host},
		{"https://[fe80::1%25eth0]/", host},
		{"https://[]/", host},
		{"https://[v1.x]/", host},
		{"https://[::1]a/", host},

		{"https://", noHost},
		{"https:///a", noHost},
		{"https://?a", noHost},
		{"https://#a", noHost},
		{"https://:443/", noHost},
		{"https:a.cn", noHost},
		{"https:/a.cn", noHost},
		{"http://a.cn", noHost},
		{"httpss://a.cn", noHost},
		{"//a.cn/", noHost},
		{"a.cn", noHost},
		{"javascript:alert(1)", noHost},
		{"weixin://dl/business", noHost},

		{"https://u@a.cn/", user},
		{"https://u:p@a.cn/", user},
		{"https://@a.cn/", user},
		{"https://a.cn@b.cn", user},
		{"https://a.cn:443@b.cn/", user},
	} {
		t.Run(row.url, func(t *testing.T) {
			got := told(wire.ReadHTTP(wire.Reply, post(`{"response_content":"a","jump_url_text":"a","jump_url":`+quote(row.url)+`}`)).Problems)
			if (got == "") != (row.problem == "") || !strings.Contains(got, row.problem) {
				t.Errorf("got %q, want %q", got, row.problem)
			}
		})
	}
}
