package main

// A mistake is one way to make a signature other than the documentation says. R is what a signature is made from.
type mistake[R any] struct {
	says   string // what was done, to stand in a list
	change func(*R)
}

// mistakesAtOnce is how many mistakes are tried together.
const mistakesAtOnce = 3

// explainBy looks for the fewest mistakes, at most one of each group, with which right gives the signature that makes
// looks for. It returns nil, false when none do.
func explainBy[R any](right R, groups [][]mistake[R], makes func(R) bool) ([]string, bool) {
	for n := range mistakesAtOnce + 1 {
		if found, ok := combine(right, groups, n, makes); ok {
			return found, true
		}
	}
	return nil, false
}

// combine tries every combination of exactly n mistakes.
func combine[R any](r R, groups [][]mistake[R], n int, makes func(R) bool) ([]string, bool) {
	if n == 0 {
		return nil, makes(r)
	}
	for i, group := range groups {
		for _, m := range group {
			wrong := r
			m.change(&wrong)
			if rest, ok := combine(wrong, groups[i+1:], n-1, makes); ok {
				return append([]string{m.says}, rest...), true
			}
		}
	}
	return nil, false
}
