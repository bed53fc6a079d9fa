package protobuf

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/flowrecords/flow/engine/schema"
)

// FromOptions say how FromSchema writes what Protobuf leaves open. The zero
// value is what most want.
type FromOptions struct {
	// Name is the full name of a message for a struct that has none; empty:
	// Record.
	Name string
	// Path is that of the file; empty: made of the name.
	Path string
	// Untyped says what becomes of a value whose type is not known.
	Untyped Untyped
	// Scrub replaces what Protobuf does not allow in names by underscores.
	// Without it such a name is an error.
	Scrub bool
	// Base is what the schema was before somebody changed it. Numbers of fields
	// that it had are not given to others.
	Base *Message
}

// Untyped is what becomes of a value whose type is not known.
type Untyped uint8

// The ways.
const (
	UntypedError Untyped = iota
	UntypedJSON          // a string of JSON text
	UntypedValue         // google.protobuf.Value, whose numbers are all doubles
)

const defaultName = "Record"

// FromSchema returns s as a message, in a file of its own with all types that
// it uses. An error says what Protobuf has no form for, and where.
//
// The file is of proto3 unless the schema came from a message with what proto3
// lacks. A field keeps its Tag as its number; one without gets the next that is
// free. What Protobuf lacks, and flow reads back, is kept in the option
// confluent.field_meta: the width of integers, the unit of times, defaults.
// Where a value may be null or stands in an array within an array, a message
// with the only field value is put around it.
func FromSchema(s *schema.Schema, o FromOptions) (*Message, error) {
	if o.Name == "" {
		o.Name = defaultName
	}
	f := fromConverter{o: o, file: &File{}, types: map[string][]declared{}, names: map[string]bool{}, unnamed: map[*schema.Schema]string{}}
	name, err := f.root(s)
	if err != nil {
		return nil, fmt.Errorf("writing a Protobuf schema: %w", err)
	}
	f.finish(s)
	files := make([][]byte, 0, len(f.file.Imports)+1)
	for _, path := range f.file.Imports {
		if known := wellKnownFile(path); known != nil {
			files = append(files, known.Marshal())
		}
	}
	set, err := ParseFiles(append(files, f.file.Marshal())...)
	if err != nil {
		return nil, fmt.Errorf("writing a Protobuf schema: %w", err)
	}
	return set.Message(name), nil
}

type fromConverter struct {
	o    FromOptions
	file *File
	// types by their name in flow: an edited struct may hold itself as it was,
	// under the same name.
	types map[string][]declared
	names map[string]bool // full names that are taken
	// unnamed are the names that structs without one have got.
	unnamed map[*schema.Schema]string
	path    []string

	// What the file must be able to say.
	implicit, required, closed, open, delimited bool
}

func (f *fromConverter) fail(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if len(f.path) == 0 {
		return err
	}
	return fmt.Errorf("%s: %w", strings.Join(f.path, "."), err)
}

func (f *fromConverter) within(name string, do func() error) error {
	if len(f.path) >= maxTypeDepth {
		return f.fail("types are nested deeper than %d", maxTypeDepth)
	}
	f.path = append(f.path, name)
	err := do()
	f.path = f.path[:len(f.path)-1]
	return err
}

// root declares the message of a record and returns its full name.
func (f *fromConverter) root(s *schema.Schema) (string, error) {
	name := firstOf(s.Name, f.o.Name)
	f.file.Package = scope(name)
	if p, ok := s.Parameters[paramPackage]; ok && (p == "" || strings.HasPrefix(name, p+".")) {
		f.file.Package = p
	}
	if f.file.Package != "" {
		p, err := f.fullName(f.file.Package)
		if err != nil {
			return "", err
		}
		f.file.Package = p
	}
	if s.Type == schema.Struct {
		return f.message(s, nil, short(name))
	}
	// Records are messages, so that one is put around.
	m, err := f.declare(nil, f.o.Name)
	if err != nil {
		return "", err
	}
	return m.Name, f.wrapper(m, s)
}

func (f *fromConverter) structOf(m *Message, x *Field, s *schema.Schema) error {
	x.meta = keepPlace(x.meta) // what s says is said of the message
	name, err := f.message(s, m, camel(x.Name))
	x.Kind, x.typeName = MessageKind, "."+name
	if s.Parameters[paramKind] == "group" {
		x.features.message = messageDelimited
		f.delimited = true
	}
	return err
}

// keepPlace leaves of the parameters those that belong to the field and not to
// its type.
func keepPlace(m meta) meta {
	var out meta
	for name, v := range m.params {
		if name == paramName || name == paramRequired || name == paramDefault {
			out.set(name, v)
		}
	}
	return out
}

// use makes the field one of a well-known message.
func (f *fromConverter) use(x *Field, name string) {
	x.Kind, x.typeName = MessageKind, "."+name
	f.imports(wellKnownPath(name))
}

func (f *fromConverter) imports(path string) {
	for _, p := range f.file.Imports {
		if p == path {
			return
		}
	}
	f.file.Imports = append(f.file.Imports, path)
}

// wrapped puts a message around a value that cannot stand alone. The null of
// the field is that the message is not there.
func (f *fromConverter) wrapped(m *Message, x *Field, s *schema.Schema) error {
	return f.around(m, x, bare(s))
}

// around puts a message around a value with its null.
func (f *fromConverter) around(m *Message, x *Field, s *schema.Schema) error {
	w, err := f.declare(m, m.Name+"."+camel(x.Name)+"Value")
	if err != nil {
		return err
	}
	x.Kind, x.typeName = MessageKind, "."+w.Name
	return f.wrapper(w, s)
}

// wrapper makes m the message around a value.
func (f *fromConverter) wrapper(m *Message, s *schema.Schema) error {
	m.meta.set(paramFlowType, "wrapper")
	if s.Type == schema.Union {
		return f.oneof(m, s, "value", "value", "", newNumbering(nil))
	}
	x := &Field{Name: "value", Number: 1}
	m.Fields = append(m.Fields, x)
	return f.field(m, x, s)
}

// camel turns the name of a field into one of a type.
func camel(name string) string {
	out := jsonName("_" + scrub(name))
	if out == "" || out[0] >= '0' && out[0] <= '9' {
		return "Type" + out
	}
	return out
}

// mapOf fills a field with a map, or with entries where Protobuf has no such
// map.
func (f *fromConverter) mapOf(m *Message, x *Field, s *schema.Schema) error {
	x.Label = Repeated
	key := s.Key
	if key == nil {
		key = schema.New(schema.String)
	}
	if key.Type == schema.String && key.Optional {
		key = schema.New(schema.String) // in an object no key is null
	}
	native := false
	switch key.Type {
	case schema.Bool, schema.Int8, schema.Int16, schema.Int32, schema.Int64, schema.Uint8, schema.Uint16, schema.Uint32, schema.Uint64, schema.String:
		native = !key.Optional
	}
	e, err := f.declare(m, m.Name+"."+camel(x.Name)+"Entry")
	if err != nil {
		return err
	}
	x.Kind, x.typeName = MessageKind, "."+e.Name
	e.MapEntry = native
	if !native {
		e.meta.set(paramFlowType, "entry")
	} else if e.Name != m.Name+"."+camel(x.Name)+"Entry" {
		return f.fail("another type has the name of the map's entries, %s", e.Name)
	}
	k, v := &Field{Name: "key", Number: 1, Label: Optional, oneof: -1}, &Field{Name: "value", Number: 2, Label: Optional, oneof: -1}
	e.Fields = []*Field{k, v}
	if !native {
		if err := f.within("[key]", func() error { return f.field(e, k, key) }); err != nil {
			return err
		}
		return f.within("[value]", func() error { return f.field(e, v, s.Elem) })
	}
	// Types of keys and values cannot be declared within an entry.
	if err := f.value(m, k, key); err != nil {
		return err
	}
	return f.within("[value]", func() error {
		v.Name = x.Name
		err := f.element(m, v, s.Elem)
		v.Name = "value"
		return err
	})
}

func (f *fromConverter) enum(m *Message, x *Field, s *schema.Schema) error {
	x.Kind = EnumKind
	x.meta = keepPlace(x.meta)
	closed := s.Parameters[paramClosed] == "true"
	if closed {
		f.closed = true
	} else {
		f.open = true
	}
	if name := f.known(s); name != "" {
		x.typeName = "." + name
		return nil
	}
	owner, name, err := f.place(s.Name, m, camel(x.Name))
	if err == nil {
		name, err = f.fullName(name)
	}
	if err != nil {
		return err
	}
	e := &Enum{Name: f.take(name), File: f.file, Parent: owner, Doc: s.Doc}
	if owner == nil {
		f.file.Enums = append(f.file.Enums, e)
	} else {
		owner.Enums = append(owner.Enums, e)
	}
	if s.Name != "" {
		f.types[s.Name] = append(f.types[s.Name], declared{s, e.Name})
	}
	if e.Name != s.Name {
		e.meta.set(paramName, s.Name)
	}
	if closed {
		e.features.enum = enumClosed
	}
	f.params(&e.meta, s)
	x.typeName = "." + e.Name
	return f.values(e, s)
}

// values makes those of an enum. Their names stand beside the enum, not within
// it, so that two enums cannot have the same: the later one's get its name in
// front.
func (f *fromConverter) values(e *Enum, s *schema.Schema) error {
	if len(s.Symbols) == 0 {
		return f.fail("an enum without symbols")
	}
	numbers := enumNumbers(s)
	seen := map[int32]bool{}
	alias := false
	for i, sym := range s.Symbols {
		name, err := f.identifier(sym)
		if err != nil {
			return err
		}
		if f.names[qualified(scope(e.Name), name)] {
			name = short(e.Name) + "_" + name
		}
		name = short(f.take(qualified(scope(e.Name), name)))
		v := EnumValue{Name: name, Number: int32(i)}
		if numbers != nil {
			v.Number = numbers[i]
		}
		alias = alias || seen[v.Number]
		seen[v.Number] = true
		if name != sym {
			m := meta{}
			m.set(paramSymbol, sym)
			v.Options = m.append(nil)
		}
		e.Values = append(e.Values, v)
	}
	if alias {
		e.Options = appendVarintField(e.Options, 2, 1)
	}
	return nil
}

// enumNumbers returns the numbers of an enum's symbols as they were; nil: as
// they stand.
func enumNumbers(s *schema.Schema) []int32 {
	text := s.Parameters[paramNumbers]
	if text == "" {
		return nil
	}
	parts := strings.Split(text, ",")
	if len(parts) != len(s.Symbols) {
		return nil
	}
	out := make([]int32, len(parts))
	for i, p := range parts {
		n, err := strconv.ParseInt(p, 10, 32)
		if err != nil {
			return nil
		}
		out[i] = int32(n)
	}
	if out[0] != 0 && s.Parameters[paramClosed] != "true" {
		return nil
	}
	return out
}
