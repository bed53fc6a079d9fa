package playground

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// nearest returns the name that was probably meant, or "".
func nearest(given string, names []string) string {
	best, name := 1+max(1, len(given)/3), ""
	for _, n := range names {
		d := levenshtein.Distance(strings.ToLower(given), strings.ToLower(n), nil)
		if strings.HasPrefix(n, given) && given != "" || d == 2 && sortedLetters(given) == sortedLetters(n) {
			d = 1 // the beginning of it, or two letters in the wrong order
		}
		if d < best {
			best, name = d, n
		}
	}
	return name
}

func sortedLetters(s string) string {
	b := []byte(strings.ToLower(s))
	slices.Sort(b)
	return string(b)
}

// didYouMean is a sentence with a space before it, or nothing.
func didYouMean(given string, names []string) string {
	if n := nearest(given, names); n != "" {
		return fmt.Sprintf(" Did you mean %q?", n)
	}
	return ""
}
