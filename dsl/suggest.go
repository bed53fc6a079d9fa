package dsl

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/flowrecords/flow/dsl/spelling"
)

// Nearest returns the candidate that given is most likely a misspelling of,
// empty if none is near. Messages that end in "did you mean" come from it.
func Nearest(given string, candidates []string) string { return nearest(given, candidates) }

func nearest(given string, candidates []string) string { return spelling.Nearest(given, candidates) }

// didYouMean is a sentence with a space before it, or nothing.
func didYouMean(given string, candidates []string) string {
	if s := nearest(given, candidates); s != "" {
		return fmt.Sprintf(" Did you mean %q?", s)
	}
	return ""
}

// list writes names for people: a, b and c.
func list(names []string) string {
	switch n := len(names); n {
	case 0:
		return "none"
	case 1:
		return names[0]
	default:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
}

// anyOf writes alternatives for people: a, b or c.
func anyOf(names []string) string {
	n := len(names)
	if n < 2 {
		return list(names)
	}
	return strings.Join(names[:n-1], ", ") + " or " + names[n-1]
}

// quoted puts each name in quotes.
func quoted(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = fmt.Sprintf("%q", n)
	}
	return out
}

// cause is what an error of the file system says beside the path.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// names returns the keys of a map, sorted.
func names[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
