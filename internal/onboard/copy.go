package onboard

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// passes bounds how often [Copy] compares both places.
const passes = 5

// Copied is what a copy did.
type Copied struct {
	From      string    `json:"from"`
	To        string    `json:"to"`
	Merchants int       `json:"merchants"`          // that both places have alike
	Written   int       `json:"written"`            // merchants that were written
	Problems  []Problem `json:"problems,omitempty"` // merchants left out: no function could use their secrets
	Only      []string  `json:"only,omitempty"`     // what the place copied to has and the other one has not; it is left as it is
}

// Copy makes the place to have every merchant of the functions' place, with the same secret, and takes nothing away from
// either. It compares both until they are alike, because merchants may be put meanwhile; from its first write on, [Put]
// writes to both.
func Copy(ctx context.Context, o Options, to Place) (Copied, error) {
	copied := Copied{From: o.Place.String(), To: to.String()}
	if to == o.Place {
		return copied, errors.New("both are the same place")
	}
	for range passes {
		from, err := o.contents(ctx, o.Place)
		if err != nil {
			return copied, err
		}
		copied.Problems = o.leaveOut(from)
		there, err := o.contents(ctx, to)
		if err != nil {
			return copied, err
		}
		wrote, err := o.align(ctx, from, there, to)
		copied.Written += wrote
		if err != nil {
			return copied, err
		}
		if wrote == 0 {
			copied.Merchants = len(from)
			copied.Only = without(there, from)
			return copied, nil
		}
	}
	return copied, errors.New("the merchants change faster than they can be copied; do it again when nobody puts any")
}

// leaveOut takes out the merchants whose secrets no function could use.
func (o Options) leaveOut(from map[string]string) []Problem {
	var problems []Problem
	for _, name := range sorted(from) {
		if _, err := Check(from[name], o.CheckURL); err != nil {
			problems = append(problems, Problem{name, err.Error()})
			delete(from, name)
		}
	}
	return problems
}

// align writes what is missing or different, a secret at a time, and returns how many merchants that were.
func (o Options) align(ctx context.Context, from, there map[string]string, to Place) (int, error) {
	edits, ids, wrote := map[string][]func(string) (string, error){}, []string{}, 0
	for _, name := range sorted(from) {
		secret := to.form(from[name])
		if there[name] == secret {
			continue
		}
		id := to.Secret(o.Prefix, name)
		if edits[id] == nil {
			ids = append(ids, id)
		}
		edits[id] = append(edits[id], to.put(name, secret))
	}
	for _, id := range ids {
		_, err := o.change(ctx, id, func(text string) (string, error) {
			var err error
			for _, edit := range edits[id] {
				if text, err = edit(text); err != nil {
					return "", err
				}
			}
			return text, nil
		})
		if err != nil {
			return wrote, fmt.Errorf("write %s: %w", id, err)
		}
		wrote += len(edits[id])
	}
	return wrote, nil
}

// contents reads all secrets of a place by merchant.
func (o Options) contents(ctx context.Context, p Place) (map[string]string, error) {
	found, err := o.look(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	if p == 0 {
		for _, name := range found.own {
			text, version, err := o.read(ctx, Place(0).Secret(o.Prefix, name))
			if err != nil {
				return nil, err
			}
			if version != "" {
				all[name] = strings.TrimPrefix(text, mark)
			}
		}
		return all, nil
	}
	for _, id := range found.packs[p] {
		text, _, err := o.read(ctx, id)
		if err != nil {
			return nil, err
		}
		entries, err := entriesOf(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		for _, e := range entries {
			all[e.Name] = string(e.Secret)
		}
	}
	return all, nil
}

func sorted(all map[string]string) []string { return slices.Sorted(maps.Keys(all)) }

// without returns the names that are in all and not in known.
func without(all, known map[string]string) []string {
	return slices.DeleteFunc(sorted(all), func(name string) bool { _, there := known[name]; return there })
}
