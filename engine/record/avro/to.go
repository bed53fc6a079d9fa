package avro

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/flowrecords/flow/engine/schema"
)

// Parameters of a flow schema that say how Avro had it, where that is not how
// FromSchema would write it.
const (
	paramProps       = "avro.props"        // properties, as a JSON object
	paramField       = "avro.field"        // order and properties of the field, as a JSON object
	paramDefault     = "avro.default"      // a default that is none of the type, as it stood; "none"
	paramNull        = "avro.null"         // where a union's null stood
	paramUnion       = "avro.union"        // a union of a single branch
	paramEnumDefault = "avro.enum.default" // the symbol for unknown ones
	paramFixed       = "avro.fixed"        // the size of the fixed beneath
	paramEntry       = "avro.entry"        // the name of a map's entries
	paramType        = "avro.type"         // what has no type of its own: null, error
	paramLogical     = "avro.logicalType"  // duration
	paramPrefix      = "avro."
)

// noDefault is the value of paramDefault for an optional field without one.
const noDefault = "none"

// ToSchema returns the flow schema of what s describes. What flow has no words
// for is kept in Parameters, so that FromSchema gives the same again.
func ToSchema(s *Schema) (*schema.Schema, error) {
	c := toConverter{done: map[*Schema]*schema.Schema{}}
	out, err := c.schema(s)
	if err != nil {
		return nil, fmt.Errorf("reading an Avro schema: %w", err)
	}
	for _, f := range c.copies {
		f.copy.Fields = f.of.Fields
	}
	return out, nil
}

type toConverter struct {
	done map[*Schema]*schema.Schema
	// copies are structs that were copied, perhaps before they had fields.
	copies []copied
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

func (c *toConverter) schema(s *Schema) (*schema.Schema, error) {
	if s.named() {
		if out := c.done[s]; out != nil {
			return out, nil
		}
	}
	if s.Kind == Union {
		return c.union(s)
	}
	out := &schema.Schema{Name: s.Name, Doc: s.Doc, Aliases: s.Aliases}
	if s.named() {
		c.done[s] = out
	}
	if err := c.props(out, s); err != nil {
		return nil, err
	}
	return out, c.fill(out, s)
}

// fill sets the type and what belongs to it.
func (c *toConverter) fill(out *schema.Schema, s *Schema) (err error) {
	if s.Logical != None {
		fillLogical(out, s)
		return nil
	}
	switch s.Kind {
	case Null:
		out.Type, out.Optional = schema.Any, true
		setParam(out, paramType, "null")
	case Boolean:
		out.Type = schema.Bool
	case Int:
		out.Type = map[view]schema.Type{viewPlain: schema.Int32, viewInt8: schema.Int8, viewInt16: schema.Int16, viewUint8: schema.Uint8, viewUint16: schema.Uint16}[viewOf(s)]
	case Long:
		switch viewOf(s) {
		case viewUint32:
			out.Type = schema.Uint32
		case viewTimeNano:
			out.Type, out.Unit = schema.Time, schema.Nanosecond
		case viewDuration:
			out.Type, out.Unit = schema.Duration, schema.Nanosecond
		default:
			out.Type = schema.Int64
		}
	case Float:
		out.Type = schema.Float32
	case Double:
		out.Type = schema.Float64
	case Bytes:
		out.Type = schema.Bytes
	case String:
		if out.Type = schema.String; viewOf(s) == viewJSON {
			out.Type = schema.Any
		}
	case Fixed:
		out.Type, out.Size = schema.Bytes, s.Size
		if s.Size == 0 {
			setParam(out, paramFixed, "0") // Size 0 is any size
		}
	case Enum:
		out.Type, out.Symbols = schema.Enum, s.Symbols
		if s.HasDefault {
			setParam(out, paramEnumDefault, s.Default)
		}
	case Record:
		return c.record(out, s)
	case Array:
		return c.array(out, s)
	case Map:
		out.Type, out.Key = schema.Map, schema.New(schema.String)
		out.Elem, err = c.schema(s.Elem)
	}
	return err
}

func fillLogical(out *schema.Schema, s *Schema) {
	if s.Kind == Fixed {
		setParam(out, paramFixed, strconv.Itoa(s.Size))
	}
	switch s.Logical {
	case Decimal:
		if viewOf(s) == viewUint64 {
			out.Type = schema.Uint64
			return
		}
		out.Type, out.Precision, out.Scale = schema.Decimal, s.Precision, s.Scale
	case UUID:
		out.Type = schema.UUID
	case Date:
		out.Type = schema.Date
	case TimeMillis:
		out.Type, out.Unit = schema.Time, schema.Millisecond
	case TimeMicros:
		out.Type, out.Unit = schema.Time, schema.Microsecond
	case TimestampMillis:
		out.Type, out.Unit = schema.Timestamp, schema.Millisecond
	case TimestampMicros:
		out.Type, out.Unit = schema.Timestamp, schema.Microsecond
	case TimestampNanos:
		out.Type, out.Unit = schema.Timestamp, schema.Nanosecond
	case LocalTimestampMillis:
		out.Type, out.Unit = schema.LocalTimestamp, schema.Millisecond
	case LocalTimestampMicros:
		out.Type, out.Unit = schema.LocalTimestamp, schema.Microsecond
	case LocalTimestampNanos:
		out.Type, out.Unit = schema.LocalTimestamp, schema.Nanosecond
	case Duration:
		// Months have no length, so this is none of flow's durations.
		out.Type = schema.Struct
		for _, name := range []string{"months", "days", "millis"} {
			out.Fields = append(out.Fields, schema.F(name, schema.New(schema.Uint32)))
		}
		setParam(out, paramLogical, Duration.String())
	}
}

func (c *toConverter) array(out *schema.Schema, s *Schema) (err error) {
	if viewOf(s) != viewEntries {
		out.Type = schema.Array
		out.Elem, err = c.schema(s.Elem)
		return err
	}
	out.Type = schema.Map
	if s.Elem.Name != connectNamespace+"."+mapEntry {
		setParam(out, paramEntry, s.Elem.Name)
	}
	if out.Key, err = c.schema(s.Elem.Fields[0].Type); err == nil {
		out.Elem, err = c.schema(s.Elem.Fields[1].Type)
	}
	return err
}

func (c *toConverter) union(s *Schema) (*schema.Schema, error) {
	if null, other, ok := s.optional(); ok {
		inner, err := c.schema(other)
		if err != nil {
			return nil, err
		}
		out := c.clone(inner)
		out.Optional = true
		if null != 0 {
			setParam(out, paramNull, strconv.Itoa(null))
		}
		return out, nil
	}
	out := &schema.Schema{Type: schema.Union}
	tags := s.tags()
	for i, b := range s.Branches {
		if b.Kind == Null {
			out.Optional = true
			if i != 0 {
				setParam(out, paramNull, strconv.Itoa(i))
			}
			if len(s.Branches) == 1 {
				out.Type = schema.Any
				setParam(out, paramType, "null")
				setParam(out, paramUnion, "true")
			}
			continue
		}
		inner, err := c.schema(b)
		if err != nil {
			return nil, err
		}
		out.Branches = append(out.Branches, schema.Branch{Name: tags[i], Schema: inner})
	}
	return out, nil
}

func (c *toConverter) record(out *schema.Schema, s *Schema) error {
	out.Type = schema.Struct
	if s.Error {
		setParam(out, paramType, "error")
	}
	fields, names := make([]schema.Field, 0, len(s.Fields)), s.fieldNames()
	for i := range s.Fields {
		f := &s.Fields[i]
		inner, err := c.schema(f.Type)
		if err != nil {
			return fmt.Errorf("field %s of %s: %w", f.Name, s.Name, err)
		}
		fields = append(fields, schema.Field{Name: names[i], Doc: f.Doc, Aliases: f.Aliases, Schema: c.fieldSchema(inner, f, names[i])})
	}
	out.Fields = fields
	return nil
}

// fieldSchema adds to a type what its field, which flow calls name, says.
func (c *toConverter) fieldSchema(s *schema.Schema, f *Field, name string) *schema.Schema {
	own := s
	edit := func() *schema.Schema {
		if own == s {
			own = c.clone(s)
		}
		return own
	}
	if f.Default == nil {
		if s.Optional {
			setParam(edit(), paramDefault, noDefault)
		}
	} else if text, err := typedDefault(f.Type, f.Default); err != nil {
		// Some libraries wrote "null" for null and the like; the data can be
		// read all the same.
		setParam(edit(), paramDefault, string(f.Default))
	} else {
		edit().Default = text
		if null, _, ok := f.Type.optional(); ok && string(text) != "null" {
			// FromSchema puts null behind such a default.
			if delete(own.Parameters, paramNull); null == 0 {
				setParam(own, paramNull, "0")
			}
		}
	}
	if extra := fieldProps(f, name); extra != "" {
		setParam(edit(), paramField, extra)
	}
	if own != s && len(own.Parameters) == 0 {
		own.Parameters = nil
	}
	return own
}

// fieldProps returns what a field that flow calls name says beyond that, as a
// JSON object.
func fieldProps(f *Field, name string) string {
	props := f.Props
	if name != f.Name {
		props = slices.DeleteFunc(slices.Clone(props), func(p Property) bool { return p.Name == propFlowName })
	}
	if f.Order != "" && f.Order != "ascending" {
		props = append([]Property{{Name: "order", Value: appendString(nil, f.Order)}}, props...)
	}
	return joinProps(props)
}

func joinProps(props []Property) string {
	if len(props) == 0 {
		return ""
	}
	p := printer{b: []byte{'{'}}
	p.props(props)
	return string(append(p.b, '}'))
}

func splitProps(text string) []Property {
	o, err := object([]byte(text))
	if text == "" || err != nil {
		return nil
	}
	return o.rest()
}

// props takes what Connect says in properties, and keeps all others.
func (c *toConverter) props(out *schema.Schema, s *Schema) error {
	if len(s.Props) == 0 {
		return nil
	}
	var rest []Property
	logical := strings.HasPrefix(s.stringProp(propConnectName), connectLogical)
	for _, p := range s.Props {
		if logical || !takeProp(out, s, p) {
			rest = append(rest, p)
		}
	}
	if len(rest) > 0 {
		setParam(out, paramProps, joinProps(rest))
	}
	return nil
}

// takeProp reports whether the property became part of out.
func takeProp(out *schema.Schema, s *Schema, p Property) bool {
	switch p.Name {
	case propFlowBranch:
		return true
	case propConnectName:
		if s.named() {
			return false
		}
		return json.Unmarshal(p.Value, &out.Name) == nil
	case propConnectDoc:
		if s.named() {
			return false
		}
		return json.Unmarshal(p.Value, &out.Doc) == nil
	case propConnectVersion:
		v, err := strconv.Atoi(string(p.Value))
		if err != nil || v <= 0 {
			return false
		}
		out.Version = v
		return true
	case propConnectParams:
		var m map[string]string
		if json.Unmarshal(bytes.TrimSpace(p.Value), &m) != nil {
			return false
		}
		for name := range m {
			if strings.HasPrefix(name, paramPrefix) {
				return false
			}
		}
		for name, v := range m {
			setParam(out, name, v)
		}
		return true
	case propConnectType:
		return s.Kind == Int && (viewOf(s) == viewInt8 || viewOf(s) == viewInt16)
	case propFlowType:
		return viewOf(s) != viewPlain
	}
	return false
}
