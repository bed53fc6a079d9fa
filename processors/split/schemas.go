package split

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// optional is the key of schema.Schema.Derived for the type of elements that are
// set into a record.
type optional struct{}

// elem is the type of the parts of what has a type; nil: not known. Set into a
// record it is optional, as new fields are.
func (c *Config) elem(s *schema.Schema) *schema.Schema {
	if s == nil || s.Type != schema.Array || c.Delimiter != "" || s.Elem.Type == schema.Any {
		return nil
	}
	if len(c.Into.Path) > 0 {
		return s.Elem.Derived(optional{}, s.Elem.AsOptional)
	}
	return s.Elem
}

func (c *Config) elemOf(d *record.Doc, path record.PathID) (*schema.Schema, error) {
	s, err := d.TypeOf(path)
	return c.elem(s), err
}

// schemas says what the parts are.
func (c *Config) schemas(in engine.Schemas) (engine.Schemas, []engine.Problem) {
	out, s, path := in, in.Value, c.Path.Path
	out.Value = nil
	if s == nil {
		return out, nil
	}
	problems := transform.Missing("path", s, path)
	of := record.TypeAt(s, path)
	if of != nil && !c.splits(of.Type) {
		what, detail := "an array", "split makes records of the elements of an array, or with delimiter of the parts of a text."
		if c.Delimiter != "" {
			what, detail = "a text", "With delimiter a text is split. Remove delimiter to split an array."
		}
		problems = append(problems, engine.Problem{Option: "path", Summary: "it is of type " + of.Type.String() + ", not " + what, Detail: detail})
	}
	switch elem := c.elem(of); {
	case len(problems) > 0:
		return out, problems
	case len(c.Into.Path) == 0:
		out.Value = elem
		// The parts of a text have no schema; an index makes objects of no other.
	case len(path) > 0:
		problems = transform.Unsettable("into", s, c.Into.Path)
		if elem == nil {
			elem = schema.Unknown
		}
		if s = record.SchemaDelete(s, path); s != nil {
			s = record.SchemaSetAs(s, c.Into.Path, elem)
		}
		out.Value = s
	}
	if index := c.Index.Path; len(index) > 0 && out.Value != nil {
		problems = append(problems, transform.Unsettable("index", out.Value, index)...)
		out.Value = record.SchemaSetAs(out.Value, index, settled(out.Value, index))
	}
	return out, problems
}

// number is the type of the index.
var number = schema.New(schema.Int64).AsOptional()

// settled is the type that the index has at a path; Any where it depends on its
// value.
func settled(s *schema.Schema, path record.Path) *schema.Schema {
	switch cur := record.TypeAt(s, path); {
	case cur == nil:
		return number
	case cur.Type == schema.Int64:
		return cur
	}
	return schema.Unknown
}

func (c *Config) splits(t schema.Type) bool {
	switch t {
	case schema.Any:
		return true
	case schema.Array:
		return c.Delimiter == ""
	case schema.Map: // of keys that are no strings: an array of pairs
		return c.Delimiter == ""
	case schema.String, schema.Bytes, schema.UUID, schema.Enum:
		return c.Delimiter != ""
	}
	return false
}
