// Package record is flow's data model: values, paths, lazily read documents,
// and the record that expressions and processors look at.
//
// Nothing in here is safe for two goroutines at once unless it says so: a
// Projection is shared after Freeze, a Doc and a Record belong to one worker.
package record

import "time"

// Kind is the type of a Value.
type Kind uint8

// The kinds of values. Missing is the absence of a member, which is not the
// same as a null: has() tells them apart, comparison with nil does not.
const (
	Missing Kind = iota
	Null
	Bool
	Int
	Float
	String
	Bytes
	Time
	Duration
	Array
	Object
)

// Value is a small tagged value. Scalars are held in place; strings, arrays
// and objects that come from a record are ranges of its bytes, so a Value is
// valid only until the Doc that it came from is reset. Own detaches it.
//
// A number read from a record keeps its digits: while it is only copied it is
// written out as it came. An integer that does not fit int64 reads as Float
// in arithmetic but still copies digit for digit.
//
// The zero Value is Missing.
type Value struct {
	kind Kind
	raw  bool // b is JSON text, not plain bytes
	num  uint64
	b    []byte
	ref  any // boxed payload: []any, map[string]any, time.Time with a zone
}

// NullValue is the null.
func NullValue() Value { return Value{kind: Null} }

// BoolValue returns b as a Value.
func BoolValue(b bool) Value { panic("TODO") }

// IntValue returns i as a Value.
func IntValue(i int64) Value { panic("TODO") }

// FloatValue returns f as a Value. NaN and infinities are values too, but
// writing them as JSON is an error.
func FloatValue(f float64) Value { panic("TODO") }

// StringValue returns s as a Value, without copying.
func StringValue(s string) Value { panic("TODO") }

// TextValue returns UTF-8 text as a String value. b must stay unchanged for as
// long as the value is used.
func TextValue(b []byte) Value { panic("TODO") }

// BytesValue returns b as a Bytes value, under the same rule as TextValue.
func BytesValue(b []byte) Value { panic("TODO") }

// TimeValue returns t as a Value.
func TimeValue(t time.Time) Value { panic("TODO") }

// DurationValue returns d as a Value.
func DurationValue(d time.Duration) Value { panic("TODO") }

// RawJSON returns a value that is one valid JSON text; the caller vouches for
// its validity.
func RawJSON(b []byte) Value { panic("TODO") }

// FromAny turns what an expression's VM, or a Go program, returns into a
// Value: nil, bool, all ints and floats, string, []byte, time.Time,
// time.Duration, []any, map[string]any and nested slices and maps of these,
// json.Number, Value. Any other type is an error.
func FromAny(v any) (Value, error) { panic("TODO") }

// Kind returns the kind.
func (v Value) Kind() Kind { return v.kind }

// IsNil reports Missing or Null.
func (v Value) IsNil() bool { return v.kind <= Null }

// Bool, Int, Float, Time and Duration return the payload of a value of that
// kind, and the zero of their type for any other. Float also takes an Int.
func (v Value) Bool() bool { panic("TODO") }

// Int returns the payload of an Int.
func (v Value) Int() int64 { panic("TODO") }

// Float returns the payload of a Float or an Int.
func (v Value) Float() float64 { panic("TODO") }

// Text returns the payload of a String or Bytes without copying.
func (v Value) Text() []byte { panic("TODO") }

// String returns the payload of a String or Bytes as a string (a copy), and
// for any other kind its text as AppendText writes it. It is for people; the
// hot path uses Text.
func (v Value) String() string { panic("TODO") }

// Time returns the payload of a Time.
func (v Value) Time() time.Time { panic("TODO") }

// Duration returns the payload of a Duration.
func (v Value) Duration() time.Duration { panic("TODO") }

// Any returns the value as expr's VM wants it: nil, bool, int, float64,
// string, []byte, time.Time, time.Duration, []any, map[string]any. It decodes
// sub-trees fully and copies, so the result outlives the record.
func (v Value) Any() any { panic("TODO") }

// Own returns the value detached from the record that it came from.
func (v Value) Own() Value { panic("TODO") }

// AppendJSON appends the value as JSON: numbers with their own digits, floats
// in the shortest form, times in RFC 3339 with nanoseconds, durations as Go
// prints them, bytes as base64, object members of an untouched sub-tree in
// their order and of a boxed map sorted by name. Missing is written as null.
func (v Value) AppendJSON(dst []byte) ([]byte, error) { panic("TODO") }

// AppendText appends the value as it stands in a template: strings and bytes
// plain, null and Missing as nothing, all else as JSON without quotes.
func (v Value) AppendText(dst []byte) ([]byte, error) { panic("TODO") }

// Equal compares as expr's == does: 1 == 1.0, nil equals missing, arrays and
// objects deeply.
func (v Value) Equal(w Value) bool { panic("TODO") }
