package sandbox

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// kept starts a sandbox in a folder; firstPort 0 takes the folder's.
func kept(dir string, firstPort int) (*Demo, error) {
	return NewDemo(Options{NewKey: testKeys(), CreateOnSight: true, Folder: dir, FirstPort: firstPort})
}

// freePorts finds five free ports in a row, below those that the system hands out by itself.
func freePorts(t *testing.T) int {
	t.Helper()
	for first := 10000 + os.Getpid()%20000; first < 32000; first += len(hostNames) {
		free := true
		for i := range hostNames {
			l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(first+i))
			if err != nil {
				free = false
				break
			}
			l.Close()
		}
		if free {
			return first
		}
	}
	t.Fatal("there are no five free ports in a row")
	return 0
}

func TestAFolderKeepsPortsKeysAndComplaints(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sandbox")
	d, err := kept(dir, freePorts(t))
	if err != nil {
		t.Fatal(err)
	}
	picture := d.State.AddPicture(Picture{Merchant: "acme", Media: "image/png", Data: []byte("\x89PNG")})
	if status, text := askFor(t, d, d.Acme, "POST", "/v3/merchant-service/complaints-v2/1/response",
		`{"complainted_mchid":"`+d.Acme.WechatPay.Mchid+`","response_content":"已处理","response_images":["`+picture+`"]}`); status != 204 {
		t.Fatalf("%d %s", status, text)
	}
	if status, _ := askFor(t, d, d.Acme, "POST", "/v3/merchant-service/complaint-notifications", `{"url":"https://example.com/a"}`); status != 200 {
		t.Fatal(status)
	}
	before, _ := d.State.Complaint("acme", "1")
	merchants, urls := []Merchant{*d.Acme, *d.XML, *d.Both, *d.WrongKey}, []string{d.Primary.URL(), d.Backup.URL(), d.ImagecoHost.URL(), d.Secrets.URL(), d.Bus.URL()}
	keys := []GatewayKey{d.PublicKey, d.Certificate}

	// It is killed: what is not closed may be cut off in the middle of a line.
	lines, err := os.OpenFile(filepath.Join(dir, "state.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lines.WriteString(`{"Complaint":{"Merchant":"acme","ID":"cut o`); err != nil {
		t.Fatal(err)
	}
	lines.Close()
	if err := d.Close(); err != nil { // which writes nothing more, and frees the ports
		t.Fatal(err)
	}

	if d, err = kept(dir, 0); err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for i, m := range []*Merchant{d.Acme, d.XML, d.Both, d.WrongKey} {
		if m.Secret() != merchants[i].Secret() {
			t.Errorf("%s is another merchant", m.Name)
		}
	}
	if got := []string{d.Primary.URL(), d.Backup.URL(), d.ImagecoHost.URL(), d.Secrets.URL(), d.Bus.URL()}; !reflect.DeepEqual(got, urls) {
		t.Errorf("the addresses are %v, were %v", got, urls)
	}
	if d.PublicKey.ID != keys[0].ID || !d.PublicKey.Key.Equal(keys[0].Key) || d.Certificate.PEM != keys[1].PEM {
		t.Error("WeChat Pay has other keys")
	}
	after, _ := d.State.Complaint("acme", "1")
	if len(after.Replies) != 1 || after.State != Processing || !after.Replies[0].At.Equal(before.Replies[0].At) || len(after.History) != 2 || after.History[1].Message != nil {
		t.Errorf("the complaint is %+v, was %+v", after, before)
	}
	if p, ok := d.State.Picture(picture); !ok || string(p.Data) != "\x89PNG" {
		t.Error("the picture is gone")
	}
	if status, _ := askFor(t, d, d.Acme, "GET", "/v3/merchant-service/complaint-notifications", ""); status != 200 {
		t.Errorf("the address for notifications: %d", status)
	}
	if c, _ := d.State.Complaint("acme", "cut o"); c.ID != "" {
		t.Error("half a line was read")
	}
	given := map[string]bool{after.History[0].LogID: true, after.History[1].LogID: true}
	for range 3 { // as many ids as were given before
		id, _ := d.State.reply("acme", "1", ReplyEffect{Content: "再次答复"})
		if given[id] {
			t.Errorf("the id %s was given twice", id)
		}
		given[id] = true
	}
	seesOnlyItsOwner(t, dir)
	readable(t, dir)

	_, err = kept(filepath.Join(t.TempDir(), "other"), d.folder.file.FirstPort)
	if err == nil || !strings.Contains(err.Error(), "is held by kesu sandbox (process "+strconv.Itoa(os.Getpid())+", folder "+dir+")") {
		t.Errorf("a second one says %v", err)
	}
	if _, err := kept(dir, 0); err == nil || !strings.Contains(err.Error(), "is held by kesu sandbox") {
		t.Errorf("a second one in the same folder says %v", err)
	}
}

func seesOnlyItsOwner(t *testing.T, dir string) {
	t.Helper()
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("others may look into %s: %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// readable: sandbox.json names files that are there, and holds no key.
func readable(t *testing.T, dir string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "sandbox.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file folderFile
	if err := json.Unmarshal(text, &file); err != nil || len(file.Merchants) != 4 {
		t.Fatalf("%v, %s", err, text)
	}
	for _, m := range file.Merchants {
		for _, name := range m.Files {
			held, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil || len(held) == 0 || strings.Contains(string(text), string(held)) {
				t.Errorf("%s: %v", name, err)
			}
		}
		page, err := os.ReadFile(filepath.Join(dir, m.Name, "README.md"))
		if err != nil || strings.Contains(string(page), "<no value>") {
			t.Errorf("the page of %s: %v", m.Name, err)
		}
		for _, client := range []string{"curl", "wechatpay-go", "gopay", "wechatpay-java", "WxJava", "wechatpayv3", "wechatpay-axios-plugin", "wechatpay-node-v3", "wechatpay-php", "翼码 in PHP", "翼码 in Java"} {
			if !strings.Contains(string(page), "\n## "+client+"\n") {
				t.Errorf("the page of %s has no program for %s", m.Name, client)
			}
		}
	}
}

func TestAFolderThatOthersMayLookIntoIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if d, err := kept(dir, freePorts(t)); err == nil || !strings.Contains(err.Error(), "chmod 700") {
		t.Errorf("%v, %v", d, err)
	}
	if all, err := os.ReadDir(dir); err != nil || len(all) != 0 {
		t.Errorf("it was written into: %v, %v", all, err)
	}
}

func TestAPortThatAnotherProgramHoldsIsTold(t *testing.T) {
	first := freePorts(t)
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(first+2))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go http.Serve(l, http.NotFoundHandler()) //nolint:errcheck // ends with the listener
	dir := filepath.Join(t.TempDir(), "sandbox")
	d, err := kept(dir, first)
	if err == nil {
		d.Close()
		t.Fatal("it started")
	}
	if !strings.Contains(err.Error(), "127.0.0.1:"+strconv.Itoa(first+2)+" is held by ") || strings.Contains(err.Error(), "kesu sandbox (") {
		t.Errorf("it says %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "acme")); err == nil {
		t.Error("keys were made")
	}
	for _, wrong := range []int{-1, 65533, 70000} {
		if d, err := kept(dir, wrong); err == nil {
			d.Close()
			t.Errorf("it took ports from %d on", wrong)
		}
	}
}
