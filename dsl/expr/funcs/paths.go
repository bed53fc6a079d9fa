package funcs

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/cast"
	"github.com/flowrecords/flow/engine/record/flat"
	"github.com/flowrecords/flow/engine/schema"
)

func (s *set) pathFuncs() []def {
	sep := opt("separator", "string", "what joins the names; a dot if not given")
	return []def{
		{
			Func: Func{
				Name: "getPath", Group: groupObject,
				Doc:    "The value that a path in text leads to; null where it leads nowhere, also for a null x. A path that is known beforehand is better written as an expression: value.a.b.",
				Params: []Param{p("x", "any", "where the path begins"), p("path", "string", "a path such as `items[0].sku`")}, Result: "any",
				Examples: []Example{
					exIn(`getPath(value, "items[-1].sku")`, `{"items": [{"sku": "a"}, {"sku": "b"}]}`, `"b"`),
					exIn(`getPath(value, value.field)`, `{"field": "a.b", "a": {"b": 7}}`, `7`),
				},
			},
			impl: func(a *in) (any, error) {
				x, text := a.any(0), a.text(1)
				if a.err != nil {
					return nil, nil
				}
				path, err := parsePath(text)
				if err != nil {
					return nil, err
				}
				return follow(x, path), nil
			},
			checks: map[int]func(any) string{1: func(arg any) string {
				if t, ok := arg.(string); ok {
					if _, err := parsePath(t); err != nil {
						return err.Error()
					}
				}
				return ""
			}},
		},
		{
			Func: Func{
				Name: "flattenObject", Group: groupObject,
				Doc: "The object with nested objects laid flat: their names joined. Arrays and empty objects stay as they are. Of a path it has the order of the record, and with a schema the types of its fields; maps of a schema stay whole. " +
					"The mode `connect` does as Kafka Connect's Flatten: an empty object goes, of two members of one name the later one stays where there is no schema, and a map of a schema is an error.",
				Params: []Param{p("obj", "object", "the object"), sep, opt("mode", "string", "`exact` or `connect`; exact if not given")}, Result: "object",
				Examples: []Example{
					ex(`flattenObject({"a": {"b": 1, "c": {"d": 2}}, "e": [3]})`, `{"a.b":1,"a.c.d":2,"e":[3]}`),
					exIn(`flattenObject(value, "_")`, `{"b": {"z": 1.50}, "a": {}}`, `{"b_z":1.50,"a":{}}`),
				},
				NamesType:  true,
				OfPath:     flattenPath,
				TypeOfPath: flatType,
			},
			checks: map[int]func(any) string{2: checkMode},
			impl: func(a *in) (any, error) {
				o, sep, mode := a.object(0), a.optText(1, "."), a.optText(2, "")
				if a.err != nil {
					return nil, nil
				}
				m, err := modeOf(mode)
				if err != nil {
					return nil, err
				}
				out := map[string]any{}
				size := 0
				err = flattenInto(out, "", sep, o, 0, &size, m == cast.Java)
				return out, err
			},
		},
		{
			Func: Func{
				Name: "unflattenObject", Group: groupObject,
				Doc:    "The opposite of `flattenObject`: names with separators become nested objects. A name that would be both a value and an object is an error.",
				Params: []Param{p("obj", "object", "the object"), sep}, Result: "object",
				Examples: []Example{
					ex(`unflattenObject({"a.b": 1, "a.c": 2, "e": 3})`, `{"a":{"b":1,"c":2},"e":3}`),
					exErr(`unflattenObject({"a": 1, "a.b": 2})`, `unflattenObject: "a" is both a value and an object`),
				},
			},
			impl: func(a *in) (any, error) {
				o, sep := a.object(0), a.optText(1, ".")
				if sep == "" {
					return nil, errors.New("separator is empty")
				}
				return unflatten(o, sep)
			},
		},
	}
}

func parsePath(text string) (record.Path, error) {
	path, err := record.ParsePath(text)
	if err != nil {
		return nil, fmt.Errorf("path %s: %w", quote(text), err)
	}
	return path, nil
}

func follow(x any, path record.Path) any {
	for _, step := range path {
		if !step.IsIndex {
			o, _ := asObject(x)
			x = o[step.Name]
			continue
		}
		arr, _ := asArray(x)
		i := step.Index
		if i < 0 {
			i += len(arr)
		}
		if i < 0 || i >= len(arr) {
			return nil
		}
		x = arr[i]
	}
	return x
}

func flatOptions(args []any) (flat.Options, error) {
	o := flat.Options{Delimiter: "."}
	if len(args) > 0 {
		o.Delimiter = textArg(args, 0)
	}
	mode, err := modeOf(textArg(args, 1))
	o.Connect = mode == cast.Java
	return o, err
}

// flattenPath is what the processor flatten does with a part of the record.
func flattenPath(args []any) (PathFunc, error) {
	o, err := flatOptions(args)
	w := &flat.Walker{Options: o}
	var of *schema.Schema // that was looked at last, and why its values cannot be flat
	var wrong error
	return func(dst []byte, x record.Value, s *schema.Schema) (record.Value, []byte, error) {
		if x.Kind() != record.Object {
			return x, dst, flat.ErrObject
		}
		if s != nil && s.Type == schema.Any {
			s = nil
		}
		if s != nil && s != of {
			of = s
			_, wrong = flat.Schema(s, o)
		}
		if s != nil && wrong != nil {
			return x, dst, wrong
		}
		start := len(dst)
		dst, err := w.Append(dst, x, s)
		if err != nil {
			return x, dst[:start], err
		}
		return record.RawJSON(dst[start:len(dst):len(dst)]), dst, nil
	}, err
}

func flatType(s *schema.Schema, args []any) *schema.Schema {
	o, err := flatOptions(args)
	if err != nil || s == nil {
		return nil
	}
	out, err := flat.Schema(s.AsRequired(), o)
	if err != nil || slices.ContainsFunc(out.Fields, func(f schema.Field) bool { return f.Schema == schema.Unknown }) {
		return nil // it may be an object with fields of its own
	}
	return out
}

// flattenInto counts the bytes of names in size: deep nesting multiplies them.
func flattenInto(out map[string]any, prefix, sep string, o map[string]any, depth int, size *int, connect bool) error {
	if depth > limits.JSONDepth {
		return errDepth
	}
	for _, k := range sortedKeys(o) {
		name := prefix + k
		if *size += len(name); *size > maxText {
			return tooLong()
		}
		if inner, ok := asObject(o[k]); ok && (len(inner) > 0 || connect) {
			if err := flattenInto(out, name+sep, sep, inner, depth+1, size, connect); err != nil {
				return err
			}
			continue
		}
		if _, twice := out[name]; twice && !connect {
			return fmt.Errorf("two members would have the name %s", quote(name))
		}
		out[name] = o[k]
	}
	return nil
}

func unflatten(o map[string]any, sep string) (any, error) {
	out := map[string]any{}
	made := map[string]map[string]any{"": out} // objects of ours, by joined name
	for _, k := range sortedKeys(o) {
		if strings.Count(k, sep) >= limits.JSONDepth {
			return nil, errDepth
		}
		in, at := out, 0
		for {
			i := strings.Index(k[at:], sep)
			if i < 0 {
				break
			}
			name, joined := k[at:at+i], k[:at+i]
			at += i + len(sep)
			next := made[joined+sep]
			if next == nil {
				if _, taken := in[name]; taken {
					return nil, fmt.Errorf("%s is both a value and an object", quote(joined))
				}
				next = map[string]any{}
				made[joined+sep] = next
				in[name] = next
			}
			in = next
		}
		if _, taken := in[k[at:]]; taken {
			return nil, fmt.Errorf("%s is both a value and an object", quote(k))
		}
		in[k[at:]] = o[k]
	}
	return out, nil
}
