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
			if t.branchName() != b.Name && t.Prop(propFlowBranch) == nil {
				t.set(propFlowBranch, b.Name)
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
