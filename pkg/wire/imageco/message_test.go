package imageco

import (
	"strings"
	"testing"

	"github.com/kesu-go/kesu/pkg/signing"
	"github.com/kesu-go/kesu/pkg/wire"
)

// Each member is changed in the list itself, so a member that is added to it is tested too.
func TestEveryMemberIsSentAndSigned(t *testing.T) {
	reply := Reply{"39493002", "resp202406170000000001", "8888", "6666", "2001", wire.ReplyContent{ResponseContent: "好",
		ResponseImages: []string{"file1"}, JumpURL: "https://a.cn/", JumpURLText: "看"}}
	query := DetailQuery{"39493002", "doctor20261121", "8888", "6666", "2001"}
	for name, whole := range map[string]message{"a reply": reply.message(), "a query": query.message()} {
		for i, changed := range whole {
			if changed.value == "" {
				t.Errorf("%s: give %s a value here", name, changed.name)
			}
			other := append(message(nil), whole...)
			other[i].value = "changed"
			if sign(t, whole) == sign(t, other) {
				t.Errorf("%s: %s is not signed", name, changed.name)
			}
			body, err := other.json("k", false)
			if err != nil || !strings.Contains(string(body), `"`+changed.name+`":"changed"`) {
				t.Errorf("%s: %s is not in the JSON: %v", name, changed.name, err)
			}
			doc, err := other.xml()
			text := strings.NewReplacer("<![CDATA[", "", "]]>", "").Replace(string(doc))
			if err != nil || !strings.Contains(text, "<"+changed.name+">changed</"+changed.name+">") {
				t.Errorf("%s: %s is not in the XML: %v", name, changed.name, err)
			}
		}
		// The sign is that of the members as they go out.
		var sent []signing.Member
		for _, one := range whole {
			sent = append(sent, signing.Member{Name: one.name, Value: one.value})
		}
		if sign(t, whole) != signing.ImagecoJSON("k", sent) {
			t.Errorf("%s: the sign is another", name)
		}
	}
}

func sign(t *testing.T, m message) string {
	t.Helper()
	text, err := m.sign("k", false)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
