package funcs

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/flowrecords/flow/engine/limits"
)

func (s *set) arrayFuncs() []def {
	arr := p("array", "array", "the array")
	keep := func(name, doc, want string, wanted bool) def {
		return def{
			Func: Func{
				Name: name, Group: groupArray, Doc: doc,
				Params: []Param{arr, p("other", "array", "the elements to look for")}, Result: "array",
				Examples: []Example{ex(name+`([1, 2, 3, 2], [2, 4])`, want)},
			},
			impl: func(a *in) (any, error) {
				there, err := keySet(a.array(1))
				if err != nil {
					return nil, err
				}
				out := []any{}
				for _, e := range a.array(0) {
					k, err := appendKey(nil, e, 0)
					if err != nil {
						return nil, err
					}
					if there[string(k)] == wanted {
						out = append(out, e)
					}
				}
				return out, nil
			},
		}
	}
	return []def{
		{
			Func: Func{
				Name: "chunk", Group: groupArray, Doc: "The array cut into arrays of this size; the last may be shorter.",
				Params: []Param{arr, p("size", "int", "the elements of each")}, Result: "array",
				Examples: []Example{ex(`chunk([1, 2, 3, 4, 5], 2)`, `[[1,2],[3,4],[5]]`)},
			},
			impl: func(a *in) (any, error) {
				v, n := a.array(0), a.int(1)
				if n < 1 {
					return nil, errors.New("size is less than 1")
				}
				out := []any{}
				for len(v) > n {
					out = append(out, v[:n:n])
					v = v[n:]
				}
				if len(v) > 0 {
					out = append(out, v)
				}
				return out, nil
			},
		},
		{
			Func: Func{
				Name: "distinct", Group: groupArray,
				Doc:    "The array without elements that came before, in the order of their first place. 1 and 1.0 are the same. For long arrays it is much faster than `uniq`. Null elements count as equal; a null array is an error.",
				Params: []Param{arr}, Result: "array",
				Examples: []Example{ex(`distinct([3, 1, 3, "1", 1.0])`, `[3,1,"1"]`)},
			},
			impl: func(a *in) (any, error) {
				seen := map[string]bool{}
				out := []any{}
				var k []byte
				for _, e := range a.array(0) {
					var err error
					if k, err = appendKey(k[:0], e, 0); err != nil {
						return nil, err
					}
					if !seen[string(k)] {
						seen[string(k)] = true
						out = append(out, e)
					}
				}
				return out, nil
			},
		},
		keep("intersect", "The elements that are also in another array, in order.", `[2,2]`, true),
		keep("without", "The elements that are not in another array, in order.", `[1,3]`, false),
		{
			Func: Func{
				Name: "zip", Group: groupArray, Variadic: true,
				Doc:    "An array of arrays: the first elements of all, the second ones, and so on, to the end of the longest; what is not there is null. A null argument is an error.",
				Params: []Param{p("arrays", "array", "the arrays")}, Result: "array",
				Examples: []Example{ex(`zip(["a", "b"], [1, 2])`, `[["a",1],["b",2]]`)},
			},
			impl: func(a *in) (any, error) {
				cols := make([][]any, len(a.args))
				most := 0
				for i := range a.args {
					cols[i] = a.array(i)
					most = max(most, len(cols[i]))
				}
				if most*len(cols) > limits.ExprMemory {
					return nil, fmt.Errorf("the result has more than %d elements", limits.ExprMemory)
				}
				out := make([]any, most)
				for i := range out {
					row := make([]any, len(cols))
					for c, col := range cols {
						if i < len(col) {
							row[c] = col[i]
						}
					}
					out[i] = row
				}
				return out, nil
			},
		},
	}
}

func keySet(arr []any) (map[string]bool, error) {
	out := make(map[string]bool, len(arr))
	for _, e := range arr {
		k, err := appendKey(nil, e, 0)
		if err != nil {
			return nil, err
		}
		out[string(k)] = true
	}
	return out, nil
}

// appendKey writes a text that is the same for values that are equal, and
// different for all others.
func appendKey(dst []byte, v any, depth int) ([]byte, error) {
	if depth > limits.JSONDepth {
		return nil, errDepth
	}
	var err error
	switch x := v.(type) {
	case nil:
		return append(dst, 'z'), nil
	case bool:
		return strconv.AppendBool(append(dst, 'b'), x), nil
	case string:
		return strconv.AppendQuote(dst, x), nil
	case []byte:
		return strconv.AppendQuote(append(dst, 'y'), string(x)), nil
	case time.Time:
		return x.UTC().AppendFormat(append(dst, 't'), time.RFC3339Nano), nil
	case time.Duration:
		return strconv.AppendInt(append(dst, 'd'), int64(x), 10), nil
	case float32:
		return appendKey(dst, float64(x), depth)
	case float64:
		if n := int(x); float64(n) == x && x > -1<<62 && x < 1<<62 {
			return strconv.AppendInt(append(dst, 'n'), int64(n), 10), nil
		}
		return strconv.AppendFloat(append(dst, 'n'), x, 'g', -1, 64), nil
	}
	if n, ok := asInt(v); ok {
		return strconv.AppendInt(append(dst, 'n'), int64(n), 10), nil
	}
	if arr, ok := asArray(v); ok {
		dst = append(dst, '[')
		for _, e := range arr {
			if dst, err = appendKey(dst, e, depth+1); err != nil {
				return nil, err
			}
			dst = append(dst, ',')
		}
		return append(dst, ']'), nil
	}
	if o, ok := asObject(v); ok {
		dst = append(dst, '{')
		for _, k := range sortedKeys(o) {
			dst = append(strconv.AppendQuote(dst, k), ':')
			if dst, err = appendKey(dst, o[k], depth+1); err != nil {
				return nil, err
			}
			dst = append(dst, ',')
		}
		return append(dst, '}'), nil
	}
	return nil, fmt.Errorf("cannot compare a value of type %s", typeName(v))
}
