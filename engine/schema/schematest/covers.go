package schematest

import (
	"slices"

	"github.com/flowrecords/flow/engine/schema"
)

// Covers reports whether what is said of a schema before a run holds for one
// that a run has: both are the same but for parts of which said does not know
// the type (Any), that it has optional, or that it has as an optional Any and
// the run has not at all (see schema.Join). A default is not known either where
// it is not said, or where a part of its type is Any. A nil said covers all.
func Covers(said, real *schema.Schema) bool {
	c := covering{}
	return c.covers(said, real)
}

type covering map[[2]*schema.Schema]bool

func (c covering) covers(said, real *schema.Schema) bool {
	switch {
	case said == nil || said.Type == schema.Any || said == real:
		return true
	case real == nil || said.Type != real.Type || real.Optional && !said.Optional:
		return false
	case c[[2]*schema.Schema{said, real}]:
		return true
	}
	c[[2]*schema.Schema{said, real}] = true
	if !schema.Equal(bare(said), bare(real)) ||
		string(said.Default) != string(real.Default) && said.Default != nil && !vague(said, make(map[*schema.Schema]bool)) {
		return false
	}
	if !c.fields(said, real) || len(said.Branches) != len(real.Branches) {
		return false
	}
	for i := range said.Branches {
		a, b := &said.Branches[i], &real.Branches[i]
		if a.Name != b.Name || a.Tag != b.Tag || !c.covers(a.Schema, b.Schema) {
			return false
		}
	}
	return (said.Elem == nil || c.covers(said.Elem, real.Elem)) && (said.Key == nil || c.covers(said.Key, real.Key))
}

// fields looks at those of a struct.
func (c covering) fields(said, real *schema.Schema) bool {
	there := 0
	for i := range said.Fields {
		a := &said.Fields[i]
		b := real.Field(a.Name)
		if b == nil {
			if a.Schema.Type != schema.Any || !a.Schema.Optional {
				return false
			}
			continue
		}
		there++
		if a.Schema.Type == schema.Any {
			continue
		}
		if a.Doc != b.Doc || a.Tag != b.Tag || !slices.Equal(a.Aliases, b.Aliases) || !c.covers(a.Schema, b.Schema) {
			return false
		}
	}
	return there == len(real.Fields)
}

// vague reports that a part of s is of no known type.
func vague(s *schema.Schema, seen map[*schema.Schema]bool) bool {
	switch {
	case s == nil || seen[s]:
		return false
	case s.Type == schema.Any:
		return true
	}
	seen[s] = true
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

// bare is s itself, without what it is made of and its default.
func bare(s *schema.Schema) *schema.Schema {
	b := s.Clone()
	b.Fields, b.Branches, b.Elem, b.Key, b.Optional, b.Default = nil, nil, nil, nil, false, nil
	return b
}
