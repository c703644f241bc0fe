package sandbox

import (
	_ "embed"
	"net/url"
	"strings"
	"text/template"
)

//go:embed folder_page.md
var pageText string

// page explains a merchant's folder, with a program for each client that completes a complaint. `make peers` runs them.
var page = template.Must(template.New("README.md").Parse(pageText))

func merchantPage(w *World, m *Merchant, entry *folderMerchant) (string, error) {
	primary, err := url.Parse(w.Primary.URL())
	if err != nil {
		return "", err
	}
	var text strings.Builder
	err = page.Execute(&text, map[string]any{
		"M": entry, "URL": w.Primary.URL(), "Backup": w.Backup.URL(), "Port": primary.Port(), "Imageco": w.ImagecoHost.URL() + "/",
		"Public": entry.PlatformKeys != "certificate", "Certificate": entry.PlatformKeys != "public_key",
		"PublicKeyID": w.PublicKey.ID, "CertificateSerial": w.Certificate.ID,
		"XML": entry.Format == "xml", "GBK": entry.SignCharset == "gbk", "WrongKey": m.Name == "acme-wrong-key",
	})
	return text.String(), err
}
