package record

import (
	"github.com/flowrecords/flow/engine/schema"
)

// The functions of this file say before a run what the methods of Doc make of
// the schema of a record whose value is not null: Doc uses the same ones. What
// depends on the values is schema.Unknown, or optional (see schema.Join).
// Paths that are not declared are none of their business: TypeAt finds them.

// TypeAt returns the type that s declares at a path: nil where it has no such
// field, or where a part on the way is of no known type.
func TypeAt(s *schema.Schema, path Path) *schema.Schema {
	for i := range path {
		s = childType(s, &path[i])
	}
	return s
}

// SchemaSetAs is Doc.SetAs of a value of type t; of schema.Unknown, it is Doc.Set
// of a value of which nothing is known. An optional part on the way may be null,
// so that the edit makes it anew and its other fields are not there.
func SchemaSetAs(s *schema.Schema, path Path, t *schema.Schema) *schema.Schema {
	if len(path) == 0 {
		return known(t)
	}
	out := schemaSet(s, path, t, false)
	many := false
	for at, i := s, 0; i < len(path) && at != nil; i++ {
		if i > 0 && (at.Optional || many) {
			out = schema.Join(out, schemaCreate(s, path, i, t))
		}
		if at.Type == schema.Union {
			out = schema.Join(out, schemaSet(s, path[:i], schema.Unknown, false))
		}
		many = at.Type == schema.Array || at.Type == schema.Map
		at = childType(at, &path[i])
	}
	return known(out)
}

// known is s unless it says nothing.
func known(s *schema.Schema) *schema.Schema {
	if s == nil || s.Type == schema.Any {
		return nil
	}
	return s
}

// SchemaRetype is Doc.Retype.
func SchemaRetype(s *schema.Schema, path Path, t *schema.Schema) *schema.Schema {
	return known(schemaRetype(s, path, t))
}

// SchemaDelete is Doc.Delete of a path that is not empty.
func SchemaDelete(s *schema.Schema, path Path) *schema.Schema {
	return known(schemaDelete(s, path, false))
}

// SchemaRename is Doc.Rename of paths that are not empty.
func SchemaRename(s *schema.Schema, from, to Path) *schema.Schema {
	t := TypeAt(s, from)
	switch {
	case from.equal(to):
		return s
	case sameParent(from, to):
		if t != nil {
			return known(schemaRename(s, from, to))
		}
		if TypeAt(s, to) == nil {
			return s
		}
		// What takes the place is of no declared type, if it is there.
		return schema.Join(s, SchemaSetAs(s, to, schema.Unknown))
	case t == nil && !within(s, from):
		return s
	case t == nil:
		return schema.Join(s, SchemaSetAs(s, to, schema.Unknown))
	}
	moved := SchemaDelete(s, from)
	if moved != nil {
		moved = SchemaSetAs(moved, to, t.AsOptional())
	}
	if sure(s, from) || TypeAt(s, to) == nil && !many(s, from) && !many(s, to) {
		return moved
	}
	return schema.Join(s, moved)
}

// sameParent reports names of members of one value.
func sameParent(from, to Path) bool {
	n := len(from) - 1
	return len(to) == len(from) && !from[n].IsIndex && !to[n].IsIndex && from[:n].equal(to[:n])
}

// within reports that a path leads into a part whose type is not known.
func within(s *schema.Schema, path Path) bool {
	for i := range path {
		if s == nil || s.Type == schema.Any {
			return s != nil
		}
		s = childType(s, &path[i])
	}
	return s != nil
}

// sure reports that a declared path is there in each value, if only as a null.
func sure(s *schema.Schema, path Path) bool {
	for i := range path {
		if s.Type != schema.Struct || i > 0 && (s.Optional || s.Default != nil) {
			return false
		}
		s = childType(s, &path[i])
	}
	return true
}

// SchemaKeep is Doc.Keep.
func SchemaKeep(s *schema.Schema, paths []Path) *schema.Schema {
	p := NewProjection()
	ids := make([]PathID, len(paths))
	for i, path := range paths {
		ids[i] = p.Add(path)
	}
	d := NewDoc(p)
	if !d.keepOnly(ids) {
		return s
	}
	return known(d.schemaKeep(s, []PathID{Root}))
}

// Settled is the type that a field of type cur has when values of a type that is
// known are set there, so that it does not depend on what each of them holds:
// cur if it holds all of t, or all that is within its range where both are
// integers or times that t counts no finer: a value out of range is then an error
// of the record. Otherwise it is t, of arrays and objects always. A nil cur is a
// new field; nil: not known, as of a field that is of no known type.
func Settled(cur, t *schema.Schema) *schema.Schema {
	switch {
	case t == nil || t.Type == schema.Any || cur != nil && cur.Type == schema.Any:
		return nil
	case cur == nil:
		return t.AsOptional()
	case cur.Type.IsComplex() || !holds(cur, t):
		if cur.Optional || t.Optional {
			return t.AsOptional()
		}
		return t
	case t.Optional && !cur.Optional:
		return cur.Derived(optionalKey{}, cur.AsOptional)
	}
	return cur
}

// holds reports whether each value of t but null is one of s, or out of its
// range.
func holds(s, t *schema.Schema) bool {
	if schema.EqualTypes(plain(s), plain(t)) {
		return true
	}
	switch s.Type {
	case schema.Int8, schema.Int16, schema.Int32, schema.Int64, schema.Uint8, schema.Uint16, schema.Uint32, schema.Uint64:
		return t.Type.IsInt()
	case schema.String:
		return t.Type == schema.String || t.Type == schema.UUID || t.Type == schema.Enum
	case schema.Float64:
		return t.Type == schema.Float32 || t.Type.IsInt() && t.Type != schema.Int64 && t.Type != schema.Uint64
	case schema.Bytes:
		return t.Type == schema.Bytes && s.Size == 0
	case schema.Timestamp, schema.Time, schema.Duration, schema.LocalTimestamp:
		return t.Type == s.Type && s.Unit <= t.Unit
	case schema.Decimal:
		return t.Type == schema.Decimal && s.Scale >= t.Scale && (s.Precision == 0 || t.Precision != 0 && s.Precision-s.Scale >= t.Precision-t.Scale)
	}
	return false
}

// plain is s without what says nothing of its values.
func plain(s *schema.Schema) *schema.Schema {
	c := s.AsRequired().Clone()
	c.Default = nil
	if c.Type != schema.Enum {
		c.Name = ""
	}
	return c
}
