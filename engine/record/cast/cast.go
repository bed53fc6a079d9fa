// Package cast turns scalar values into those of another type, for expressions
// and for the processor cast alike.
package cast

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// Type is what a value is cast to.
type Type uint8

// The types. The zero Type is none.
const (
	Int8 Type = iota + 1
	Int16
	Int32
	Int64
	Float32
	Float64
	Bool
	String
)

var names = [...]string{"", "int8", "int16", "int32", "int64", "float32", "float64", "bool", "string"}

// Names lists the types, for messages.
const Names = "int8, int16, int32, int64, float32, float64, bool, string"

// Parse reads the name of a type; boolean is bool, as in Kafka Connect.
func Parse(name string) (Type, bool) {
	if name == "boolean" {
		return Bool, true
	}
	for t := Int8; t <= String; t++ {
		if names[t] == name {
			return t, true
		}
	}
	return 0, false
}

func (t Type) String() string { return names[t] }

// Schema is the type as one of a schema.
func (t Type) Schema() schema.Type {
	return [...]schema.Type{schema.Any, schema.Int8, schema.Int16, schema.Int32, schema.Int64, schema.Float32, schema.Float64, schema.Bool, schema.String}[t]
}

// Mode is how strict a cast is.
type Mode uint8

// The modes.
const (
	// Exact: what does not fit its type is an error. A fraction is cut off
	// toward zero.
	Exact Mode = iota
	// Java casts as Kafka Connect's Cast: integers wrap around, floats beyond
	// an integer stop at its end, texts are read and written as Java does.
	Java
)

// Value casts v, which is neither missing nor null. from is the schema of v,
// nil if there is none. A text result may lie in dst, to which it appends and
// which it returns.
func Value(dst []byte, v record.Value, from *schema.Schema, to Type, mode Mode) (record.Value, []byte, error) {
	switch v.Kind() {
	case record.Array, record.Object:
		return record.Value{}, dst, fmt.Errorf("%s cannot be cast to %s", article(v.Kind()), to)
	}
	if to == String {
		start := len(dst)
		dst, err := Text(dst, v, from, mode)
		if err != nil {
			return record.Value{}, dst, err
		}
		if v.Kind() == record.String {
			return v, dst, nil
		}
		return record.TextValue(dst[start:len(dst):len(dst)]), dst, nil
	}
	if v.Kind() == record.Bytes {
		return record.Value{}, dst, fmt.Errorf("bytes cannot be cast to %s", to)
	}
	if v.Kind() == record.Time || v.Kind() == record.Duration {
		v = record.IntValue(Count(v, from))
	}
	var err error
	switch to {
	case Bool:
		v, err = toBool(v, mode)
	case Float32, Float64:
		if mode == Java && from != nil && from.Type == schema.Float32 {
			v = record.FloatValue(float64(float32(float(v))))
		}
		v, err = toFloat(v, to, mode)
	default:
		v, err = toInt(v, to, from, mode)
	}
	return v, dst, err
}

func article(k record.Kind) string {
	switch k {
	case record.Array, record.Object, record.Int:
		return "an " + k.String()
	}
	return "a " + k.String()
}

// Count is a time, date, time of the day or duration as the number that its
// schema's encoding holds: days of a Date, else units. Without a schema
// milliseconds.
func Count(v record.Value, from *schema.Schema) int64 {
	unit := int64(time.Millisecond)
	if from != nil {
		switch from.Unit {
		case schema.Nanosecond:
			unit = 1
		case schema.Microsecond:
			unit = int64(time.Microsecond)
		case schema.Second:
			unit = int64(time.Second)
		}
	}
	if v.Kind() == record.Duration {
		return int64(v.Duration()) / unit
	}
	t := v.Time()
	if from != nil && from.Type == schema.Date {
		return floorDiv(t.Unix(), 86400)
	}
	perSecond := int64(time.Second) / unit
	return t.Unix()*perSecond + int64(t.Nanosecond())/unit
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func toBool(v record.Value, mode Mode) (record.Value, error) {
	switch v.Kind() {
	case record.Bool:
		return v, nil
	case record.String:
		text := v.String()
		if mode == Java {
			return record.BoolValue(strings.EqualFold(text, "true")), nil
		}
		switch {
		case strings.EqualFold(text, "true"):
			return record.BoolValue(true), nil
		case strings.EqualFold(text, "false"):
			return record.BoolValue(false), nil
		}
		return v, fmt.Errorf("%s is neither true nor false", quote(text))
	case record.Int:
		return record.BoolValue(v.Int() != 0), nil
	}
	if mode == Java {
		return record.BoolValue(wrap(javaLong(v, false), Int64) != 0), nil
	}
	return record.BoolValue(v.Float() != 0), nil
}

func toFloat(v record.Value, to Type, mode Mode) (record.Value, error) {
	var f float64
	switch v.Kind() {
	case record.Bool:
		if v.Bool() {
			f = 1
		}
	case record.String:
		var err error
		if f, err = parseFloat(v.String(), to, mode); err != nil {
			return v, err
		}
	default:
		if to == Float64 && v.Kind() == record.Float {
			return v, nil // with its digits
		}
		f = float(v)
	}
	if to == Float64 {
		return record.FloatValue(f), nil
	}
	short := float32(f)
	if math.IsInf(float64(short), 0) && !math.IsInf(f, 0) && mode == Exact {
		return v, outOfRange(v, to)
	}
	return record.FloatValue(float64(short)), nil
}

// Short is a float32 as a value that no schema says to be one: through its own
// text, since 0.1 as float32 is not 0.10000000149011612.
func Short(v record.Value) record.Value {
	f := v.Float()
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return v
	}
	f, _ = strconv.ParseFloat(strconv.FormatFloat(f, 'g', -1, 32), 64)
	return record.FloatValue(f)
}

// float is a number with the sign that its digits give a zero.
func float(v record.Value) float64 {
	if f := v.Float(); f != 0 || !strings.HasPrefix(v.String(), "-") {
		return f
	}
	return math.Copysign(0, -1)
}

func parseFloat(text string, to Type, mode Mode) (float64, error) {
	bits := 64
	if to == Float32 {
		bits = 32
	}
	s := text
	if mode == Java {
		s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
		if n := len(s); n > 1 && strings.IndexByte("fFdD", s[n-1]) >= 0 && !strings.ContainsAny(s, "xX") {
			s = s[:n-1]
		}
		switch strings.TrimLeft(s, "+-") {
		case "NaN", "Infinity":
		default:
			if strings.ContainsAny(s, "nNiI_") {
				return 0, noNumber(text)
			}
		}
	} else if strings.ContainsAny(s, "xX_nNiI") || s == "" {
		return 0, noNumber(text)
	}
	f, err := strconv.ParseFloat(s, bits)
	if err != nil && errors.Is(err, strconv.ErrRange) {
		if mode == Java {
			return f, nil
		}
		return 0, fmt.Errorf("%s is out of the range of %s", quote(text), to)
	}
	if err != nil {
		return 0, noNumber(text)
	}
	return f, nil
}

func noNumber(text string) error { return fmt.Errorf("%s is no number", quote(text)) }

func quote(s string) string {
	if len(s) > 60 {
		s = strings.ToValidUTF8(s[:60], "") + "..."
	}
	return strconv.Quote(s)
}

func bits(t Type) int { return 8 << (t - Int8) }

func outOfRange(v record.Value, to Type) error {
	text := v.String()
	if len(text) > 60 {
		text = text[:60] + "..."
	}
	return fmt.Errorf("%s is out of the range of %s", text, to)
}

func toInt(v record.Value, to Type, from *schema.Schema, mode Mode) (record.Value, error) {
	switch v.Kind() {
	case record.Bool:
		if v.Bool() {
			return record.IntValue(1), nil
		}
		return record.IntValue(0), nil
	case record.String:
		text := v.String()
		n, err := strconv.ParseInt(text, 10, bits(to))
		switch {
		case err == nil:
			return record.IntValue(n), nil
		case errors.Is(err, strconv.ErrRange):
			return v, fmt.Errorf("%s is out of the range of %s", quote(text), to)
		}
		return v, fmt.Errorf("%s is no whole number", quote(text))
	case record.Int:
		n := v.Int()
		if mode == Java {
			return record.IntValue(wrap(n, to)), nil
		}
		return inRange(v, n, to)
	}
	if mode == Java {
		exact := from != nil && from.Type == schema.Decimal
		n := javaLong(v, exact)
		if !exact && to != Int64 {
			n = max(min(n, math.MaxInt32), math.MinInt32)
		}
		return record.IntValue(wrap(n, to)), nil
	}
	f := math.Trunc(v.Float())
	if math.IsNaN(f) || f < -1<<63 || f >= 1<<63 {
		return v, outOfRange(v, to)
	}
	return inRange(v, int64(f), to)
}

func inRange(v record.Value, n int64, to Type) (record.Value, error) {
	if wrap(n, to) != n {
		return v, outOfRange(v, to)
	}
	return record.IntValue(n), nil
}

func wrap(n int64, to Type) int64 {
	switch to {
	case Int8:
		return int64(int8(n))
	case Int16:
		return int64(int16(n))
	case Int32:
		return int64(int32(n))
	}
	return n
}

// javaLong is a float as a long: cut off toward zero, at most as far as a long
// goes. Of an exact number, a decimal, the low 64 bits of its whole part.
func javaLong(v record.Value, exact bool) int64 {
	if exact {
		if r, ok := rational(v); ok {
			n := new(big.Int).Quo(r.Num(), r.Denom())
			low := new(big.Int).And(n, new(big.Int).SetUint64(math.MaxUint64)) // as two's complement
			return int64(low.Uint64())
		}
	}
	f := v.Float()
	switch {
	case math.IsNaN(f):
		return 0
	case f >= 1<<63:
		return math.MaxInt64
	case f <= -1<<63:
		return math.MinInt64
	}
	return int64(f)
}

// rational reads a number by its digits; false if it has too many of them.
func rational(v record.Value) (*big.Rat, bool) {
	text := v.String()
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		if exp, err := strconv.Atoi(text[i+1:]); err != nil || exp > 400 || exp < -400 {
			return nil, false
		}
	}
	if len(text) > 1<<12 {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// Text appends v as text.
func Text(dst []byte, v record.Value, from *schema.Schema, mode Mode) ([]byte, error) {
	switch v.Kind() {
	case record.Bytes:
		return base64.StdEncoding.AppendEncode(dst, v.Text()), nil
	case record.Array, record.Object:
		return dst, fmt.Errorf("%s cannot be cast to string", article(v.Kind()))
	case record.Float:
		if mode == Java {
			return javaNumber(dst, v, from), nil
		}
	case record.Time, record.Duration:
		if mode == Java {
			return javaTime(dst, v), nil
		}
		return typedTime(dst, v, from)
	}
	return v.AppendText(dst)
}

// typedTime writes what stands in typed JSON text, without its quotes.
func typedTime(dst []byte, v record.Value, from *schema.Schema) ([]byte, error) {
	if from != nil {
		switch from.Type {
		case schema.Date:
			return v.Time().UTC().AppendFormat(dst, time.DateOnly), nil
		case schema.LocalTimestamp:
			return v.Time().UTC().AppendFormat(dst, "2006-01-02T15:04:05.999999999"), nil
		case schema.Time:
			return time.Unix(0, int64(v.Duration())).UTC().AppendFormat(dst, "15:04:05.999999999"), nil
		}
	}
	return v.AppendText(dst)
}

// javaTime writes a date as Connect does: by what the value is, not its type.
func javaTime(dst []byte, v record.Value) []byte {
	t := v.Time()
	if v.Kind() == record.Duration {
		t = time.Unix(0, int64(v.Duration()))
	}
	t = t.UTC()
	switch ms := t.UnixMilli(); {
	case ms < 86_400_000:
		return t.AppendFormat(dst, "15:04:05.000Z")
	case ms%86_400_000 == 0:
		return t.AppendFormat(dst, time.DateOnly)
	}
	return t.AppendFormat(dst, "2006-01-02T15:04:05.000Z")
}

// javaNumber writes a float as Java's Double.toString and Float.toString do,
// and a decimal as BigDecimal.toString.
func javaNumber(dst []byte, v record.Value, from *schema.Schema) []byte {
	if from != nil && from.Type == schema.Decimal {
		return javaDecimal(dst, v.String(), from.Scale)
	}
	width := 64
	if from != nil && from.Type == schema.Float32 {
		width = 32
	}
	return JavaFloat(dst, float(v), width)
}

// JavaFloat appends f as Double.toString of Java does, or Float.toString for 32
// bits.
func JavaFloat(dst []byte, f float64, width int) []byte {
	abs := math.Abs(f)
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case abs == 0 || abs >= 1e-3 && abs < 1e7:
		start := len(dst)
		dst = strconv.AppendFloat(dst, f, 'f', -1, width)
		if !strings.Contains(string(dst[start:]), ".") {
			dst = append(dst, ".0"...)
		}
		return dst
	}
	text := strconv.FormatFloat(f, 'e', -1, width)
	mantissa, exponent, _ := strings.Cut(text, "e")
	dst = append(dst, mantissa...)
	if !strings.Contains(mantissa, ".") {
		dst = append(dst, ".0"...)
	}
	n, _ := strconv.Atoi(exponent)
	return strconv.AppendInt(append(dst, 'E'), int64(n), 10)
}

// javaDecimal writes digits as BigDecimal.toString does for a scale.
func javaDecimal(dst []byte, digits string, scale int) []byte {
	r, ok := new(big.Rat).SetString(digits)
	if !ok || scale > 1<<12 || scale < -1<<12 {
		return append(dst, digits...)
	}
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(scale, -scale))), nil)
	if scale >= 0 {
		r.Mul(r, new(big.Rat).SetInt(ten))
	} else {
		r.Quo(r, new(big.Rat).SetInt(ten))
	}
	unscaled := new(big.Int).Quo(r.Num(), r.Denom()).String()
	sign := ""
	if unscaled[0] == '-' {
		sign, unscaled = "-", unscaled[1:]
	}
	dst = append(dst, sign...)
	adjusted := len(unscaled) - 1 - scale
	switch {
	case scale == 0:
		return append(dst, unscaled...)
	case scale > 0 && adjusted >= -6:
		if len(unscaled) <= scale {
			unscaled = strings.Repeat("0", scale-len(unscaled)+1) + unscaled
		}
		dst = append(dst, unscaled[:len(unscaled)-scale]...)
		return append(append(dst, '.'), unscaled[len(unscaled)-scale:]...)
	}
	dst = append(dst, unscaled[0])
	if len(unscaled) > 1 {
		dst = append(append(dst, '.'), unscaled[1:]...)
	}
	if adjusted == 0 {
		return dst
	}
	dst = append(dst, 'E')
	if adjusted > 0 {
		dst = append(dst, '+')
	}
	return strconv.AppendInt(dst, int64(adjusted), 10)
}
