package funcs

import (
	"errors"
	"fmt"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/cast"
)

// castFunc is what the processor cast does with a field.
func castFunc() def {
	run := func(dst []byte, v record.Value, name string) (record.Value, []byte, error) {
		to, ok := cast.Parse(name)
		switch {
		case !ok:
			return v, dst, badType(name)
		case v.IsNil():
			return v, dst, fmt.Errorf("null cannot be cast to %s", to)
		}
		v, dst, err := cast.Value(dst, v, nil, to, cast.Exact)
		if to == cast.Float32 && err == nil {
			v = cast.Short(v)
		}
		return v, dst, err
	}
	return def{
		Func: Func{
			Name: "cast", Group: groupConvert,
			Doc: "x as another type, as the processor `cast` has it: one of " + cast.Names + ". A number that does not fit its type is an error, a fraction is cut off toward zero, " +
				"a bool is 1 or 0, bytes become base64.",
			Params: []Param{p("x", "any", "what to cast"), p("type", "string", "the name of the type")},
			Result: "any",
			Examples: []Example{
				ex(`cast("42", "int32")`, `42`), ex(`cast(3.9, "int8")`, `3`), ex(`cast(true, "string")`, `"true"`),
				exErr(`cast(300, "int8")`, `cast: 300 is out of the range of int8`),
			},
		},
		checks: map[int]func(any) string{1: func(arg any) string {
			if name, ok := arg.(string); ok {
				if _, known := cast.Parse(name); !known {
					return badType(name).Error()
				}
			}
			return ""
		}},
		impl: func(a *in) (any, error) {
			x, name := a.any(0), a.text(1)
			if a.err != nil {
				return nil, nil
			}
			v, err := record.FromAny(x)
			if err != nil { // its text grows with the depth of x
				return nil, errors.New("an array or object cannot be cast")
			}
			out, _, err := run(nil, v, name)
			return out.Any(), err
		},
		fast: func(a fin) (record.Value, []byte, error) {
			v, name := a.value(0), a.text(1)
			if a.err != nil {
				return a.done(record.Value{}, nil)
			}
			out, dst, err := run(a.dst, v, view(name))
			a.dst = dst
			return a.done(out, err)
		},
	}
}

func badType(name string) error {
	return fmt.Errorf("%s is no type: it is one of %s", quote(name), cast.Names)
}
