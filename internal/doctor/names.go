package doctor

import "strings"

// looksLike tells a slip of the pen from a name of its own: the same letters in another case or with other separators, or up
// to two letters wrong.
func looksLike(name, right string) bool {
	fold := func(s string) string {
		return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "", ".", "").Replace(s))
	}
	if fold(name) == fold(right) {
		return true
	}
	most := 2
	if len(right) < 6 {
		most = 1
	}
	return len(name) <= len(right)+most && distance(name, right) <= most
}

// distance is the number of letters to add, remove, change or swap with a neighbour to get from a to b (Damerau's).
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// shortName bounds a member's name that is shown.
func shortName(name string) string {
	if runes := []rune(name); len(runes) > 32 {
		return string(runes[:32]) + "…"
	}
	return name
}
