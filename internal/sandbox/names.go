package sandbox

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/kesu-go/kesu/pkg/redact"
)

const (
	// Region is the AWS region that the sandbox says it is in.
	Region = "ap-east-1"
	// AccountID is the AWS account that the sandbox says it is; no real account has this number.
	AccountID = "000000000000"
)

// newUUID returns a random UUID, version 4.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, says crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// newTraceID returns an X-Ray trace header.
func newTraceID() string {
	return "Root=1-" + strconv.FormatInt(time.Now().Unix(), 16) + "-" + randomHex(12) + ";Parent=" + randomHex(8) + ";Sampled=0"
}

// newRequestID returns a Request-ID in the form that integrators print when they ask for help:
// 08CEA3E6AE0610C20418E0ABB1A80120A75E28CCA505-0.
func newRequestID() string {
	return shown(func() string { return "08" + strings.ToUpper(randomHex(20)) + "-0" })
}

// NewSerial makes a certificate serial number, 40 upper-case hex digits.
func NewSerial() string {
	return shown(func() string { return "5" + strings.ToUpper(randomHex(20))[1:] })
}

// shown makes ids until one holds nothing that reads as a phone number. Of random hex one in three hundred does, the
// functions do not show such an id, and what a test or a demo prints would differ from run to run.
func shown(make func() string) string {
	for {
		if id := make(); (redact.Secrets{}).ID(id) != "" {
			return id
		}
	}
}
