package funcs

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// The groups, in the order of the documentation.
const (
	groupControl  = "Control"
	groupRecord   = "The record"
	groupTypes    = "Types"
	groupConvert  = "Conversion"
	groupText     = "Text"
	groupMask     = "Masking"
	groupRegex    = "Regular expressions"
	groupHash     = "Hashing"
	groupEncoding = "Encoding"
	groupID       = "Identifiers"
	groupTime     = "Time"
	groupDuration = "Durations"
	groupParse    = "Parsing and formatting"
	groupURL      = "URLs"
	groupNet      = "Network"
	groupObject   = "Objects"
	groupArray    = "Arrays"
	groupNumber   = "Numbers"
	groupBits     = "Bits"
	groupMachine  = "Clock, randomness, machine"
)

func groupOrder() []string {
	return []string{
		groupControl, groupRecord, groupTypes, groupConvert, groupText, groupMask, groupRegex, groupHash, groupEncoding,
		groupID, groupTime, groupDuration, groupParse, groupURL, groupNet, groupObject, groupArray,
		groupNumber, groupBits, groupMachine,
	}
}

// sortByGroup orders by group, own functions before those of the language,
// and keeps the order within each.
func sortByGroup(fs []Func) {
	order := groupOrder()
	rank := func(f Func) int {
		r := 2 * slices.Index(order, f.Group)
		if f.Builtin {
			r++
		}
		return r
	}
	slices.SortStableFunc(fs, func(a, b Func) int { return rank(a) - rank(b) })
}

// def is a function as it is written down here. bind makes the rest of Func
// from it: Types from Params and Result, so that the two cannot disagree.
type def struct {
	Func
	// impl need not look at in.err before it returns, but must bear the zero
	// values that a wrong argument reads as.
	impl func(a *in) (any, error)
	// fast is Fast with the arguments behind a reader, and returns a.done; nil
	// if there is none. The reader is a copy, because a pointer handed to a
	// function that may be any one would cost each call an allocation.
	fast func(a fin) (record.Value, []byte, error)
	// checks are run on constant arguments, by index. They return "" if all is well.
	checks map[int]func(arg any) string
	// impure marks clock, randomness and machine.
	impure bool
}

func p(name, typ, doc string) Param { return Param{Name: name, Type: typ, Doc: doc} }

func opt(name, typ, doc string) Param {
	return Param{Name: name, Type: typ, Doc: doc, Optional: true}
}

func ex(expr, want string) Example { return Example{Expr: expr, Want: want} }

func exIn(expr, input, want string) Example { return Example{Expr: expr, Input: input, Want: want} }

func exErr(expr, err string) Example { return Example{Expr: expr, Err: err} }

func (d def) bind() Func {
	f := d.Func
	f.Pure = !d.impure
	if !f.Builtin && len(f.Params) > 0 && !strings.Contains(f.Doc, "null") {
		f.Doc += " Null is an error."
	}
	if f.Builtin {
		return f
	}
	f.Types = signatures(f)
	desc := &Func{Name: f.Name, Params: f.Params}
	impl := d.impl
	f.Call = func(args ...any) (any, error) {
		a := in{fn: desc, args: args}
		v, err := impl(&a)
		if a.err != nil {
			return nil, a.err
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", desc.Name, err)
		}
		return v, nil
	}
	if fast := d.fast; fast != nil {
		f.Fast = func(dst []byte, args []record.Value) (record.Value, []byte, error) {
			return fast(fin{fn: desc, args: args, dst: dst})
		}
	}
	if ofPath := f.OfPath; ofPath != nil {
		f.OfPath = func(args []any) (PathFunc, error) {
			run, err := ofPath(args)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", desc.Name, err)
			}
			return func(dst []byte, x record.Value, s *schema.Schema) (record.Value, []byte, error) {
				v, dst, err := run(dst, x, s)
				if err != nil {
					return record.Value{}, dst, fmt.Errorf("%s: %w", desc.Name, err)
				}
				return v, dst, nil
			}, nil
		}
	}
	if checks := d.checks; checks != nil {
		f.Check = func(args []any) (int, string) {
			for i, arg := range args {
				check := checks[i]
				if check == nil || arg == nil {
					continue
				}
				if msg := check(arg); msg != "" {
					return i, msg
				}
			}
			return -1, ""
		}
	}
	return f
}

// signatures returns one function type for each choice of the optional
// parameters and of the Go types that the words stand for. Integers come
// before floats: the checker turns integer literals into floats for the first
// signature that has a float there.
func signatures(f Func) []any {
	required := 0
	for _, prm := range f.Params {
		if !prm.Optional {
			required++
		}
	}
	result := []reflect.Type{resultType(f.Result)}
	var out []any
	for n := required; n <= len(f.Params); n++ {
		if f.Variadic && n < len(f.Params) {
			continue
		}
		for _, ins := range combinations(f.Params[:n]) {
			if f.Variadic {
				ins[n-1] = reflect.SliceOf(ins[n-1])
			}
			t := reflect.FuncOf(ins, result, f.Variadic)
			out = append(out, reflect.New(t).Interface())
		}
	}
	return out
}

func combinations(params []Param) [][]reflect.Type {
	out := [][]reflect.Type{nil}
	for _, prm := range params {
		var next [][]reflect.Type
		for _, head := range out {
			for _, t := range goTypes(prm.Type) {
				next = append(next, append(slices.Clone(head), t))
			}
		}
		out = next
	}
	return out
}

// goTypes returns the Go types that a type word stands for in the checker.
func goTypes(words string) []reflect.Type {
	var out []reflect.Type
	for word := range strings.SplitSeq(words, "|") {
		switch word {
		case "string":
			out = append(out, reflect.TypeFor[string]())
		case "int":
			out = append(out, reflect.TypeFor[int]())
		case "float":
			out = append(out, reflect.TypeFor[float64]())
		case "number":
			out = append(out, reflect.TypeFor[int](), reflect.TypeFor[float64]())
		case "bool":
			out = append(out, reflect.TypeFor[bool]())
		case "bytes":
			out = append(out, reflect.TypeFor[[]byte]())
		case "time":
			out = append(out, reflect.TypeFor[time.Time]())
		case "duration":
			out = append(out, reflect.TypeFor[time.Duration]())
		case "array":
			out = append(out, reflect.TypeFor[[]any](), reflect.TypeFor[[]string](), reflect.TypeFor[[]int](), reflect.TypeFor[[]float64]())
		case "object":
			// The others are what fromPairs and groupBy make.
			out = append(out, reflect.TypeFor[map[string]any](), reflect.TypeFor[map[any]any](), reflect.TypeFor[map[any][]any]())
		case "any", "null":
			return []reflect.Type{reflect.TypeFor[any]()}
		default:
			panic("funcs: unknown type word " + word)
		}
	}
	return out
}

// resultType is the one Go type of a result.
func resultType(words string) reflect.Type {
	switch words {
	case "array":
		return reflect.TypeFor[[]any]()
	case "object":
		return reflect.TypeFor[map[string]any]()
	}
	if ts := goTypes(words); len(ts) == 1 {
		return ts[0]
	}
	return reflect.TypeFor[any]()
}
