// Package record is flow's data model: values, paths, lazily read documents,
// and the record that expressions and processors look at.
//
// Nothing in here is safe for two goroutines at once unless it says so: a
// Projection is shared after Freeze, a Doc and a Record belong to one worker.
package record

import (
	"bytes"
	"math"
	"strconv"
	"time"
	"unsafe"

	"github.com/flowrecords/flow/engine/internal/jsontext"
)

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
// The zero Value is Missing. Values are compared with Equal, never with ==.
type Value struct {
	head
	// num is the scalar, or the length of what p points to.
	num uint64
	// p points to bytes, to digits, to elements of a boxed array, to a boxed
	// map, or to a Time's zone. Three words instead of the eight of a slice
	// and an interface keep a Value, and an error beside it, in registers.
	p unsafe.Pointer
}

// head is a struct of its own because the compiler keeps a struct of more than
// four fields in memory, where each copy then waits for the narrow stores
// before it.
type head struct {
	kind  Kind
	flags uint8
	// n is the length of a number's digits, and a Time's nanoseconds.
	n uint32
}

const (
	flagDigits = 1 << iota // p and n are the digits of a number
	flagPlain              // a String that needs no escape in JSON
	flagJSON               // an Array or Object that is JSON text
)

// NullValue is the null.
func NullValue() Value { return Value{head: head{kind: Null}} }

// BoolValue returns b as a Value.
func BoolValue(b bool) Value {
	if b {
		return Value{head: head{kind: Bool}, num: 1}
	}
	return Value{head: head{kind: Bool}}
}

// IntValue returns i as a Value.
func IntValue(i int64) Value { return Value{head: head{kind: Int}, num: uint64(i)} }

// FloatValue returns f as a Value. NaN and infinities are values too, but
// writing them as JSON is an error.
func FloatValue(f float64) Value { return Value{head: head{kind: Float}, num: math.Float64bits(f)} }

// StringValue returns s as a Value, without copying.
func StringValue(s string) Value {
	return Value{head: head{kind: String}, num: uint64(len(s)), p: unsafe.Pointer(unsafe.StringData(s))}
}

// TextValue returns UTF-8 text as a String value. b must stay unchanged for as
// long as the value is used.
func TextValue(b []byte) Value {
	return Value{head: head{kind: String}, num: uint64(len(b)), p: unsafe.Pointer(unsafe.SliceData(b))}
}

// plainText is TextValue of text that stands in a JSON string without escapes.
func plainText(b []byte) Value {
	return Value{head: head{kind: String, flags: flagPlain}, num: uint64(len(b)), p: unsafe.Pointer(unsafe.SliceData(b))}
}

// BytesValue returns b as a Bytes value, under the same rule as TextValue.
func BytesValue(b []byte) Value {
	return Value{head: head{kind: Bytes}, num: uint64(len(b)), p: unsafe.Pointer(unsafe.SliceData(b))}
}

// TimeValue returns t as a Value.
func TimeValue(t time.Time) Value {
	v := Value{head: head{kind: Time, n: uint32(t.Nanosecond())}, num: uint64(t.Unix())}
	if loc := t.Location(); loc != time.UTC {
		v.p = unsafe.Pointer(loc)
	}
	return v
}

// DurationValue returns d as a Value.
func DurationValue(d time.Duration) Value { return Value{head: head{kind: Duration}, num: uint64(d)} }

// jsonValue is an Array or Object of JSON text.
func jsonValue(kind Kind, b []byte) Value {
	return Value{head: head{kind: kind, flags: flagJSON}, num: uint64(len(b)), p: unsafe.Pointer(unsafe.SliceData(b))}
}

func sliceValue(s []any) Value {
	return Value{head: head{kind: Array}, num: uint64(len(s)), p: unsafe.Pointer(unsafe.SliceData(s))}
}

func mapValue(m map[string]any) Value {
	return Value{head: head{kind: Object}, p: *(*unsafe.Pointer)(unsafe.Pointer(&m))}
}

// RawJSON returns a value that is one valid JSON text; the caller vouches for
// its validity. White space around it is not part of the value.
func RawJSON(b []byte) Value {
	start, end := skipSpace(b, 0), len(b)
	for end > start && (b[end-1] == ' ' || b[end-1] == '\n' || b[end-1] == '\t' || b[end-1] == '\r') {
		end--
	}
	if start == end {
		return Value{}
	}
	return decode(b[start:end], nil)
}

// decode reads the JSON value that b is. A string with escapes is unescaped
// into *arena, or memory of its own without one.
func decode(b []byte, arena *[]byte) Value {
	switch b[0] {
	case '"':
		return decodeString(b[1:len(b)-1], arena)
	case '{':
		return jsonValue(Object, b)
	case '[':
		return jsonValue(Array, b)
	case 't':
		return BoolValue(true)
	case 'f':
		return BoolValue(false)
	case 'n':
		return NullValue()
	}
	return parseNumber(b)
}

func decodeString(inside []byte, arena *[]byte) Value {
	if bytes.IndexByte(inside, '\\') < 0 {
		return plainText(inside)
	}
	if arena == nil {
		return TextValue(jsontext.AppendUnescaped(make([]byte, 0, len(inside)), inside))
	}
	start := len(*arena)
	*arena = jsontext.AppendUnescaped(*arena, inside)
	return TextValue((*arena)[start:len(*arena):len(*arena)])
}

// Kind returns the kind.
func (v Value) Kind() Kind { return v.kind }

// IsNil reports Missing or Null.
func (v Value) IsNil() bool { return v.kind <= Null }

// Bool returns the payload of a Bool. Like Int, Float, Time and Duration it
// returns the zero of its type for any other kind; Float also takes an Int.
func (v Value) Bool() bool { return v.kind == Bool && v.num != 0 }

// Int returns the payload of an Int.
func (v Value) Int() int64 {
	if v.kind != Int {
		return 0
	}
	return int64(v.num)
}

// Float returns the payload of a Float or an Int.
func (v Value) Float() float64 {
	switch v.kind {
	case Float:
		return math.Float64frombits(v.num)
	case Int:
		return float64(int64(v.num))
	}
	return 0
}

// Text returns the payload of a String or Bytes without copying, nil for any
// other kind. It must not be changed.
func (v Value) Text() []byte {
	if v.kind != String && v.kind != Bytes {
		return nil
	}
	return v.bytes()
}

// bytes returns what p points to in a String, Bytes or JSON text.
func (v Value) bytes() []byte {
	return unsafe.Slice((*byte)(v.p), int(v.num))
}

func (v Value) digits() []byte { return unsafe.Slice((*byte)(v.p), int(v.n)) }

func (v Value) slice() []any { return unsafe.Slice((*any)(v.p), int(v.num)) }

func (v Value) table() map[string]any { return *(*map[string]any)(unsafe.Pointer(&v.p)) }

// String returns the payload of a String or Bytes as a string (a copy), and
// for any other kind its text as AppendText writes it. It is for people; the
// hot path uses Text.
func (v Value) String() string {
	if v.kind == String || v.kind == Bytes {
		return string(v.bytes())
	}
	b, err := v.AppendText(nil)
	if err != nil {
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	return string(b)
}

// Time returns the payload of a Time.
func (v Value) Time() time.Time {
	if v.kind != Time {
		return time.Time{}
	}
	t := time.Unix(int64(v.num), int64(v.n))
	if v.p == nil {
		return t.UTC()
	}
	return t.In((*time.Location)(v.p))
}

// Duration returns the payload of a Duration.
func (v Value) Duration() time.Duration {
	if v.kind != Duration {
		return 0
	}
	return time.Duration(v.num)
}
