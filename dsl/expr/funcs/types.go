package funcs

import (
	"time"

	"github.com/flowrecords/flow/engine/record"
)

// kindTest describes a test that the kind alone decides.
func kindTest(name, doc, yes, no string, kinds ...record.Kind) def {
	is := func(k record.Kind) bool {
		for _, want := range kinds {
			if k == want {
				return true
			}
		}
		return false
	}
	return def{
		Func: Func{
			Name: name, Group: groupTypes, Doc: doc,
			Params:   []Param{p("x", "any", "the value")},
			Result:   "bool",
			Examples: []Example{ex(name+"("+yes+")", "true"), ex(name+"("+no+")", "false")},
		},
		impl: func(a *in) (any, error) { return is(kindOf(a.any(0))), nil },
		fast: func(a fin) (record.Value, []byte, error) { return a.done(record.BoolValue(is(a.value(0).Kind())), nil) },
	}
}

func (s *set) typeFuncs() []def {
	return []def{
		kindTest("isNull", "Whether x is null or missing. `has` tells the two apart.", `nil`, `0`, record.Missing, record.Null),
		kindTest("isBool", "Whether x is true or false. False for null.", `true`, `1`, record.Bool),
		kindTest("isInt", "Whether x is a whole number written as one: 1.0 is a float. False for null.", `1`, `1.5`, record.Int),
		kindTest("isFloat", "Whether x is a number that is not an integer. False for null.", `1.5`, `1`, record.Float),
		kindTest("isNumber", "Whether x is an integer or a float. False for null.", `1.5`, `"1.5"`, record.Int, record.Float),
		kindTest("isString", "Whether x is text. False for null.", `"a"`, `1`, record.String),
		kindTest("isBytes", "Whether x is bytes. False for null and for text.", `b"a"`, `"a"`, record.Bytes),
		kindTest("isTime", "Whether x is a time. JSON has none: its times are text until `toTime` or `parseTime`. False for null.",
			`fromUnix(0)`, `"2026-01-02"`, record.Time),
		kindTest("isDuration", "Whether x is a duration. False for null.", `duration("1s")`, `1`, record.Duration),
		kindTest("isArray", "Whether x is an array. False for null.", `[1, 2]`, `"a"`, record.Array),
		kindTest("isObject", "Whether x is an object. False for null.", `{"a": 1}`, `[1]`, record.Object),
		{
			Func: Func{
				Name: "isEmpty", Group: groupTypes,
				Doc:    "Whether x is null, missing, or a text, bytes, array or object with nothing in it. Numbers and booleans are never empty.",
				Params: []Param{p("x", "any", "the value")},
				Result: "bool",
				Examples: []Example{
					exIn(`isEmpty(value.tags)`, `{"tags": []}`, `true`),
					ex(`isEmpty(" ")`, `false`), ex(`isEmpty(0)`, `false`),
				},
			},
			impl: func(a *in) (any, error) { return isEmpty(a.any(0)), nil },
			fast: func(a fin) (record.Value, []byte, error) {
				v := a.value(0)
				switch v.Kind() {
				case record.Missing, record.Null:
					return a.done(record.BoolValue(true), nil)
				case record.String, record.Bytes:
					return a.done(record.BoolValue(len(v.Text()) == 0), nil)
				case record.Array, record.Object:
					return a.done(record.BoolValue(v.Len() == 0), nil)
				}
				return a.done(record.BoolValue(false), nil)
			},
		},
	}
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []byte:
		return len(v) == 0
	}
	if arr, ok := asArray(v); ok {
		return len(arr) == 0
	}
	if obj, ok := asObject(v); ok {
		return len(obj) == 0
	}
	return false
}

// kindOf is the kind that a boxed value has in a record.
func kindOf(v any) record.Kind {
	switch v.(type) {
	case nil:
		return record.Null
	case bool:
		return record.Bool
	case string:
		return record.String
	case []byte:
		return record.Bytes
	case time.Time:
		return record.Time
	case time.Duration:
		return record.Duration
	case float64, float32:
		return record.Float
	}
	switch typeName(v) {
	case "int":
		return record.Int
	case "array":
		return record.Array
	case "object":
		return record.Object
	}
	return record.Missing
}
