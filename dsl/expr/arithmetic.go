package expr

import (
	"math"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm/runtime"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

// arithmetic is + - * / % ** of two operands.
func arithmetic(op string, l, r code, text string) (code, bool) {
	var calc func(a, b record.Value) (record.Value, bool)
	lv, rv := l.val, r.val
	switch op {
	case "+":
		return code{val: func(m *machine) record.Value {
			return m.plus(lv(m), rv(m), text)
		}}, true
	case "-":
		return code{val: func(m *machine) record.Value {
			a, b := lv(m), rv(m)
			if a.Kind() == record.Int && b.Kind() == record.Int {
				return m.ints(subtractInts, a, b, text)
			}
			v, ok := subtract(a, b)
			if !ok {
				m.failf("%s: %s", opMessage(op, kindName(a.Kind()), kindName(b.Kind())), text)
				return record.NullValue()
			}
			return v
		}}, true
	case "*":
		// Numbers here, without a call through a pointer.
		return code{val: func(m *machine) record.Value {
			a, b := lv(m), rv(m)
			switch {
			case a.Kind() == record.Float && isNumber(b), a.Kind() == record.Int && b.Kind() == record.Float:
				return record.FloatValue(a.Float() * b.Float())
			case a.Kind() == record.Int && b.Kind() == record.Int:
				return m.ints(multiplyInts, a, b, text)
			}
			v, ok := multiply(a, b)
			if !ok {
				m.failf("%s: %s", opMessage(op, kindName(a.Kind()), kindName(b.Kind())), text)
				return record.NullValue()
			}
			return v
		}}, true
	case "/":
		calc = divide
	case "**", "^":
		calc = func(a, b record.Value) (record.Value, bool) {
			return record.FloatValue(math.Pow(a.Float(), b.Float())), isNumber(a) && isNumber(b)
		}
	case "%":
		return code{val: func(m *machine) record.Value {
			a, b := lv(m), rv(m)
			switch {
			case a.Kind() != record.Int || b.Kind() != record.Int:
				m.failf("%s: %s", opMessage(op, kindName(a.Kind()), kindName(b.Kind())), text)
			case b.Int() == 0:
				m.failf("integer divide by zero: %s", text)
			case b.Int() == -1:
				return record.IntValue(0)
			default:
				return record.IntValue(a.Int() % b.Int())
			}
			return record.NullValue()
		}}, true
	default:
		return code{}, false
	}
	return code{val: func(m *machine) record.Value {
		a, b := lv(m), rv(m)
		v, ok := calc(a, b)
		if !ok {
			m.failf("%s: %s", opMessage(op, kindName(a.Kind()), kindName(b.Kind())), text)
			return record.NullValue()
		}
		return v
	}}, true
}

// add is + of anything but text, which needs a buffer, and two ints.
func add(a, b record.Value) (record.Value, bool) {
	ak, bk := a.Kind(), b.Kind()
	switch {
	case isNumber(a) && isNumber(b):
		return record.FloatValue(a.Float() + b.Float()), true
	case ak == record.Time && bk == record.Duration:
		return record.TimeValue(a.Time().Add(b.Duration())), true
	case ak == record.Duration && bk == record.Time:
		return record.TimeValue(b.Time().Add(a.Duration())), true
	case ak == record.Duration && bk == record.Duration:
		return record.DurationValue(a.Duration() + b.Duration()), true
	}
	return record.NullValue(), false
}

// subtract is - of anything but two ints.
func subtract(a, b record.Value) (record.Value, bool) {
	ak, bk := a.Kind(), b.Kind()
	switch {
	case isNumber(a) && isNumber(b):
		return record.FloatValue(a.Float() - b.Float()), true
	case ak == record.Time && bk == record.Time:
		return record.DurationValue(a.Time().Sub(b.Time())), true
	case ak == record.Time && bk == record.Duration:
		return record.TimeValue(a.Time().Add(-b.Duration())), true
	case ak == record.Duration && bk == record.Duration:
		return record.DurationValue(a.Duration() - b.Duration()), true
	}
	return record.NullValue(), false
}

// multiply is * of anything but two ints.
func multiply(a, b record.Value) (record.Value, bool) {
	ak, bk := a.Kind(), b.Kind()
	switch {
	case isNumber(a) && isNumber(b):
		return record.FloatValue(a.Float() * b.Float()), true
	case ak == record.Duration || bk == record.Duration:
		x, xok := boxNumber(a)
		y, yok := boxNumber(b)
		if !xok || !yok {
			break
		}
		v, err := record.FromAny(runtime.Multiply(x, y))
		return v, err == nil
	}
	return record.NullValue(), false
}

// boxNumber boxes what expr multiplies with a duration.
func boxNumber(v record.Value) (any, bool) {
	switch v.Kind() {
	case record.Int:
		return int(v.Int()), true
	case record.Float:
		return v.Float(), true
	case record.Duration:
		return v.Duration(), true
	}
	return nil, false
}

func divide(a, b record.Value) (record.Value, bool) {
	if !isNumber(a) || !isNumber(b) {
		return record.NullValue(), false
	}
	return record.FloatValue(a.Float() / b.Float()), true
}

// plus is + of two operands.
func (m *machine) plus(a, b record.Value, text string) record.Value {
	if a.Kind() == record.Int && b.Kind() == record.Int {
		return m.ints(addInts, a, b, text)
	}
	if a.Kind() != record.String || b.Kind() != record.String {
		if v, ok := add(a, b); ok {
			return v
		}
		m.failf("%s: %s", opMessage("+", kindName(a.Kind()), kindName(b.Kind())), text)
		return record.NullValue()
	}
	x, y := a.Text(), b.Text()
	if len(x)+len(y) > limits.RecordBytes {
		m.failf("the text is longer than %d bytes: %s", limits.RecordBytes, text)
		return record.NullValue()
	}
	start := len(m.buf)
	m.buf = append(append(m.buf, x...), y...)
	return record.TextValue(m.since(start))
}

// concat is a chain of + as a whole: text is put together in one go.
func (b *builder) concat(n *ast.BinaryNode) (code, bool) {
	parts := []ast.Node{n.Right}
	left := n.Left
	for {
		l, ok := left.(*ast.BinaryNode)
		if !ok || l.Operator != "+" {
			break
		}
		parts = append(parts, l.Right)
		left = l.Left
	}
	parts = append(parts, left)
	vals := make([]valueFn, len(parts))
	for i, p := range parts {
		c, ok := b.node(p)
		if !ok {
			return code{}, false
		}
		vals[len(parts)-1-i] = c.val
	}
	text := b.text(n)
	return code{val: func(m *machine) record.Value {
		base, size := len(m.args), 0
		allText := true
		for _, val := range vals {
			v := val(m)
			if v.Kind() == record.String {
				size += len(v.Text())
			} else {
				allText = false
			}
			m.args = append(m.args, v)
		}
		args := m.args[base:]
		m.args = m.args[:base]
		switch {
		case m.err != nil:
			return record.NullValue()
		case !allText:
			return m.sum(args, text)
		case size > limits.RecordBytes:
			m.failf("the text is longer than %d bytes: %s", limits.RecordBytes, text)
			return record.NullValue()
		}
		start := len(m.buf)
		for i := range args {
			m.buf = append(m.buf, args[i].Text()...)
		}
		return record.TextValue(m.since(start))
	}}, true
}

// sum adds from left to right.
func (m *machine) sum(args []record.Value, text string) record.Value {
	acc := args[0]
	for _, v := range args[1:] {
		acc = m.plus(acc, v, text)
	}
	return acc
}
