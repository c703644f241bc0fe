package template

import (
	"slices"
	"strings"

	"github.com/kesu-go/kesu/pkg/wire"
)

// pictures compares the media types of the route, those that API Gateway hands over as bytes, and those that pkg/wire takes;
// and the limits of a picture's name.
func pictures(d *deployment) []string {
	var f faults
	route := at(d.openapi, "paths", wire.Upload.Route(), "post")
	binary := words(d.openapi["x-amazon-apigateway-binary-media-types"])
	content, _ := at(route, "requestBody", "content").(node)
	f.same("binary media types", binary, names(content))
	for _, mediaType := range append(names(content), "image/gif", "application/octet-stream") {
		taken := !wire.ReadPicture(wire.PictureRequest{Merchant: "m", ContentType: mediaType}).WrongMedia
		if taken != slices.Contains(names(content), mediaType) {
			f.add("%s: pkg/wire takes it: %t", mediaType, taken)
		}
		if schema := at(content, mediaType, "schema"); schema != nil {
			f.add("%s: the picture is held against a schema", mediaType)
		}
	}
	filename, _ := at(d.openapi, "components", "parameters", "Filename", "schema").(node)
	for name, taken := range map[string]bool{"x": true, "": false, strings.Repeat("x", int(number(filename, "maxLength"))-4): true,
		strings.Repeat("x", int(number(filename, "maxLength"))+1): false, "a/b": false, `a\b`: false, `a"b`: false} {
		r := wire.ReadPicture(wire.PictureRequest{Merchant: "m", ContentType: "image/bmp", Filenames: []string{name}, Body: []byte("BM")})
		if (len(r.Problems) == 0) != taken {
			f.add("a name of %d characters: pkg/wire says %v", len(name), r.Problems)
		}
	}
	return f
}
