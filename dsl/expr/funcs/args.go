package funcs

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine/limits"
)

// maxText bounds what a function makes: more could not be a record anyway.
const maxText = limits.RecordBytes

// in reads the arguments of a boxed call. The first wrong one sets err and
// reads as the zero value, as do all that follow.
type in struct {
	fn   *Func
	args []any
	err  error
}

// has reports whether an optional argument was given.
func (a *in) has(i int) bool { return i < len(a.args) }

func (a *in) any(i int) any {
	if i < len(a.args) {
		return a.args[i]
	}
	if a.err == nil {
		a.err = missingArg(a.fn, i)
	}
	return nil
}

func (a *in) wrong(i int, want string) {
	if a.err == nil && i < len(a.args) {
		a.err = wrongArg(a.fn, i, typeName(a.args[i]), want)
	}
}

func (a *in) text(i int) string {
	switch v := a.any(i).(type) {
	case string:
		return v
	default:
		if s, ok := asText(v); ok {
			return s
		}
		a.wrong(i, "string")
		return ""
	}
}

// optText is text for an optional parameter.
func (a *in) optText(i int, none string) string {
	if !a.has(i) {
		return none
	}
	return a.text(i)
}

// data reads a string or bytes. The result must not be changed.
func (a *in) data(i int) []byte {
	switch v := a.any(i).(type) {
	case []byte:
		return v
	case string:
		return []byte(v)
	default:
		a.wrong(i, "string or bytes")
		return nil
	}
}

func (a *in) int(i int) int {
	v := a.any(i)
	if n, ok := asInt(v); ok {
		return n
	}
	a.wrong(i, "int")
	return 0
}

func (a *in) optInt(i, none int) int {
	if !a.has(i) {
		return none
	}
	return a.int(i)
}

func (a *in) bool(i int) bool {
	v, ok := a.any(i).(bool)
	if !ok {
		a.wrong(i, "bool")
	}
	return v
}

// number reads an int or a float as it is: nil if it is neither.
func (a *in) number(i int) any {
	v := a.any(i)
	if n, ok := asInt(v); ok {
		return n
	}
	switch f := v.(type) {
	case float64:
		return f
	case float32:
		return float64(f)
	}
	a.wrong(i, "number")
	return nil
}

func (a *in) float(i int) float64 {
	switch v := a.number(i).(type) {
	case int:
		return float64(v)
	case float64:
		return v
	}
	return 0
}

func (a *in) time(i int) time.Time {
	v, ok := a.any(i).(time.Time)
	if !ok {
		a.wrong(i, "time")
	}
	return v
}

func (a *in) duration(i int) time.Duration {
	v, ok := a.any(i).(time.Duration)
	if !ok {
		a.wrong(i, "duration")
	}
	return v
}

// array reads an array, which must not be changed: it may be the caller's.
func (a *in) array(i int) []any {
	v, ok := asArray(a.any(i))
	if !ok {
		a.wrong(i, "array")
	}
	return v
}

// object reads an object, which must not be changed: it may be the caller's.
func (a *in) object(i int) map[string]any {
	v, ok := asObject(a.any(i))
	if !ok {
		want := "object"
		if reflect.ValueOf(a.any(i)).Kind() == reflect.Map {
			want = "object whose names are all text"
		}
		a.wrong(i, want)
	}
	return v
}

func missingArg(fn *Func, i int) error {
	return fmt.Errorf("%s: argument %s is missing", fn.Name, argName(fn, i))
}

func wrongArg(fn *Func, i int, got, want string) error {
	return fmt.Errorf("%s: %s is %s, want %s", fn.Name, argName(fn, i), got, want)
}

func argName(fn *Func, i int) string {
	if i < len(fn.Params) {
		return fn.Params[i].Name
	}
	if n := len(fn.Params); n > 0 {
		return fn.Params[n-1].Name
	}
	return strconv.Itoa(i + 1)
}

func asText(v any) (string, bool) {
	s, ok := v.(string)
	return s, ok
}

func asInt(v any) (int, bool) {
	switch n := v.(type) {
	case int:
		return n, true
	case int64:
		return int(n), true
	case int32:
		return int(n), true
	case int16:
		return int(n), true
	case int8:
		return int(n), true
	case uint8:
		return int(n), true
	case uint16:
		return int(n), true
	case uint32:
		return int(n), true
	case uint:
		return int(n), n <= math.MaxInt
	case uint64:
		return int(n), n <= math.MaxInt
	case time.Month:
		return int(n), true
	case time.Weekday:
		return int(n), true
	}
	return 0, false
}

func asArray(v any) ([]any, bool) {
	switch s := v.(type) {
	case []any:
		return s, true
	case nil, []byte, string:
		return nil, false
	}
	rv := reflect.ValueOf(v)
	if k := rv.Kind(); k != reflect.Slice && k != reflect.Array {
		return nil, false
	}
	out := make([]any, rv.Len())
	for i := range out {
		out[i] = rv.Index(i).Interface()
	}
	return out, true
}

// asObject takes any map whose keys are all strings: groupBy and fromPairs
// of the language make map[any].
func asObject(v any) (map[string]any, bool) {
	switch m := v.(type) {
	case map[string]any:
		return m, m != nil
	case nil:
		return nil, false
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Map {
		return nil, false
	}
	out := make(map[string]any, rv.Len())
	for it := rv.MapRange(); it.Next(); {
		k, ok := it.Key().Interface().(string)
		if !ok {
			return nil, false
		}
		out[k] = it.Value().Interface()
	}
	return out, true
}

// typeName names the type of a boxed value in errors.
func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "bool"
	case string:
		return "string"
	case []byte:
		return "bytes"
	case time.Time:
		return "time"
	case time.Duration:
		return "duration"
	case float64, float32:
		return "float"
	}
	if _, ok := asInt(v); ok {
		return "int"
	}
	switch reflect.TypeOf(v).Kind() {
	case reflect.Slice, reflect.Array:
		return "array"
	case reflect.Map:
		return "object"
	case reflect.Uint, reflect.Uint64:
		return "int"
	}
	return reflect.TypeOf(v).String()
}

// quote shows a text in an error: shortened, and with nothing that could
// change a terminal.
func quote(s string) string {
	const most = 60
	if len(s) <= most {
		return strconv.Quote(s)
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strconv.Quote(s[:cut]) + "..."
}

// tooLong is the error of a result beyond maxText.
func tooLong() error {
	return fmt.Errorf("the result is longer than %d bytes", maxText)
}
