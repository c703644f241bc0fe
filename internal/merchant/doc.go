// Package merchant turns a merchant's secret into parsed keys and settings, and keeps them for as long as they may be
// used: [ParseImageco] and [ParseWechatPay] read one half each (contract, section 1), and a [Store] holds what they
// made and reads it again when it is due (contract, section 7).
//
// No error of this package holds a value of a secret, and none holds the words of Secrets Manager's own errors.
package merchant
