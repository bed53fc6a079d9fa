package cast

import (
	"errors"
	"fmt"
	"time"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// Blank says what stands for values that are masked: the empty value of their
// type, or With for texts and numbers unless it is empty.
type Blank struct {
	With string
	Mode Mode
}

// Of is what stands for a value that is neither missing nor null. s is its
// schema; nil, or Any: it has none.
func (b Blank) Of(v record.Value, s *schema.Schema) (record.Value, error) {
	if s == nil || s.Type == schema.Any {
		return b.untyped(v)
	}
	return b.OfType(s)
}

// OfType is what stands for all values of a type.
func (b Blank) OfType(s *schema.Schema) (record.Value, error) {
	if b.With != "" {
		return b.replacement(s)
	}
	switch s.Type {
	case schema.Bool:
		return record.BoolValue(false), nil
	case schema.String:
		return record.StringValue(""), nil
	case schema.Enum:
		if s.Optional {
			return record.NullValue(), nil
		}
		return record.Value{}, errors.New("an enum has no empty value")
	case schema.UUID:
		return record.StringValue("00000000-0000-0000-0000-000000000000"), nil
	case schema.Bytes:
		if b.Mode != Java {
			return record.BytesValue(make([]byte, s.Size)), nil
		}
	case schema.Decimal, schema.Int8, schema.Int16, schema.Int32, schema.Int64, schema.Uint8, schema.Uint16, schema.Uint32, schema.Uint64, schema.Float32, schema.Float64:
		return record.IntValue(0), nil
	case schema.Date, schema.Timestamp, schema.LocalTimestamp:
		return record.TimeValue(time.Unix(0, 0).UTC()), nil
	case schema.Time, schema.Duration:
		return record.DurationValue(0), nil
	case schema.Array:
		return record.RawJSON([]byte("[]")), nil
	case schema.Map:
		if s.Key.Type != schema.String {
			return record.RawJSON([]byte("[]")), nil // of pairs
		}
		return record.RawJSON([]byte("{}")), nil
	}
	return record.Value{}, errors.New("a value of its type cannot be masked: name what is in it")
}

// targets are the types of which a replacement is read.
var targets = map[schema.Type]Type{
	schema.Int8: Int8, schema.Int16: Int16, schema.Int32: Int32, schema.Int64: Int64,
	schema.Float32: Float32, schema.Float64: Float64, schema.String: String,
	schema.Uint8: Int64, schema.Uint16: Int64, schema.Uint32: Int64, schema.Uint64: Int64,
}

func (b Blank) replacement(s *schema.Schema) (record.Value, error) {
	if s.Type == schema.Decimal {
		if record.ValidateJSON([]byte(b.With)) == nil {
			if v := record.RawJSON([]byte(b.With)); v.Kind() == record.Int || v.Kind() == record.Float {
				return v, nil
			}
		}
		return record.Value{}, errors.New("the replacement is no number")
	}
	to, ok := targets[s.Type]
	if !ok {
		return record.Value{}, errors.New("a value of its type cannot be replaced by a text")
	}
	v := record.StringValue(b.With)
	if text := []byte(b.With); b.Mode == Java && to <= Int64 && record.ValidateJSON(text) == nil {
		// Java reads the number with all its digits and then narrows it.
		if number := record.RawJSON(text); number.Kind() == record.Int || number.Kind() == record.Float {
			v, _, err := Value(nil, number, &schema.Schema{Type: schema.Decimal}, to, b.Mode)
			return v, err
		}
	}
	v, _, err := Value(nil, v, nil, to, b.Mode)
	return v, err
}

// untyped is what stands for a value that has no schema.
func (b Blank) untyped(v record.Value) (record.Value, error) {
	switch v.Kind() {
	case record.String:
		return record.StringValue(b.With), nil
	case record.Int:
		if b.With != "" {
			return b.replacement(&schema.Schema{Type: schema.Int64})
		}
		return record.IntValue(0), nil
	case record.Float:
		if b.With != "" {
			return b.replacement(&schema.Schema{Type: schema.Float64})
		}
		return record.IntValue(0), nil
	}
	if b.With != "" {
		return record.Value{}, fmt.Errorf("%s cannot be replaced by a text", article(v.Kind()))
	}
	switch v.Kind() {
	case record.Bool:
		return record.BoolValue(false), nil
	case record.Array:
		return record.RawJSON([]byte("[]")), nil
	case record.Object:
		return record.RawJSON([]byte("{}")), nil
	case record.Time:
		return record.TimeValue(time.Unix(0, 0).UTC()), nil
	case record.Duration:
		return record.DurationValue(0), nil
	case record.Bytes:
		if b.Mode != Java {
			return record.BytesValue([]byte{}), nil
		}
	}
	return record.Value{}, fmt.Errorf("%s cannot be masked", article(v.Kind()))
}
