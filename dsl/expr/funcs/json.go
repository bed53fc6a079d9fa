package funcs

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine/limits"
)

func (s *set) jsonFuncs() []def {
	return []def{
		{
			Func: Func{
				Name: "parseJSON", Group: groupParse,
				Doc: "The value of a JSON text. Unlike `fromJSON` it keeps integers exact; one that does not fit 64 bits is a float." +
					fmt.Sprintf(" Nested at most %d deep. The JSON text `null` gives null, a null argument is an error.", limits.JSONDepth),
				Params: []Param{p("text", "string|bytes", "one JSON text")}, Result: "any",
				Examples: []Example{
					ex(`parseJSON('{"id": 9007199254740993, "tags": ["a"]}')`, `{"id":9007199254740993,"tags":["a"]}`),
					exErr(`parseJSON('{"id":')`, `parseJSON: the text ends within a value`),
				},
			},
			impl: func(a *in) (any, error) {
				data := a.data(0)
				if a.err != nil {
					return nil, nil
				}
				return parseJSON(data)
			},
		},
		{
			Func: Func{
				Name: "formatJSON", Group: groupParse,
				Doc: "A value as JSON in one line, object members sorted by name, or with pretty in lines indented by two spaces. Null gives `null`.",
				Params: []Param{
					p("x", "any", "the value"),
					opt("pretty", "bool", "whether to write indented lines"),
				},
				Result: "string",
				Examples: []Example{
					ex(`formatJSON({"b": [1, 2.5], "a": nil})`, `"{\"a\":null,\"b\":[1,2.5]}"`),
					ex(`formatJSON([1], true)`, `"[\n  1\n]"`),
				},
			},
			impl: func(a *in) (any, error) {
				b, err := appendJSON(nil, a.any(0), 0)
				if err != nil {
					return nil, err
				}
				if a.has(1) && a.bool(1) {
					var out bytes.Buffer
					if err := json.Indent(&out, b, "", "  "); err != nil {
						return nil, fmt.Errorf("indenting: %w", err)
					}
					b = out.Bytes()
				}
				if len(b) > maxText {
					return nil, tooLong()
				}
				return string(b), nil
			},
		},
		{
			Func: Func{
				Name: "isJSON", Group: groupParse, Doc: "Whether a text is valid JSON. False for null and for what is not text.",
				Params: []Param{p("text", "any", "the text")}, Result: "bool",
				Examples: []Example{ex(`isJSON("[1, 2]")`, `true`), ex(`isJSON("[1, 2")`, `false`)},
			},
			impl: func(a *in) (any, error) {
				t, ok := a.any(0).(string)
				if !ok {
					return false, nil
				}
				_, err := parseJSON([]byte(t))
				return err == nil, nil
			},
		},
	}
}

func parseJSON(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("the text is not UTF-8")
	}
	if err := checkDepth(data); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, errors.New("the text ends within a value")
		}
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is text behind the value")
	}
	return numbers(v)
}

// checkDepth counts brackets outside strings. It comes before decoding, which
// would go deeper.
func checkDepth(data []byte) error {
	depth, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > limits.JSONDepth {
				return errDepth
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

var errDepth = fmt.Errorf("nested deeper than %d", limits.JSONDepth)

// numbers turns every json.Number into an int or a float, in place.
func numbers(v any) (any, error) {
	var err error
	switch x := v.(type) {
	case json.Number:
		return number(string(x))
	case []any:
		for i := range x {
			if x[i], err = numbers(x[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for k := range x {
			if x[k], err = numbers(x[k]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// number reads the digits of a JSON number.
func number(digits string) (any, error) {
	if !strings.ContainsAny(digits, ".eE") {
		if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
			return int(n), nil
		}
	}
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return nil, fmt.Errorf("the number %s does not fit a float", quote(digits))
	}
	return f, nil
}

// appendJSON writes a boxed value as record.Value.AppendJSON does: members
// sorted, times in RFC 3339, durations as Go prints them, bytes as base64.
func appendJSON(dst []byte, v any, depth int) ([]byte, error) {
	if depth > limits.JSONDepth {
		return nil, errDepth
	}
	if len(dst) > maxText {
		return nil, tooLong()
	}
	switch x := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return strconv.AppendBool(dst, x), nil
	case string:
		return appendJSONString(dst, x), nil
	case []byte:
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), x), '"'), nil
	case time.Time:
		return append(x.AppendFormat(append(dst, '"'), time.RFC3339Nano), '"'), nil
	case time.Duration:
		return append(append(append(dst, '"'), x.String()...), '"'), nil
	case float32:
		return appendJSON(dst, float64(x), depth)
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, fmt.Errorf("JSON has no number %v", x)
		}
		return appendFloat(dst, x), nil
	}
	if n, ok := asInt(v); ok {
		return strconv.AppendInt(dst, int64(n), 10), nil
	}
	if arr, ok := asArray(v); ok {
		return appendJSONArray(dst, arr, depth)
	}
	if obj, ok := asObject(v); ok {
		return appendJSONObject(dst, obj, depth)
	}
	return nil, fmt.Errorf("JSON has no form for a value of type %s", typeName(v))
}

func appendJSONArray(dst []byte, arr []any, depth int) ([]byte, error) {
	var err error
	dst = append(dst, '[')
	for i, e := range arr {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendJSON(dst, e, depth+1); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

func appendJSONObject(dst []byte, obj map[string]any, depth int) ([]byte, error) {
	var err error
	dst = append(dst, '{')
	for i, k := range sortedKeys(obj) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendJSONString(dst, k), ':')
		if dst, err = appendJSON(dst, obj[k], depth+1); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

func sortedKeys(obj map[string]any) []string {
	keys := make([]string, 0, len(obj))
	for k := range obj {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func appendJSONString(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r) // U+FFFD for what is not UTF-8
			i += size
			continue
		}
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			dst = append(dst, c)
		}
		i++
	}
	return append(dst, '"')
}
