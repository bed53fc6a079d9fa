package avro

import (
	"strconv"
	"strings"

	"github.com/flowrecords/flow/engine/schema"
)

type declared struct {
	from *schema.Schema
	as   *Schema
}

// name returns the Avro name of a type that flow calls name; fallback if it
// has none.
func (f *fromConverter) name(name, fallback string) (string, error) {
	if name == "" {
		name = fallback
	}
	parts := strings.Split(name, ".")
	for i, p := range parts {
		if validName(p) {
			continue
		}
		if !f.o.Scrub {
			return "", f.fail("%q is no name in Avro: letters, digits and underscores, not beginning with a digit (an option replaces what is not allowed)", name)
		}
		parts[i] = scrub(p)
	}
	return strings.Join(parts, "."), nil
}
func validName(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
func scrub(s string) string {
	if s == "" {
		return "_"
	}
	b := []byte(s)
	for i, c := range b {
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') {
			b[i] = '_'
		}
	}
	if b[0] >= '0' && b[0] <= '9' {
		return "_" + string(b)
	}
	return string(b)
}

// declare gives out its name. known is the type that was declared before from
// the same schema. Another type of the same name gets a number behind it.
func (f *fromConverter) declare(s *schema.Schema, out *Schema, fallback string) (known *Schema, err error) {
	name, err := f.name(s.Name, fallback)
	if err != nil {
		return nil, err
	}
	out.Name, out.Aliases = name, s.Aliases
	for n := 2; ; n++ {
		d, there := f.types[out.Name]
		switch {
		case !there:
			f.types[out.Name] = declared{s, out}
			return nil, nil
		case sameType(d.from, s):
			return d.as, nil
		}
		out.Name = name + strconv.Itoa(n)
	}
}

// sameType reports whether a and b are one named type, used at two places.
func sameType(a, b *schema.Schema) bool {
	if a == b || a.Type == schema.Struct && b.Type == schema.Struct && len(a.Fields) > 0 && len(a.Fields) == len(b.Fields) && &a.Fields[0] == &b.Fields[0] {
		return true
	}
	return schema.EqualTypes(bare(a), bare(b))
}

// bare is s without what belongs to the place where it is used.
func bare(s *schema.Schema) *schema.Schema {
	if !s.Optional && s.Default == nil {
		return s
	}
	c := s.Clone()
	c.Optional, c.Default = false, nil
	return c
}
func (f *fromConverter) fixed(s *schema.Schema, out *Schema, size int) (*Schema, error) {
	out.Kind, out.Size = Fixed, size
	if size > maxFixed {
		return nil, f.fail("a value of %d bytes; %d are the most", size, maxFixed)
	}
	known, err := f.declare(s, out, f.local("Fixed"+strconv.Itoa(size)))
	if known != nil || err != nil {
		return known, err
	}
	f.finish(s, out)
	return out, nil
}

// local returns a name in the namespace of unnamed records.
func (f *fromConverter) local(name string) string {
	if ns := namespace(f.o.Name); ns != "" {
		return ns + "." + name
	}
	return name
}
func (f *fromConverter) enum(s *schema.Schema, out *Schema) (*Schema, error) {
	out.Kind = Enum
	fallback := "Enum"
	if len(f.path) > 0 && validName(f.path[len(f.path)-1]) {
		fallback = f.path[len(f.path)-1]
	}
	known, err := f.declare(s, out, f.local(fallback))
	if known != nil || err != nil {
		return known, err
	}
	for _, sym := range s.Symbols {
		if !validName(sym) {
			return nil, f.fail("%q is no symbol of an enum in Avro: make the field a string", sym)
		}
	}
	out.Symbols = s.Symbols
	out.Default, out.HasDefault = s.Parameters[paramEnumDefault]
	f.finish(s, out)
	return out, nil
}
func (f *fromConverter) mapOf(s *schema.Schema, out *Schema) (*Schema, error) {
	elem := func() (e *Schema, err error) {
		err = f.within("[]", func() error {
			e, err = f.optional(s.Elem, nil)
			return err
		})
		return e, err
	}
	if s.Key == nil || s.Key.Type == schema.String && !s.Key.Optional {
		e, err := elem()
		if err != nil {
			return nil, err
		}
		out.Kind, out.Elem = Map, e
		f.finish(s, out)
		return out, nil
	}
	entry := &Schema{Kind: Record}
	name := s.Parameters[paramEntry]
	if name == "" {
		name = connectNamespace + "." + mapEntry
	}
	if _, err := f.declare(&schema.Schema{Type: schema.Struct, Name: name, Fields: []schema.Field{schema.F("key", s.Key), schema.F("value", s.Elem)}}, entry, name); err != nil {
		return nil, err
	}
	key, err := f.optional(s.Key, nil)
	if err != nil {
		return nil, err
	}
	value, err := elem()
	if err != nil {
		return nil, err
	}
	if entry.Fields = []Field{{Name: "key", Type: key}, {Name: "value", Type: value}}; entry.Name != connectNamespace+"."+mapEntry {
		entry.set(propConnectInternal, mapEntry)
	}
	out.Kind, out.Elem = Array, entry
	f.finish(s, out)
	return out, nil
}
func (f *fromConverter) record(s *schema.Schema, out *Schema) (*Schema, error) {
	if s.Parameters[paramLogical] == Duration.String() {
		out.Logical = Duration
		return f.fixed(s, out, 12)
	}
	out.Kind, out.Error = Record, s.Parameters[paramType] == "error"
	fallback := f.o.Name
	if s.Name == "" {
		// Two unnamed records are two types, however alike they are.
		if f.unnamed++; f.unnamed > 1 {
			fallback += strconv.Itoa(f.unnamed)
		}
	}
	known, err := f.declare(s, out, fallback)
	if known != nil || err != nil {
		return known, err
	}
	for i := range s.Fields {
		err := f.within(s.Fields[i].Name, func() error { return f.field(out, &s.Fields[i]) })
		if err != nil {
			return nil, err
		}
	}
	f.finish(s, out)
	return out, nil
}

func (f *fromConverter) field(out *Schema, s *schema.Field) (err error) {
	name := s.Name
	switch {
	case validName(name):
	case !f.o.Scrub:
		return f.fail("%q is no name in Avro: letters, digits and underscores, not beginning with a digit (an option replaces what is not allowed)", name)
	default:
		name = scrub(name)
	}
	if out.hasField(name) {
		return f.fail("two fields have the name %s in Avro", name)
	}
	a := Field{Name: name, Doc: s.Doc, Aliases: s.Aliases}
	if name != s.Name {
		a.Props = []Property{{Name: propFlowName, Value: appendString(nil, s.Name)}}
	}
	def, kept := s.Schema.Default, s.Schema.Parameters[paramDefault]
	if def == nil && kept == "" && s.Schema.Optional {
		def = []byte("null")
	}
	if a.Type, err = f.optional(s.Schema, def); err != nil {
		return err
	}
	switch {
	case def != nil:
		if a.Default, err = avroDefault(a.Type, s.Schema, def); err != nil {
			return f.fail("the default %s: %w", excerpt(def), err)
		}
	case kept != "" && kept != noDefault:
		a.Default = []byte(kept)
	}
	for _, p := range splitProps(s.Schema.Parameters[paramField]) {
		if p.Name == "order" {
			a.Order = unquoteProp(p.Value)
			continue
		}
		a.Props = append(a.Props, p)
	}
	out.Fields = append(out.Fields, a)
	return nil
}

// avroDefault turns a default in typed JSON text into Avro's form of it.
func avroDefault(to *Schema, from *schema.Schema, def []byte) ([]byte, error) {
	if string(def) == "null" && (to.Kind == Null || to.Kind == Union && to.Branches[0].Kind == Null) {
		return def, nil
	}
	w, err := NewWriter(to, from, WriterOptions{})
	if err != nil {
		return nil, err
	}
	b, err := w.Append(nil, def)
	if err != nil {
		return nil, err
	}
	r := reader{b: b}
	text, i := r.defaultText(nil, compile(to), 0)
	if i < 0 {
		return nil, r.failure()
	}
	return text, nil
}
