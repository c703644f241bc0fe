// Package imageco holds 翼码's messages about complaints, in signed JSON and in GBK XML with a mac, and reads its
// answers. It knows no network and no clock.
package imageco
