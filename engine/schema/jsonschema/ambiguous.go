package jsonschema

import (
	"strconv"

	"github.com/flowrecords/flow/engine/schema"
)

// Ambiguous returns the branches of unions whose payloads all read as those of
// an earlier branch, since a payload does not say of which branch it is.
// AppendPayload refuses them unless it is lenient.
func Ambiguous(s *schema.Schema) []schema.Error {
	var list []schema.Error
	seen := make(map[*schema.Schema]bool)
	var walk func(s *schema.Schema, path string)
	walk = func(s *schema.Schema, path string) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		walk(s.Key, schema.JoinPath(path, "[key]"))
		step := "[]"
		if s.Type == schema.Map {
			step = "[value]"
		}
		walk(s.Elem, schema.JoinPath(path, step))
		for i := range s.Fields {
			walk(s.Fields[i].Schema, schema.JoinPath(path, schema.FieldStep(s.Fields[i].Name)))
		}
		for i := range s.Branches {
			b := &s.Branches[i]
			at := schema.JoinPath(path, "("+b.Name+")")
			walk(b.Schema, at)
			for k := range s.Branches[:i] {
				if a := &s.Branches[k]; swallows(a.Schema, b.Schema) {
					list = append(list, schema.Error{Path: at, Msg: "its values would be read as those of the branch " + strconv.Quote(a.Name)})
					break
				}
			}
		}
	}
	walk(s, "")
	return list
}

// swallows reports whether every payload of b is one of a.
func swallows(a, b *schema.Schema) bool {
	word := formOf(b).word
	switch a.Type {
	case schema.Any:
		return true
	case schema.String:
		return word == "string"
	case schema.Float64:
		return word == "number" || word == "integer" && b.Type.IsInt()
	default:
		ints := a.Type.IsInt() && b.Type.IsInt()
		return schema.EqualTypes(bare(a), bare(b)) || ints && len(schema.Compatible(bare(a), bare(b))) == 0
	}
}

// bare is s without what its payloads do not show.
func bare(s *schema.Schema) *schema.Schema {
	c := s.Clone()
	c.Name, c.Default = "", nil
	return c
}
