package funcs

import (
	"errors"

	"github.com/flowrecords/flow/engine/record"
)

func (s *set) controlFuncs() []def {
	value := p("x", "any", "the value")
	return []def{
		{
			Func: Func{
				Name: "default", Group: groupControl,
				Doc:    "x, or fallback where x is null or missing. An empty text, zero and false stay as they are.",
				Params: []Param{value, p("fallback", "any", "what to use instead")},
				Result: "any",
				Examples: []Example{
					exIn(`default(value.country, "unknown")`, `{"id": 1}`, `"unknown"`),
					exIn(`default(value.count, 1)`, `{"count": 0}`, `0`),
				},
			},
			impl: func(a *in) (any, error) {
				if v := a.any(0); v != nil {
					return v, nil
				}
				return a.any(1), nil
			},
			fast: func(a fin) (record.Value, []byte, error) {
				if v := a.value(0); !v.IsNil() {
					return a.done(v, nil)
				}
				return a.done(orNull(a.value(1)), nil)
			},
		},
		{
			Func: Func{
				Name: "coalesce", Group: groupControl, Variadic: true,
				Doc:    "The first argument that is neither null nor missing; null if there is none.",
				Params: []Param{p("values", "any", "values to choose from, in order")},
				Result: "any",
				Examples: []Example{
					exIn(`coalesce(value.mobile, value.phone, "none")`, `{"mobile": null, "phone": "555"}`, `"555"`),
				},
			},
			impl: func(a *in) (any, error) {
				for _, v := range a.args {
					if v != nil {
						return v, nil
					}
				}
				return nil, nil
			},
			fast: func(a fin) (record.Value, []byte, error) {
				for _, v := range a.args {
					if !v.IsNil() {
						return a.done(v, nil)
					}
				}
				return a.done(record.NullValue(), nil)
			},
		},
		{
			// A boxed value does not know whether it was missing: whoever runs
			// Call with a path as the argument must decide on the slot itself.
			Func: Func{
				Name: "has", Group: groupControl,
				Doc: "Whether the record has the member that a path leads to. A member that is null is there, a missing one is not." +
					" Of a value that is no path of the record it says whether it is not null.",
				Params: []Param{p("path", "any", "a path of the record, such as value.customer.email")},
				Result: "bool",
				Examples: []Example{
					exIn(`has(value.email)`, `{"email": "a@example.com"}`, `true`),
					exIn(`has(value.phone)`, `{"email": "a@example.com"}`, `false`),
				},
			},
			impl: func(a *in) (any, error) { return a.any(0) != nil, nil },
			fast: func(a fin) (record.Value, []byte, error) {
				return a.done(record.BoolValue(a.value(0).Kind() != record.Missing), nil)
			},
		},
		{
			Func: Func{
				Name: "throw", Group: groupControl,
				Doc:    "Refuses the record: it goes to the errors edge with this reason.",
				Params: []Param{p("message", "string", "the reason")},
				Result: "any",
				Examples: []Example{
					exIn(`value.n > 0 ? value.n : throw("n is not positive")`, `{"n": 7}`, `7`),
					exErr(`throw("n is not positive")`, `throw: n is not positive`),
				},
			},
			impl: func(a *in) (any, error) { return nil, errors.New(a.text(0)) },
			// Folding would turn the error of a branch that is never taken
			// into one of the expression.
			impure: true,
		},
		{
			Func: Func{
				Name: "nothing", Group: groupControl,
				Doc:    "No result: in `set`, `headers`, `add_headers`, `value`, `key`, `topic` and `timestamp` of a `map` what is there stays as it is. It stands only where the result does, behind a condition; elsewhere it is a null.",
				Result: "any",
				Examples: []Example{
					exIn(`has(value.n) ? value.n + 1 : nothing()`, `{"n": 7}`, `8`),
				},
			},
			impl: func(*in) (any, error) { return nil, nil },
		},
		{
			Func: Func{
				Name: "assert", Group: groupControl,
				Doc: "True if the condition holds; otherwise the record goes to the errors edge with this reason.",
				Params: []Param{
					p("condition", "bool", "what must hold"),
					p("message", "string", "the reason if it does not"),
				},
				Result: "bool",
				Examples: []Example{
					exIn(`assert(value.n > 0, "n is not positive")`, `{"n": 7}`, `true`),
					exErr(`assert(1 > 2, "n is not positive")`, `assert: n is not positive`),
				},
			},
			impl: func(a *in) (any, error) {
				ok, msg := a.bool(0), a.text(1)
				if !ok {
					return nil, errors.New(msg)
				}
				return true, nil
			},
			impure: true,
		},
	}
}

// orNull turns Missing into Null, as boxing does.
func orNull(v record.Value) record.Value {
	if v.IsNil() {
		return record.NullValue()
	}
	return v
}
