package avro

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/flowrecords/flow/engine/schema"
)

// FromOptions say how FromSchema writes what Avro leaves open. The zero value
// is what most want.
type FromOptions struct {
	// Name is the full name of a record that has none; empty:
	// io.confluent.connect.avro.ConnectDefault, as Connect names it. Further
	// ones get a number.
	Name string
	// Connect writes the properties by which Connect's converter tells its
	// logical types and names, so that a Connect worker reads the same schema.
	Connect bool
	// Untyped writes a value whose type is not known as a string of JSON text.
	// Without it that is an error.
	Untyped bool
	// Precision stands for that of decimals which say none; 0: 38, the most
	// that other systems read. Connect's own is 64.
	Precision int
	// Scrub replaces what Avro does not allow in names by underscores. Without
	// it such a name is an error.
	Scrub bool
}

// DefaultPrecision is what FromOptions.Precision 0 means.
const DefaultPrecision = 38

// FromSchema returns s as an Avro schema. An error says what Avro has no form
// for, and where.
func FromSchema(s *schema.Schema, o FromOptions) (*Schema, error) {
	if o.Name == "" {
		o.Name = connectDefault
	}
	if o.Precision == 0 {
		o.Precision = DefaultPrecision
	}
	f := fromConverter{o: o, types: map[string]declared{}}
	out, err := f.optional(s, s.Default)
	if err != nil {
		return nil, fmt.Errorf("writing an Avro schema: %w", err)
	}
	return out, nil
}

type declared struct {
	from *schema.Schema
	as   *Schema
}

type fromConverter struct {
	o     FromOptions
	types map[string]declared
	path  []string
	// unnamed counts the records that had no name.
	unnamed int
}

func (f *fromConverter) fail(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if len(f.path) == 0 {
		return err
	}
	return fmt.Errorf("%s: %w", strings.Join(f.path, "."), err)
}

func (f *fromConverter) within(name string, do func() error) error {
	if len(f.path) > maxDepth {
		return f.fail("types are nested deeper than %d", maxDepth)
	}
	f.path = append(f.path, name)
	err := do()
	f.path = f.path[:len(f.path)-1]
	return err
}

// optional converts s with its null. The default decides the order of a
// union: what it stands for comes first.
func (f *fromConverter) optional(s *schema.Schema, def []byte) (*Schema, error) {
	if s.Parameters[paramType] == "null" {
		out := &Schema{Kind: Null, Props: splitProps(s.Parameters[paramProps])}
		if s.Parameters[paramUnion] != "" {
			return &Schema{Kind: Union, Branches: []*Schema{out}}, nil
		}
		return out, nil
	}
	if s.Type == schema.Union {
		return f.union(s, def)
	}
	base, err := f.base(s)
	if err != nil || !s.Optional || base.Kind == Null {
		return base, err
	}
	null := 0
	if at, err := strconv.Atoi(s.Parameters[paramNull]); err == nil {
		null = at
	}
	switch {
	case def != nil && string(def) == "null":
		null = 0
	case def != nil && s.Parameters[paramNull] != "0":
		null = 1
	}
	if null == 0 {
		return &Schema{Kind: Union, Branches: []*Schema{{Kind: Null}, base}}, nil
	}
	return &Schema{Kind: Union, Branches: []*Schema{base, {Kind: Null}}}, nil
}

func (f *fromConverter) union(s *schema.Schema, def []byte) (*Schema, error) {
	u := &Schema{Kind: Union}
	first := defaultBranch(def)
	for i := range s.Branches {
		b := &s.Branches[i]
		err := f.within(b.Name, func() error {
			t, err := f.base(b.Schema)
			if err != nil {
				return err
			}
			if t.Kind == Union {
				return f.fail("Avro has no union within a union")
			}
			for _, o := range u.Branches {
				if o.branchName() == t.branchName() {
					return f.fail("two branches of the union are %s in Avro", t.branchName())
				}
			}
			if u.Branches = append(u.Branches, t); b.Name == first {
				last := len(u.Branches) - 1
				copy(u.Branches[1:], u.Branches[:last])
				u.Branches[0] = t
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if !s.Optional {
		if len(u.Branches) == 0 {
			return nil, f.fail("a union without branches")
		}
		return u, nil
	}
	null := 0
	if at, err := strconv.Atoi(s.Parameters[paramNull]); err == nil && at >= 0 && at <= len(u.Branches) {
		null = at
	}
	switch {
	case string(def) == "null":
		null = 0
	case def != nil && null == 0:
		null = len(u.Branches)
	}
	u.Branches = slices.Insert(u.Branches, null, &Schema{Kind: Null})
	return u, nil
}

// defaultBranch returns the branch that a union's default names.
func defaultBranch(def []byte) string {
	var o map[string]json.RawMessage
	if json.Unmarshal(def, &o) != nil || len(o) != 1 {
		return ""
	}
	for name := range o {
		return name
	}
	return ""
}

// base converts s without its null.
func (f *fromConverter) base(s *schema.Schema) (*Schema, error) {
	out := &Schema{Doc: s.Doc}
	switch s.Type {
	case schema.Any:
		if !f.o.Untyped {
			return nil, f.fail("the type is not known, and Avro has none for that: declare it, or let untyped values become JSON text")
		}
		out.Kind = String
		out.set(propFlowType, "json")
	case schema.Bool:
		out.Kind = Boolean
	case schema.Int8, schema.Int16:
		out.Kind = Int
		out.set(propConnectType, s.Type.String())
	case schema.Uint8, schema.Uint16:
		out.Kind = Int
		out.set(propFlowType, s.Type.String())
	case schema.Int32:
		out.Kind = Int
	case schema.Int64:
		out.Kind = Long
	case schema.Uint32:
		out.Kind = Long
		out.set(propFlowType, "uint32")
	case schema.Uint64:
		out.Kind, out.Logical, out.Precision = Bytes, Decimal, 20
		out.set(propFlowType, "uint64")
	case schema.Float32:
		out.Kind = Float
	case schema.Float64:
		out.Kind = Double
	case schema.String:
		out.Kind = String
	case schema.Bytes:
		if out.Kind = Bytes; s.Size > 0 || s.Parameters[paramFixed] == "0" {
			return f.fixed(s, out, s.Size)
		}
	case schema.Decimal:
		return f.decimal(s, out)
	case schema.UUID:
		out.Logical = UUID
		if out.Kind = String; s.Parameters[paramFixed] != "" {
			return f.fixed(s, out, 16)
		}
	case schema.Date, schema.Time, schema.Timestamp, schema.LocalTimestamp, schema.Duration:
		f.time(s, out)
	case schema.Enum:
		return f.enum(s, out)
	case schema.Array:
		out.Kind = Array
		err := f.within("[]", func() (err error) {
			out.Elem, err = f.optional(s.Elem, nil)
			return err
		})
		if err != nil {
			return nil, err
		}
	case schema.Map:
		return f.mapOf(s, out)
	case schema.Struct:
		return f.record(s, out)
	case schema.Union:
		return f.union(s, nil)
	}
	f.finish(s, out)
	return out, nil
}

func (s *Schema) set(name, value string) {
	s.Props = append(s.Props, Property{Name: name, Value: appendString(nil, value)})
}

// finish adds what flow's schema says beyond the type.
func (f *fromConverter) finish(s *schema.Schema, out *Schema) {
	kept := splitProps(s.Parameters[paramProps])
	there := func(name string) bool {
		return prop(kept, name) != nil || out.Prop(name) != nil
	}
	logical := strings.HasPrefix(unquoteProp(prop(kept, propConnectName)), connectLogical)
	switch {
	case logical:
	case f.o.Connect && connectLogicalOf(s) != "":
		out.set(propConnectName, connectLogical+connectLogicalOf(s))
		out.Props = append(out.Props, Property{Name: propConnectVersion, Value: []byte("1")})
		if s.Type == schema.Decimal {
			out.Props = append(out.Props, Property{Name: propConnectParams, Value: []byte(`{"scale":"` + strconv.Itoa(s.Scale) + `"}`)})
		}
	default:
		f.connectMeta(s, out, there)
	}
	if !out.named() && out.Doc != "" {
		if !there(propConnectDoc) {
			out.set(propConnectDoc, out.Doc)
		}
		out.Doc = ""
	}
	out.Props = append(out.Props, kept...)
	if len(out.Props) == 0 {
		out.Props = nil
	}
}

func unquoteProp(text []byte) string {
	var v string
	_ = json.Unmarshal(text, &v)
	return v
}

// connectMeta writes name, version and parameters as Connect's converter does.
func (f *fromConverter) connectMeta(s *schema.Schema, out *Schema, there func(string) bool) {
	if s.Name != "" && (!out.named() || f.o.Connect) && !there(propConnectName) {
		out.set(propConnectName, s.Name)
	}
	if s.Version != 0 && !there(propConnectVersion) {
		out.Props = append(out.Props, Property{Name: propConnectVersion, Value: strconv.AppendInt(nil, int64(s.Version), 10)})
	}
	params := map[string]string{}
	for name, v := range s.Parameters {
		if !strings.HasPrefix(name, paramPrefix) {
			params[name] = v
		}
	}
	if len(params) > 0 && !there(propConnectParams) {
		if text, err := json.Marshal(params); err == nil {
			out.Props = append(out.Props, Property{Name: propConnectParams, Value: text})
		}
	}
}

// connectLogicalOf names the logical type of Connect's that s is.
func connectLogicalOf(s *schema.Schema) string {
	switch {
	case s.Name != "" && !strings.HasPrefix(s.Name, connectLogical):
		return ""
	case s.Type == schema.Decimal && s.Parameters[paramFixed] == "":
		return "Decimal"
	case s.Type == schema.Date:
		return "Date"
	case s.Type == schema.Time && s.Unit == schema.Millisecond:
		return "Time"
	case s.Type == schema.Timestamp && s.Unit == schema.Millisecond:
		return "Timestamp"
	}
	return ""
}

func (f *fromConverter) decimal(s *schema.Schema, out *Schema) (*Schema, error) {
	out.Logical, out.Precision, out.Scale = Decimal, s.Precision, s.Scale
	if out.Precision == 0 {
		if p, err := strconv.Atoi(s.Parameters["connect.decimal.precision"]); err == nil && p > 0 && p <= maxDigits {
			out.Precision = p
		} else {
			out.Precision = max(f.o.Precision, s.Scale)
		}
	}
	if s.Scale < 0 || s.Scale > out.Precision || out.Precision > maxDigits {
		return nil, f.fail("Avro has no decimal of %d digits with %d of them behind the point", out.Precision, s.Scale)
	}
	if size, err := strconv.Atoi(s.Parameters[paramFixed]); err == nil && size > 0 && size <= maxDecimal {
		return f.fixed(s, out, size)
	}
	out.Kind = Bytes
	f.finish(s, out)
	return out, nil
}

// time finds Avro's form of a type that is counted in units. What Avro lacks
// becomes a long with a property that only flow reads.
func (f *fromConverter) time(s *schema.Schema, out *Schema) {
	out.Kind = Long
	unit := map[schema.Unit]Logical{schema.Second: 0, schema.Millisecond: 0, schema.Microsecond: 1, schema.Nanosecond: 2}[s.Unit]
	switch s.Type {
	case schema.Date:
		out.Kind, out.Logical = Int, Date
	case schema.Time:
		switch unit {
		case 0:
			out.Kind, out.Logical = Int, TimeMillis
		case 1:
			out.Logical = TimeMicros
		default:
			out.set(propFlowType, "time-nanos")
		}
	case schema.Timestamp:
		out.Logical = TimestampMillis + unit
	case schema.LocalTimestamp:
		out.Logical = LocalTimestampMillis + unit
	default:
		out.set(propFlowType, "duration")
	}
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

func (f *fromConverter) field(out *Schema, s *schema.Field) error {
	name, err := f.name(s.Name, "")
	if err != nil {
		return err
	}
	if out.hasField(name) {
		return f.fail("two fields have the name %s in Avro", name)
	}
	a := Field{Name: name, Doc: s.Doc, Aliases: s.Aliases}
	if strings.Contains(name, ".") {
		if !f.o.Scrub {
			return f.fail("a name with a point is none of a field in Avro (an option replaces what is not allowed)")
		}
		a.Name = scrub(name)
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
