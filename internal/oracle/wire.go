package oracle

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Wire is a form of JSON in which Connect's JsonConverter writes data.
type Wire struct {
	// Envelope writes {"schema","payload"}, schemas.enable=true.
	Envelope bool
	// Numeric writes decimals as numbers, decimal.format=NUMERIC. Reading takes
	// either form, as JsonConverter does.
	Numeric bool
	// KeepNulls leaves null what has a default,
	// replace.null.with.default=false. Reading always does.
	KeepNulls bool
}

// Envelope writes data as Connect's envelope, nil for null without schema.
func Envelope(d Data) ([]byte, error) { return Wire{Envelope: true}.Write(d) }

// Plain writes the payload alone, nil for null without schema.
func Plain(d Data) ([]byte, error) { return Wire{}.Write(d) }

// ParseEnvelope reads Connect's envelope; nil is null without schema. It is
// strict: what JsonConverter reads by guessing is an error.
func ParseEnvelope(b []byte) (Data, error) { return Wire{Envelope: true}.Read(b) }

// ParsePlain reads JSON without schema, as JsonConverter does: integers are
// int64, other numbers float64.
func ParsePlain(b []byte) (Data, error) { return Wire{}.Read(b) }

// JSONNative tells whether plain JSON can carry v so that reading gives it back:
// it holds no value of a type that JsonConverter does not read without schema.
func (v Value) JSONNative() bool {
	switch v.Kind {
	case Null, Boolean, Int64, String:
		return true
	case Float64:
		// A whole float is written with a fraction by Java alone.
		return v.Float != math.Trunc(v.Float) && !math.IsInf(v.Float, 0) && !math.IsNaN(v.Float)
	case Array:
		for _, i := range v.Items {
			if !i.JSONNative() {
				return false
			}
		}
		return true
	case Map:
		for _, p := range v.Pairs {
			if p.Key.Kind != String || !p.Value.JSONNative() {
				return false
			}
		}
		return true
	}
	return false
}

// Write writes data with the members of objects in JsonConverter's order.
func (w Wire) Write(d Data) ([]byte, error) {
	if d.Schema == nil && d.Value.IsNull() {
		return nil, nil
	}
	payload, err := w.value(d.Schema, d.Value)
	if err != nil || !w.Envelope {
		return payload, err
	}
	schema := []byte("null")
	if d.Schema != nil {
		if schema, err = w.schema(d.Schema, ""); err != nil {
			return nil, err
		}
	}
	return fmt.Appendf(nil, `{"schema":%s,"payload":%s}`, schema, payload), nil
}

var jsonTypes = map[Kind]string{Float32: "float", Float64: "double"}

func (w Wire) schema(s *Schema, field string) ([]byte, error) {
	typ := jsonTypes[s.Type]
	if typ == "" {
		typ = string(s.Type)
	}
	b := fmt.Appendf(nil, `{"type":"%s"`, typ)
	var err error
	child := func(name string, s *Schema) {
		if err == nil {
			var c []byte
			c, err = w.schema(s, "")
			b = fmt.Appendf(b, `,"%s":%s`, name, c)
		}
	}
	switch s.Type {
	case Array:
		child("items", s.Values)
	case Map:
		child("keys", s.Keys)
		child("values", s.Values)
	case Struct:
		var fields [][]byte
		for _, f := range s.Fields {
			c, err := w.schema(f.Schema, f.Name)
			if err != nil {
				return nil, err
			}
			fields = append(fields, c)
		}
		b = fmt.Appendf(b, `,"fields":[%s]`, joined(fields))
	}
	if err != nil {
		return nil, err
	}
	b = fmt.Appendf(b, `,"optional":%t`, s.Optional)
	if s.Name != nil {
		b = fmt.Appendf(b, `,"name":%s`, quote(*s.Name))
	}
	if s.Version != nil {
		b = fmt.Appendf(b, `,"version":%d`, *s.Version)
	}
	if s.Doc != nil {
		b = fmt.Appendf(b, `,"doc":%s`, quote(*s.Doc))
	}
	if len(s.Parameters) > 0 {
		p, err := marshal(s.Parameters)
		if err != nil {
			return nil, err
		}
		b = fmt.Appendf(b, `,"parameters":%s`, p)
	}
	if s.Default != nil {
		v, err := w.value(s, *s.Default)
		if err != nil {
			return nil, fmt.Errorf("writing a default: %w", err)
		}
		b = fmt.Appendf(b, `,"default":%s`, v)
	}
	if field != "" {
		b = fmt.Appendf(b, `,"field":%s`, quote(field))
	}
	return append(b, '}'), nil
}

func (w Wire) value(s *Schema, v Value) ([]byte, error) {
	if v.IsNull() {
		switch {
		case s == nil:
			return []byte("null"), nil
		case s.Default != nil && !w.KeepNulls:
			return w.value(s, *s.Default)
		case s.Optional:
			return []byte("null"), nil
		}
		return nil, fmt.Errorf("null for a required %s", s.Type)
	}
	if name := s.Logical(); name != "" {
		return w.logical(s, name, v)
	}
	if s != nil && s.Type != v.Kind {
		return nil, fmt.Errorf("%s for a schema of %s", v.Kind, s.Type)
	}
	switch v.Kind {
	case Boolean:
		return strconv.AppendBool(nil, v.Bool), nil
	case Int8, Int16, Int32, Int64:
		return strconv.AppendInt(nil, v.Int, 10), nil
	case Float32, Float64:
		if math.IsNaN(v.Float) || math.IsInf(v.Float, 0) {
			return quote(v.floatText()), nil
		}
		return []byte(v.floatText()), nil
	case String:
		return quote(v.Text), nil
	case Bytes:
		return marshal(base64.StdEncoding.EncodeToString(v.Bytes))
	case Array:
		return w.array(s, v)
	case Map:
		return w.mapping(s, v)
	case Struct:
		return w.object(s, v)
	}
	return nil, fmt.Errorf("JSON has no form for %s without a schema", v.Kind)
}

func (w Wire) logical(s *Schema, name string, v Value) ([]byte, error) {
	if name == DecimalName {
		if v.Kind != Decimal {
			return nil, fmt.Errorf("%s for a decimal", v.Kind)
		}
		if strconv.Itoa(v.Scale) != s.Parameters["scale"] {
			return nil, fmt.Errorf("scale %d for a decimal of scale %s", v.Scale, s.Parameters["scale"])
		}
		if w.Numeric {
			return decimalText(v), nil
		}
		return marshal(base64.StdEncoding.EncodeToString(twos(v.Unscaled)))
	}
	if v.Kind != Date {
		return nil, fmt.Errorf("%s for %s", v.Kind, name)
	}
	const day = 86400000
	n := v.Int
	switch name {
	case DateName:
		if n%day != 0 {
			return nil, errors.New("a date with a time of day")
		}
		n /= day
	case TimeName:
		if n < 0 || n > day {
			return nil, errors.New("a time that is not within a day")
		}
	}
	return strconv.AppendInt(nil, n, 10), nil
}

// decimalText is a number of JSON with all digits of a decimal.
func decimalText(v Value) []byte {
	if v.Scale <= 0 {
		return fmt.Appendf(nil, "%se%d", v.Unscaled, -v.Scale)
	}
	digits := new(big.Int).Abs(v.Unscaled).String()
	if len(digits) <= v.Scale {
		digits = strings.Repeat("0", v.Scale-len(digits)+1) + digits
	}
	sign := ""
	if v.Unscaled.Sign() < 0 {
		sign = "-"
	}
	return []byte(sign + digits[:len(digits)-v.Scale] + "." + digits[len(digits)-v.Scale:])
}

func (w Wire) array(s *Schema, v Value) ([]byte, error) {
	var items [][]byte
	for i, item := range v.Items {
		b, err := w.value(valuesOf(s), item)
		if err != nil {
			return nil, fmt.Errorf("element %d: %w", i, err)
		}
		items = append(items, b)
	}
	return fmt.Appendf(nil, "[%s]", joined(items)), nil
}

func (w Wire) mapping(s *Schema, v Value) ([]byte, error) {
	object := s != nil && s.Keys.Type == String
	if s == nil {
		object = true
		for _, p := range v.Pairs {
			object = object && p.Key.Kind == String
		}
	}
	var entries [][]byte
	for _, p := range v.Pairs {
		k, err := w.value(keysOf(s), p.Key)
		if err != nil {
			return nil, fmt.Errorf("a key: %w", err)
		}
		e, err := w.value(valuesOf(s), p.Value)
		if err != nil {
			return nil, fmt.Errorf("value of %s: %w", k, err)
		}
		if object {
			entries = append(entries, fmt.Appendf(nil, "%s:%s", k, e))
		} else {
			entries = append(entries, fmt.Appendf(nil, "[%s,%s]", k, e))
		}
	}
	if object {
		return fmt.Appendf(nil, "{%s}", joined(entries)), nil
	}
	return fmt.Appendf(nil, "[%s]", joined(entries)), nil
}

func (w Wire) object(s *Schema, v Value) ([]byte, error) {
	if v.Schema != nil {
		s = v.Schema
	}
	if s == nil {
		return nil, errors.New("a struct without schema")
	}
	var members [][]byte
	for _, f := range s.Fields {
		fv, _ := v.Field(f.Name)
		b, err := w.value(f.Schema, fv)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		members = append(members, fmt.Appendf(nil, "%s:%s", quote(f.Name), b))
	}
	return fmt.Appendf(nil, "{%s}", joined(members)), nil
}

func keysOf(s *Schema) *Schema {
	if s == nil {
		return nil
	}
	return s.Keys
}

func valuesOf(s *Schema) *Schema {
	if s == nil {
		return nil
	}
	return s.Values
}

func joined(parts [][]byte) []byte {
	var b []byte
	for i, p := range parts {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, p...)
	}
	return b
}

func quote(s string) []byte {
	b, err := marshal(s)
	if err != nil {
		panic(err) // a string has no form that fails
	}
	return b
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }
