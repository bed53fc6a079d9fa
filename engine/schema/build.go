package schema

// New returns a schema of a type that needs nothing else: a required one.
func New(t Type) *Schema { return &Schema{Type: t} }

// NewDecimal returns a decimal of at most precision digits (0: any), scale of
// them behind the point.
func NewDecimal(precision, scale int) *Schema {
	return &Schema{Type: Decimal, Precision: precision, Scale: scale}
}

// NewTime returns a Time, Timestamp, LocalTimestamp or Duration in that unit.
func NewTime(t Type, u Unit) *Schema { return &Schema{Type: t, Unit: u} }

// NewEnum returns an enum.
func NewEnum(name string, symbols ...string) *Schema {
	return &Schema{Type: Enum, Name: name, Symbols: symbols}
}

// NewArray returns an array of elem.
func NewArray(elem *Schema) *Schema { return &Schema{Type: Array, Elem: elem} }

// NewMap returns a map.
func NewMap(key, value *Schema) *Schema { return &Schema{Type: Map, Key: key, Elem: value} }

// NewStruct returns a struct; name may be empty.
func NewStruct(name string, fields ...Field) *Schema {
	return &Schema{Type: Struct, Name: name, Fields: fields}
}

// NewUnion returns a union.
func NewUnion(branches ...Branch) *Schema { return &Schema{Type: Union, Branches: branches} }

// F is a field of a struct.
func F(name string, s *Schema) Field { return Field{Name: name, Schema: s} }

// Clone returns a copy of s that may be changed until it is in use. What it
// points to is shared: replace slices, maps and schemas that change.
func (s *Schema) Clone() *Schema {
	return &Schema{
		Type: s.Type, Optional: s.Optional, Name: s.Name, Version: s.Version, Doc: s.Doc, Aliases: s.Aliases,
		Default: s.Default, Parameters: s.Parameters, Precision: s.Precision, Scale: s.Scale, Size: s.Size,
		Unit: s.Unit, Symbols: s.Symbols, Elem: s.Elem, Key: s.Key, Fields: s.Fields, Branches: s.Branches,
	}
}

// AsOptional returns s if it is optional, else a copy that is.
func (s *Schema) AsOptional() *Schema {
	if s.Optional {
		return s
	}
	c := s.Clone()
	c.Optional = true
	return c
}

// AsRequired returns s if it is required, else a copy that is. A default of
// null goes.
func (s *Schema) AsRequired() *Schema {
	if !s.Optional {
		return s
	}
	c := s.Clone()
	c.Optional = false
	if string(c.Default) == "null" {
		c.Default = nil
	}
	return c
}

// WithDefault returns a copy of s with that default, typed JSON text.
func (s *Schema) WithDefault(text string) *Schema {
	c := s.Clone()
	c.Default = []byte(text)
	return c
}
