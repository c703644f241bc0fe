package console

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"
)

// shotOf keeps the pictures that the documentation shows.
func (d *workingDay) shotOf(what string) {
	d.t.Helper()
	name := map[string]string{
		"in Chinese on a desktop list": "chinese-list", "in Chinese on a desktop reply": "chinese", "in Chinese on a desktop unknown": "chinese-unknown",
		"in English on a desktop reply": "desk", "in English on a desktop question": "question", "in English on a desktop unknown": "unknown",
		"in Chinese on a phone reply": "phone-reply",
	}[d.picture+" "+what]
	if name != "" {
		d.shot(name)
	}
}

// receipt is a picture as a merchant would attach.
func receipt(t *testing.T) []byte {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 360, 480))
	for y := range 480 {
		for x := range 360 {
			c := color.RGBA{250, 250, 246, 255}
			switch {
			case y < 90:
				c = color.RGBA{7, 104, 74, 255}
			case y%36 < 10 && x > 30 && x < 330-(y*7)%90:
				c = color.RGBA{120, 120, 112, 255}
			}
			picture.Set(x, y, c)
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
