package playground

import (
	"fmt"
	"strings"

	"github.com/agext/levenshtein"
)

// nearest returns the name that was probably meant, or "".
func nearest(given string, names []string) string {
	best, name := 2+len(given)/3, ""
	for _, n := range names {
		d := levenshtein.Distance(strings.ToLower(given), strings.ToLower(n), nil)
		if strings.HasPrefix(n, given) && given != "" {
			d = 1
		}
		if d < best {
			best, name = d, n
		}
	}
	return name
}

// didYouMean is a sentence with a space before it, or nothing.
func didYouMean(given string, names []string) string {
	if n := nearest(given, names); n != "" {
		return fmt.Sprintf(" Did you mean %q?", n)
	}
	return ""
}
