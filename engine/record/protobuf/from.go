package protobuf

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/flowrecords/flow/engine/limits"
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

// declared is a type that has its name.
type declared struct {
	from *schema.Schema
	name string
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

// fullName checks or scrubs a name with points.
func (f *fromConverter) fullName(name string) (string, error) {
	parts := strings.Split(name, ".")
	for i, p := range parts {
		n, err := f.identifier(p)
		if err != nil {
			return "", err
		}
		parts[i] = n
	}
	return strings.Join(parts, "."), nil
}

// identifier checks or scrubs a name.
func (f *fromConverter) identifier(name string) (string, error) {
	switch {
	case validName(name):
		return name, nil
	case !f.o.Scrub:
		return "", f.fail("%q is no name in Protobuf: letters, digits and underscores, not beginning with a digit (an option replaces what is not allowed)", name)
	}
	return scrub(name), nil
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

// declare makes an empty message of that full name, within owner if that is not
// nil. A name that is taken gets a number behind it.
func (f *fromConverter) declare(owner *Message, name string) (*Message, error) {
	name, err := f.fullName(name)
	if err != nil {
		return nil, err
	}
	m := &Message{Name: f.take(name), File: f.file, Parent: owner}
	if owner == nil {
		f.file.Messages = append(f.file.Messages, m)
	} else {
		owner.Nested = append(owner.Nested, m)
	}
	return m, nil
}

// take gives out a full name that nobody else has.
func (f *fromConverter) take(name string) string {
	full := name
	for n := 2; f.names[full]; n++ {
		full = name + strconv.Itoa(n)
	}
	f.names[full] = true
	return full
}

// place finds where a type of that name in flow is declared: within which
// message, and its full name in the file.
func (f *fromConverter) place(name string, owner *Message, fallback string) (*Message, string, error) {
	inside := func(parent *Message) string {
		if parent != nil {
			return parent.Name
		}
		return f.file.Package
	}
	if name == "" {
		return owner, qualified(inside(owner), fallback), nil
	}
	rest, own := name, f.file.Package == ""
	if !own {
		rest, own = strings.CutPrefix(name, f.file.Package+".")
	}
	if !own {
		// Of another package, and a file has one: its name is kept beside.
		return nil, qualified(f.file.Package, short(name)), nil
	}
	parts := strings.Split(rest, ".")
	var parent *Message
	for i := range parts[:len(parts)-1] {
		outer := qualified(f.file.Package, strings.Join(parts[:i+1], "."))
		next := f.find(outer)
		if next == nil {
			var err error
			if next, err = f.declare(parent, outer); err != nil {
				return nil, "", err
			}
		}
		parent = next
	}
	return parent, qualified(inside(parent), parts[len(parts)-1]), nil
}

// find returns the message of a full name in the file.
func (f *fromConverter) find(name string) *Message {
	var in func(list []*Message) *Message
	in = func(list []*Message) *Message {
		for _, m := range list {
			if m.Name == name {
				return m
			}
			if strings.HasPrefix(name, m.Name+".") {
				return in(m.Nested)
			}
		}
		return nil
	}
	return in(f.file.Messages)
}

// message declares the message of a struct, unless there is one, and returns
// its full name. Fallback is its name if it has none.
func (f *fromConverter) message(s *schema.Schema, owner *Message, fallback string) (string, error) {
	if s.Name == "" {
		for known, name := range f.unnamed {
			if sameStruct(known, s) {
				return name, nil
			}
		}
	} else if name := f.known(s); name != "" {
		return name, nil
	}
	parent, name, err := f.place(s.Name, owner, fallback)
	if err != nil {
		return "", err
	}
	m := f.container(name)
	if m == nil {
		if m, err = f.declare(parent, name); err != nil {
			return "", err
		}
	}
	if m.Name != s.Name {
		m.meta.set(paramName, s.Name)
	}
	if s.Name == "" {
		f.unnamed[s] = m.Name
	} else {
		f.types[s.Name] = append(f.types[s.Name], declared{s, m.Name})
	}
	m.Doc = s.Doc
	f.params(&m.meta, s)
	return m.Name, f.fields(m, s)
}

// known returns the name that a type has got; empty if it has none.
func (f *fromConverter) known(s *schema.Schema) string {
	if s.Name == "" {
		return ""
	}
	for _, d := range f.types[s.Name] {
		if d.from == s || schema.EqualTypes(bare(d.from), bare(s)) {
			return d.name
		}
	}
	return ""
}

// container returns a message that was declared only since others are within
// it, and is no type yet.
func (f *fromConverter) container(name string) *Message {
	m := f.find(name)
	if m == nil || len(m.Fields) > 0 {
		return nil
	}
	for _, list := range f.types {
		for _, d := range list {
			if d.name == name {
				return nil
			}
		}
	}
	for _, n := range f.unnamed {
		if n == name {
			return nil
		}
	}
	return m
}

// sameStruct reports whether a and b are one struct, used at two places.
func sameStruct(a, b *schema.Schema) bool {
	return a == b || len(a.Fields) > 0 && len(a.Fields) == len(b.Fields) && &a.Fields[0] == &b.Fields[0]
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

// params keeps the free parameters of a schema, its version and, for what has
// no name in Protobuf, its name.
func (f *fromConverter) params(m *meta, s *schema.Schema) {
	for name, v := range s.Parameters {
		if !strings.HasPrefix(name, paramPrefix) && !strings.HasPrefix(name, paramFlow) {
			m.set(name, v)
		}
	}
	if s.Version != 0 {
		m.set(paramVersion, strconv.Itoa(s.Version))
	}
}

// fields makes the fields of a message.
func (f *fromConverter) fields(m *Message, s *schema.Schema) error {
	numbers := f.numbers(m, s)
	// Types that are declared in the message must not have a field's name.
	for i := range s.Fields {
		name := s.Fields[i].Name
		if !validName(name) {
			name = scrub(name)
		}
		f.names[qualified(m.Name, name)] = true
	}
	seen := map[string]bool{}
	for i := range s.Fields {
		x := &s.Fields[i]
		err := f.within(x.Name, func() error {
			name, err := f.identifier(x.Name)
			switch {
			case err != nil:
				return err
			case seen[name]:
				return f.fail("two fields have the name %s in Protobuf", name)
			}
			seen[name] = true
			if x.Schema.Type == schema.Union && wrapperKind(x.Schema) == "" {
				return f.oneof(m, x.Schema, name, x.Name, x.Doc, numbers)
			}
			n := &Field{Name: name, Doc: x.Doc, Number: numbers.of(x.Tag, x.Name, x.Schema)}
			if name != x.Name {
				n.meta.set(paramName, x.Name)
			}
			m.Fields = append(m.Fields, n)
			return f.field(m, n, x.Schema)
		})
		if err != nil {
			return err
		}
	}
	return f.jsonNames(m)
}

// jsonNames refuses what compilers of proto3 refuse: fields of one name in
// Protobuf's JSON.
func (f *fromConverter) jsonNames(m *Message) error {
	names := make(map[string]string, len(m.Fields))
	for _, x := range m.Fields {
		name := jsonName(x.Name)
		if other, taken := names[name]; taken {
			return f.fail("the fields %s and %s have the name %s in Protobuf's JSON, and a message has each but once: rename one of them", other, x.Name, name)
		}
		names[name] = x.Name
	}
	return nil
}

// oneof makes the fields of a union.
func (f *fromConverter) oneof(m *Message, s *schema.Schema, name, own, doc string, numbers *numbering) error {
	if name != own {
		return f.fail("%q is no name of a oneof in Protobuf", own)
	}
	o := &Oneof{Name: name, Doc: doc}
	if len(s.Branches) == 0 {
		return f.fail("a union without branches")
	}
	m.Oneofs = append(m.Oneofs, o)
	for i := range s.Branches {
		b := &s.Branches[i]
		err := f.within(b.Name, func() error {
			// Branches are called after types, of which the last part will do.
			fieldName := scrub(short(b.Name))
			for n := 2; m.Field(fieldName) != nil || fieldName == name || f.names[qualified(m.Name, fieldName)]; n++ {
				fieldName = scrub(short(b.Name)) + "_" + strconv.Itoa(n)
			}
			x := &Field{Name: fieldName, Number: numbers.of(b.Tag, b.Name, b.Schema), Label: Optional, Oneof: o, oneof: len(m.Oneofs) - 1}
			f.names[qualified(m.Name, fieldName)] = true
			if fieldName != b.Name {
				x.meta.set(paramName, b.Name)
			}
			if i == 0 && !s.Optional {
				x.meta.set(paramRequired, "true")
			}
			o.Fields = append(o.Fields, x)
			m.Fields = append(m.Fields, x)
			x.JSONName = b.Schema.Parameters[paramJSONName]
			if b.Schema.Type == schema.Array || b.Schema.Type == schema.Map || b.Schema.Type == schema.Union {
				return f.wrapped(m, x, b.Schema)
			}
			return f.value(m, x, b.Schema)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// wrapperKind returns the well-known type that stands for a schema by its
// parameters; empty if none does.
func wrapperKind(s *schema.Schema) string {
	k := s.Parameters[paramKind]
	if k == nameValue || k == nameStruct || k == nameListValue || wrappers[k] != 0 {
		return k
	}
	return ""
}

// field fills a field with its label.
func (f *fromConverter) field(m *Message, x *Field, s *schema.Schema) error {
	x.Label, x.JSONName = Optional, s.Parameters[paramJSONName]
	if x.oneof = -1; wrapperKind(s) != "" {
		if err := f.value(m, x, s); err != nil {
			return err
		}
		f.presence(x, s)
		return nil
	}
	switch {
	case s.Type == schema.Union, (s.Type == schema.Array || s.Type == schema.Map) && s.Optional:
		if err := f.wrapped(m, x, s); err != nil {
			return err
		}
		f.presence(x, s)
		return nil
	case s.Type == schema.Array:
		x.Label = Repeated
		if err := f.within("[]", func() error { return f.element(m, x, s.Elem) }); err != nil {
			return err
		}
		if x.Kind.packable() {
			x.packed = 2
			if s.Parameters[paramPacked] == "false" {
				x.packed = 1
			}
		}
		f.params(&x.meta, s)
		f.keepDefault(x, s)
		return nil
	case s.Type == schema.Map:
		f.params(&x.meta, s)
		f.keepDefault(x, s)
		return f.mapOf(m, x, s)
	}
	if err := f.value(m, x, s); err != nil {
		return err
	}
	f.presence(x, s)
	return nil
}

// element fills a field with one element of what is repeated.
func (f *fromConverter) element(m *Message, x *Field, s *schema.Schema) error {
	if k := wrapperKind(s); k != "" && (k != nameValue) == !s.Optional {
		return f.value(m, x, s)
	}
	if s.Type != schema.Any && s.Optional || s.Type == schema.Array || s.Type == schema.Map || s.Type == schema.Union {
		return f.around(m, x, s)
	}
	return f.value(m, x, s)
}

// presence says what it means when a singular field is not there.
func (f *fromConverter) presence(x *Field, s *schema.Schema) {
	message := x.Kind == MessageKind
	switch {
	case s.Type == schema.Any:
		if !message {
			x.Proto3Optional = s.Optional
			f.implicit = f.implicit || !s.Optional
		}
	case s.Parameters[paramPresence] == "required" && !s.Optional:
		x.Label = Required
		f.required = true
	case s.Optional || s.Default != nil:
		x.Proto3Optional = !message
		if !s.Optional {
			x.meta.set(paramRequired, "true")
		}
	case message:
		x.meta.set(paramRequired, "true")
	default:
		f.implicit = true
	}
	f.keepDefault(x, s)
}

// keepDefault keeps the default. A file of proto2 says it in its own way: see
// nativeDefault.
func (f *fromConverter) keepDefault(x *Field, s *schema.Schema) {
	if s.Default != nil && string(s.Default) != "null" {
		x.meta.set(paramDefault, string(s.Default))
	}
}

// value fills a field with the type of one value, not null.
func (f *fromConverter) value(m *Message, x *Field, s *schema.Schema) error {
	k := s.Parameters[paramKind]
	if wrapperKind(s) != "" && f.fitsWrapper(k, s) {
		f.use(x, k)
		return nil
	}
	f.params(&x.meta, s)
	if s.Name != "" && s.Type != schema.Struct && s.Type != schema.Enum {
		x.meta.set("flow.type_name", s.Name)
	}
	unit := func() {
		if s.Unit != schema.Nanosecond {
			x.meta.set(paramUnit, s.Unit.String())
		}
	}
	switch s.Type {
	case schema.Any:
		switch f.o.Untyped {
		case UntypedJSON:
			x.Kind = StringKind
			x.meta.set(paramFlowType, "json")
		case UntypedValue:
			f.use(x, nameValue)
		default:
			return f.fail("the type is not known, and Protobuf needs one: declare it, or choose what untyped values become")
		}
	case schema.Int8, schema.Int16:
		x.Kind = Int32Kind
		x.meta.set(paramConnectType, s.Type.String())
	case schema.Uint8, schema.Uint16:
		x.Kind = Uint32Kind
		x.meta.set(paramFlowType, s.Type.String())
	case schema.Bytes:
		if x.Kind = BytesKind; s.Size > 0 {
			x.meta.set(paramSize, strconv.Itoa(s.Size))
		}
	case schema.Decimal:
		if s.Scale > limits.DecimalDigits || s.Scale < -limits.DecimalDigits {
			return f.fail("a decimal of the scale %d", s.Scale)
		}
		f.use(x, nameDecimal)
		x.meta.set(paramScale, strconv.Itoa(s.Scale))
		if s.Precision > 0 {
			x.meta.set(paramPrecision, strconv.Itoa(s.Precision))
		}
	case schema.Date:
		f.use(x, nameDate)
	case schema.Time:
		f.use(x, nameTimeOfDay)
		unit()
	case schema.Timestamp:
		f.use(x, nameTimestamp)
		unit()
	case schema.Duration:
		f.use(x, nameDuration)
		unit()
	case schema.LocalTimestamp:
		x.Kind = Int64Kind
		x.meta.set(paramFlowType, "local_timestamp")
		unit()
	case schema.UUID:
		x.Kind = StringKind
		x.meta.set(paramFlowType, "uuid")
	case schema.Enum:
		return f.enum(m, x, s)
	case schema.Struct:
		return f.structOf(m, x, s)
	default:
		x.Kind = defaultKinds[s.Type]
		for kind, t := range plainTypes {
			if kind.String() == k && t == s.Type {
				x.Kind = kind
			}
		}
		if x.Kind == 0 {
			return f.fail("Protobuf has no form of %s here", s.Type)
		}
	}
	return nil
}

func (f *fromConverter) fitsWrapper(k string, s *schema.Schema) bool {
	switch k {
	case nameValue:
		return s.Type == schema.Any
	case nameStruct:
		return s.Type == schema.Map && s.Key.Type == schema.String && s.Elem.Type == schema.Any
	case nameListValue:
		return s.Type == schema.Array && s.Elem.Type == schema.Any
	}
	return plainTypes[wrappers[k]] == s.Type && s.Size == 0
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
