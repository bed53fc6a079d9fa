package expr

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/vm/runtime"

	"github.com/flowrecords/flow/dsl/expr/funcs"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

// library is a function that expressions may call.
type library struct {
	funcs.Func
	fn *builtin.Function
}

// Names of functions that no text can call, because they are no identifiers.
const (
	sliceFunc = "$slice"
	addFunc   = "$add"
	getFunc   = "$get"
	typeFunc  = "$type"

	subtractFunc = "$subtract"
	multiplyFunc = "$multiply"
	negateFunc   = "$negate"
	absFunc      = "$abs"
	sumFunc      = "$sum"
	stringFunc   = "$string"
)

func newLibrary(all []funcs.Func) map[string]*library {
	out := map[string]*library{}
	for _, f := range all {
		if f.Builtin {
			continue
		}
		out[f.Name] = &library{Func: f, fn: &builtin.Function{
			Name: f.Name, Func: guard(f.Call), Types: signatureTypes(f.Types),
		}}
	}
	for _, f := range []funcs.Func{
		{
			Name: sliceFunc, Pure: true, Call: callSlice,
			Types: []any{new(func(any, any, any) any)},
		},
		{
			Name: addFunc, Pure: true, Call: callAdd,
			Types: []any{new(func(any, any) any)},
		},
		{
			Name: subtractFunc, Pure: true, Call: onInts(subtractInts, runtime.Subtract),
			Types: []any{new(func(any, any) any)},
		},
		{
			Name: multiplyFunc, Pure: true, Call: onInts(multiplyInts, runtime.Multiply),
			Types: []any{new(func(any, any) any)},
		},
		{Name: negateFunc, Pure: true, Call: callNegate, Types: []any{new(func(any) any)}},
		{Name: absFunc, Pure: true, Call: callAbs, Types: []any{new(func(any) any)}},
		{Name: stringFunc, Pure: true, Call: callString, Types: []any{new(func(any) string)}},
		{Name: sumFunc, Pure: true, Call: callSum, Types: []any{new(func(any) any)}},
		{
			Name: getFunc, Pure: true, Call: callGet,
			Types: []any{new(func(any, any) any)},
		},
		{
			Name: typeFunc, Pure: true, Call: callType,
			Fast: func(dst []byte, args []record.Value) (record.Value, []byte, error) {
				if v, ok := fastType(nil, args); ok {
					return v, dst, nil
				}
				name, err := callType(args[0].Any())
				return record.StringValue(name.(string)), dst, err
			},
			Types: []any{new(func(any) string)},
		},
		{
			Name: "indexOf", Pure: true, Call: func(args ...any) (any, error) { return callIndex("indexOf", strings.Index, args) },
			Types: []any{new(func(string, string) int)},
		},
		{
			Name: "lastIndexOf", Pure: true, Call: func(args ...any) (any, error) { return callIndex("lastIndexOf", strings.LastIndex, args) },
			Types: []any{new(func(string, string) int)},
		},
	} {
		if _, ok := out[f.Name]; ok {
			continue
		}
		out[f.Name] = &library{Func: f, fn: &builtin.Function{Name: f.Name, Func: f.Call, Types: signatureTypes(f.Types)}}
	}
	return out
}

// documented returns the functions of the language itself, by name.
func documented(all []funcs.Func) map[string]*funcs.Func {
	out := map[string]*funcs.Func{}
	for i := range all {
		if all[i].Builtin {
			out[all[i].Name] = &all[i]
		}
	}
	return out
}

func signatureTypes(types []any) []reflect.Type {
	out := make([]reflect.Type, len(types))
	for i, t := range types {
		out[i] = reflect.TypeOf(t)
		if out[i].Kind() == reflect.Pointer {
			out[i] = out[i].Elem()
		}
	}
	return out
}

// guard turns a panic of a library function into an error: a bug in one
// function must not stop a pipeline.
func guard(call func(args ...any) (any, error)) func(args ...any) (any, error) {
	return func(args ...any) (v any, err error) {
		defer func() {
			if p := recover(); p != nil {
				v, err = nil, fmt.Errorf("%v", p)
			}
		}()
		return call(args...)
	}
}

// callAdd is + on the VM, where a loop could double a text with every turn:
// expr's budget of memory does not count text.
func callAdd(args ...any) (any, error) {
	if a, ok := args[0].(string); ok {
		if b, ok := args[1].(string); ok && len(a)+len(b) > limits.RecordBytes {
			return nil, fmt.Errorf("the text is longer than %d bytes", limits.RecordBytes)
		}
	}
	return checkedAdd(args...)
}

var checkedAdd = onInts(addInts, runtime.Add)

// callGet is get of the language, with a byte of a text as an int.
func callGet(args ...any) (any, error) {
	v, err := boxedBuiltin("get")(args...)
	if b, ok := v.(uint8); ok {
		return int(b), err
	}
	return v, err
}

// callType is type of the language, with its words for integers and times.
func callType(args ...any) (any, error) {
	v, err := boxedBuiltin("type")(args...)
	switch v {
	case "uint":
		return "int", err
	case "time.Time":
		return "time", err
	case "time.Duration":
		return "duration", err
	}
	return v, err
}

// callString is string of the language, with bytes as the text that they are.
func callString(args ...any) (any, error) {
	b, isBytes := args[0].([]byte)
	if !isBytes {
		return boxedBuiltin("string")(args...)
	}
	if !utf8.Valid(b) {
		return nil, errors.New("the bytes are not UTF-8")
	}
	return string(b), nil
}

func callIndex(name string, index func(s, sub string) int, args []any) (any, error) {
	s, ok := args[0].(string)
	sub, ok2 := args[1].(string)
	if !ok || !ok2 {
		wrong := args[0]
		if ok {
			wrong = args[1]
		}
		return nil, fmt.Errorf("%s needs text, got %s", name, typeName(wrong))
	}
	i := index(s, sub)
	if i > 0 {
		i = utf8.RuneCountInString(s[:i])
	}
	return i, nil
}
