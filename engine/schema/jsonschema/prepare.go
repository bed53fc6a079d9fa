package jsonschema

import (
	"maps"
	"slices"

	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/schema"
)

// Style says what Append leaves open: several JSON Schemas describe the same.
type Style struct {
	// Formats makes dates and times of milliseconds texts, as the formats of
	// JSON Schema have them, not the numbers of Kafka Connect.
	Formats bool
	// Closed says of objects that they have no members but their properties.
	// Only then registries take a new optional property as compatible: in an
	// object that is open, old data may have had anything under its name.
	Closed bool

	// nulls gives what is optional the default null.
	nulls bool
}

// Of returns s in that style: what Append and AppendPayload are to be given.
// For the same s it is the same schema.
func (y Style) Of(s *schema.Schema) *schema.Schema {
	return s.Derived(y, func() *schema.Schema {
		return (&styler{Style: y, made: make(map[*schema.Schema]*schema.Schema)}).schema(s)
	})
}

type styler struct {
	Style
	made map[*schema.Schema]*schema.Schema
}

func (y *styler) schema(s *schema.Schema) *schema.Schema {
	if s == nil {
		return nil
	}
	if c := y.made[s]; c != nil {
		return c
	}
	c := s.Clone()
	y.made[s] = c
	c.Key, c.Elem = y.schema(s.Key), y.schema(s.Elem)
	c.Fields, c.Branches = slices.Clone(s.Fields), slices.Clone(s.Branches)
	for i := range c.Fields {
		f := y.schema(c.Fields[i].Schema)
		if y.nulls && f.Optional && len(f.Default) == 0 {
			f.Default = []byte("null")
		}
		c.Fields[i].Schema = f
	}
	for i := range c.Branches {
		c.Branches[i].Schema = y.schema(c.Branches[i].Schema)
	}
	switch s.Type {
	case schema.Date:
		y.format(c, "date")
	case schema.Timestamp:
		if s.Unit == schema.Millisecond {
			y.format(c, "date-time")
		}
	case schema.Time:
		if s.Unit == schema.Millisecond {
			y.format(c, "time")
		}
	case schema.Struct:
		y.close(c)
	default:
	}
	return c
}

func (y *styler) format(s *schema.Schema, f string) {
	if y.Formats {
		parameter(s, paramFormat, f)
	}
}

func parameter(s *schema.Schema, name, v string) {
	if s.Parameters = maps.Clone(s.Parameters); s.Parameters == nil {
		s.Parameters = make(map[string]string)
	}
	s.Parameters[name] = v
}

func (y *styler) close(s *schema.Schema) {
	if !y.Closed {
		return
	}
	const closed = `"additionalProperties":false`
	text := s.Parameters[paramKeywords]
	c := jsontext.New([]byte(text))
	if c.Peek() != '{' {
		parameter(s, paramKeywords, "{"+closed+"}")
		return
	}
	members := 0
	err := c.Object(func(name []byte) error {
		members++
		if n := string(name); n == "additionalProperties" || n == "unevaluatedProperties" {
			members = -1 << 20
		}
		return c.Skip()
	})
	switch {
	case err != nil || members < 0:
	case members == 0:
		parameter(s, paramKeywords, "{"+closed+"}")
	default:
		parameter(s, paramKeywords, "{"+closed+","+text[1:])
	}
}

// Plan returns how a value of one schema is read as another: by
// schema.Resolution, where a field that is not required needs no default.
func Plan(from, to *schema.Schema) (*schema.Plan, error) {
	return schema.NewPlan(from, Style{nulls: true}.Of(to), schema.Resolution)
}

// Compatible returns every reason why data of the writer cannot be read with
// the schema of the reader as Plan says.
func Compatible(reader, writer *schema.Schema) []schema.Error {
	return schema.Compatible(Style{nulls: true}.Of(reader), writer)
}

// Same reports whether plain JSON that schema.Check takes as typed JSON text of
// a valid schema is its payload, too, so that neither needs to be rewritten.
// nulls: but for a null, which may have to be left out.
func Same(s *schema.Schema, o Options) (same, nulls bool) {
	k := sameness{Options: o, seen: make(map[*schema.Schema]bool)}
	return k.of(s), k.nulls
}

type sameness struct {
	Options
	seen  map[*schema.Schema]bool
	nulls bool
}

func (k *sameness) of(s *schema.Schema) bool {
	if k.seen[s] {
		return true
	}
	k.seen[s] = true
	k.nulls = k.nulls || s.Parameters[paramAbsent] != ""
	switch s.Type {
	case schema.Bool, schema.String, schema.Bytes, schema.UUID, schema.Enum, schema.Any, schema.Float32, schema.Float64,
		schema.LocalTimestamp, schema.Duration:
		return true
	case schema.Decimal:
		return !k.Base64
	case schema.Date, schema.Time:
		in := k.inner()
		return !in.Counted(s)
	case schema.Timestamp:
		return false // a payload may have any zone
	case schema.Array:
		return k.of(s.Elem)
	case schema.Map:
		return s.Key.Type == schema.String && k.of(s.Elem)
	case schema.Struct:
		for i := range s.Fields {
			if !k.of(s.Fields[i].Schema) {
				return false
			}
		}
		return true
	default:
		return s.Type.IsInt()
	}
}
