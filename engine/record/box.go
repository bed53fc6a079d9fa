package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"

	"github.com/flowrecords/flow/engine/limits"
)

var errDeep = fmt.Errorf("nested deeper than %d", limits.JSONDepth)

// FromAny turns what an expression's VM, or a Go program, returns into a
// Value: nil, bool, all ints and floats, string, []byte, time.Time,
// time.Duration, []any, map[string]any and nested slices and maps of these,
// json.Number, Value. The keys of a map may be any scalar and are written as
// text; two that read the same are an error. Any other type is an error. Slices and maps are not copied where
// that can be avoided, and must not be changed afterwards.
func FromAny(v any) (Value, error) { return fromAny(v, 0) }

func fromAny(v any, depth int) (Value, error) {
	switch v := v.(type) {
	case nil:
		return NullValue(), nil
	case bool:
		return BoolValue(v), nil
	case int:
		return IntValue(int64(v)), nil
	case int64:
		return IntValue(v), nil
	case float64:
		return FloatValue(v), nil
	case string:
		return StringValue(v), nil
	case []byte:
		return BytesValue(v), nil
	case Value:
		return v, nil
	case time.Time:
		return TimeValue(v), nil
	case time.Duration:
		return DurationValue(v), nil
	case json.Number:
		if !checkNumber(v) {
			return Value{}, fmt.Errorf("%q is not a number", string(v))
		}
		return parseNumber([]byte(v)), nil
	case []any:
		return fromSlice(v, depth)
	case map[string]any:
		return fromMap(v, depth)
	}
	return fromReflect(reflect.ValueOf(v), depth)
}

// fromSlice checks the elements. It copies only when one has to change.
func fromSlice(s []any, depth int) (Value, error) {
	if depth++; depth > limits.JSONDepth {
		return Value{}, errDeep
	}
	out := s
	for i, e := range s {
		n, changed, err := normal(e, depth)
		if err != nil {
			return Value{}, fmt.Errorf("element %d: %w", i, err)
		}
		if changed {
			if &out[0] == &s[0] {
				out = append([]any(nil), s...)
			}
			out[i] = n
		}
	}
	return sliceValue(out), nil
}

func fromMap(m map[string]any, depth int) (Value, error) {
	if depth++; depth > limits.JSONDepth {
		return Value{}, errDeep
	}
	var out map[string]any
	for name, e := range m {
		n, changed, err := normal(e, depth)
		if err != nil {
			return Value{}, fmt.Errorf("member %q: %w", name, err)
		}
		if !changed {
			continue
		}
		if out == nil {
			out = make(map[string]any, len(m))
			for k, v := range m {
				out[k] = v
			}
		}
		out[name] = n
	}
	if out == nil {
		out = m
	}
	if out == nil {
		out = map[string]any{}
	}
	return mapValue(out), nil
}

// normal returns e as Any would give it, and whether that is another value.
func normal(e any, depth int) (any, bool, error) {
	switch e := e.(type) {
	case nil, bool, int, float64, string, []byte, time.Time, time.Duration:
		return e, false, nil
	case Value:
		// Kept as it is: it writes its own digits and order.
		return e, false, nil
	}
	v, err := fromAny(e, depth)
	if err != nil {
		return nil, false, err
	}
	switch v.kind {
	case Array:
		s := v.slice()
		if t, ok := e.([]any); ok && len(t) == len(s) && (len(s) == 0 || &t[0] == &s[0]) {
			return e, false, nil
		}
		return s, true, nil
	case Object:
		m := v.table()
		if t, ok := e.(map[string]any); ok && t != nil && reflect.ValueOf(t).Pointer() == reflect.ValueOf(m).Pointer() {
			return e, false, nil
		}
		return m, true, nil
	}
	return v, true, nil
}

func fromReflect(r reflect.Value, depth int) (Value, error) {
	switch r.Kind() {
	case reflect.Bool:
		return BoolValue(r.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return IntValue(r.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if u := r.Uint(); u > math.MaxInt64 {
			return parseNumber(strconv.AppendUint(nil, u, 10)), nil
		}
		return IntValue(int64(r.Uint())), nil
	case reflect.Float32:
		// Through its own text: 0.1 as float32 is not 0.10000000149011612.
		f, err := strconv.ParseFloat(strconv.FormatFloat(r.Float(), 'g', -1, 32), 64)
		return FloatValue(f), err
	case reflect.Float64:
		return FloatValue(r.Float()), nil
	case reflect.String:
		return StringValue(r.String()), nil
	case reflect.Slice, reflect.Array:
		if r.Kind() == reflect.Slice && r.Type().Elem().Kind() == reflect.Uint8 {
			return BytesValue(r.Bytes()), nil
		}
		s := make([]any, r.Len())
		for i := range s {
			s[i] = r.Index(i).Interface()
		}
		return fromSlice(s, depth)
	case reflect.Map:
		m := make(map[string]any, r.Len())
		for it := r.MapRange(); it.Next(); {
			key, err := keyText(it.Key())
			if err != nil {
				return Value{}, err
			}
			if _, twice := m[key]; twice {
				// Which one came last is chance.
				return Value{}, fmt.Errorf("two members have the name %q", key)
			}
			m[key] = it.Value().Interface()
		}
		return fromMap(m, depth)
	}
	if !r.IsValid() {
		return NullValue(), nil
	}
	return Value{}, fmt.Errorf("a %s is no value of a record", r.Type())
}

func keyText(k reflect.Value) (string, error) {
	if k.Kind() == reflect.Interface {
		k = k.Elem()
	}
	switch k.Kind() {
	case reflect.String:
		return k.String(), nil
	case reflect.Slice, reflect.Array, reflect.Map, reflect.Struct, reflect.Pointer:
		return "", fmt.Errorf("a %s is no name of a member", k.Type())
	case reflect.Invalid:
		return "null", nil
	}
	v, err := fromReflect(k, 0)
	if err != nil {
		return "", errors.New("a map's key must be a scalar")
	}
	b, err := v.AppendText(nil)
	return string(b), err
}

// Any returns the value as expr's VM wants it: nil, bool, int, float64,
// string, []byte, time.Time, time.Duration, []any, map[string]any. It decodes
// sub-trees fully and copies, so the result outlives the record.
func (v Value) Any() any {
	switch v.kind {
	case Bool:
		return v.num != 0
	case Int:
		return int(v.num)
	case Float:
		return v.Float()
	case String:
		return string(v.bytes())
	case Bytes:
		return append([]byte{}, v.bytes()...)
	case Time:
		return v.Time()
	case Duration:
		return v.Duration()
	case Array:
		s := []any{}
		_ = v.Elements(func(e Value) error {
			s = append(s, e.Any())
			return nil
		})
		return s
	case Object:
		m := map[string]any{}
		_ = v.Members(func(name []byte, e Value) error {
			m[string(name)] = e.Any()
			return nil
		})
		return m
	}
	return nil
}

// Own returns the value detached from the record that it came from.
func (v Value) Own() Value {
	switch {
	case v.flags&flagDigits != 0:
		own := v
		own.p = BytesValue(bytes.Clone(v.digits())).p
		return own
	case v.kind == String, v.kind == Bytes, v.flags&flagJSON != 0:
		own := v
		own.p = BytesValue(bytes.Clone(v.bytes())).p
		return own
	case v.kind == Array:
		s := make([]any, 0, v.num)
		_ = v.Elements(func(e Value) error {
			s = append(s, ownAny(e))
			return nil
		})
		return sliceValue(s)
	case v.kind == Object:
		m := map[string]any{}
		_ = v.Members(func(name []byte, e Value) error {
			m[string(name)] = ownAny(e)
			return nil
		})
		return mapValue(m)
	}
	return v
}

// ownAny is an element of a detached array or object: a boxed one again, or a
// Value, which keeps a number's digits.
func ownAny(e Value) any {
	o := e.Own()
	if o.flags&flagJSON == 0 {
		switch o.kind {
		case Array:
			return o.slice()
		case Object:
			return o.table()
		}
	}
	return o
}

// Equal compares as expr's == does: 1 == 1.0, nil equals missing, arrays and
// objects deeply. Below an object 1 is not 1.0, there expr compares types, too.
func (v Value) Equal(w Value) bool {
	switch {
	case v.kind == Int && w.kind == Int:
		return v.num == w.num
	case v.kind == Int && w.kind == Float, v.kind == Float && (w.kind == Float || w.kind == Int):
		return v.Float() == w.Float()
	case v.kind <= Null && w.kind <= Null:
		return true
	case v.kind != w.kind:
		return false
	}
	switch v.kind {
	case Bool, Duration:
		return v.num == w.num
	case String, Bytes:
		return string(v.bytes()) == string(w.bytes())
	case Time:
		return v.num == w.num && v.n == w.n
	case Array, Object:
		if v.flags&w.flags&flagJSON != 0 && string(v.bytes()) == string(w.bytes()) {
			return true
		}
		return equalAny(v.Any(), w.Any())
	}
	return false
}

func equalAny(a, b any) bool {
	switch a := a.(type) {
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equalAny(a[i], b[i]) {
				return false
			}
		}
		return true
	case int:
		switch b := b.(type) {
		case int:
			return a == b
		case float64:
			return float64(a) == b
		}
		return false
	case float64:
		switch b := b.(type) {
		case int:
			return a == float64(b)
		case float64:
			return a == b
		}
		return false
	case time.Time:
		b, ok := b.(time.Time)
		return ok && a.Equal(b)
	}
	return reflect.DeepEqual(a, b)
}
