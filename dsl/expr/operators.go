package expr

import (
	"bytes"
	"regexp"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm/runtime"

	"github.com/flowrecords/flow/engine/record"
)

func (b *builder) binary(n *ast.BinaryNode) (code, bool) {
	switch n.Operator {
	case "and", "&&", "or", "||", "??":
		return b.logic(n)
	case "in":
		return b.in(n)
	case "matches":
		return b.matches(n)
	case "..":
		return code{}, false
	case "+":
		if l, ok := n.Left.(*ast.BinaryNode); ok && l.Operator == "+" {
			return b.concat(n)
		}
	}
	l, ok := b.node(n.Left)
	if !ok {
		return code{}, false
	}
	r, ok := b.node(n.Right)
	if !ok {
		return code{}, false
	}
	switch n.Operator {
	case "==":
		return boolean(equalTo(l, r))
	case "!=":
		test := equalTo(l, r)
		return boolean(func(m *machine) bool { return !test(m) })
	case "<", ">", "<=", ">=":
		return boolean(order(n.Operator, l, r, b.text(n)))
	case "contains", "startsWith", "endsWith":
		return boolean(b.textTest(n, l, r))
	}
	return arithmetic(n.Operator, l, r, b.text(n))
}

// logic is the operators that look at their right side only if they must.
func (b *builder) logic(n *ast.BinaryNode) (code, bool) {
	l, ok := b.operand(n.Left)
	if !ok {
		return code{}, false
	}
	r, ok := b.operand(n.Right)
	if !ok || l.island && r.island {
		return code{}, false
	}
	rv := r.val
	if n.Operator == "??" {
		if l.island {
			return code{}, false
		}
		lv := l.val
		return code{val: func(m *machine) record.Value {
			if v := lv(m); !v.IsNil() {
				return v
			}
			return rv(m)
		}}, true
	}
	// expr asserts that the left side is a bool, but passes on the right side
	// as it is.
	lt, rt := b.asTest(l, n.Left), b.asTest(r, n.Right)
	c := code{}
	if n.Operator == "and" || n.Operator == "&&" {
		c.test = func(m *machine) bool { return lt(m) && rt(m) }
		c.val = func(m *machine) record.Value {
			if !lt(m) {
				return record.BoolValue(false)
			}
			return rv(m)
		}
		return c, true
	}
	c.test = func(m *machine) bool { return lt(m) || rt(m) }
	c.val = func(m *machine) record.Value {
		if lt(m) {
			return record.BoolValue(true)
		}
		return rv(m)
	}
	return c, true
}

// equalTo is ==, with a fast form for a constant on one side.
func equalTo(l, r code) boolFn {
	if l.isConst {
		l, r = r, l
	}
	lv, rv := l.val, r.val
	if !r.isConst {
		return func(m *machine) bool { return equal(lv(m), rv(m)) }
	}
	k := r.k
	switch k.Kind() {
	case record.Missing, record.Null:
		return func(m *machine) bool { return lv(m).IsNil() }
	case record.String:
		s := string(k.Text())
		return func(m *machine) bool {
			v := lv(m)
			return v.Kind() == record.String && string(v.Text()) == s
		}
	case record.Int:
		i, f := k.Int(), float64(k.Int())
		return func(m *machine) bool {
			v := lv(m)
			if v.Kind() == record.Int {
				return v.Int() == i
			}
			return v.Kind() == record.Float && v.Float() == f
		}
	}
	return func(m *machine) bool { return equal(lv(m), k) }
}

// equal is == of the language.
func equal(a, b record.Value) bool {
	switch a.Kind() {
	case record.Missing, record.Null:
		return b.IsNil()
	case record.Bool:
		return b.Kind() == record.Bool && a.Bool() == b.Bool()
	case record.Int:
		switch b.Kind() {
		case record.Int:
			return a.Int() == b.Int()
		case record.Float:
			return float64(a.Int()) == b.Float()
		}
		return false
	case record.Float:
		switch b.Kind() {
		case record.Int, record.Float:
			return a.Float() == b.Float()
		}
		return false
	case record.String:
		return b.Kind() == record.String && bytes.Equal(a.Text(), b.Text())
	case record.Time:
		return b.Kind() == record.Time && a.Time().Equal(b.Time())
	case record.Duration:
		return b.Kind() == record.Duration && a.Duration() == b.Duration()
	}
	if b.Kind() != a.Kind() {
		return false
	}
	return runtime.Equal(a.Any(), b.Any())
}

func isNumber(v record.Value) bool { return v.Kind() == record.Int || v.Kind() == record.Float }

// order is <, >, <= and >=.
func order(op string, l, r code, text string) boolFn {
	lv, rv := l.val, r.val
	slow := func(m *machine, a, b record.Value) bool {
		res, ok := compare(op, a, b)
		if !ok {
			m.failf("%s: %s", opMessage(op, kindName(a.Kind()), kindName(b.Kind())), text)
		}
		return res
	}
	if !r.isConst || r.k.Kind() != record.Int {
		return func(m *machine) bool { return slow(m, lv(m), rv(m)) }
	}
	k, i := r.k, r.k.Int()
	switch op {
	case "<":
		return func(m *machine) bool {
			v := lv(m)
			if v.Kind() == record.Int {
				return v.Int() < i
			}
			return slow(m, v, k)
		}
	case ">":
		return func(m *machine) bool {
			v := lv(m)
			if v.Kind() == record.Int {
				return v.Int() > i
			}
			return slow(m, v, k)
		}
	case "<=":
		return func(m *machine) bool {
			v := lv(m)
			if v.Kind() == record.Int {
				return v.Int() <= i
			}
			return slow(m, v, k)
		}
	}
	return func(m *machine) bool {
		v := lv(m)
		if v.Kind() == record.Int {
			return v.Int() >= i
		}
		return slow(m, v, k)
	}
}

// compare orders two values; false if they have no order.
func compare(op string, a, b record.Value) (res, ok bool) {
	switch {
	case a.Kind() == record.Int && b.Kind() == record.Int:
		return ordered(op, a.Int(), b.Int()), true
	case isNumber(a) && isNumber(b):
		return ordered(op, a.Float(), b.Float()), true
	case a.Kind() != b.Kind():
		return false, false
	}
	switch a.Kind() {
	case record.String:
		return ordered(op, bytes.Compare(a.Text(), b.Text()), 0), true
	case record.Time:
		return ordered(op, a.Time().Compare(b.Time()), 0), true
	case record.Duration:
		return ordered(op, a.Duration(), b.Duration()), true
	}
	return false, false
}

func ordered[T ~int | ~int64 | float64](op string, a, b T) bool {
	switch op {
	case "<":
		return a < b
	case ">":
		return a > b
	case "<=":
		return a <= b
	}
	return a >= b
}

// textTest is contains, startsWith and endsWith: false with a null.
func (b *builder) textTest(n *ast.BinaryNode, l, r code) boolFn {
	test := bytes.Contains
	switch n.Operator {
	case "startsWith":
		test = bytes.HasPrefix
	case "endsWith":
		test = bytes.HasSuffix
	}
	lv, rv, text, op := l.val, r.val, b.text(n), n.Operator
	return func(m *machine) bool {
		x, y := lv(m), rv(m)
		if x.Kind() == record.String && y.Kind() == record.String {
			return test(x.Text(), y.Text())
		}
		if !x.IsNil() && !y.IsNil() {
			wrong := x
			if x.Kind() == record.String {
				wrong = y
			}
			m.failf("%s needs string, got %s: %s", op, kindName(wrong.Kind()), text)
		}
		return false
	}
}

func (b *builder) matches(n *ast.BinaryNode) (code, bool) {
	pattern, ok := n.Right.(*ast.StringNode)
	if !ok {
		return code{}, false
	}
	re, err := regexp.Compile(pattern.Value)
	if err != nil {
		return code{}, false
	}
	l, ok := b.node(n.Left)
	if !ok {
		return code{}, false
	}
	lv, text := l.val, b.text(n)
	return boolean(func(m *machine) bool {
		v := lv(m)
		switch v.Kind() {
		case record.String, record.Bytes:
			return re.Match(v.Text())
		case record.Missing, record.Null:
			return false
		}
		m.failf("matches needs string, got %s: %s", kindName(v.Kind()), text)
		return false
	})
}
