// Package spelling finds the name that a misspelt one was meant to be.
package spelling

import (
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// Nearest returns the name that given is most likely a misspelling of, empty if
// none is near: a wrong guess sends people astray, so about a third of the
// letters may differ, and of a name of one or two letters none. The first
// half of a name is near, too. Case counts for nothing. Of names that are equally
// near it is the first.
func Nearest(given string, names []string) string {
	best, least := "", 0
	for _, name := range names {
		if d, near := distance(given, name); near && (best == "" || d < least) {
			best, least = name, d
		}
	}
	return best
}

// distance is how many letters two names differ in, and whether one may be the
// other misspelt.
func distance(given, name string) (d int, near bool) {
	a, b := []rune(strings.ToLower(given)), []rune(strings.ToLower(name))
	d = levenshtein.Distance(string(a), string(b), nil)
	if d == 2 && swapped(a, b) {
		return 1, true
	}
	switch short, long := min(len(a), len(b)), max(len(a), len(b)); {
	case d == 0:
		return 0, true
	case short < 2 || long < 3:
		return d, false
	case 2*len(a) >= len(b) && slices.Equal(a, b[:short]):
		return d, true
	case long < 6:
		return d, d == 1 || d == 2 && short > 3 && slices.Equal(a[:2], b[:2])
	default:
		return d, d <= long/3
	}
}

// swapped reports that two names differ in two neighbouring letters only, which
// stand in the wrong order.
func swapped(a, b []rune) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && slices.Equal(a[i+2:], b[i+2:])
		}
	}
	return false
}
