package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// misconfigured is one way to spoil a secret, and the field that the answer must name.
type misconfigured struct {
	name  string
	spoil func(m map[string]map[string]any)
	field string
}

func set(half, field string, value any) func(map[string]map[string]any) {
	return func(m map[string]map[string]any) { m[half][field] = value }
}

func drop(half, field string) func(map[string]map[string]any) {
	return func(m map[string]map[string]any) { delete(m[half], field) }
}

// theValue stands in for what must never be told.
const theValue = "Wrong-Value-9317"

var wrongImageco = []misconfigured{
	{"no imageco half", func(m map[string]map[string]any) { delete(m, "imageco") }, "imageco"},
	{"no isspid", drop("imageco", "isspid"), "imageco.isspid"},
	{"an isspid that is a number", set("imageco", "isspid", 39493002), "imageco.isspid"},
	{"an empty isspid", set("imageco", "isspid", ""), "imageco.isspid"},
	{"no system_id", drop("imageco", "system_id"), "imageco.system_id"},
	{"no key", drop("imageco", "key"), "imageco.key"},
	{"an empty key", set("imageco", "key", ""), "imageco.key"},
	{"a key that is an object", set("imageco", "key", map[string]any{"value": theValue}), "imageco.key"},
	{"an unknown format", set("imageco", "format", theValue), "imageco.format"},
	{"a format in another case", set("imageco", "format", "XML"), "imageco.format"},
	{"an unknown charset", set("imageco", "sign_charset", theValue), "imageco.sign_charset"},
	{"a URL that is none", set("imageco", "url", theValue), "imageco.url"},
	{"a URL by http to another machine", set("imageco", "url", "http://192.0.2.1/"+theValue), "imageco.url"},
	{"a URL with a password", set("imageco", "url", "https://u:"+theValue+"@127.0.0.1/"), "imageco.url"},
	{"a seller_account in neither place", drop("imageco", "seller_account"), "imageco.seller_account"},
	{"a seller_account that is a number", set("imageco", "seller_account", 7), "imageco.seller_account"},
}

var wrongWechatPay = []misconfigured{
	{"no wechatpay half", func(m map[string]map[string]any) { delete(m, "wechatpay") }, "wechatpay"},
	{"no mchid", drop("wechatpay", "mchid"), "wechatpay.mchid"},
	{"no serial_no", drop("wechatpay", "serial_no"), "wechatpay.serial_no"},
	{"a serial_no that is not hex", set("wechatpay", "serial_no", theValue), "wechatpay.serial_no"},
	{"no private_key", drop("wechatpay", "private_key"), "wechatpay.private_key"},
	{"a private_key that is not PEM", set("wechatpay", "private_key", theValue), "wechatpay.private_key"},
	{"a private_key that is broken PEM", set("wechatpay", "private_key", "-----BEGIN PRIVATE KEY-----\n"+theValue+"\n-----END PRIVATE KEY-----\n"), "wechatpay.private_key"},
	{"no platform_keys", drop("wechatpay", "platform_keys"), "wechatpay.platform_keys"},
	{"an empty platform_keys", set("wechatpay", "platform_keys", []any{}), "wechatpay.platform_keys"},
	{"a platform key that is a text", set("wechatpay", "platform_keys", []any{theValue}), "wechatpay.platform_keys"},
	{"a platform key without a pem", set("wechatpay", "platform_keys", []any{map[string]any{"id": "PUB_KEY_ID_1"}}), "wechatpay.platform_keys"},
	{"a platform key that is not PEM", set("wechatpay", "platform_keys", []any{map[string]any{"id": "PUB_KEY_ID_1", "pem": theValue}}), "wechatpay.platform_keys"},
	{"a public key without an id", func(m map[string]map[string]any) {
		delete(m["wechatpay"]["platform_keys"].([]any)[0].(map[string]any), "id")
	}, "wechatpay.platform_keys"},
}

// spoiled stores a merchant whose secret was changed.
func (w *world) spoiled(name string, spoil func(map[string]map[string]any)) {
	w.t.Helper()
	m := w.merchant(name, sandbox.MerchantOptions{})
	m.Notes = nil
	var all map[string]map[string]any
	if err := json.Unmarshal([]byte(m.Secret()), &all); err != nil {
		w.t.Fatal(err)
	}
	spoil(all)
	text, err := json.Marshal(all)
	if err != nil {
		w.t.Fatal(err)
	}
	w.put(name, string(text))
}

func TestAMissingOrMalformedHalfIsNamedByItsFieldAndNeverByItsValue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.transcript.hide("a value in a secret", theValue)
	reply, complete := w.reply(), w.complete()
	n := 0
	for _, half := range []struct {
		function, other *function
		command         func(merchant, complaint string) members
		wrong           []misconfigured
	}{
		{reply, complete, replyTo, wrongImageco},
		{complete, reply, completionOf, wrongWechatPay},
	} {
		for _, test := range half.wrong {
			t.Run(half.function.action+": "+test.name, func(t *testing.T) {
				n++
				name := fmt.Sprint("m", n)
				w.spoiled(name, test.spoil)
				id := w.complaint(name)
				got := half.function.bare(half.command(name, id))
				if got.Code != "MERCHANT_MISCONFIGURED" || got.Outcome != "rejected" || got.Attempts != 0 || !strings.Contains(got.Message, test.field) {
					t.Errorf("got %+v", got)
				}
				if r := half.function.response(half.function.invoke(request{merchant: name, complaint: id, body: map[bool]string{true: goodBody}[half.function == reply]}.httpAPI(half.function.action))); r.status != 502 {
					t.Errorf("by HTTP: %d", r.status)
				}
				if len(callsFor(w.ImagecoHost, id))+len(callsFor(w.Primary, id)) != 0 {
					t.Error("something was sent")
				}
				other := map[bool]func(string, string) members{true: replyTo, false: completionOf}[half.other == reply]
				if got := half.other.bare(other(name, id)); got.Outcome != "succeeded" {
					t.Errorf("the other half is good, and %s gives %+v", half.other.action, got)
				}
			})
		}
	}
}

func TestASecretThatIsNoJSONObjectIsTheMerchantsMisconfiguration(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.transcript.hide("a secret's text", theValue)
	f := w.reply()
	for i, text := range []string{"", theValue, `"` + theValue + `"`, `["` + theValue + `"]`, `{"imageco":{"key":"` + theValue, "null", `{"imageco":"` + theValue + `"}`, `{"Imageco":{}}`} {
		name := fmt.Sprint("m", i)
		w.put(name, text)
		if got := f.bare(replyTo(name, "c1")); got.Code != "MERCHANT_MISCONFIGURED" || got.Outcome != "rejected" {
			t.Errorf("%q gives %+v", text, got)
		}
	}
	w.Secrets.Put(sandbox.SecretPrefix+"binary", "x")
	w.Secrets.Faults.Next(sandbox.Fault{Body: []byte(`{"ARN":"arn:aws:secretsmanager:ap-east-1:000000000000:secret:b","Name":"b","SecretBinary":"e30=","VersionId":"v1"}`)})
	if got := f.bare(replyTo("binary", "c1")); got.Code != "MERCHANT_MISCONFIGURED" {
		t.Errorf("a binary secret gives %+v", got)
	}
}

func TestMembersOfASecretThatAreNotKesusAreIgnored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.spoiled("acme", func(m map[string]map[string]any) {
		m["owner"] = map[string]any{"phone": theValue}
		m["imageco"]["note"], m["imageco"]["Key"], m["imageco"]["Format"] = theValue, theValue, "nonsense"
		m["wechatpay"]["apiv3_key"], m["wechatpay"]["MCHID"] = theValue, theValue
		m["wechatpay"]["platform_keys"].([]any)[0].(map[string]any)["since"] = 2024
		m["imageco"]["format"], m["imageco"]["sign_charset"], m["imageco"]["url"] = "json", "utf-8", ""
	})
	w.transcript.hide("an operator's note", theValue)
	id := w.complaint("acme")
	if got := w.reply().bare(replyTo("acme", id)); got.Outcome != "succeeded" {
		t.Errorf("got %+v", got)
	}
	if got := w.complete().bare(completionOf("acme", id)); got.Outcome != "succeeded" {
		t.Errorf("got %+v", got)
	}
}

// An operator may keep notes of any depth, and an editor's byte order mark is seen by nobody, in a pack too.
func TestNeitherAMarkNorANoteChangesWhatASecretSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme, other := w.merchant("acme", sandbox.MerchantOptions{}), w.merchant("other", sandbox.MerchantOptions{})
	noted := `{"note":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "," + acme.Secret()[1:]
	w.put("acme", "\uFEFF"+noted)
	w.put("packs/1/0", "\uFEFF"+`{"merchants":{"acme":`+noted+`,"other":`+other.Secret()+`}}`)
	for keys, merchants := range map[string][]string{"secretsmanager": {"acme"}, "packed:1": {"acme", "other"}} {
		f := w.reply("MERCHANT_KEYS=" + keys)
		for _, merchant := range merchants {
			if got := f.bare(replyTo(merchant, w.complaint(merchant))); got.Outcome != "succeeded" {
				t.Errorf("%s by %s: %+v", merchant, keys, got)
			}
		}
	}
}

func TestTheRequestsSellerAccountComesBeforeTheSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.spoiled("acme", drop("imageco", "seller_account"))
	m := w.merchant("both", sandbox.MerchantOptions{})
	f := w.reply()
	for _, test := range []struct{ merchant, given, want string }{{"acme", "A1", "A1"}, {"both", "B2", "B2"}, {"both", "", m.Imageco.SellerAccount}} {
		id := w.complaint(test.merchant)
		command := replyTo(test.merchant, id)
		if test.given != "" {
			command = command.with("seller_account", test.given)
		}
		got := f.bare(command)
		sent := callsFor(w.ImagecoHost, id)
		if got.Outcome != "succeeded" || len(sent) != 1 || !strings.Contains(string(sent[0].Body), `"seller_account":"`+test.want+`"`) {
			t.Errorf("%+v: got %+v", test, got)
		}
	}
}

func TestAMerchantsOwnURLIsUsedInPlaceOfTheFunctions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.merchant("acme", sandbox.MerchantOptions{})
	other, err := sandbox.NewImagecoHost("another", w.Imageco)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	m.Imageco.URL = other.URL() + "/gateway?version=2"
	w.store(m)
	if got := w.reply().bare(replyTo("acme", w.complaint("acme"))); got.Outcome != "succeeded" {
		t.Errorf("got %+v", got)
	}
	calls := other.Calls.Calls()
	if len(calls) != 1 || w.ImagecoHost.Calls.Len() != 0 || calls[0].Target != "/gateway?version=2" {
		t.Errorf("%d calls there and %d here", len(calls), w.ImagecoHost.Calls.Len())
	}
}

func TestPlatformKeysAreASetWhoseFirstIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	day := 24 * time.Hour
	expired, err := sandbox.CertificatePEM(w.Certificate, time.Now().Add(-2*day), time.Now().Add(-day))
	if err != nil {
		t.Fatal(err)
	}
	f := w.complete("MAX_ATTEMPTS=1")
	for _, test := range []struct {
		name    string
		options sandbox.MerchantOptions
		change  func(p *sandbox.WechatPaySecret)
		serial  string
		outcome string
	}{
		{"public-key", sandbox.MerchantOptions{}, nil, w.PublicKey.ID, "succeeded"},
		{"certificate", sandbox.MerchantOptions{Certificate: true}, nil, w.Certificate.ID, "succeeded"},
		{"both", sandbox.MerchantOptions{BothKeys: true}, nil, w.PublicKey.ID, "succeeded"},
		{"both-turned-round", sandbox.MerchantOptions{BothKeys: true}, func(p *sandbox.WechatPaySecret) {
			p.PlatformKeys[0], p.PlatformKeys[1] = p.PlatformKeys[1], p.PlatformKeys[0]
		}, w.Certificate.ID, "succeeded"},
		{"certificate-with-an-id", sandbox.MerchantOptions{Certificate: true}, func(p *sandbox.WechatPaySecret) { p.PlatformKeys[0].ID = "anything" }, w.Certificate.ID, "succeeded"},
		{"expired", sandbox.MerchantOptions{Certificate: true}, func(p *sandbox.WechatPaySecret) { p.PlatformKeys[0].PEM = expired }, w.Certificate.ID, "unknown"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := w.merchant(test.name, test.options)
			if test.change != nil {
				test.change(m.WechatPay)
				w.store(m)
			}
			id := w.complaint(test.name)
			got := f.bare(completionOf(test.name, id))
			calls := callsFor(w.Primary, id)
			if got.Outcome != test.outcome || len(calls) != 1 {
				t.Fatalf("got %+v", got)
			}
			if named := calls[0].Header.Values("Wechatpay-Serial"); len(named) != 1 || named[0] != test.serial {
				t.Errorf("the request names %v and should name %s", named, test.serial)
			}
		})
	}
}
