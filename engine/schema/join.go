package schema

import (
	"maps"
	"slices"
)

// Join returns what is known of records some of which are of a and the others
// of b; nil: nothing. Where both say the same, so does it; a field is optional
// if one of them has it so, and one of which they differ, or that only one of
// them has, is Unknown. A default that only one of them has is none.
func Join(a, b *Schema) *Schema {
	if a == nil || b == nil {
		return nil
	}
	j := joining{open: make(map[pair]struct{})}
	if s := j.join(a, b); s.Type != Any {
		return s
	}
	return nil
}

// Unknown is, by pointer, a part of a schema of which a run will know the type,
// while any other Any is one of which a run does not know it either.
var Unknown = &Schema{Type: Any, Optional: true}

// Vague reports whether a part of s is Unknown.
func (s *Schema) Vague() bool { return vague(s, make(map[*Schema]struct{})) }

func vague(s *Schema, seen map[*Schema]struct{}) bool {
	if s == nil || s == Unknown {
		return s != nil
	}
	if _, there := seen[s]; there || !s.Type.IsComplex() {
		return false
	}
	seen[s] = struct{}{}
	for i := range s.Fields {
		if vague(s.Fields[i].Schema, seen) {
			return true
		}
	}
	for i := range s.Branches {
		if vague(s.Branches[i].Schema, seen) {
			return true
		}
	}
	return vague(s.Elem, seen) || vague(s.Key, seen)
}

type joining struct{ open map[pair]struct{} }

func (j *joining) join(a, b *Schema) *Schema {
	if a == Unknown || b == Unknown {
		return Unknown
	}
	if Equal(a, b) {
		return a
	}
	if x, y := a.AsOptional(), b.AsOptional(); Equal(x, y) {
		return x
	}
	at := pair{a, b}
	if _, within := j.open[at]; within || a.Type != b.Type || !a.Type.IsComplex() || a.Type == Union || !sameWhole(a, b) {
		return Unknown
	}
	j.open[at] = struct{}{}
	defer delete(j.open, at)
	c := a.Clone()
	c.Optional = a.Optional || b.Optional
	if string(a.Default) != string(b.Default) {
		c.Default = nil
	}
	if a.Type == Struct {
		c.Fields = j.fields(a, b)
		return c
	}
	if c.Elem = j.join(a.Elem, b.Elem); a.Key != nil && !Equal(a.Key, b.Key) {
		return Unknown
	}
	return c
}

// sameWhole compares what a and b have beside the types that they are made of.
func sameWhole(a, b *Schema) bool {
	return a.Name == b.Name && a.Version == b.Version && a.Doc == b.Doc &&
		slices.Equal(a.Aliases, b.Aliases) && maps.Equal(a.Parameters, b.Parameters)
}

// fields are those of a, then those that only b has.
func (j *joining) fields(a, b *Schema) []Field {
	var out []Field
	for i := range a.Fields {
		f := a.Fields[i]
		if other := b.Field(f.Name); other == nil {
			f = F(f.Name, Unknown)
		} else if f.Schema = j.join(f.Schema, other.Schema); f.Doc != other.Doc || f.Tag != other.Tag || !slices.Equal(f.Aliases, other.Aliases) {
			f.Schema = Unknown
		}
		out = append(out, f)
	}
	for i := range b.Fields {
		if name := b.Fields[i].Name; a.FieldIndex(name) < 0 {
			out = append(out, F(name, Unknown))
		}
	}
	return out
}
