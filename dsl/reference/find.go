package reference

import (
	"slices"
	"strings"
)

// All returns every entry: components, blocks, functions.
func (ref *Reference) All() []Entry {
	return slices.Concat(ref.Components, ref.Blocks, ref.Functions)
}

// Of returns the entries of a kind.
func (ref *Reference) Of(kind string) []Entry {
	return keep(ref.All(), func(e *Entry) bool { return e.Kind == kind })
}

// Named returns the entries of a type, of whatever kind.
func (ref *Reference) Named(typ string) []Entry {
	return keep(ref.All(), func(e *Entry) bool { return e.Type == typ })
}

// Find returns one entry.
func (ref *Reference) Find(kind, typ string) (Entry, bool) {
	for _, e := range ref.All() {
		if e.Kind == kind && e.Type == typ {
			return e, true
		}
	}
	return Entry{}, false
}

// Types returns the types of entries, each once.
func Types(entries []Entry) []string {
	var names []string
	for i := range entries {
		if !slices.Contains(names, entries[i].Type) {
			names = append(names, entries[i].Type)
		}
	}
	return names
}

func keep(entries []Entry, want func(*Entry) bool) []Entry {
	var out []Entry
	for i := range entries {
		if want(&entries[i]) {
			out = append(out, entries[i])
		}
	}
	return out
}

// firstSentence is a text up to its first full stop that ends a sentence.
func firstSentence(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	for i := range len(text) - 1 {
		if text[i] == '.' && text[i+1] == ' ' && !strings.HasSuffix(text[:i], "e.g") && !strings.HasSuffix(text[:i], "i.e") {
			return text[:i+1]
		}
	}
	return text
}
