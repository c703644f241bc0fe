// Package signing makes and checks the signatures of WeChat Pay APIv3 and of 翼码's gateway, from the merchant's side.
//
// Everything in it is a function over bytes: the clock and the randomness are handed in, and nothing is kept. No error
// of this package holds a key, a signature, or the text that was signed.
//
// # A request to WeChat Pay
//
// [ParsePrivateKey] reads the key of the merchant's API certificate (apiclient_key.pem). A [Requester] holds it with
// the merchant's number and the certificate's serial number, and [Requester.SignRequest] signs an [net/http.Request].
// Take a nonce from [NewNonce] for each request. When a signature is refused, [RequestMessage] gives the text that was
// signed, to be compared with what WeChat Pay's refusal shows.
//
// # An answer of WeChat Pay's
//
// [ParsePlatformKey] reads a key that WeChat Pay signs with: its public key with the id PUB_KEY_ID_…, or a platform
// certificate. Put every key that a merchant has into one [KeySet], both kinds while it migrates, and call
// [KeySet.Verify] with the answer's header and its body as it came, before anything is done with either. A wrong
// signature does not say that the request was not carried out: WeChat Pay answers wrongly on purpose now and then, to
// see that it is noticed.
//
// # A notification of WeChat Pay's
//
// Its signature is that of an answer: [KeySet.Verify] with the request's header and raw body. [Decrypt] then opens its
// resource with the merchant's APIv3 key.
//
// # 翼码
//
// [ImagecoJSON] is the sign of a message in JSON, over its members whose value is a string; [ImagecoXML] is the mac of
// a message in XML, over its bytes as they are sent. [EqualMD5] compares either without telling by its time where they
// differ.
//
// # The other side
//
// [ParseAuthorization] and [SignAnswer] are what a stand-in for WeChat Pay needs, in a test for instance.
package signing
