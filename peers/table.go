package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// table is what the clients could do.
type table struct {
	clients, pages []row
	bad            int
}

type row struct {
	name  string
	cells []done // of a client in the order of operations, of a program in the order of merchants
}

func (t *table) client(name string, public bool, cells map[string]done) {
	r := row{name: name + "|certificate"}
	if public {
		r.name = name + "|public key"
	}
	for _, operation := range operations {
		r.cells = append(r.cells, t.count(r.name+" "+operation, cells[operation]))
	}
	t.clients = append(t.clients, r)
}

func (t *table) program(heading, merchant string, d done) {
	t.count("the page's "+heading+" for "+merchant, d)
	for i, r := range t.pages {
		if r.name == heading {
			t.pages[i].cells = append(r.cells, d)
			return
		}
	}
	t.pages = append(t.pages, row{heading, []done{d}})
}

// count says at once what is red.
func (t *table) count(what string, d done) done {
	if d.Failed != "" {
		t.bad++
		fmt.Fprintf(os.Stderr, "red: %s: %s\n", what, d.Failed)
	}
	return d
}

// language says the table's words in one language.
type language map[string]string

var english = language{}

var chinese = language{
	"client": "客户端", "keys": "验签密钥", "public key": "微信支付公钥", "certificate": "平台证书", "read": "详情", "list": "列表", "upload": "上传图片",
	"reply": "回复", "history": "协商历史", "complete": "处理完成", "echo": "自测（加解密）", "notification": "通知解密", "certificates": "下载平台证书",
	"program of the folder's page": "文件夹说明页中的程序", "翼码 in PHP": "翼码（PHP）", "翼码 in Java": "翼码（Java）",
	"has no method for it, nor one that calls any path":                 "没有对应的方法，也不能调用任意路径",
	"encrypts under a certificate only":                                 "只能用平台证书加密",
	"its upload sends no headers, so no Authorization":                  "它的上传不带任何请求头，也就没有 Authorization",
	"verifies with certificates that it loads, not with the public key": "只用自己下载的平台证书验签，不支持公钥",
	"its registry cannot be reached where this is run":                  "运行这些测试的地方访问不到它的软件源",
}

func (l language) say(s string) string {
	if said := l[s]; said != "" {
		return said
	}
	return s
}

func (t *table) text(l language) string {
	var b strings.Builder
	var reasons []string
	cell := func(d done) string {
		switch {
		case d.Failed != "":
			return "✗"
		case d.Cannot != "":
			i := slices.Index(reasons, d.Cannot)
			if i < 0 {
				i, reasons = len(reasons), append(reasons, d.Cannot)
			}
			return fmt.Sprintf("– (%d)", i+1)
		}
		return "✓"
	}
	line := func(cells ...string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	head := []string{l.say("client"), l.say("keys")}
	for _, operation := range operations {
		head = append(head, l.say(operation))
	}
	line(head...)
	line(slices.Repeat([]string{"---"}, len(head))...)
	for _, r := range t.clients {
		name, keys, _ := strings.Cut(r.name, "|")
		cells := []string{name, l.say(keys)}
		for _, d := range r.cells {
			cells = append(cells, cell(d))
		}
		line(cells...)
	}
	b.WriteByte('\n')
	line(l.say("program of the folder's page"), "acme", "acme-xml", "acme-both")
	line(slices.Repeat([]string{"---"}, 4)...)
	for _, r := range t.pages {
		cells := []string{l.say(r.name)}
		for _, d := range r.cells {
			cells = append(cells, cell(d))
		}
		line(cells...)
	}
	b.WriteByte('\n')
	for i, reason := range reasons {
		fmt.Fprintf(&b, "%d. %s\n", i+1, l.say(reason))
	}
	return b.String()
}

const (
	begin = "<!-- make peers writes what follows -->\n"
	end   = "<!-- make peers wrote what precedes -->\n"
)

// write puts the table into a document.
func (t *table) write(path string, l language) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(text), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return fmt.Errorf("%s has no place for the table", path)
	}
	return os.WriteFile(path, []byte(before+begin+"\n"+t.text(l)+"\n"+end+after), 0o644)
}
