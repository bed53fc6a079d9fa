package funcs

import (
	"fmt"
	"maps"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

func (s *set) objectFuncs() []def {
	obj := p("obj", "object", "the object")
	return []def{
		{
			Func: Func{
				Name: "hasKey", Group: groupObject, Doc: "Whether an object has a member of this name, also when the member is null. A null object is an error.",
				Params: []Param{obj, p("name", "string", "the name, literally")}, Result: "bool",
				Examples: []Example{exIn(`hasKey(value, "a")`, `{"a": null}`, `true`), exIn(`hasKey(value, "b")`, `{"a": null}`, `false`)},
			},
			impl: func(a *in) (any, error) { _, ok := a.object(0)[a.text(1)]; return ok, nil },
		},
		{
			Func: Func{
				Name: "merge", Group: groupObject, Variadic: true,
				Doc:    "One object with the members of all; of members with the same name the last wins. A null argument is an error: use `default(x, {})`.",
				Params: []Param{p("objects", "object", "the objects")}, Result: "object",
				Examples: []Example{ex(`merge({"a": 1, "b": 1}, {"b": 2})`, `{"a":1,"b":2}`)},
			},
			impl: func(a *in) (any, error) {
				out := map[string]any{}
				for i := range a.args {
					maps.Copy(out, a.object(i))
				}
				return out, nil
			},
		},
		{
			Func: Func{
				Name: "mergeDeep", Group: groupObject, Variadic: true,
				Doc:    "Like `merge`, but where both sides have an object it merges these in turn. Arrays are replaced. A null argument is an error.",
				Params: []Param{p("objects", "object", "the objects")}, Result: "object",
				Examples: []Example{ex(`mergeDeep({"a": {"x": 1, "y": 1}}, {"a": {"y": 2}})`, `{"a":{"x":1,"y":2}}`)},
			},
			impl: func(a *in) (any, error) {
				out := map[string]any{}
				for i := range a.args {
					if err := mergeInto(out, a.object(i), 0); err != nil {
						return nil, err
					}
				}
				return out, nil
			},
		},
		{
			Func: Func{
				Name: "pick", Group: groupObject, Variadic: true,
				Doc: "The object with only the members named; one that is not there is left out.",
				Params: []Param{
					obj, p("names", "any", "names, or arrays of names"),
				},
				Result:   "object",
				Examples: []Example{ex(`pick({"a": 1, "b": 2, "c": 3}, "a", "c")`, `{"a":1,"c":3}`)},
			},
			impl: func(a *in) (any, error) {
				o, names := a.object(0), a.names(1)
				out := make(map[string]any, len(names))
				for _, n := range names {
					if v, ok := o[n]; ok {
						out[n] = v
					}
				}
				return out, nil
			},
		},
		{
			Func: Func{
				Name: "omit", Group: groupObject, Variadic: true,
				Doc: "The object without the members named.",
				Params: []Param{
					obj, p("names", "any", "names, or arrays of names"),
				},
				Result:   "object",
				Examples: []Example{ex(`omit({"a": 1, "b": 2, "c": 3}, ["a", "c"])`, `{"b":2}`)},
			},
			impl: func(a *in) (any, error) {
				out := map[string]any{}
				maps.Copy(out, a.object(0))
				for _, n := range a.names(1) {
					delete(out, n)
				}
				return out, nil
			},
		},
		{
			Func: Func{
				Name: "omitNulls", Group: groupObject, Doc: "An object without its null members, or an array without its null elements. Nested values stay as they are. A null argument is an error.",
				Params: []Param{p("x", "object|array", "the object or array")}, Result: "any",
				Examples: []Example{ex(`omitNulls({"a": 1, "b": nil})`, `{"a":1}`), ex(`omitNulls([1, nil, 2])`, `[1,2]`)},
			},
			impl: func(a *in) (any, error) { return omitNulls(a) },
		},
		{
			Func: Func{
				Name: "renameKeys", Group: groupObject,
				Doc: "The object with members renamed. A name that is not there is passed over; two members with the same name in the end are an error.",
				Params: []Param{
					obj, p("names", "object", "old name to new name"),
				},
				Result:   "object",
				Examples: []Example{ex(`renameKeys({"id": 1, "x": 2}, {"id": "order_id"})`, `{"order_id":1,"x":2}`)},
			},
			impl: func(a *in) (any, error) { return renameKeys(a.object(0), a.object(1)) },
		},
		{
			Func: Func{
				Name: "mapKeys", Group: groupObject,
				Doc: "The value with the names of all members, nested ones too, in one style. Two members with the same name in the end are an error.",
				Params: []Param{
					p("x", "object|array", "an object, or an array of objects"), p("style", "string", caseStyles),
				},
				Result:   "any",
				Examples: []Example{ex(`mapKeys({"orderId": 1, "lineItems": [{"unitPrice": 2}]}, "snakeCase")`, `{"line_items":[{"unit_price":2}],"order_id":1}`)},
			},
			impl: func(a *in) (any, error) {
				x, style := a.any(0), a.text(1)
				f := caseStyle(style)
				if a.err == nil && f == nil {
					return nil, fmt.Errorf("unknown style %s: use %s", quote(style), caseStyles)
				}
				if a.err == nil && kindOf(x) != record.Object && kindOf(x) != record.Array {
					a.wrong(0, "object or array")
				}
				if a.err != nil {
					return nil, nil
				}
				return mapKeys(x, f, 0)
			},
			checks: map[int]func(any) string{1: func(arg any) string {
				if t, ok := arg.(string); ok && caseStyle(t) == nil {
					return "unknown style " + quote(t) + ": use " + caseStyles
				}
				return ""
			}},
		},
		{
			Func: Func{
				Name: "sortedKeys", Group: groupObject, Doc: "Like `keys`, but a name that is not text is an error, as `groupBy` makes them of numbers.",
				Params: []Param{obj}, Result: "array",
				Examples: []Example{ex(`sortedKeys({"b": 1, "a": 2})`, `["a","b"]`)},
			},
			impl: func(a *in) (any, error) {
				keys := sortedKeys(a.object(0))
				out := make([]any, len(keys))
				for i, k := range keys {
					out[i] = k
				}
				return out, nil
			},
		},
		{
			// The language's own keys, values and toPairs follow the order of
			// a Go map, another one in each run: a record that comes again
			// would not give the same bytes.
			Func: Func{
				Name: "keys", Group: groupObject, Doc: "The names of an object's members, sorted.",
				Params: []Param{obj}, Result: "array",
				Examples: []Example{ex(`keys({"b": 1, "a": 2})`, `["a","b"]`)},
			},
			impl: func(a *in) (any, error) { return a.members(0, func(k, _ any) any { return k }), nil },
		},
		{
			Func: Func{
				Name: "values", Group: groupObject, Doc: "The values of an object's members in the order of their names.",
				Params: []Param{obj}, Result: "array",
				Examples: []Example{ex(`values({"b": 1, "a": 2})`, `[2,1]`)},
			},
			impl: func(a *in) (any, error) { return a.members(0, func(_, v any) any { return v }), nil },
		},
		{
			Func: Func{
				Name: "toPairs", Group: groupObject, Doc: "The members of an object as arrays of name and value, sorted by name.",
				Params: []Param{obj}, Result: "array",
				Examples: []Example{ex(`toPairs({"b": 1, "a": 2})`, `[["a",2],["b",1]]`)},
			},
			impl: func(a *in) (any, error) { return a.members(0, func(k, v any) any { return []any{k, v} }), nil },
		},
		{
			Func: Func{
				Name: "entries", Group: groupObject, Doc: "The members of an object as an array of objects with `key` and `value`, sorted by name.",
				Params: []Param{obj}, Result: "array",
				Examples: []Example{ex(`entries({"b": 1, "a": 2})`, `[{"key":"a","value":2},{"key":"b","value":1}]`)},
			},
			impl: func(a *in) (any, error) {
				o := a.object(0)
				out := make([]any, 0, len(o))
				for _, k := range sortedKeys(o) {
					out = append(out, map[string]any{"key": k, "value": o[k]})
				}
				return out, nil
			},
		},
		{
			Func: Func{
				Name: "fromEntries", Group: groupObject, Doc: "The object of an array of objects with `key` and `value`; of a name that repeats the last wins. A null argument is an error.",
				Params: []Param{p("entries", "array", "what `entries` gives")}, Result: "object",
				Examples: []Example{ex(`fromEntries([{"key": "a", "value": 1}])`, `{"a":1}`)},
			},
			impl: func(a *in) (any, error) {
				out := map[string]any{}
				for i, e := range a.array(0) {
					o, _ := asObject(e)
					k, ok := asText(o["key"])
					if !ok {
						return nil, fmt.Errorf("element %d has no key that is text", i)
					}
					out[k] = o["value"]
				}
				return out, nil
			},
		},
	}
}

// names reads the arguments from i on: texts and arrays of texts.
func (a *in) names(i int) []string {
	var out []string
	for ; i < len(a.args); i++ {
		if t, ok := asText(a.args[i]); ok {
			out = append(out, t)
			continue
		}
		if _, ok := asArray(a.args[i]); !ok {
			a.wrong(i, "string or array")
			return nil
		}
		out = append(out, a.texts(i)...)
	}
	return out
}

func mergeInto(out, more map[string]any, depth int) error {
	if depth > limits.JSONDepth {
		return errDepth
	}
	for k, v := range more {
		theirs, ok := asObject(v)
		ours, ok2 := asObject(out[k])
		if !ok || !ok2 {
			out[k] = v
			continue
		}
		own := maps.Clone(ours) // it may be an argument's
		if err := mergeInto(own, theirs, depth+1); err != nil {
			return err
		}
		out[k] = own
	}
	return nil
}

func omitNulls(a *in) (any, error) {
	x := a.any(0)
	if o, ok := asObject(x); ok {
		out := make(map[string]any, len(o))
		for k, v := range o {
			if v != nil {
				out[k] = v
			}
		}
		return out, nil
	}
	if arr, ok := asArray(x); ok {
		out := make([]any, 0, len(arr))
		for _, v := range arr {
			if v != nil {
				out = append(out, v)
			}
		}
		return out, nil
	}
	a.wrong(0, "object or array")
	return nil, nil
}

func renameKeys(o, names map[string]any) (any, error) {
	out := make(map[string]any, len(o))
	for _, k := range sortedKeys(o) {
		to := k
		if v, ok := names[k]; ok {
			if to, ok = asText(v); !ok {
				return nil, fmt.Errorf("the new name of %s is %s, want string", quote(k), typeName(v))
			}
		}
		if _, twice := out[to]; twice {
			return nil, fmt.Errorf("two members would have the name %s", quote(to))
		}
		out[to] = o[k]
	}
	return out, nil
}

func mapKeys(x any, f func(string) string, depth int) (any, error) {
	if depth > limits.JSONDepth {
		return nil, errDepth
	}
	if o, ok := asObject(x); ok {
		out := make(map[string]any, len(o))
		for _, k := range sortedKeys(o) {
			to := f(k)
			if _, twice := out[to]; twice {
				return nil, fmt.Errorf("two members would have the name %s", quote(to))
			}
			v, err := mapKeys(o[k], f, depth+1)
			if err != nil {
				return nil, err
			}
			out[to] = v
		}
		return out, nil
	}
	arr, ok := asArray(x)
	if !ok {
		return x, nil
	}
	out := make([]any, len(arr))
	for i, e := range arr {
		v, err := mapKeys(e, f, depth+1)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}
