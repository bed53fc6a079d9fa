package record

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"time"
	"unsafe"

	"github.com/flowrecords/flow/engine/schema"
)

// As returns what v, a value read from typed JSON text without its type, is as
// s: a text becomes a Time, base64 Bytes. An error says that it is no s at all;
// whether it is within the bounds of s is not looked at.
func (v Value) As(s *schema.Schema) (Value, error) { return typed(s, v, nil) }

// typed returns what JSON value v, read without a type, is as s. Memory comes
// from arena, or is its own without one.
func typed(s *schema.Schema, v Value, arena *[]byte) (Value, error) {
	if v.kind == Null || s == nil {
		return v, nil
	}
	ok := true
	switch s.Type {
	case schema.Float32, schema.Float64:
		v, ok = typedFloat(v)
	case schema.Decimal:
		if ok = v.kind == Int || v.kind == Float; v.kind == Int {
			v.kind, v.num = Float, math.Float64bits(float64(int64(v.num)))
		}
	case schema.Bytes:
		return typedBytes(v, arena)
	case schema.Timestamp, schema.LocalTimestamp, schema.Date:
		v, ok = typedTime(s.Type, v)
	case schema.Time:
		var sec int64
		var nsec int
		if ok = v.kind == String; ok {
			sec, nsec, ok = schema.ParseTime(v.bytes())
			v = DurationValue(time.Duration(sec)*time.Second + time.Duration(nsec))
		}
	case schema.Duration:
		if ok = v.kind == String; ok {
			d, err := time.ParseDuration(unsafe.String((*byte)(v.p), int(v.num)))
			v, ok = DurationValue(d), err == nil
		}
	case schema.Bool:
		ok = v.kind == Bool
	case schema.String, schema.UUID, schema.Enum:
		ok = v.kind == String
	case schema.Int8, schema.Int16, schema.Int32, schema.Int64, schema.Uint8, schema.Uint16, schema.Uint32:
		ok = v.kind == Int
	case schema.Uint64:
		ok = v.kind == Int || v.kind == Float
	case schema.Struct, schema.Union:
		ok = v.kind == Object
	case schema.Array:
		ok = v.kind == Array
	case schema.Map:
		ok = v.kind == Object || v.kind == Array
	}
	if !ok {
		return Value{}, fmt.Errorf("%s is no %s", describe(v), s.Type)
	}
	return v, nil
}

// describe shows a value in an error.
func describe(v Value) string {
	text, err := v.AppendJSON(nil)
	if err != nil {
		return "the value"
	}
	if len(text) > 40 {
		return fmt.Sprintf("a value of type %s (%d bytes)", v.kind, len(text))
	}
	return string(text)
}

func typedFloat(v Value) (Value, bool) {
	switch v.kind {
	case Float:
		if f := v.Float(); f >= 1<<63 && f <= 1<<64 {
			return FloatValue(f), true // without digits: it is no Uint64
		}
		return v, true
	case Int:
		v.kind, v.num = Float, math.Float64bits(float64(int64(v.num)))
		return v, true
	case String:
		switch string(v.bytes()) {
		case "NaN":
			return FloatValue(math.NaN()), true
		case "Infinity":
			return FloatValue(math.Inf(1)), true
		case "-Infinity":
			return FloatValue(math.Inf(-1)), true
		}
	}
	return v, false
}

func typedBytes(v Value, arena *[]byte) (Value, error) {
	if v.kind != String {
		return Value{}, fmt.Errorf("%s is no %s", describe(v), schema.Bytes)
	}
	text := v.bytes()
	var own []byte
	if arena == nil {
		arena = &own
	}
	start := len(*arena)
	out, err := base64.StdEncoding.AppendDecode(*arena, text)
	if err != nil {
		return Value{}, fmt.Errorf("%s is not base64: %w", describe(v), err)
	}
	*arena = out
	return BytesValue(notNil(out[start:len(out):len(out)])), nil
}

func typedTime(t schema.Type, v Value) (Value, bool) {
	if v.kind != String {
		return v, false
	}
	if t == schema.Date {
		days, ok := schema.ParseDate(v.bytes())
		return instant(days*24*60*60, 0), ok
	}
	sec, nsec, ok := schema.ParseTimestamp(v.bytes(), t == schema.LocalTimestamp)
	return instant(sec, nsec), ok
}

// instant is a Time in UTC.
func instant(sec int64, nsec int) Value {
	return Value{head: head{kind: Time, n: uint32(nsec)}, num: uint64(sec)}
}

// The types of values that are set where none is declared.
var (
	optionalBool      = schema.New(schema.Bool).AsOptional()
	optionalInt       = schema.New(schema.Int64).AsOptional()
	optionalFloat     = schema.New(schema.Float64).AsOptional()
	optionalString    = schema.New(schema.String).AsOptional()
	optionalBytes     = schema.New(schema.Bytes).AsOptional()
	optionalTimestamp = schema.New(schema.Timestamp).AsOptional()
	optionalDuration  = schema.New(schema.Duration).AsOptional()
	requiredBool      = schema.New(schema.Bool)
	requiredInt       = schema.New(schema.Int64)
	requiredFloat     = schema.New(schema.Float64)
	requiredString    = schema.New(schema.String)
	requiredBytes     = schema.New(schema.Bytes)
	requiredTimestamp = schema.New(schema.Timestamp)
	requiredDuration  = schema.New(schema.Duration)
)

// natural is the type of a value by its kind alone, always the same pointer.
func natural(k Kind, required bool) *schema.Schema {
	pick := func(optional, need *schema.Schema) *schema.Schema {
		if required {
			return need
		}
		return optional
	}
	switch k {
	case Bool:
		return pick(optionalBool, requiredBool)
	case Int:
		return pick(optionalInt, requiredInt)
	case Float:
		return pick(optionalFloat, requiredFloat)
	case String:
		return pick(optionalString, requiredString)
	case Bytes:
		return pick(optionalBytes, requiredBytes)
	case Time:
		return pick(optionalTimestamp, requiredTimestamp)
	case Duration:
		return pick(optionalDuration, requiredDuration)
	}
	return anyType
}

// optionalKey is the key of schema.Schema.Derived for AsOptional.
type optionalKey struct{}

// choose returns the type that a value has after v was set where cur was
// declared (nil: nothing): cur if v fits, else the one of v's kind.
func choose(cur *schema.Schema, v Value) *schema.Schema {
	switch {
	case cur == nil:
		return natural(v.kind, false)
	case fits(cur, v):
		return cur
	case v.kind == Null:
		return cur.Derived(optionalKey{}, cur.AsOptional)
	}
	return natural(v.kind, !cur.Optional)
}

// Fits reports whether v can stand as s without loss: the kind, and what s says
// of ranges, digits and sizes. An array or object must be JSON text.
func (v Value) Fits(s *schema.Schema) bool { return fits(s, v) }

// fits reports whether v can stand as s without loss. Arrays and objects are
// JSON text.
func fits(s *schema.Schema, v Value) bool {
	if v.kind == Null {
		return s.Optional
	}
	switch s.Type {
	case schema.Any:
		return true
	case schema.Bool:
		return v.kind == Bool
	case schema.Int8, schema.Int16, schema.Int32, schema.Int64, schema.Uint8, schema.Uint16, schema.Uint32, schema.Uint64:
		return fitsInt(s.Type, v)
	case schema.Float32:
		return v.kind == Float && fitsFloat32(v.Float()) || v.kind == Int && int64(float32(v.Int())) == v.Int()
	case schema.Float64:
		return v.kind == Float || v.kind == Int && exactFloat(v.Int())
	case schema.Decimal:
		return fitsDecimal(s, v)
	case schema.String:
		return v.kind == String
	case schema.Bytes:
		return v.kind == Bytes && (s.Size == 0 || len(v.bytes()) == s.Size)
	case schema.Enum:
		return v.kind == String && s.SymbolIndex(unsafe.String((*byte)(v.p), int(v.num))) >= 0
	case schema.UUID:
		return v.kind == String && isUUID(v.bytes())
	case schema.Timestamp:
		return v.kind == Time && fitsUnit(s.Unit, int64(v.num), int(v.n))
	case schema.LocalTimestamp:
		return v.kind == Time && v.p == nil && fitsUnit(s.Unit, int64(v.num), int(v.n))
	case schema.Date:
		return v.kind == Time && v.p == nil && v.n == 0 && int64(v.num)%(24*60*60) == 0
	case schema.Time:
		d := v.Duration()
		return v.kind == Duration && d >= 0 && d <= 24*time.Hour && fitsUnit(s.Unit, int64(d/time.Second), int(d%time.Second))
	case schema.Duration:
		d := v.Duration()
		return v.kind == Duration && int64(d)%(int64(time.Second)/s.Unit.PerSecond()) == 0
	}
	return fitsComplex(s, v)
}

// fitsFloat32 also takes a number whose text is that of a float32, such as 0.1:
// so it stands in typed JSON, and reads as the nearest float64.
func fitsFloat32(f float64) bool {
	if short := float64(float32(f)); short == f || math.IsNaN(f) {
		return true
	}
	var buf [32]byte
	same, err := strconv.ParseFloat(string(strconv.AppendFloat(buf[:0], f, 'g', -1, 32)), 64)
	return err == nil && same == f
}

func exactFloat(i int64) bool {
	const exact = 1 << 53
	return i >= -exact && i <= exact
}

func fitsInt(t schema.Type, v Value) bool {
	if t == schema.Uint64 && v.kind == Float {
		// So reads what is beyond an Int; a smaller number is one of a type
		// with fractions, which only some encodings keep the digits of.
		return v.flags&flagDigits != 0 && v.Float() >= 1<<63 && isUint64(v.digits())
	}
	if v.kind != Int {
		return false
	}
	i := v.Int()
	switch t {
	case schema.Int8:
		return i == int64(int8(i))
	case schema.Int16:
		return i == int64(int16(i))
	case schema.Int32:
		return i == int64(int32(i))
	case schema.Uint8:
		return i == int64(uint8(i))
	case schema.Uint16:
		return i == int64(uint16(i))
	case schema.Uint32:
		return i == int64(uint32(i))
	case schema.Uint64:
		return i >= 0
	}
	return true
}

func isUint64(digits []byte) bool {
	n := uint64(0)
	for _, c := range digits {
		d := uint64(c - '0')
		if !digit(c) || n > (math.MaxUint64-d)/10 {
			return false
		}
		n = n*10 + d
	}
	return len(digits) > 0
}

func fitsUnit(u schema.Unit, sec int64, nsec int) bool {
	_, ok := u.Count(sec, nsec)
	return ok
}

// fitsDecimal reports whether a number has at most the digits that s has.
func fitsDecimal(s *schema.Schema, v Value) bool {
	var buf [32]byte
	var text []byte
	switch {
	case v.kind != Int && v.kind != Float:
		return false
	case v.flags&flagDigits != 0:
		text = v.digits()
	case v.kind == Float && (math.IsInf(v.Float(), 0) || math.IsNaN(v.Float())):
		return false
	default:
		text, _ = v.appendScalar(buf[:0])
	}
	whole, behind, ok := decimalDigits(text)
	return ok && behind <= s.Scale && (s.Precision == 0 || whole <= s.Precision-s.Scale)
}

// decimalDigits counts the digits before and behind the point, leading and
// trailing zeros left out: behind is negative if the last ones before the point
// are zeros. A number with an exponent beyond reason is none.
func decimalDigits(text []byte) (whole, behind int, ok bool) {
	const reason = 100_000
	exp, mant := 0, text
	for i, c := range text {
		if c == 'e' || c == 'E' {
			mant = text[:i]
			neg := false
			for _, c := range text[i+1:] {
				switch {
				case c == '-':
					neg = true
				case c != '+':
					if exp = exp*10 + int(c-'0'); exp > reason {
						return 0, 0, false
					}
				}
			}
			if neg {
				exp = -exp
			}
			break
		}
	}
	// first and last are the powers of ten of the digits that are not zero.
	point := len(mant)
	for i, c := range mant {
		if c == '.' {
			point = i
		}
	}
	first, last, any := 0, 0, false
	for i, c := range mant {
		if c < '1' || c > '9' {
			continue
		}
		power := point - i - 1
		if i > point {
			power = point - i
		}
		if !any {
			first, any = power+exp, true
		}
		last = power + exp
	}
	if !any {
		return 0, -reason, true
	}
	return max(first+1, 0), -last, true
}

func isUUID(text []byte) bool {
	if len(text) != 36 {
		return false
	}
	for i, c := range text {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if !digit(c) && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}

// fitsComplex looks at every value within.
func fitsComplex(s *schema.Schema, v Value) bool {
	if v.kind != Array && v.kind != Object || v.flags&flagJSON == 0 {
		return false
	}
	ok, seen := true, 0
	within := func(t *schema.Schema, e Value) {
		e, err := typed(t, e, nil)
		ok = ok && err == nil && (fits(t, e) || e.kind == Null && t.Type == schema.Any)
	}
	it := rawIter(v.bytes())
	switch {
	case s.Type == schema.Array && v.kind == Array:
		for ok && it.next() {
			within(s.Elem, decode(it.value(), nil))
		}
	case s.Type == schema.Map && s.Key.Type == schema.String && v.kind == Object:
		for ok && it.next() {
			within(s.Elem, decode(it.value(), nil))
		}
	case s.Type == schema.Map && s.Key.Type != schema.String && v.kind == Array:
		for ok && it.next() {
			pair := decode(it.value(), nil)
			if ok = pair.kind == Array && pair.Len() == 2; ok {
				within(s.Key, pair.Index(0))
				within(s.Elem, pair.Index(1))
			}
		}
	case s.Type == schema.Struct && v.kind == Object:
		for ok && it.next() {
			f := s.Field(string(it.name()))
			if ok = f != nil; ok {
				within(f.Schema, decode(it.value(), nil))
			}
		}
		for i := range s.Fields {
			f := &s.Fields[i]
			ok = ok && (f.Schema.Optional || f.Schema.Default != nil || v.Member(f.Name).kind != Missing)
		}
	case s.Type == schema.Union && v.kind == Object:
		for ok && it.next() {
			i := s.BranchIndex(string(it.name()))
			if seen++; i < 0 || seen > 1 {
				return false
			}
			within(s.Branches[i].Schema, decode(it.value(), nil))
		}
		return ok && seen == 1
	default:
		return false
	}
	return ok
}

// longInt reports whether v is an integer that a float of the same value may be
// written otherwise than.
func (v Value) longInt() bool {
	const most = 1e15 // see AppendFloat
	return v.kind == Int && (int64(v.num) >= most || int64(v.num) <= -most)
}

// encodeAs returns v as JSON text of the type t, which it fits, and as it will
// be read back.
func (d *Doc) encodeAs(t *schema.Schema, v Value) (text []byte, norm Value, err error) {
	start := len(d.arena)
	done := func() []byte {
		d.arena = append(d.arena, '"')
		return d.arena[start:len(d.arena):len(d.arena)]
	}
	switch t.Type {
	case schema.Timestamp, schema.LocalTimestamp, schema.Date:
		if v.kind != Time {
			break
		}
		d.arena = append(d.arena, '"')
		if t.Type == schema.Date {
			d.arena = schema.AppendDate(d.arena, int64(v.num)/(24*60*60))
		} else {
			d.arena = schema.AppendTimestamp(d.arena, int64(v.num), int(v.n), t.Type == schema.LocalTimestamp)
		}
		return done(), instant(int64(v.num), int(v.n)), nil
	case schema.Time:
		if v.kind != Duration {
			break
		}
		d.arena = schema.AppendTime(append(d.arena, '"'), int64(v.Duration()/time.Second), int(v.Duration()%time.Second))
		return done(), v, nil
	case schema.Duration:
		if v.kind != Duration {
			break
		}
		d.arena = append(append(d.arena, '"'), v.Duration().String()...)
		return done(), v, nil
	case schema.Bytes:
		if v.kind != Bytes {
			break
		}
		d.arena = append(d.arena, v.bytes()...) // v may lie where the next record will
		own := d.arena[start:len(d.arena):len(d.arena)]
		start = len(d.arena)
		d.arena = base64.StdEncoding.AppendEncode(append(d.arena, '"'), own)
		return done(), BytesValue(notNil(own)), nil
	case schema.Float32, schema.Float64:
		if v.kind == Float && v.flags&flagDigits == 0 && (math.IsInf(v.Float(), 0) || math.IsNaN(v.Float())) {
			d.arena = append(d.arena, '"')
			switch f := v.Float(); {
			case math.IsNaN(f):
				d.arena = append(d.arena, "NaN"...)
			case f > 0:
				d.arena = append(d.arena, "Infinity"...)
			default:
				d.arena = append(d.arena, "-Infinity"...)
			}
			return done(), FloatValue(v.Float()), nil
		}
	}
	if text, norm, err = d.encode(v); err != nil {
		return nil, Value{}, err
	}
	if t.Type == schema.Decimal && v.kind != Null || v.longInt() {
		norm = decode(text, &d.arena) // with all its digits
	}
	norm, err = typed(t, norm, &d.arena)
	return text, norm, err
}
