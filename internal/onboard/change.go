package onboard

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
)

// current is the label of the version that is in force.
const current = "AWSCURRENT"

// Pending is the label of a version that is not in force, and perhaps never will be. It moves to the next one.
const Pending = "KESU_PENDING"

// tries bounds how often a change is made anew because another one came first.
const tries = 10

// ErrBusy: others changed the same secret each time; nothing was written.
var ErrBusy = errors.New("others change the same secret at this moment, and each time came first; nothing was written, try again")

// CallError is a call to Secrets Manager that failed. Its text is AWS's, for an operator.
type CallError struct {
	Doing string // "read the secret kesu/merchants/acme"
	Err   error
}

func (e *CallError) Error() string { return e.Doing + ": " + e.Err.Error() }

// Unwrap returns the AWS SDK's error.
func (e *CallError) Unwrap() error { return e.Err }

// The words for what became of a secret.
const (
	Created   = "created"
	Changed   = "changed"
	Unchanged = "unchanged"
	Deleted   = "marked for deletion"
)

// change gives a secret the text that edit makes of its present one, which is "" when there is no secret yet. Edit may be
// called several times. It returns what became of the secret, one of the words above.
func (o Options) change(ctx context.Context, id string, edit func(text string) (string, error)) (string, error) {
	for n := range tries {
		if n > 0 {
			if err := o.Pause(ctx, n); err != nil {
				return "", err
			}
		}
		text, version, err := o.read(ctx, id)
		if err != nil {
			return "", err
		}
		edited, err := edit(text)
		if err != nil || edited == text {
			return Unchanged, err
		}
		done, err := o.write(ctx, id, version, edited)
		if done != "" || err != nil {
			return done, err
		}
	}
	return "", ErrBusy
}

// read returns a secret's current text and version, "" and "" when there is no such secret.
func (o Options) read(ctx context.Context, id string) (text, version string, err error) {
	out, err := o.Client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(id), VersionStage: aws.String(current)})
	switch {
	case code(err) == "ResourceNotFoundException":
		return "", "", nil
	case err != nil:
		return "", "", &CallError{"read the secret " + id, err}
	case out.SecretString == nil:
		return "", "", fmt.Errorf("the secret %s holds binary data and no text; nothing was written", id)
	}
	return *out.SecretString, aws.ToString(out.VersionId), nil
}

// write makes text the current version in place of the version that was read. It returns "" and no error when another
// change came first.
func (o Options) write(ctx context.Context, id, version, text string) (string, error) {
	token := newToken()
	if version == "" {
		in := &secretsmanager.CreateSecretInput{Name: aws.String(id), SecretString: aws.String(text), ClientRequestToken: aws.String(token)}
		if o.KMSKey != "" {
			in.KmsKeyId = aws.String(o.KMSKey)
		}
		_, err := o.Client.CreateSecret(ctx, in)
		switch {
		case code(err) == "ResourceExistsException":
			return o.inForce(ctx, id, token, Created)
		case err != nil:
			return "", &CallError{"create the secret " + id, err}
		}
		return Created, nil
	}
	_, err := o.Client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: aws.String(id), SecretString: aws.String(text), ClientRequestToken: aws.String(token), VersionStages: []string{Pending},
	})
	if err != nil {
		return "", &CallError{"add a version to the secret " + id, err}
	}
	_, err = o.Client.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: aws.String(id), VersionStage: aws.String(current), MoveToVersionId: aws.String(token), RemoveFromVersionId: aws.String(version),
	})
	switch code(err) {
	case "":
		if err != nil {
			return "", &CallError{"put the new version of " + id + " in force (it may be in force)", err}
		}
		return Changed, nil
	case "InvalidParameterException", "InvalidRequestException":
		return o.inForce(ctx, id, token, Changed)
	}
	return "", &CallError{"put the new version of " + id + " in force", err}
}

// inForce finds out whether a version is the current one although the call that was to make it so was refused: the SDK
// may have made that call twice, because the first answer was lost.
func (o Options) inForce(ctx context.Context, id, token, done string) (string, error) {
	_, version, err := o.read(ctx, id)
	if err != nil || version != token {
		return "", err
	}
	return done, nil
}

// code is the code of an error that AWS gave, "" when it is none.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// newToken makes a ClientRequestToken, which becomes the version's id: a random UUID.
func newToken() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Pause waits before the nth time that a change is made anew, longer each time.
func Pause(ctx context.Context, n int) error {
	t := time.NewTimer(time.Duration(n) * 200 * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
