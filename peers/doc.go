// Command peers lets other people's clients use the sandbox and writes down what they could do: the table in
// docs/sandbox.md. A cell is green when the sandbox has seen the effect, or when the client has read a value out of what
// it verified and decrypted; what a client cannot do by itself is said with the reason.
//
// wechatpay-go and gopay run in this module; the others are programs in python/, node/ and java/ that print a line of JSON for each
// operation. The programs of the pages in the merchants' folders are run as they stand there.
package main
