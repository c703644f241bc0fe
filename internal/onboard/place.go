package onboard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/internal/merchant"
	"github.com/kesu-go/kesu/pkg/wire"
)

// Place is a store of merchants' secrets: a number of packs, or 0 for a secret for each merchant.
type Place int

// String is "packed:64" or "secretsmanager", as [ParsePlace] reads it.
func (p Place) String() string {
	if p == 0 {
		return "secretsmanager"
	}
	return "packed:" + strconv.Itoa(int(p))
}

// ParsePlace reads a place as String writes it, which is MERCHANT_KEYS. Its error reads on from the setting's name.
func ParsePlace(text string) (Place, error) {
	packs, err := config.Packs(text)
	return Place(packs), err
}

// Secret is the id of the secret that holds a merchant.
func (p Place) Secret(prefix, name string) string {
	if p == 0 {
		return prefix + name
	}
	return prefix + merchant.PackName(int(p), name)
}

// errFull: a pack has no room.
var errFull = errors.New("its pack is full")

// put returns an edit that gives a merchant a secret, which [Check] has let pass: what is no JSON would make a whole pack
// unreadable.
func (p Place) put(name, secret string) func(string) (string, error) {
	if p == 0 {
		return func(string) (string, error) { return secret, nil }
	}
	return func(text string) (string, error) {
		entries, err := entriesOf(text)
		if err != nil {
			return "", err
		}
		at, there := find(entries, name)
		if !there {
			entries = slices.Insert(entries, at, merchant.Entry{Name: name})
		}
		entries[at].Secret = json.RawMessage(secret)
		if edited := merchant.FormatPack(entries); len(edited) <= merchant.MaxPack {
			return edited, nil
		}
		return "", fmt.Errorf("%w: it holds %d other merchants, and more than %d bytes fit into no secret. A store with more packs has room: kesu merchant copy",
			errFull, len(entries)-1, merchant.MaxPack)
	}
}

// present is the secret that a merchant has in the text of the secret that holds it, "" when it has none.
func (p Place) present(text, name string) (string, error) {
	if p == 0 {
		return text, nil
	}
	entries, err := entriesOf(text)
	if err != nil {
		return "", err
	}
	at, there := find(entries, name)
	if !there {
		return "", nil
	}
	return string(entries[at].Secret), nil
}

// remove is an edit that takes a merchant out of a pack.
func remove(name string) func(string) (string, error) {
	return func(text string) (string, error) {
		entries, err := entriesOf(text)
		if err != nil || text == "" {
			return text, err
		}
		at, there := find(entries, name)
		if !there {
			return text, nil
		}
		return merchant.FormatPack(slices.Delete(entries, at, at+1)), nil
	}
}

// entriesOf takes a pack apart, in order of the names. A pack that is none, or in which a name stands twice, is not
// touched: a person has to look at it.
func entriesOf(text string) ([]merchant.Entry, error) {
	if text == "" {
		return nil, nil
	}
	entries, err := merchant.ParsePack(text)
	if err != nil {
		return nil, fmt.Errorf("the pack is malformed (%w); nothing was written", err)
	}
	for _, e := range entries {
		if e.Secret == nil {
			return nil, errors.New("a merchant stands twice in the pack; take one out by hand, nothing was written")
		}
	}
	slices.SortFunc(entries, func(a, b merchant.Entry) int { return strings.Compare(a.Name, b.Name) })
	return entries, nil
}

// find finds a merchant, or the place where it belongs.
func find(entries []merchant.Entry, name string) (int, bool) {
	return slices.BinarySearchFunc(entries, name, func(e merchant.Entry, name string) int { return strings.Compare(e.Name, name) })
}

// inventory is what there is under the prefix.
type inventory struct {
	own   []string           // merchants with a secret of their own
	packs map[Place][]string // ids of the packs that are there
}

// look lists the secrets under the prefix.
func (o Options) look(ctx context.Context) (inventory, error) {
	found := inventory{packs: map[Place][]string{}}
	pages := secretsmanager.NewListSecretsPaginator(o.Client, &secretsmanager.ListSecretsInput{
		Filters: []types.Filter{{Key: types.FilterNameStringTypeName, Values: []string{o.Prefix}}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return found, &CallError{"list the secrets under " + o.Prefix, err}
		}
		for _, s := range page.SecretList {
			id := aws.ToString(s.Name)
			name, ours := strings.CutPrefix(id, o.Prefix)
			if !ours {
				continue
			}
			if wire.ValidID(name) {
				found.own = append(found.own, name)
			} else if p, ok := placeOfPack(name); ok {
				found.packs[p] = append(found.packs[p], id)
			}
		}
	}
	slices.Sort(found.own)
	for _, ids := range found.packs {
		slices.Sort(ids)
	}
	return found, nil
}

// placeOfPack reads "packs/64/17".
func placeOfPack(name string) (Place, bool) {
	parts := strings.Split(name, "/")
	if len(parts) != 3 || parts[0] != "packs" {
		return 0, false
	}
	count, err := strconv.Atoi(parts[1])
	number, other := strconv.Atoi(parts[2])
	if err != nil || other != nil || count < 1 || count > config.MaxPacks || number < 0 || number >= count {
		return 0, false
	}
	return Place(count), merchant.PackPath(count)+strconv.Itoa(number) == name
}

// places are the places that are there, in order.
func (i inventory) places() []Place {
	var all []Place
	for p := range i.packs {
		all = append(all, p)
	}
	slices.Sort(all)
	return all
}
