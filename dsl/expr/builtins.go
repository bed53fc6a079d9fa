package expr

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"

	"github.com/flowrecords/flow/engine/record"
)

// boxedBuiltin is a function of the language in the form that takes boxes.
func boxedBuiltin(name string) func(...any) (any, error) {
	f := builtin.Builtins[builtin.Index[name]]
	switch {
	case f.Func != nil:
		return f.Func
	case f.Fast != nil:
		return func(args ...any) (any, error) { return f.Fast(args[0]), nil }
	}
	return func(args ...any) (any, error) {
		v, _, err := f.Safe(args...)
		return v, err
	}
}

// builtin builds a call of the language's own functions. Each has a fast form
// for the usual kinds; for any other kind expr itself is asked, so results
// and errors are its own.
func (b *builder) builtin(n *ast.BuiltinNode) (code, bool) {
	fast := fastBuiltin(n.Name, len(n.Arguments))
	if fast == nil {
		return code{}, false
	}
	vals, constant, ok := b.arguments(n.Arguments)
	if !ok {
		return code{}, false
	}
	text, slow := b.text(n), boxedBuiltin(n.Name)
	switch n.Name {
	case "abs":
		slow = callAbs
	case "string":
		slow = callString
	}
	var c code
	c.val = func(m *machine) record.Value {
		base := len(m.args)
		for _, val := range vals {
			m.args = append(m.args, val(m))
		}
		args := m.args[base:]
		m.args = m.args[:base]
		if m.err != nil {
			return record.NullValue()
		}
		if v, ok := fast(m, args); ok {
			return v
		}
		return m.callBoxed(slow, args, text)
	}
	if constant && n.Name != "now" {
		c = fold(c)
	}
	if n.Name == "hasPrefix" || n.Name == "hasSuffix" {
		val := c.val
		c.test = func(m *machine) bool { return val(m).Bool() }
	}
	return c, true
}

type fastFn func(m *machine, args []record.Value) (record.Value, bool)

// fastBuiltin returns the fast form of a function for that many arguments, nil
// if it has none. Only functions whose results are Values may be here.
func fastBuiltin(name string, args int) fastFn {
	switch {
	case args == 1:
		switch name {
		case "len":
			return fastLen
		case "abs":
			return fastAbs
		case "ceil":
			return rounder(math.Ceil)
		case "floor":
			return rounder(math.Floor)
		case "round":
			return rounder(math.Round)
		case "int":
			return fastInt
		case "float":
			return fastFloat
		case "string":
			return fastString
		case "upper":
			return caser('a', 'z', unicode.ToUpper)
		case "lower":
			return caser('A', 'Z', unicode.ToLower)
		case "trim":
			return onText(func(a [][]byte) []byte { return bytes.TrimSpace(a[0]) })
		case "trimPrefix":
			return onText(func(a [][]byte) []byte { return bytes.TrimPrefix(a[0], []byte{' '}) })
		case "trimSuffix":
			return onText(func(a [][]byte) []byte { return bytes.TrimSuffix(a[0], []byte{' '}) })
		}
	case args == 2:
		switch name {
		case "trim":
			return func(_ *machine, a []record.Value) (record.Value, bool) {
				if a[0].Kind() != record.String || a[1].Kind() != record.String {
					return record.Value{}, false
				}
				return record.TextValue(bytes.Trim(a[0].Text(), string(a[1].Text()))), true
			}
		case "trimPrefix":
			return onText(func(a [][]byte) []byte { return bytes.TrimPrefix(a[0], a[1]) })
		case "trimSuffix":
			return onText(func(a [][]byte) []byte { return bytes.TrimSuffix(a[0], a[1]) })
		case "hasPrefix":
			return testText(bytes.HasPrefix)
		case "hasSuffix":
			return testText(bytes.HasSuffix)
		case "min":
			return extreme("<")
		case "max":
			return extreme(">")
		}
	case args == 3 && name == "replace":
		return fastReplace
	}
	return nil
}

func onText(f func(args [][]byte) []byte) fastFn {
	return func(_ *machine, args []record.Value) (record.Value, bool) {
		var texts [3][]byte
		for i, a := range args {
			if a.Kind() != record.String {
				return record.Value{}, false
			}
			texts[i] = a.Text()
		}
		return record.TextValue(f(texts[:len(args)])), true
	}
}

func testText(f func(s, sub []byte) bool) fastFn {
	return func(_ *machine, a []record.Value) (record.Value, bool) {
		if a[0].Kind() != record.String || a[1].Kind() != record.String {
			return record.Value{}, false
		}
		return record.BoolValue(f(a[0].Text(), a[1].Text())), true
	}
}

func fastLen(_ *machine, a []record.Value) (record.Value, bool) {
	switch a[0].Kind() {
	case record.String:
		return record.IntValue(int64(utf8.RuneCount(a[0].Text()))), true
	case record.Bytes:
		return record.IntValue(int64(len(a[0].Text()))), true
	}
	return record.Value{}, false
}

func fastType(_ *machine, a []record.Value) (record.Value, bool) {
	var name string
	switch a[0].Kind() {
	case record.Missing, record.Null:
		name = "nil"
	case record.Bool:
		name = "bool"
	case record.Int:
		name = "int"
	case record.Float:
		name = "float"
	case record.String:
		name = "string"
	case record.Array, record.Bytes:
		name = "array"
	case record.Object:
		name = "map"
	case record.Time:
		name = "time"
	case record.Duration:
		name = "duration"
	default:
		return record.Value{}, false
	}
	return record.StringValue(name), true
}

func fastAbs(_ *machine, a []record.Value) (record.Value, bool) {
	switch v := a[0]; v.Kind() {
	case record.Int:
		return record.IntValue(max(v.Int(), -v.Int())), v.Int() != math.MinInt64
	case record.Float:
		if v.Float() < 0 {
			return record.FloatValue(-v.Float()), true
		}
		return record.FloatValue(v.Float()), true
	}
	return record.Value{}, false
}

func rounder(f func(float64) float64) fastFn {
	return func(_ *machine, a []record.Value) (record.Value, bool) {
		switch v := a[0]; v.Kind() {
		case record.Int:
			return record.FloatValue(float64(v.Int())), true
		case record.Float:
			return record.FloatValue(f(v.Float())), true
		}
		return record.Value{}, false
	}
}

func fastInt(_ *machine, a []record.Value) (record.Value, bool) {
	switch v := a[0]; v.Kind() {
	case record.Int:
		return record.IntValue(v.Int()), true
	case record.Float:
		return record.IntValue(int64(int(v.Float()))), true
	case record.String:
		i, err := strconv.Atoi(string(v.Text()))
		return record.IntValue(int64(i)), err == nil
	}
	return record.Value{}, false
}

func fastFloat(_ *machine, a []record.Value) (record.Value, bool) {
	switch v := a[0]; v.Kind() {
	case record.Int, record.Float:
		return record.FloatValue(v.Float()), true
	case record.String:
		f, err := strconv.ParseFloat(string(v.Text()), 64)
		return record.FloatValue(f), err == nil
	}
	return record.Value{}, false
}

func fastString(m *machine, a []record.Value) (record.Value, bool) {
	start := len(m.buf)
	switch v := a[0]; v.Kind() {
	case record.String:
		return v, true
	case record.Bytes:
		if !utf8.Valid(v.Text()) {
			return record.Value{}, false
		}
		return record.TextValue(v.Text()), true
	case record.Int:
		m.buf = strconv.AppendInt(m.buf, v.Int(), 10)
	case record.Float:
		m.buf = strconv.AppendFloat(m.buf, v.Float(), 'g', -1, 64)
	case record.Bool:
		m.buf = strconv.AppendBool(m.buf, v.Bool())
	case record.Missing, record.Null:
		m.buf = fmt.Append(m.buf, nil)
	default:
		return record.Value{}, false
	}
	return record.TextValue(m.since(start)), true
}

// caser changes the case of letters: the bytes first to last are ASCII
// letters of the other case.
func caser(first, last byte, change func(rune) rune) fastFn {
	return func(m *machine, a []record.Value) (record.Value, bool) {
		if a[0].Kind() != record.String {
			return record.Value{}, false
		}
		s := a[0].Text()
		i := 0
		for i < len(s) && s[i] < utf8.RuneSelf && (s[i] < first || s[i] > last) {
			i++
		}
		if i == len(s) {
			return a[0], true
		}
		start := len(m.buf)
		m.buf = append(m.buf, s[:i]...)
		for i < len(s) {
			c := s[i]
			switch {
			case c >= utf8.RuneSelf:
				r, n := utf8.DecodeRune(s[i:])
				m.buf = utf8.AppendRune(m.buf, change(r))
				i += n
				continue
			case first <= c && c <= last:
				c ^= 'a' - 'A'
			}
			m.buf = append(m.buf, c)
			i++
		}
		return record.TextValue(m.since(start)), true
	}
}

// extreme is min and max of numbers.
func extreme(op string) fastFn {
	return func(_ *machine, a []record.Value) (record.Value, bool) {
		best := a[0]
		for _, v := range a {
			if !isNumber(v) {
				return record.Value{}, false
			}
			if wins, _ := compare(op, v, best); wins {
				best = v
			}
		}
		return best, true
	}
}

func fastReplace(m *machine, a []record.Value) (record.Value, bool) {
	for _, v := range a {
		if v.Kind() != record.String {
			return record.Value{}, false
		}
	}
	s, old, with := a[0].Text(), a[1].Text(), a[2].Text()
	if len(old) == 0 {
		return record.Value{}, false
	}
	if !bytes.Contains(s, old) {
		return a[0], true
	}
	start := len(m.buf)
	for {
		i := bytes.Index(s, old)
		if i < 0 {
			break
		}
		m.buf = append(append(m.buf, s[:i]...), with...)
		s = s[i+len(old):]
	}
	m.buf = append(m.buf, s...)
	return record.TextValue(m.since(start)), true
}
