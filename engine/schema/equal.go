package schema

import (
	"maps"
	"slices"
)

// Equal reports whether a and b are the same schema in every attribute, docs
// and defaults included, as Connect compares them. Recursive schemas are equal
// when nothing tells them apart however deep one looks.
func Equal(a, b *Schema) bool {
	e := comparison{}
	return e.equal(a, b)
}

// EqualTypes is Equal without what changes no value: Doc, Aliases, Version,
// Parameters and Tag.
func EqualTypes(a, b *Schema) bool {
	e := comparison{typesOnly: true}
	return e.equal(a, b)
}

type pair struct{ a, b *Schema }

// comparison assumes that a pair that it looks at is equal until something
// tells otherwise, which ends everything: so cycles end, and shared parts are
// compared once.
type comparison struct {
	typesOnly bool
	seen      map[pair]struct{}
}

func (e *comparison) equal(a, b *Schema) bool {
	if a == b {
		return true
	}
	if a == nil || b == nil || !e.local(a, b) {
		return false
	}
	if !a.Type.IsComplex() {
		return true
	}
	if !e.typesOnly {
		if x, y := a.load().fingerprint, b.load().fingerprint; x != nil && y != nil {
			return *x == *y
		}
	}
	if _, there := e.seen[pair{a, b}]; there {
		return true
	}
	if e.seen == nil {
		e.seen = make(map[pair]struct{})
	}
	e.seen[pair{a, b}] = struct{}{}
	for i := range a.Fields {
		if !e.equal(a.Fields[i].Schema, b.Fields[i].Schema) {
			return false
		}
	}
	for i := range a.Branches {
		if !e.equal(a.Branches[i].Schema, b.Branches[i].Schema) {
			return false
		}
	}
	return e.equal(a.Key, b.Key) && e.equal(a.Elem, b.Elem)
}

// local compares all but the schemas that a and b are made of.
func (e *comparison) local(a, b *Schema) bool {
	if a.Type != b.Type || a.Optional != b.Optional || a.Name != b.Name || string(a.Default) != string(b.Default) ||
		a.Precision != b.Precision || a.Scale != b.Scale || a.Size != b.Size || a.Unit != b.Unit ||
		len(a.Fields) != len(b.Fields) || len(a.Branches) != len(b.Branches) || !slices.Equal(a.Symbols, b.Symbols) {
		return false
	}
	if !e.typesOnly && (a.Version != b.Version || a.Doc != b.Doc || !slices.Equal(a.Aliases, b.Aliases) || !maps.Equal(a.Parameters, b.Parameters)) {
		return false
	}
	for i := range a.Fields {
		x, y := &a.Fields[i], &b.Fields[i]
		if x.Name != y.Name || !e.typesOnly && (x.Doc != y.Doc || x.Tag != y.Tag || !slices.Equal(x.Aliases, y.Aliases)) {
			return false
		}
	}
	for i := range a.Branches {
		x, y := &a.Branches[i], &b.Branches[i]
		if x.Name != y.Name || !e.typesOnly && x.Tag != y.Tag {
			return false
		}
	}
	return true
}
