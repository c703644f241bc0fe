// Package onboard keeps merchants' secrets in Secrets Manager: it puts them there, lists them, removes them, and copies
// all of them to another store. A store is a secret for each merchant, or a number of packs (contract, section 7).
//
// # Writing under a version check
//
// Several people may write to one pack at once, and nobody's merchant may be lost. A change reads the current version,
// adds the changed text as a version of its own that carries only the label [Pending], and then moves AWSCURRENT to it,
// naming the version that was read as the one to take the label from. Secrets Manager refuses that when AWSCURRENT is
// on another version by then: "If the label is attached and you either do not specify this parameter, or the version ID
// does not match, then the operation fails"
// (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html). The change is then
// made anew, on what is there. That two such moves at the same instant cannot both succeed is what the page says, and is
// not proved here: the tests ask stand-ins that carry out a call in one step.
//
// What was written over stays as AWSPREVIOUS until the next change. Nothing is deleted but a merchant's own secret, which
// can be restored for 30 days.
//
// No error and no report holds a value of a secret.
package onboard
