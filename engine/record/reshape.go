package record

import (
	"slices"

	"github.com/flowrecords/flow/engine/schema"
)

// These say what the schema of a value becomes when the value is edited. Each
// returns the same pointer when nothing changes. many says that the path leads
// through an array or a map, so that the edit is of one value of many of the
// type: the new type has to hold the others, too.

var anyType = &schema.Schema{Type: schema.Any, Optional: true}

// schemaSet is s with the type t at path.
func schemaSet(s *schema.Schema, path Path, t *schema.Schema, many bool) *schema.Schema {
	if s == nil {
		s = newContainer(path)
	}
	if len(path) == 0 {
		if many {
			return wider(s, t)
		}
		return t
	}
	step := &path[0]
	switch s.Type {
	case schema.Any:
		return s
	case schema.Struct:
		if step.IsIndex {
			break
		}
		if i := s.FieldIndex(step.Name); i >= 0 {
			return withField(s, i, schemaSet(s.Fields[i].Schema, path[1:], t, many))
		}
		return addField(s, step.Name, schemaNew(path[1:], t).AsOptional())
	case schema.Map, schema.Array:
		if (s.Type == schema.Array) != step.IsIndex || s.Type == schema.Map && s.Key.Type != schema.String {
			break
		}
		return withElem(s, schemaSet(s.Elem, path[1:], t, true))
	case schema.Union:
		if i := s.BranchIndex(step.Name); i >= 0 && !step.IsIndex {
			return withBranch(s, i, schemaSet(s.Branches[i].Schema, path[1:], t, many))
		}
	}
	return anyType
}

// schemaNew is the type of a value of which only path is there.
func schemaNew(path Path, t *schema.Schema) *schema.Schema {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i].IsIndex {
			t = schema.NewArray(t)
		} else {
			t = schema.NewStruct("", schema.F(path[i].Name, t))
		}
	}
	return t
}

// newContainer is what an undeclared value becomes before the path is set in it.
func newContainer(path Path) *schema.Schema {
	if len(path) > 0 && !path[0].IsIndex {
		return &schema.Schema{Type: schema.Struct, Optional: true}
	}
	return anyType
}

// schemaCreate is schemaSet where the value at the first null steps is null, so
// that the structs below are new: their other fields are not there.
func schemaCreate(s *schema.Schema, path Path, null int, t *schema.Schema) *schema.Schema {
	s = schemaSet(s, path, t, false)
	var loosen func(s *schema.Schema, at int) *schema.Schema
	loosen = func(s *schema.Schema, at int) *schema.Schema {
		if at == len(path) {
			return s
		}
		switch s.Type {
		case schema.Array, schema.Map:
			return withElem(s, loosen(s.Elem, at+1))
		case schema.Union:
			if i := s.BranchIndex(path[at].Name); i >= 0 {
				return withBranch(s, i, loosen(s.Branches[i].Schema, at+1))
			}
		case schema.Struct:
			for i := range s.Fields {
				f := &s.Fields[i]
				switch {
				case f.Name == path[at].Name:
					s = withField(s, i, loosen(f.Schema, at+1))
				case at >= null && f.Schema.Default == nil:
					s = withField(s, i, f.Schema.AsOptional())
				}
			}
		}
		return s
	}
	return loosen(s, 0)
}

// wider is a type that holds what a and b hold.
func wider(a, b *schema.Schema) *schema.Schema {
	if b == schema.Unknown {
		return b
	}
	if schema.EqualTypes(a.AsRequired(), b.AsRequired()) {
		if b.Optional {
			return a.AsOptional()
		}
		return a
	}
	return anyType
}

// schemaDelete is s without path.
func schemaDelete(s *schema.Schema, path Path, many bool) *schema.Schema {
	if s == nil || len(path) == 0 {
		return s
	}
	step := &path[0]
	switch s.Type {
	case schema.Struct:
		i := s.FieldIndex(step.Name)
		switch {
		case i < 0 || step.IsIndex:
			return s
		case len(path) > 1:
			return withField(s, i, schemaDelete(s.Fields[i].Schema, path[1:], many))
		case !many:
			c := s.Clone()
			c.Fields = slices.Delete(slices.Clone(s.Fields), i, i+1)
			return fitDefault(c, nil)
		case s.Fields[i].Schema.Default != nil:
			// What is not there would read as the default.
			c := s.Fields[i].Schema.AsOptional().Clone()
			c.Default = nil
			return withField(s, i, c)
		}
		return withField(s, i, s.Fields[i].Schema.AsOptional())
	case schema.Map, schema.Array:
		if len(path) > 1 && (s.Type == schema.Array) == step.IsIndex && (s.Type == schema.Array || s.Key.Type == schema.String) {
			return withElem(s, schemaDelete(s.Elem, path[1:], true))
		}
		if s.Type == schema.Map && s.Key.Type != schema.String && len(path) > 1 {
			return anyType // its text is an array of pairs
		}
	case schema.Union:
		i := s.BranchIndex(step.Name)
		switch {
		case i < 0 || step.IsIndex:
		case len(path) > 1:
			return withBranch(s, i, schemaDelete(s.Branches[i].Schema, path[1:], many))
		default:
			return anyType
		}
	}
	return s
}

// schemaRename is s with the field at from under the name of to, which has the
// same parent.
func schemaRename(s *schema.Schema, from, to Path) *schema.Schema {
	if s == nil || len(from) == 0 {
		return s
	}
	step := &from[0]
	if len(from) == 1 {
		return renameIn(s, step.Name, to[0].Name)
	}
	switch s.Type {
	case schema.Struct:
		if i := s.FieldIndex(step.Name); i >= 0 && !step.IsIndex {
			return withField(s, i, schemaRename(s.Fields[i].Schema, from[1:], to[1:]))
		}
	case schema.Union:
		if i := s.BranchIndex(step.Name); i >= 0 && !step.IsIndex {
			return withBranch(s, i, schemaRename(s.Branches[i].Schema, from[1:], to[1:]))
		}
	case schema.Map, schema.Array:
		// One of many: the others keep the old name.
		t := typeAt(s, from)
		if t == nil {
			return s
		}
		return schemaDelete(schemaSet(s, to, t.AsOptional(), false), from, false)
	}
	return s
}

func renameIn(s *schema.Schema, from, to string) *schema.Schema {
	switch s.Type {
	case schema.Struct:
		i := s.FieldIndex(from)
		if i < 0 {
			return s
		}
		c := s.Clone()
		c.Fields = slices.Clone(s.Fields)
		c.Fields[i].Name = to
		if j := s.FieldIndex(to); j >= 0 {
			c.Fields = slices.Delete(c.Fields, j, j+1)
		}
		return fitDefault(c, func(name string) string {
			if name == to {
				return from
			}
			return name
		})
	case schema.Union:
		return anyType
	}
	return s
}

// typeAt is the type at a path, nil where none is declared.
func typeAt(s *schema.Schema, path Path) *schema.Schema {
	for i := range path {
		s = childType(s, &path[i])
	}
	return s
}

// schemaRetype is s with t at path, where something is declared.
func schemaRetype(s *schema.Schema, path Path, t *schema.Schema) *schema.Schema {
	if len(path) == 0 {
		return t
	}
	step := &path[0]
	switch s.Type {
	case schema.Struct:
		if i := s.FieldIndex(step.Name); i >= 0 && !step.IsIndex {
			return withField(s, i, schemaRetype(s.Fields[i].Schema, path[1:], t))
		}
		if len(path) == 1 && !step.IsIndex {
			return addField(s, step.Name, t)
		}
	case schema.Union:
		if i := s.BranchIndex(step.Name); i >= 0 && !step.IsIndex {
			return withBranch(s, i, schemaRetype(s.Branches[i].Schema, path[1:], t))
		}
	case schema.Map, schema.Array:
		if childType(s, step) != nil {
			return withElem(s, schemaRetype(s.Elem, path[1:], t))
		}
	}
	return s
}

// schemaKeep is what Keep leaves of s, which lies at ids: several where
// elements of an array are meant.
func (d *Doc) schemaKeep(s *schema.Schema, ids []PathID) *schema.Schema {
	if s == nil || s.Type != schema.Struct {
		if s != nil && s.Type.IsComplex() {
			return loose(s, 0)
		}
		return s
	}
	var fields []schema.Field
	for i := range s.Fields {
		f := s.Fields[i]
		all := false
		var below []PathID
		for _, id := range ids {
			c := d.proj.nodes[id].lookup(d.proj.nodes, StringValue(f.Name).bytes())
			if c < 0 || d.keeps[c] == 0 {
				continue
			}
			all = all || d.keeps[c] == keepAll
			below = append(below, c)
		}
		switch {
		case all:
			fields = append(fields, f)
		case len(below) > 0 && (f.Schema.Type.IsComplex() || f.Schema.Type == schema.Any):
			// What is no container there goes, and must read as null then.
			f.Schema = d.schemaKeep(f.Schema, below)
			if f.Schema.Type == schema.Any {
				f.Schema = f.Schema.AsOptional()
			}
			if f.Schema.Optional && f.Schema.Default != nil {
				f.Schema = f.Schema.Clone()
				f.Schema.Default = nil
			}
			fields = append(fields, f)
		}
	}
	if len(fields) == len(s.Fields) && slices.EqualFunc(fields, s.Fields, func(a, b schema.Field) bool { return a.Schema == b.Schema }) {
		return s
	}
	c := s.Clone()
	c.Fields = fields
	return fitDefault(c, nil)
}

// looseDepth bounds loose: schemas may hold themselves.
const looseDepth = 8

// loose is s with all fields optional, some of which are not there any more.
func loose(s *schema.Schema, depth int) *schema.Schema {
	if depth == looseDepth {
		return anyType
	}
	switch s.Type {
	case schema.Struct:
		for i := range s.Fields {
			s = withField(s, i, loose(s.Fields[i].Schema, depth+1).AsOptional())
		}
	case schema.Map:
		if s.Key.Type != schema.String {
			return anyType // its text is an array of pairs
		}
		s = withElem(s, loose(s.Elem, depth+1))
	case schema.Array:
		s = withElem(s, loose(s.Elem, depth+1))
	case schema.Union:
		return anyType
	}
	return s
}

func withField(s *schema.Schema, i int, t *schema.Schema) *schema.Schema {
	if s.Fields[i].Schema == t {
		return s
	}
	c := s.Clone()
	c.Fields = slices.Clone(s.Fields)
	c.Fields[i].Schema = t
	return fitDefault(c, nil)
}

func addField(s *schema.Schema, name string, t *schema.Schema) *schema.Schema {
	c := s.Clone()
	c.Fields = append(slices.Clip(s.Fields), schema.F(name, t))
	return fitDefault(c, nil)
}

func withElem(s *schema.Schema, t *schema.Schema) *schema.Schema {
	if s.Elem == t {
		return s
	}
	c := s.Clone()
	c.Elem = t
	return fitDefault(c, nil)
}

func withBranch(s *schema.Schema, i int, t *schema.Schema) *schema.Schema {
	switch {
	case s.Branches[i].Schema == t:
		return s
	case t == schema.Unknown:
		return t
	case t.Optional:
		return anyType // a branch holds no null: it is no union any more
	}
	c := s.Clone()
	c.Branches = slices.Clone(s.Branches)
	c.Branches[i].Schema = t
	return fitDefault(c, nil)
}

// fitDefault makes the default of c one of its type again after an edit: members
// that the struct does not have any more, or that are of another type, go, and
// the whole where one that is required is missing then. was is the name that a
// field had before, nil if none has changed.
func fitDefault(c *schema.Schema, was func(string) string) *schema.Schema {
	if len(c.Default) == 0 || was == nil && schema.Check(c, c.Default) == nil {
		return c
	}
	old := RawJSON(c.Default)
	c.Default = nil
	if c.Type != schema.Struct || old.Kind() != Object {
		if old.Kind() == Null && c.Optional {
			c.Default = nullText
		}
		return c
	}
	text := []byte{'{'}
	for i := range c.Fields {
		f, name := &c.Fields[i], c.Fields[i].Name
		if was != nil {
			name = was(name)
		}
		member, err := old.Member(name).AppendJSON(nil)
		if err == nil && old.Member(name).kind != Missing && schema.Check(f.Schema, member) == nil {
			if len(text) > 1 {
				text = append(text, ',')
			}
			text = append(append(AppendQuoted(text, []byte(f.Name)), ':'), member...)
		} else if !f.Schema.Optional && f.Schema.Default == nil {
			return c
		}
	}
	c.Default = append(text, '}')
	return c
}
