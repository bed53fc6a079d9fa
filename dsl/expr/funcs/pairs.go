package funcs

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

func (s *set) pairFuncs() []def {
	pairSep := p("pairSeparator", "string", "what stands between pairs")
	kvSep := p("separator", "string", "what stands between a name and its value")
	obj := p("obj", "object", "names and values")
	csvSep := opt("separator", "string", "one character; a comma if not given")
	return []def{
		{
			Func: Func{
				Name: "parseKeyValue", Group: groupParse,
				Doc: "An object of the pairs in a text. White space around names and values goes; a name without separator has the value null; of a name that repeats the last wins. A null text is an error.",
				Params: []Param{
					p("text", "string", "the text"), pairSep, kvSep,
				},
				Result:   "object",
				Examples: []Example{ex(`parseKeyValue("a=1; b=x=y; c", ";", "=")`, `{"a":"1","b":"x=y","c":null}`)},
			},
			impl: func(a *in) (any, error) {
				t, pair, kv := a.text(0), a.text(1), a.text(2)
				if a.err == nil && (pair == "" || kv == "") {
					return nil, errors.New("a separator is empty")
				}
				return parseKeyValue(t, pair, kv), nil
			},
		},
		{
			Func: Func{
				Name: "formatKeyValue", Group: groupParse,
				Doc:    "The members of an object as pairs, sorted by name. A null value is empty. A null object is an error.",
				Params: []Param{obj, pairSep, kvSep}, Result: "string",
				Examples: []Example{ex(`formatKeyValue({"b": 2, "a": "x"}, "; ", "=")`, `"a=x; b=2"`)},
			},
			impl: func(a *in) (any, error) { return formatPairs(a.object(0), a.text(1), a.text(2), plain, plain) },
		},
		{
			Func: Func{
				Name: "parseLogfmt", Group: groupParse,
				Doc:    "An object of a line such as `level=info msg=\"it works\" dry`. Values are text; a name without = is true; of a name that repeats the last wins.",
				Params: []Param{p("text", "string", "the line")}, Result: "object",
				Examples: []Example{ex(`parseLogfmt('level=info msg="it works" dry')`, `{"dry":true,"level":"info","msg":"it works"}`)},
			},
			impl: func(a *in) (any, error) { return parseLogfmt(a.text(0)) },
		},
		{
			Func: Func{
				Name: "formatLogfmt", Group: groupParse, Doc: "The members of an object as a logfmt line, sorted by name, values quoted where they must be. A null value is empty. A null object is an error.",
				Params: []Param{obj}, Result: "string",
				Examples: []Example{ex(`formatLogfmt({"msg": "it works", "n": 2})`, `"msg=\"it works\" n=2"`)},
			},
			impl: func(a *in) (any, error) { return formatPairs(a.object(0), " ", "=", logfmtName, logfmtValue) },
		},
		{
			Func: Func{
				Name: "parseCSVRow", Group: groupParse, Doc: "The fields of one CSV row (RFC 4180) as an array of text.",
				Params: []Param{p("text", "string", "one row"), csvSep}, Result: "array",
				Examples: []Example{ex(`parseCSVRow('1,"a, b",""')`, `["1","a, b",""]`), ex(`parseCSVRow("a;b", ";")`, `["a","b"]`)},
			},
			impl: func(a *in) (any, error) {
				t, sep := a.text(0), a.csvSeparator(1)
				if a.err != nil {
					return nil, nil
				}
				return parseCSVRow(t, sep)
			},
			checks: map[int]func(any) string{1: checkCSVSeparator},
		},
		{
			Func: Func{
				Name: "formatCSVRow", Group: groupParse, Doc: "An array as one CSV row (RFC 4180) without line end. A null element is an empty field. A null array is an error.",
				Params: []Param{p("fields", "array", "the fields"), csvSep}, Result: "string",
				Examples: []Example{ex(`formatCSVRow([1, "a, b", nil])`, `"1,\"a, b\","`)},
			},
			impl: func(a *in) (any, error) {
				arr, sep := a.array(0), a.csvSeparator(1)
				if a.err != nil {
					return nil, nil
				}
				return formatCSVRow(arr, sep)
			},
			checks: map[int]func(any) string{1: checkCSVSeparator},
		},
		{
			Func: Func{
				Name: "parseInt", Group: groupParse, Doc: "An integer in another base, with or without the prefix 0x, 0o or 0b of bases 16, 8 and 2.",
				Params: []Param{p("text", "string", "the digits"), p("base", "int", "2 to 36")}, Result: "int",
				Examples: []Example{ex(`parseInt("ff", 16)`, `255`), ex(`parseInt("-0b101", 2)`, `-5`)},
			},
			impl:   func(a *in) (any, error) { return parseInt(a.text(0), a.int(1)) },
			checks: map[int]func(any) string{1: checkBase},
		},
		{
			Func: Func{
				Name: "formatInt", Group: groupParse, Doc: "An integer in another base, without prefix.",
				Params: []Param{p("n", "int", "the integer"), p("base", "int", "2 to 36")}, Result: "string",
				Examples: []Example{ex(`formatInt(255, 16)`, `"ff"`)},
			},
			impl: func(a *in) (any, error) {
				n, base := a.int(0), a.int(1)
				if a.err != nil {
					return nil, nil
				}
				if base < 2 || base > 36 {
					return nil, errBase
				}
				return strconv.FormatInt(int64(n), base), nil
			},
			checks: map[int]func(any) string{1: checkBase},
		},
	}
}

var (
	errBase         = errors.New("base is not 2 to 36")
	errCSVSeparator = errors.New("separator is not one character, or a quote or line end")
)

func checkBase(arg any) string {
	if n, ok := arg.(int); ok && (n < 2 || n > 36) {
		return errBase.Error()
	}
	return ""
}

func parseInt(text string, base int) (any, error) {
	if base < 2 || base > 36 {
		return nil, errBase
	}
	t := strings.TrimSpace(text)
	sign := ""
	if strings.HasPrefix(t, "-") || strings.HasPrefix(t, "+") {
		sign, t = t[:1], t[1:]
	}
	if prefix := map[int]string{16: "0x", 8: "0o", 2: "0b"}[base]; prefix != "" && len(t) > 2 && strings.EqualFold(t[:2], prefix) {
		t = t[2:]
	}
	if strings.HasPrefix(t, "-") || strings.HasPrefix(t, "+") {
		return nil, fmt.Errorf("%s is not an int in base %d", quote(text), base)
	}
	n, err := strconv.ParseInt(sign+t, base, 64)
	if errors.Is(err, strconv.ErrRange) {
		return nil, fmt.Errorf("%s does not fit an int", quote(text))
	}
	if err != nil {
		return nil, fmt.Errorf("%s is not an int in base %d", quote(text), base)
	}
	return int(n), nil
}

func parseKeyValue(text, pairSep, kvSep string) map[string]any {
	out := map[string]any{}
	if pairSep == "" {
		return out
	}
	for pair := range strings.SplitSeq(text, pairSep) {
		name, value, found := strings.Cut(pair, kvSep)
		name = strings.TrimSpace(name)
		switch {
		case name == "" && !found:
		case found:
			out[name] = strings.TrimSpace(value)
		default:
			out[name] = nil
		}
	}
	return out
}

func plain(t string) (string, error) { return t, nil }

func formatPairs(obj map[string]any, pairSep, kvSep string, name, value func(string) (string, error)) (any, error) {
	var b strings.Builder
	for i, k := range sortedKeys(obj) {
		if i > 0 {
			b.WriteString(pairSep)
		}
		t := ""
		var err error
		if v := obj[k]; v != nil {
			if t, err = toText(v); err != nil {
				return nil, fmt.Errorf("member %s: %w", quote(k), err)
			}
		}
		if k, err = name(k); err != nil {
			return nil, err
		}
		if t, err = value(t); err != nil {
			return nil, err
		}
		b.WriteString(k)
		b.WriteString(kvSep)
		b.WriteString(t)
		if b.Len() > maxText {
			return nil, tooLong()
		}
	}
	return b.String(), nil
}

func logfmtName(k string) (string, error) {
	if k == "" || strings.ContainsFunc(k, func(r rune) bool { return r <= ' ' || r == '=' || r == '"' }) {
		return "", fmt.Errorf("member %s has a name that logfmt cannot write", quote(k))
	}
	return k, nil
}

func logfmtValue(t string) (string, error) {
	if t == "" || strings.ContainsFunc(t, func(r rune) bool { return r <= ' ' || r == '=' || r == '"' || r == '\\' }) {
		return string(appendJSONString(nil, t)), nil
	}
	return t, nil
}

func parseLogfmt(t string) (any, error) {
	out := map[string]any{}
	for {
		t = strings.TrimLeft(t, " \t\r\n")
		if t == "" {
			return out, nil
		}
		end := strings.IndexAny(t, "= \t\r\n\"")
		if end == 0 {
			return nil, fmt.Errorf("a name is missing at %s", quote(t))
		}
		if end < 0 || t[end] != '=' {
			if end >= 0 && t[end] == '"' {
				return nil, fmt.Errorf("a name has a quote in it at %s", quote(t))
			}
			if end < 0 {
				end = len(t)
			}
			out[t[:end]] = true
			t = t[end:]
			continue
		}
		name := t[:end]
		t = t[end+1:]
		if !strings.HasPrefix(t, `"`) {
			end = strings.IndexAny(t, " \t\r\n")
			if end < 0 {
				end = len(t)
			}
			out[name] = t[:end]
			t = t[end:]
			continue
		}
		quoted, err := strconv.QuotedPrefix(t)
		if err != nil {
			return nil, fmt.Errorf("the quotes of %s do not close", quoteName(name))
		}
		if out[name], err = strconv.Unquote(quoted); err != nil {
			return nil, fmt.Errorf("the value of %s has a bad escape", quoteName(name))
		}
		t = t[len(quoted):]
	}
}

func checkCSVSeparator(arg any) string {
	if t, ok := arg.(string); ok && !validCSVSeparator(t) {
		return errCSVSeparator.Error()
	}
	return ""
}

func validCSVSeparator(t string) bool {
	r, size := utf8.DecodeRuneInString(t)
	return size > 0 && size == len(t) && r != '"' && r != '\r' && r != '\n' && r != 0 && r != utf8.RuneError
}

func (a *in) csvSeparator(i int) rune {
	t := a.optText(i, ",")
	if a.err == nil && !validCSVSeparator(t) {
		a.err = fmt.Errorf("%s: %w", a.fn.Name, errCSVSeparator)
	}
	r, _ := utf8.DecodeRuneInString(t)
	return r
}

func parseCSVRow(t string, sep rune) (any, error) {
	r := csv.NewReader(strings.NewReader(t))
	r.Comma = sep
	r.FieldsPerRecord = -1
	fields, err := r.Read()
	if errors.Is(err, io.EOF) {
		return []any{}, nil
	}
	var pe *csv.ParseError
	if errors.As(err, &pe) {
		return nil, fmt.Errorf("%s is not a CSV row: %w", quote(t), pe.Err)
	}
	if err != nil {
		return nil, err
	}
	if _, err := r.Read(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s is more than one CSV row", quote(t))
	}
	out := make([]any, len(fields))
	for i, f := range fields {
		out[i] = f
	}
	return out, nil
}

func formatCSVRow(arr []any, sep rune) (any, error) {
	fields := make([]string, len(arr))
	total := 0
	for i, e := range arr {
		if e == nil {
			continue
		}
		t, err := toText(e)
		if err != nil {
			return nil, fmt.Errorf("element %d: %w", i, err)
		}
		if total += len(t); total > maxText {
			return nil, tooLong()
		}
		fields[i] = t
	}
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Comma = sep
	if err := w.Write(fields); err != nil {
		return nil, err
	}
	w.Flush()
	return strings.TrimSuffix(b.String(), "\n"), w.Error()
}
