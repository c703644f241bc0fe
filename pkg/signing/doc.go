// Package signing makes and checks the signatures of both gateways: 翼码's MD5 sign and mac, and WeChat Pay APIv3's
// SHA256 with RSA, as a merchant that asks and as a merchant that checks the answer.
//
// Everything in it is a function over bytes: the clock and the randomness are handed in, and nothing is kept. No error
// of this package holds a key, a signature, or the text that was signed.
package signing
