package funcs

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/cast"
	"github.com/flowrecords/flow/engine/schema"
)

// schemaFuncs ask for what the schema of the record declares, and change it.
func (s *set) schemaFuncs() []def {
	return []def{schemaTypeFunc(), withDefaultsFunc(), withSchemaFunc()}
}

func schemaTypeFunc() def {
	return def{
		Func: Func{
			Name: "schemaType", Group: groupRecord,
			Doc: "The type that the schema of the record declares at a path, as text: `struct`, `int32`, `timestamp`. `any` where it says nothing of it; null for records without a schema, for a path that the schema does not have, " +
				"and for what is no path. It reads nothing of the record.",
			Params: []Param{p("path", "any", "a path of the record, such as value or value.at")}, Result: "string|null",
			Examples: []Example{exIn(`schemaType(value.id)`, `{"id": 1}`, `null`)},
			Lenient:  true,
			OfPath: func([]any) (PathFunc, error) {
				return func(dst []byte, _ record.Value, s *schema.Schema) (record.Value, []byte, error) {
					if s == nil {
						return record.NullValue(), dst, nil
					}
					return record.StringValue(s.Type.String()), dst, nil
				}, nil
			},
		},
		impl: func(*in) (any, error) { return nil, nil },
	}
}

func withDefaultsFunc() def {
	return def{
		Func: Func{
			Name: "withDefaults", Group: groupRecord,
			Doc: "What stands at a path, or the default of its schema where it is null; of an object each of its own fields that is null and has a default gets it. As it is without a schema, and where it is no path. " +
				"A member that is not there reads as its default everywhere.",
			Params: []Param{p("path", "any", "a path of the record, such as value or value.country")}, Result: "any",
			Examples: []Example{exIn(`withDefaults(value.country)`, `{"country": "KR"}`, `"KR"`)},
			OfPath: func([]any) (PathFunc, error) {
				var defaults cast.Defaults
				return func(dst []byte, x record.Value, s *schema.Schema) (record.Value, []byte, error) {
					v, dst, _, err := defaults.Fill(dst, x, s)
					return orNull(v), dst, err
				}, nil
			},
			TypeOfPath: func(s *schema.Schema, _ []any) *schema.Schema { return s },
		},
		impl: func(a *in) (any, error) { return a.any(0), nil },
		fast: func(a fin) (record.Value, []byte, error) { return a.done(orNull(a.value(0)), nil) },
	}
}

func withSchemaFunc() def {
	return def{
		Func: Func{
			Name: "withSchema", Group: groupRecord,
			Doc: "x as it is, with another name, version, documentation or parameters of its schema; what is not given stays. It is for objects that expressions make, too, where the value has a schema. " +
				"Without one, nothing changes; null stays null.",
			Params:   []Param{p("x", "any", "the value"), p("about", "object", "what to set: name, version, doc, parameters")},
			Result:   "any",
			Examples: []Example{exIn(`withSchema({id: value.id}, {name: "shop.Order", version: 2})`, `{"id": 1}`, `{"id":1}`), exErr(`withSchema(1, {nme: "x"})`, `withSchema: nme is none of doc, name, parameters, version`)},
			OfPath: func(args []any) (PathFunc, error) {
				_, err := aboutOf(args[0])
				return func(dst []byte, x record.Value, _ *schema.Schema) (record.Value, []byte, error) {
					return orNull(x), dst, nil
				}, err
			},
			TypeOfPath: func(s *schema.Schema, args []any) *schema.Schema { return WithSchema(s, args[0]) },
			NamesType:  true,
		},
		impl: func(a *in) (any, error) {
			x, about := a.any(0), a.object(1)
			if a.err != nil {
				return nil, nil
			}
			_, err := aboutOf(about)
			return x, err
		},
	}
}

// about is what withSchema sets.
type about struct {
	name, doc  string
	version    int
	parameters map[string]string
}

func aboutOf(arg any) (about, error) {
	var out about
	given, _ := asObject(arg)
	err := options(given, map[string]func(any) bool{
		"name":    func(v any) (ok bool) { out.name, ok = v.(string); return ok && out.name != "" },
		"doc":     func(v any) (ok bool) { out.doc, ok = v.(string); return ok },
		"version": func(v any) (ok bool) { out.version, ok = asInt(v); return ok && out.version >= 0 },
		"parameters": func(v any) bool {
			all, ok := asObject(v)
			out.parameters = make(map[string]string, len(all))
			for k, x := range all {
				text, isText := x.(string)
				out.parameters[k], ok = text, ok && isText
			}
			return ok
		},
	})
	return out, err
}

// WithSchema is s with what an argument of withSchema says; nil: s is not known,
// or the argument says nothing that can be.
func WithSchema(s *schema.Schema, arg any) *schema.Schema {
	set, err := aboutOf(arg)
	if err != nil || s == nil || s.Type == schema.Any {
		return nil
	}
	out := s.Clone()
	if set.name != "" {
		out.Name = set.name
	}
	if set.version != 0 {
		out.Version = set.version
	}
	if set.doc != "" {
		out.Doc = set.doc
	}
	if len(set.parameters) > 0 {
		out.Parameters = maps.Clone(s.Parameters)
		if out.Parameters == nil {
			out.Parameters = make(map[string]string)
		}
		maps.Copy(out.Parameters, set.parameters)
	}
	return out
}

// options reads an argument that is an object of options.
func options(given map[string]any, known map[string]func(any) bool) error {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		read := known[name]
		if read == nil {
			return fmt.Errorf("%s is none of %s", quoteName(name), strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
		if !read(given[name]) {
			return fmt.Errorf("%s cannot be %s", name, describeArg(given[name]))
		}
	}
	return nil
}

func describeArg(v any) string {
	if text, ok := v.(string); ok {
		return quote(text)
	}
	return fmt.Sprintf("%.60v", v)
}
