package operate

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/internal/onboard"
)

// ReadSecret reads a merchant's secret from Secrets Manager: its own, or out of a pack, as place says. prefix stands
// before the merchant in the secret's name.
func ReadSecret(ctx context.Context, account AWS, place onboard.Place, prefix, name string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, Limit)
	defer cancel()
	c, err := account.Config(ctx)
	if err != nil {
		return "", err
	}
	id := place.Secret(prefix, name)
	out, err := secretsmanager.NewFromConfig(c).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && api.ErrorCode() == "ResourceNotFoundException":
		return "", fmt.Errorf("there is no secret of this name: %s in %s", id, c.Region)
	case err != nil:
		return "", Problem("read the secret "+id, err)
	case out.SecretString == nil:
		return "", errors.New("the secret holds binary data and no text; store its JSON as SecretString")
	case place == 0:
		return *out.SecretString, nil
	}
	return fromPack(*out.SecretString, id, name)
}

// fromPack takes a merchant's secret out of a pack.
func fromPack(text, id, name string) (string, error) {
	entries, err := merchant.ParsePack(text)
	if err != nil {
		return "", fmt.Errorf("the pack %s cannot be taken apart: %w", id, err)
	}
	for _, e := range entries {
		switch {
		case e.Name != name:
		case e.Secret == nil:
			return "", fmt.Errorf("the merchant stands twice in the pack %s", id)
		default:
			return string(e.Secret), nil
		}
	}
	return "", fmt.Errorf("there is no secret of this name: the pack %s does not hold the merchant", id)
}
