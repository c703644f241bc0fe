package sandbox

import (
	"encoding/json"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/pkg/signing"
)

func TestMerchantSecretIsWhatTheContractSays(t *testing.T) {
	d := world(t)
	text, _, ok := d.Secrets.Get("kesu/merchants/acme-xml")
	if !ok {
		t.Fatal("the secret is not there")
	}
	var got struct {
		Imageco   map[string]string
		WechatPay struct {
			Mchid      string                     `json:"mchid"`
			SerialNo   string                     `json:"serial_no"`
			PrivateKey string                     `json:"private_key"`
			Keys       []struct{ ID, PEM string } `json:"platform_keys"`
		}
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if got.Imageco["format"] != "xml" || len(got.Imageco["isspid"]) != 8 || len(got.Imageco["system_id"]) != 4 || got.Imageco["key"] == "" || got.Imageco["seller_account"] == "" {
		t.Errorf("imageco is %v", got.Imageco)
	}
	if _, err := signing.ParsePrivateKey(got.WechatPay.PrivateKey); err != nil || got.WechatPay.Mchid == "" || len(got.WechatPay.SerialNo) != 40 {
		t.Errorf("wechatpay: %v", err)
	}
	key, err := signing.ParsePlatformKey("", got.WechatPay.Keys[0].PEM)
	if err != nil || key.ID != d.Certificate.ID || key.NotAfter.IsZero() {
		t.Errorf("the platform certificate: %v", err)
	}
}

func TestRotateLetsTheOldKeysGoOrKeepsThem(t *testing.T) {
	for _, keepOld := range []bool{true, false} {
		d := world(t)
		oldKey, oldCompletion := d.Acme.Imageco.Key, newCompletion(d, d.Acme, "c1")
		if err := d.Rotate(d.Acme, keepOld); err != nil {
			t.Fatal(err)
		}
		_, body, err := reach(t, "POST", d.ImagecoHost.URL(), jsonHeader, signedJSON(oldKey, members(d.Acme, "c1")))
		if err != nil || strings.Contains(string(body), `"0000"`) != keepOld {
			t.Errorf("keepOld %t: the old 翼码 key gives %s %v", keepOld, body, err)
		}
		resp, body, err := oldCompletion.send(t, d.Primary)
		if err != nil || (resp.StatusCode == 204) != keepOld {
			t.Errorf("keepOld %t: the old WeChat Pay key gives %v %s %v", keepOld, resp, body, err)
		}
		d.State.Add("acme", "c2")
		if resp, body, err := newCompletion(d, d.Acme, "c2").send(t, d.Primary); err != nil || resp.StatusCode != 204 {
			t.Errorf("the new key gives %v %s %v", resp, body, err)
		}
		if text, _, _ := d.Secrets.Get(SecretPrefix + "acme"); !strings.Contains(text, d.Acme.Imageco.Key) || strings.Contains(text, oldKey) {
			t.Error("the secret has not changed")
		}
	}
}

// A call that is refused for its old key reads the secret again: it must not find the old one then.
func TestNobodyReadsTheSecretWhileItsKeysChange(t *testing.T) {
	d := world(t)
	d.Imageco.mu.Lock() // the new keys cannot become known
	rotated := make(chan error, 1)
	go func() { rotated <- d.Rotate(d.Acme, false) }()
	end := time.Now().Add(30 * time.Second)
	for d.Secrets.mu.TryLock() {
		d.Secrets.mu.Unlock()
		if time.Now().After(end) {
			t.Error("the old secret can be read")
			break
		}
		<-time.After(time.Millisecond)
	}
	d.Imageco.mu.Unlock()
	if err := <-rotated; err != nil {
		t.Error(err)
	}
}

func TestWorldServesItsFunctionsAndLeavesNothingBehind(t *testing.T) {
	d, err := NewDemo(Options{NewKey: testKeys(), CreateOnSight: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Serve(l); err == nil {
		t.Error("it serves without functions")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.StartFunctions(t.Context(), Programs{Reply: self, Complete: self, Env: []string{"SANDBOX_TEST_ROLE=function"}}); err != nil {
		t.Fatal(err)
	}
	if l, err = Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	url, err := d.Serve(l)
	if err != nil {
		t.Fatal(err)
	}
	// The test's function does not answer as a proxy integration should, which the gateway says.
	resp, body, err := reach(t, "POST", url+"/merchants/acme/complaints/1/reply", jsonHeader, []byte("{}"))
	if err != nil || resp.StatusCode != 502 || !strings.Contains(string(body), "proxy response") {
		t.Errorf("the gateway answers %v %s %v", resp, body, err)
	}
	resp, body, err = reach(t, "POST", url+"/events", jsonHeader, []byte(`{"Source":"shop","DetailType":"ComplaintReplyRequested","Detail":"{}"}`))
	if err != nil || resp.StatusCode != 200 {
		t.Errorf("the events endpoint answers %v %s %v", resp, body, err)
	}
	pids := []int{d.Reply.PID(), d.Complete.PID()}
	addresses := []string{l.Addr().String(), strings.TrimPrefix(d.Primary.URL(), "http://"), strings.TrimPrefix(d.Bus.URL(), "http://")}
	for range 2 {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	if slices.ContainsFunc(pids, alive) {
		t.Error("a function still runs")
	}
	for _, address := range addresses {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			t.Errorf("something still listens on %s", address)
		}
	}
}
