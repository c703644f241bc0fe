package sandbox

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"time"
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
