package expr

import (
	"strings"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// exact reports that a value of the type stays one when it was boxed, where
// integers have 64 bits and other numbers are floats.
func exact(s *schema.Schema, seen map[*schema.Schema]bool) bool {
	const digits = 15
	switch {
	case s.Type == schema.Uint64, s.Type == schema.Decimal && (s.Precision == 0 || s.Precision > digits):
		return false
	case !s.Type.IsComplex() || seen[s]:
		return true
	}
	if seen == nil {
		seen = map[*schema.Schema]bool{}
	}
	seen[s] = true
	for i := range s.Fields {
		if !exact(s.Fields[i].Schema, seen) {
			return false
		}
	}
	for i := range s.Branches {
		if !exact(s.Branches[i].Schema, seen) {
			return false
		}
	}
	return (s.Elem == nil || exact(s.Elem, seen)) && (s.Key == nil || exact(s.Key, seen))
}

// schema returns the type of a value on its own; nil: not known.
func (t typ) schema() *schema.Schema {
	s := t.ownSchema()
	switch {
	case s == nil:
		return nil
	case t.maybeNil():
		return s.AsOptional()
	case t.root:
		return s
	}
	return s.AsRequired()
}

func (t typ) ownSchema() *schema.Schema {
	if t.decl != nil && t.path {
		return t.decl
	}
	if s := t.keptSchema(); s != nil && (!t.text || textKinds(s) == slotKinds(s)) {
		return s
	}
	if t.value() == listKind {
		return schema.NewArray(elemOf(t).within())
	}
	if t.members != nil {
		return t.object()
	}
	if k, ok := t.value().one(); ok {
		return schemaOf(k)
	}
	if t.kinds == nilKind {
		return schema.New(schema.Any)
	}
	return nil
}

// keptSchema is the declared type if the value was not changed on its way.
func (t typ) keptSchema() *schema.Schema {
	if t.decl != nil && exact(t.decl, nil) {
		return bare(t.decl)
	}
	return nil
}

// within returns the type of a value as it is written into an array or object:
// as JSON text, whatever type is declared.
func (t typ) within() *schema.Schema {
	s := t.keptSchema()
	switch {
	case s == nil:
		s = t.ownSchema()
	case !t.text && !sameText(s):
		k, _ := t.value().one()
		s = schemaOf(k)
	}
	switch {
	case s == nil:
		return schema.New(schema.Any).AsOptional()
	case t.maybeNil():
		return s.AsOptional()
	}
	return s.AsRequired()
}

// sameText reports that a value of the type that is written by its kind is
// typed JSON text of it.
func sameText(s *schema.Schema) bool {
	switch s.Type {
	case schema.Date, schema.LocalTimestamp, schema.Time:
		return false
	default:
		return true
	}
}

// object is the struct of an object that was made.
func (t typ) object() *schema.Schema {
	fields := make([]schema.Field, len(t.members))
	for i, m := range t.members {
		fields[i] = schema.F(m.name, m.typ.within())
	}
	return schema.NewStruct("", fields...)
}

// schemaOf is the type that a value of a kind has where it is set.
func schemaOf(k record.Kind) *schema.Schema {
	switch k {
	case record.Bool:
		return schema.New(schema.Bool)
	case record.Int:
		return schema.New(schema.Int64)
	case record.Float:
		return schema.New(schema.Float64)
	case record.String:
		return schema.New(schema.String)
	case record.Bytes:
		return schema.New(schema.Bytes)
	case record.Time:
		return schema.New(schema.Timestamp)
	case record.Duration:
		return schema.New(schema.Duration)
	default:
		return nil
	}
}

// words names the type for people, without null.
func (t typ) words() string {
	if t.decl != nil {
		return schemaWords(t.decl)
	}
	if !t.known() {
		return "any value"
	}
	var names []string
	for k := range t.value().each {
		names = append(names, kindName(k))
	}
	return strings.Join(names, " or ")
}

// schemaWords names a type by no more than what tells it from others.
func schemaWords(s *schema.Schema) string {
	switch {
	case s.Name != "":
		return s.Type.String() + " " + s.Name
	case s.Type == schema.Array:
		return "array<" + schemaWords(s.Elem) + ">"
	case s.Type == schema.Map:
		return "map<" + schemaWords(s.Key) + ", " + schemaWords(s.Elem) + ">"
	case s.Type == schema.Struct, s.Type == schema.Union, s.Type == schema.Enum:
		return s.Type.String()
	}
	return bare(s).String()
}
