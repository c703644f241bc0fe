// Package operate is what the commands for operators share: the AWS account that they work in, what a stack says about
// itself, merchants' secrets, and an error that says how a command ended (kesu send, kesu attention and others).
//
// It prints nothing. Its errors are written for an operator, who may know the account and the role that AWS's messages
// name; the caller's own credentials, and what looks like a secret, are masked in them.
package operate

// Kind says how a command ended that did not do what it was asked for.
type Kind int

// The kinds of ends.
const (
	Failed    Kind = iota // it went wrong, was refused, or a check failed
	Usage                 // what was asked for is wrong
	Retryable             // certainly not done; trying again may help
	Unknown               // it may have been done
)

// Error is an error that says how a command ended. An error of another type is Failed.
type Error struct {
	Kind Kind
	Text string // "" when everything was said already
}

// New makes an error of a kind.
func New(kind Kind, text string) error { return &Error{kind, text} }

func (e *Error) Error() string { return e.Text }

// MaybeDone reports whether what was asked for may have been carried out.
func (e *Error) MaybeDone() bool { return e.Kind == Unknown }
