package explain

import "context"

// found names one cause, with what its words need.
type found struct {
	id   string
	args []any
}

// change is one way to make a signature other than the documentation says. R is what a signature is made from. Its cost
// is 1 for what people do every day, 2 for the rest.
type change[R any] struct {
	causes []found
	cost   int
	do     func(*R)
}

func one(id string, args ...any) []found { return []found{{id, args}} }

// The bounds of a search: how many changes are tried together, what they may cost in all, how many texts are made, and
// how many answers are enough.
const (
	changesAtOnce = 4
	mostCost      = 4
	mostTexts     = 250_000
	mostAnswers   = 3
)

// searcher tries combinations of changes, cheap ones first.
type searcher[R any] struct {
	ctx     context.Context
	groups  [][]change[R]            // at most one of each group is made at a time
	makes   func(*R) ([]found, bool) // reports whether the recipe gives the signature, and what else must hold for it
	left    int                      // texts that may still be made
	answers [][]found
}

// search looks for the cheapest combinations of changes with which right gives the signature. What it returns is proved:
// every answer gives exactly that signature. Several answers cost the same and cannot be told apart by the signature.
func search[R any](ctx context.Context, right R, groups [][]change[R], makes func(*R) ([]found, bool)) [][]found {
	s := &searcher[R]{ctx: ctx, groups: groups, makes: makes, left: mostTexts}
	for cost := 1; cost <= mostCost && len(s.answers) == 0; cost++ {
		s.combine(right, 0, cost, changesAtOnce, nil)
	}
	return s.answers
}

// combine tries every combination of changes of the groups from the given one on that costs exactly cost.
func (s *searcher[R]) combine(r R, from, cost, most int, causes []found) {
	if cost == 0 {
		s.left--
		if more, ok := s.makes(&r); ok {
			s.answers = append(s.answers, append(causes[:len(causes):len(causes)], more...))
		}
		return
	}
	if most == 0 {
		return
	}
	for i := from; i < len(s.groups); i++ {
		for _, c := range s.groups[i] {
			if s.left <= 0 || len(s.answers) >= mostAnswers || s.left&0xFFF == 0 && s.ctx.Err() != nil {
				return
			}
			if c.cost > cost {
				continue
			}
			wrong := r
			c.do(&wrong)
			s.combine(wrong, i+1, cost-c.cost, most-1, append(causes[:len(causes):len(causes)], c.causes...))
		}
	}
}
