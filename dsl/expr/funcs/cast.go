package funcs

import (
	"errors"
	"fmt"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/cast"
	"github.com/flowrecords/flow/engine/schema"
)

// modeOf reads how strict a conversion is.
func modeOf(text string) (cast.Mode, error) {
	switch text {
	case "", "exact":
		return cast.Exact, nil
	case "connect":
		return cast.Java, nil
	}
	return 0, fmt.Errorf("%s is no mode: it is exact or connect", quote(text))
}

// castTo reads the arguments of cast behind x.
func castTo(name, mode string) (cast.Type, cast.Mode, error) {
	to, ok := cast.Parse(name)
	if !ok {
		return 0, 0, badType(name)
	}
	m, err := modeOf(mode)
	return to, m, err
}

func castValue(dst []byte, v record.Value, from *schema.Schema, to cast.Type, mode cast.Mode) (record.Value, []byte, error) {
	if v.IsNil() {
		return v, dst, fmt.Errorf("null cannot be cast to %s", to)
	}
	if from != nil && from.Type == schema.Any {
		from = nil
	}
	v, dst, err := cast.Value(dst, v, from, to, mode)
	if from == nil && to == cast.Float32 && err == nil {
		v = cast.Short(v)
	}
	return v, dst, err
}

// castFunc is what the processor cast does with a field.
func castFunc() def {
	return def{
		Func: Func{
			Name: "cast", Group: groupConvert,
			Doc: "x as another type, as the processor `cast` has it: one of " + cast.Names + ". A number that does not fit its type is an error, a fraction is cut off toward zero, " +
				"a bool is 1 or 0, bytes become base64. Of a path with a schema its type counts: a date becomes its days since 1970 or `2006-01-02`, and what is set to the result is of the new type. " +
				"The mode `connect` casts in every detail as Kafka Connect: integers wrap around, floats stop at the end of the range, any text but true is false, floats and times are written as Java does.",
			Params: []Param{p("x", "any", "what to cast"), p("type", "string", "the name of the type"), opt("mode", "string", "`exact` or `connect`; exact if not given")},
			Result: "any",
			Examples: []Example{
				ex(`cast("42", "int32")`, `42`), ex(`cast(3.9, "int8")`, `3`), ex(`cast(true, "string")`, `"true"`),
				exErr(`cast(300, "int8")`, `cast: 300 is out of the range of int8`), ex(`cast(300, "int8", "connect")`, `44`),
			},
			NamesType: true,
			OfPath: func(args []any) (PathFunc, error) {
				to, mode, err := castTo(textArg(args, 0), textArg(args, 1))
				return func(dst []byte, x record.Value, s *schema.Schema) (record.Value, []byte, error) {
					return castValue(dst, x, s, to, mode)
				}, err
			},
			TypeOfPath: func(s *schema.Schema, args []any) *schema.Schema {
				to, ok := cast.Parse(textArg(args, 0))
				if !ok || s == nil || s.Type == schema.Any || s.Type.IsComplex() {
					return nil
				}
				return schema.New(to.Schema())
			},
		},
		checks: map[int]func(any) string{
			1: func(arg any) string {
				if name, ok := arg.(string); ok {
					if _, known := cast.Parse(name); !known {
						return badType(name).Error()
					}
				}
				return ""
			},
			2: checkMode,
		},
		impl: func(a *in) (any, error) {
			x, name, mode := a.any(0), a.text(1), a.optText(2, "")
			if a.err != nil {
				return nil, nil
			}
			to, m, err := castTo(name, mode)
			if err != nil {
				return nil, err
			}
			v, err := record.FromAny(x)
			if err != nil { // its text grows with the depth of x
				return nil, errors.New("an array or object cannot be cast")
			}
			out, _, err := castValue(nil, v, nil, to, m)
			return out.Any(), err
		},
		fast: func(a fin) (record.Value, []byte, error) {
			v, name, mode := a.value(0), a.text(1), []byte(nil)
			if a.has(2) {
				mode = a.text(2)
			}
			if a.err != nil {
				return a.done(record.Value{}, nil)
			}
			to, m, err := castTo(view(name), view(mode))
			if err != nil {
				return a.done(record.Value{}, err)
			}
			out, dst, err := castValue(a.dst, v, nil, to, m)
			a.dst = dst
			return a.done(out, err)
		},
	}
}

func checkMode(arg any) string {
	if text, ok := arg.(string); ok {
		if _, err := modeOf(text); err != nil {
			return err.Error()
		}
	}
	return ""
}

// textArg is a constant argument that is a text, "" if it was not given.
func textArg(args []any, i int) string {
	if i >= len(args) {
		return ""
	}
	text, _ := args[i].(string)
	return text
}

func badType(name string) error {
	return fmt.Errorf("%s is no type: it is one of %s", quote(name), cast.Names)
}
