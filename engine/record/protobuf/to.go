package protobuf

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// ToSchema returns the flow schema of messages m. What flow has no words for is
// kept in Parameters, so that FromSchema gives the same data format again.
//
// A field that can be told from its zero when it is not there is optional and
// null then, unless it declares a default: its readers see that. One that
// cannot is required and its zero. A oneof is a field of its name whose type is
// a union of its fields. The well-known types are what they stand for: a
// wrapper is an optional scalar, a Timestamp a timestamp, a Struct a map of
// untyped values.
func ToSchema(m *Message) (*schema.Schema, error) {
	c := toConverter{done: map[*Message]*schema.Schema{}, enums: map[*Enum]*schema.Schema{}}
	out, err := c.root(m)
	if err != nil {
		return nil, fmt.Errorf("reading the Protobuf message %s: %w", m.Name, err)
	}
	for _, f := range c.copies {
		f.copy.Fields = f.of.Fields
	}
	return out, nil
}

type toConverter struct {
	done  map[*Message]*schema.Schema
	enums map[*Enum]*schema.Schema
	// copies are structs that were copied, perhaps before they had fields.
	copies []copied
	depth  int
}

type copied struct{ copy, of *schema.Schema }

// clone returns a copy of s that the caller may change.
func (c *toConverter) clone(s *schema.Schema) *schema.Schema {
	n := s.Clone()
	n.Parameters = maps.Clone(s.Parameters)
	if s.Type == schema.Struct {
		c.copies = append(c.copies, copied{n, s})
	}
	return n
}

func setParam(s *schema.Schema, name, value string) {
	if s.Parameters == nil {
		s.Parameters = map[string]string{}
	}
	s.Parameters[name] = value
}

func (c *toConverter) root(m *Message) (*schema.Schema, error) {
	if viewOfMessage(m, &m.meta) != viewPlain {
		// A value of its own, which is a message only since it must be one.
		out, err := c.value(&Field{Kind: MessageKind, Message: m, Label: Optional, meta: m.meta})
		if err != nil {
			return nil, err
		}
		out = c.clone(out)
		if v := viewOfMessage(m, &m.meta); v == viewWrapped {
			out.Optional = wrapsNull(m)
		}
		return out, nil
	}
	out, err := c.message(m)
	if err != nil {
		return nil, err
	}
	if m.File != nil {
		if m.File.Package != scope(m.Name) {
			setParam(out, paramPackage, m.File.Package)
		}
		if m.File.Syntax != Proto3 {
			setParam(out, paramSyntax, m.File.Syntax.String())
		}
	}
	return out, nil
}

func (c *toConverter) message(m *Message) (*schema.Schema, error) {
	if out := c.done[m]; out != nil {
		return out, nil
	}
	if c.depth++; c.depth > maxTypeDepth {
		return nil, fmt.Errorf("messages are nested deeper than %d in each other", maxTypeDepth)
	}
	out := &schema.Schema{Type: schema.Struct, Name: m.Name, Doc: firstOf(m.meta.doc, m.Doc)}
	if name, ok := m.meta.params[paramName]; ok {
		out.Name = name
	}
	takeMeta(out, &m.meta)
	c.done[m] = out
	fields := make([]schema.Field, 0, len(m.Fields))
	for _, x := range members(m) {
		f := schema.Field{Name: x.name()}
		var err error
		if x.oneof != nil {
			f.Doc = x.oneof.Doc
			f.Schema, err = c.oneof(x.oneof)
		} else {
			f.Doc, f.Tag = firstOf(x.field.meta.doc, x.field.Doc), x.field.Number
			f.Schema, err = c.field(x.field)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		fields = append(fields, f)
	}
	out.Fields = fields
	c.depth--
	return out, nil
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func (c *toConverter) oneof(o *Oneof) (*schema.Schema, error) {
	out := &schema.Schema{Type: schema.Union, Optional: o.Fields[0].meta.params[paramRequired] == ""}
	for _, f := range o.Fields {
		s, err := c.value(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		if s.Optional {
			s = c.clone(s)
			s.Optional = false
		}
		s = c.fieldParams(s, f)
		out.Branches = append(out.Branches, schema.Branch{Name: fieldName(f), Schema: s, Tag: f.Number})
	}
	return out, nil
}

// field returns the schema of all that a field holds.
func (c *toConverter) field(f *Field) (*schema.Schema, error) {
	var out *schema.Schema
	var err error
	switch {
	case f.IsMap() || f.Label == Repeated && viewOf(f) == viewEntry:
		out, err = c.mapOf(f)
	case f.Label == Repeated:
		out = &schema.Schema{Type: schema.Array}
		if out.Elem, err = c.value(f); err == nil && f.Kind.packable() && !f.IsPacked() {
			setParam(out, paramPacked, "false")
		}
	default:
		if out, err = c.value(f); err == nil {
			out = c.clone(out)
		}
	}
	if err != nil {
		return nil, err
	}
	out = c.fieldParams(out, f)
	switch absent(f) {
	case absentNull:
		out = c.clone(out)
		out.Optional = true
	case absentError:
		out = c.clone(out)
		setParam(out, paramPresence, "required")
	}
	if out.Type == schema.Any {
		out.Optional = true
	}
	if f.meta.params[paramDefault] != "" {
		out.Default = []byte(f.meta.params[paramDefault])
		if record.ValidateJSON(out.Default) != nil || schema.Check(out, out.Default) != nil {
			return nil, fmt.Errorf("the parameter %s is no value of %s", paramDefault, out.Type)
		}
	} else if f.HasDefault {
		if out.Default, err = typedDefault(f); err != nil {
			return nil, fmt.Errorf("the default %q: %w", f.Default, err)
		}
	}
	return out, nil
}

// fieldParams keeps how the field was declared.
func (c *toConverter) fieldParams(s *schema.Schema, f *Field) *schema.Schema {
	if f.JSONName != "" && f.JSONName != jsonName(f.Name) {
		s = c.clone(s)
		setParam(s, paramJSONName, f.JSONName)
	}
	return s
}

func (c *toConverter) mapOf(f *Field) (*schema.Schema, error) {
	out := &schema.Schema{Type: schema.Map}
	key, err := c.value(f.Message.Fields[0])
	if err != nil {
		return nil, err
	}
	if out.Key = key; viewOf(f) == viewEntry {
		if key, err = c.field(f.Message.Fields[0]); err != nil {
			return nil, err
		}
		out.Key = key
		out.Elem, err = c.field(f.Message.Fields[1])
		return out, err
	}
	out.Elem, err = c.value(f.Message.Fields[1])
	return out, err
}

// value returns the schema of one value of a field: required, unless it is of
// any type. It may be shared.
func (c *toConverter) value(f *Field) (*schema.Schema, error) {
	out := &schema.Schema{}
	switch viewOf(f) {
	case viewWrapped:
		return c.wrapped(f)
	case viewPlain, viewEntry:
		if f.Message != nil {
			s, err := c.message(f.Message)
			if err == nil && f.IsDelimited() {
				s = c.clone(s)
				setParam(s, paramKind, "group")
			}
			return s, err
		}
		if f.Enum != nil {
			return c.enum(f.Enum)
		}
		out.Type = plainTypes[f.Kind]
		if defaultKinds[out.Type] != f.Kind {
			setParam(out, paramKind, f.Kind.String())
		}
	case viewTimestamp:
		out.Type, out.Unit = schema.Timestamp, unitOf(&f.meta)
	case viewDuration:
		out.Type, out.Unit = schema.Duration, unitOf(&f.meta)
	case viewDate:
		out.Type = schema.Date
	case viewTime:
		out.Type, out.Unit = schema.Time, unitOf(&f.meta)
	case viewValue:
		out.Type, out.Optional = schema.Any, true
		setParam(out, paramKind, nameValue)
	case viewStruct:
		out.Type, out.Key, out.Elem = schema.Map, schema.New(schema.String), schema.New(schema.Any).AsOptional()
		setParam(out, paramKind, nameStruct)
	case viewListValue:
		out.Type, out.Elem = schema.Array, schema.New(schema.Any).AsOptional()
		setParam(out, paramKind, nameListValue)
	case viewDecimal:
		out.Type = schema.Decimal
		out.Scale, _ = strconv.Atoi(f.meta.params[paramScale])
		out.Precision, _ = strconv.Atoi(f.meta.params[paramPrecision])
		if why := checkDecimal(out.Precision, out.Scale); why != nil {
			return nil, why
		}
	case viewInt8:
		out.Type = schema.Int8
	case viewInt16:
		out.Type = schema.Int16
	case viewUint8:
		out.Type = schema.Uint8
	case viewUint16:
		out.Type = schema.Uint16
	case viewUUID:
		out.Type = schema.UUID
	case viewJSON:
		out.Type, out.Optional = schema.Any, true
	case viewLocal:
		out.Type, out.Unit = schema.LocalTimestamp, unitOf(&f.meta)
	case viewSized:
		out.Type, out.Size = schema.Bytes, sizeOf(f)
	}
	takeMeta(out, &f.meta)
	if name := f.meta.params["flow.type_name"]; name != "" {
		out.Name = name
	}
	return out, nil
}

var plainTypes = map[Kind]schema.Type{
	DoubleKind: schema.Float64, FloatKind: schema.Float32, Int64Kind: schema.Int64, Uint64Kind: schema.Uint64, Int32Kind: schema.Int32,
	Fixed64Kind: schema.Uint64, Fixed32Kind: schema.Uint32, BoolKind: schema.Bool, StringKind: schema.String, BytesKind: schema.Bytes,
	Uint32Kind: schema.Uint32, Sfixed32Kind: schema.Int32, Sfixed64Kind: schema.Int64, Sint32Kind: schema.Int32, Sint64Kind: schema.Int64,
}

// defaultKinds are those that FromSchema takes for a type.
var defaultKinds = map[schema.Type]Kind{
	schema.Bool: BoolKind, schema.Int8: Int32Kind, schema.Int16: Int32Kind, schema.Int32: Int32Kind, schema.Int64: Int64Kind,
	schema.Uint8: Uint32Kind, schema.Uint16: Uint32Kind, schema.Uint32: Uint32Kind, schema.Uint64: Uint64Kind,
	schema.Float32: FloatKind, schema.Float64: DoubleKind, schema.String: StringKind, schema.Bytes: BytesKind,
}

// wrapped returns the schema of what a wrapper holds, kept apart from the
// same without one.
func (c *toConverter) wrapped(f *Field) (*schema.Schema, error) {
	inner := members(f.Message)[0]
	if c.depth++; c.depth > maxTypeDepth {
		return nil, fmt.Errorf("wrappers are nested deeper than %d", maxTypeDepth)
	}
	defer func() { c.depth-- }()
	var s *schema.Schema
	var err error
	if inner.oneof != nil {
		s, err = c.oneof(inner.oneof)
	} else {
		s, err = c.field(inner.field)
	}
	if err != nil {
		return nil, err
	}
	if wrappers[f.Message.Name] != 0 {
		s = c.clone(s)
		setParam(s, paramKind, f.Message.Name)
	}
	return s, nil
}

// wrapsNull reports whether what a wrapper of flow's holds may be null within.
func wrapsNull(m *Message) bool {
	inner := members(m)[0]
	if inner.oneof != nil {
		return inner.oneof.Fields[0].meta.params[paramRequired] == ""
	}
	return absent(inner.field) == absentNull
}

func checkDecimal(precision, scale int) error {
	d := schema.NewDecimal(precision, scale)
	return d.Validate()
}

func (c *toConverter) enum(e *Enum) (*schema.Schema, error) {
	if s := c.enums[e]; s != nil {
		return s, nil
	}
	out := &schema.Schema{Type: schema.Enum, Name: e.Name, Doc: firstOf(e.meta.doc, e.Doc)}
	if name, ok := e.meta.params[paramName]; ok {
		out.Name = name
	}
	takeMeta(out, &e.meta)
	plain := true
	var numbers []string
	for i := range e.Values {
		v := &e.Values[i]
		out.Symbols = append(out.Symbols, symbolOf(v))
		numbers = append(numbers, strconv.Itoa(int(v.Number)))
		plain = plain && int(v.Number) == i
	}
	if !plain {
		setParam(out, paramNumbers, strings.Join(numbers, ","))
	}
	if e.IsClosed() {
		setParam(out, paramClosed, "true")
	}
	if slices.Contains(out.Symbols, "") {
		return nil, fmt.Errorf("the enum %s has a value without name", e.Name)
	}
	c.enums[e] = out
	return out, nil
}

func symbolOf(v *EnumValue) string { return firstOf(v.symbol, v.Name) }

// takeMeta keeps the parameters of others.
func takeMeta(out *schema.Schema, m *meta) {
	for name, v := range m.params {
		if strings.HasPrefix(name, paramFlow) || name == paramConnectType && out.Type != schema.Int32 || out.Type == schema.Decimal && (name == paramPrecision || name == paramScale) {
			continue
		}
		setParam(out, name, v)
	}
	if v, err := strconv.Atoi(m.params[paramVersion]); err == nil && v > 0 {
		out.Version = v
	}
}

// typedDefault returns the default of proto2 as typed JSON text.
func typedDefault(f *Field) ([]byte, error) {
	text := f.Default
	switch f.Kind {
	case StringKind:
		return record.AppendQuoted(nil, []byte(text)), nil
	case BytesKind:
		b, err := defaultBytes(text)
		if err != nil {
			return nil, err
		}
		return appendBase64(nil, b), nil
	case EnumKind:
		for i := range f.Enum.Values {
			if v := &f.Enum.Values[i]; v.Name == text {
				return record.AppendQuoted(nil, []byte(symbolOf(v))), nil
			}
		}
		return nil, fmt.Errorf("the enum %s has no such value", f.Enum.Name)
	case FloatKind, DoubleKind:
		v, err := strconv.ParseFloat(text, map[Kind]int{FloatKind: 32, DoubleKind: 64}[f.Kind])
		if err != nil {
			return nil, err
		}
		return appendFloat(nil, v, map[Kind]int{FloatKind: 32, DoubleKind: 64}[f.Kind]), nil
	case BoolKind:
		if text == "true" || text == "false" {
			return []byte(text), nil
		}
	case Uint32Kind, Fixed32Kind:
		v, err := strconv.ParseUint(text, 10, 32)
		return strconv.AppendUint(nil, v, 10), err
	case Uint64Kind, Fixed64Kind:
		v, err := strconv.ParseUint(text, 10, 64)
		return strconv.AppendUint(nil, v, 10), err
	case Int32Kind, Sint32Kind, Sfixed32Kind:
		v, err := strconv.ParseInt(text, 10, 32)
		return strconv.AppendInt(nil, v, 10), err
	case Int64Kind, Sint64Kind, Sfixed64Kind:
		v, err := strconv.ParseInt(text, 10, 64)
		return strconv.AppendInt(nil, v, 10), err
	}
	return nil, fmt.Errorf("none of the type %s", f.Kind)
}

func appendBase64(dst, b []byte) []byte {
	dst = base64.StdEncoding.AppendEncode(append(dst, '"'), b)
	return append(dst, '"')
}
