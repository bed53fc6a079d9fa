package oracle

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// Kind is the class of a value: Connect's types, and the classes behind its
// logical ones. It is also the tag of the notation.
type Kind string

// The kinds. Date is java.util.Date, the class behind Connect's Date, Time and
// Timestamp alike. Those from Enum on occur in Avro's cases only.
const (
	Null    Kind = ""
	Boolean Kind = "boolean"
	Int8    Kind = "int8"
	Int16   Kind = "int16"
	Int32   Kind = "int32"
	Int64   Kind = "int64"
	Float32 Kind = "float32"
	Float64 Kind = "float64"
	String  Kind = "string"
	Bytes   Kind = "bytes"
	Decimal Kind = "decimal"
	BigInt  Kind = "bigint"
	Date    Kind = "date"
	Array   Kind = "array"
	Map     Kind = "map"
	Struct  Kind = "struct"

	Enum          Kind = "enum"
	Fixed         Kind = "fixed"
	LocalDate     Kind = "local_date"
	LocalTime     Kind = "local_time"
	LocalDateTime Kind = "local_datetime"
	Instant       Kind = "instant"
	UUID          Kind = "uuid"
)

// Value is a value without loss. Which field holds it follows from the kind.
type Value struct {
	Kind Kind
	Bool bool
	// Int is an int8 to int64, or a Date in milliseconds since the epoch.
	Int int64
	// Float is a float32 or a float64.
	Float float64
	// Text is a string, an enum's symbol, a UUID, or a date or time of Avro in
	// ISO form.
	Text string
	// Bytes are those of bytes and of fixed.
	Bytes []byte
	// Unscaled is a bigint, and with Scale a decimal.
	Unscaled *big.Int
	Scale    int
	Items    []Value
	Pairs    []Pair
	// Fields of a struct, sorted by name: their order is that of the schema. A
	// field that is not listed is not set.
	Fields []NamedValue
	// Schema is set in a struct whose schema is not the one that its place says.
	Schema *Schema
}

// Pair is an entry of a map.
type Pair struct{ Key, Value Value }

// NamedValue is a field of a struct.
type NamedValue struct {
	Name  string
	Value Value
}

// IsNull tells whether v is null.
func (v Value) IsNull() bool { return v.Kind == Null }

// Field returns a field of a struct.
func (v Value) Field(name string) (Value, bool) {
	i, ok := slices.BinarySearchFunc(v.Fields, name, func(f NamedValue, n string) int { return strings.Compare(f.Name, n) })
	if !ok {
		return Value{}, false
	}
	return v.Fields[i].Value, true
}

// MarshalJSON writes the notation.
func (v Value) MarshalJSON() ([]byte, error) {
	if v.Kind == Null {
		return []byte("null"), nil
	}
	body, err := v.body()
	if err != nil {
		return nil, err
	}
	// "schema" stands before "struct", the only tag that it goes with.
	if v.Schema != nil {
		return marshal(struct {
			Schema *Schema         `json:"schema"`
			Struct json.RawMessage `json:"struct"`
		}{v.Schema, body})
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"%s":%s}`, v.Kind, body)
	return b.Bytes(), nil
}

func (v Value) body() ([]byte, error) {
	switch v.Kind {
	case Boolean:
		return marshal(v.Bool)
	case Int8, Int16, Int32, Int64, Date:
		return marshal(strconv.FormatInt(v.Int, 10))
	case Float32, Float64:
		return marshal(v.floatText())
	case String, Enum, UUID, LocalDate, LocalTime, LocalDateTime, Instant:
		return marshal(v.Text)
	case Bytes, Fixed:
		return marshal(base64.StdEncoding.EncodeToString(v.Bytes))
	case BigInt:
		return marshal(v.Unscaled.String())
	case Decimal:
		return marshal(decimalNotation{v.Scale, v.Unscaled.String()})
	case Array:
		return marshal(append([]Value{}, v.Items...))
	case Map:
		pairs := [][2]Value{}
		for _, p := range v.Pairs {
			pairs = append(pairs, [2]Value{p.Key, p.Value})
		}
		return marshal(pairs)
	case Struct:
		fields := map[string]Value{}
		for _, f := range v.Fields {
			fields[f.Name] = f.Value
		}
		return marshal(fields)
	}
	return nil, fmt.Errorf("no notation for kind %q", v.Kind)
}

type decimalNotation struct {
	Scale    int    `json:"scale"`
	Unscaled string `json:"unscaled"`
}

// floatText is the shortest text that Java and Go read back as the same number.
func (v Value) floatText() string {
	switch {
	case math.IsInf(v.Float, 1):
		return "Infinity"
	case math.IsInf(v.Float, -1):
		return "-Infinity"
	case v.Kind == Float32:
		return strconv.FormatFloat(v.Float, 'g', -1, 32)
	}
	return strconv.FormatFloat(v.Float, 'g', -1, 64)
}

// UnmarshalJSON reads the notation.
func (v *Value) UnmarshalJSON(data []byte) error {
	*v = Value{}
	if string(bytes.TrimSpace(data)) == "null" {
		return nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return fmt.Errorf("reading a value: %w", err)
	}
	if s, ok := object["schema"]; ok {
		if err := json.Unmarshal(s, &v.Schema); err != nil {
			return err
		}
		delete(object, "schema")
	}
	if len(object) != 1 {
		return fmt.Errorf("a value has one tag, not %d: %s", len(object), data)
	}
	for tag, body := range object {
		v.Kind = Kind(tag)
		if err := v.read(body); err != nil {
			return fmt.Errorf("reading %s: %w", data, err)
		}
	}
	return nil
}

var intBits = map[Kind]int{Int8: 8, Int16: 16, Int32: 32, Int64: 64, Date: 64}

func (v *Value) read(body json.RawMessage) error {
	switch v.Kind {
	case Boolean:
		return json.Unmarshal(body, &v.Bool)
	case Array:
		return json.Unmarshal(body, &v.Items)
	case Decimal:
		var d decimalNotation
		if err := json.Unmarshal(body, &d); err != nil {
			return err
		}
		v.Scale = d.Scale
		return v.readBig(d.Unscaled)
	case Map:
		var pairs [][2]Value
		if err := json.Unmarshal(body, &pairs); err != nil {
			return err
		}
		for _, p := range pairs {
			v.Pairs = append(v.Pairs, Pair{p[0], p[1]})
		}
		return nil
	case Struct:
		var fields map[string]Value
		if err := json.Unmarshal(body, &fields); err != nil {
			return err
		}
		*v = structOf(fields, v.Schema)
		return nil
	}
	var text string
	if err := json.Unmarshal(body, &text); err != nil {
		return err
	}
	var err error
	switch v.Kind {
	case Int8, Int16, Int32, Int64, Date:
		v.Int, err = strconv.ParseInt(text, 10, intBits[v.Kind])
	case Float32:
		v.Float, err = strconv.ParseFloat(text, 32)
	case Float64:
		v.Float, err = strconv.ParseFloat(text, 64)
	case Bytes, Fixed:
		v.Bytes, err = base64.StdEncoding.DecodeString(text)
	case BigInt:
		return v.readBig(text)
	case String, Enum, UUID, LocalDate, LocalTime, LocalDateTime, Instant:
		v.Text = text
	default:
		return fmt.Errorf("no kind %q", v.Kind)
	}
	return err
}

func (v *Value) readBig(text string) error {
	n, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return fmt.Errorf("%q is no integer", text)
	}
	v.Unscaled = n
	return nil
}

func structOf(fields map[string]Value, schema *Schema) Value {
	v := Value{Kind: Struct, Schema: schema, Fields: []NamedValue{}}
	for name, f := range fields {
		v.Fields = append(v.Fields, NamedValue{name, f})
	}
	slices.SortFunc(v.Fields, func(a, b NamedValue) int { return strings.Compare(a.Name, b.Name) })
	return v
}

// marshal leaves <, > and & as they are: the files are read by people.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
