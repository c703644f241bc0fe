package onboard

import (
	"context"
	"slices"

	"github.com/kesu-go/kesu/internal/merchant"
)

// Pack is one pack of a store.
type Pack struct {
	Secret    string   `json:"secret"` // its id
	Bytes     int      `json:"bytes"`
	Merchants []string `json:"merchants"`
	Problem   string   `json:"problem,omitempty"` // why it cannot be taken apart
}

// Problem is a merchant whose secret a function could not use.
type Problem struct {
	Merchant string `json:"merchant"`
	Problem  string `json:"problem"` // names the field, never what it holds
}

// Listing is what a place holds.
type Listing struct {
	Place     string    `json:"place"`
	Merchants []string  `json:"merchants"`
	Packs     []Pack    `json:"packs,omitempty"`
	Problems  []Problem `json:"problems,omitempty"` // of packs only: the others' secrets are not read
	Others    []string  `json:"others,omitempty"`   // other places that are there
}

// Fullest is the share of its room that the fullest pack takes, 0 to 1.
func (l Listing) Fullest() float64 {
	most := 0
	for _, p := range l.Packs {
		most = max(most, p.Bytes)
	}
	return float64(most) / merchant.MaxPack
}

// List lists the merchants of the place that the functions read. Packs are read for that; secrets of single merchants are
// not.
func List(ctx context.Context, o Options) (Listing, error) {
	listing := Listing{Place: o.Place.String(), Merchants: []string{}}
	found, err := o.look(ctx)
	if err != nil {
		return listing, err
	}
	for _, p := range found.places() {
		if p != o.Place {
			listing.Others = append(listing.Others, p.String())
		}
	}
	if o.Place == 0 {
		listing.Merchants = append(listing.Merchants, found.own...)
		return listing, nil
	}
	if len(found.own) > 0 {
		listing.Others = append(listing.Others, Place(0).String())
	}
	for _, id := range found.packs[o.Place] {
		if err := o.listPack(ctx, &listing, id); err != nil {
			return listing, err
		}
	}
	slices.Sort(listing.Merchants)
	return listing, nil
}

func (o Options) listPack(ctx context.Context, listing *Listing, id string) error {
	text, _, err := o.read(ctx, id)
	if err != nil {
		return err
	}
	pack := Pack{Secret: id, Bytes: len(text), Merchants: []string{}}
	entries, err := merchant.ParsePack(text)
	if err != nil {
		pack.Problem = err.Error()
	}
	for _, e := range entries {
		pack.Merchants = append(pack.Merchants, e.Name)
		problem := ""
		if e.Secret == nil {
			problem = "stands twice in its pack"
		} else if o.Place.Secret(o.Prefix, e.Name) != id {
			problem = "stands in another pack than its own, where no function finds it"
		} else if _, err := Check(string(e.Secret), o.CheckURL); err != nil {
			problem = err.Error()
		}
		if problem != "" {
			listing.Problems = append(listing.Problems, Problem{e.Name, problem})
		}
	}
	slices.Sort(pack.Merchants)
	listing.Packs, listing.Merchants = append(listing.Packs, pack), append(listing.Merchants, pack.Merchants...)
	return nil
}
