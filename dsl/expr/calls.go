package expr

import (
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/flowrecords/flow/engine/record"
)

// call builds a reference or a call of the library.
func (b *builder) call(n *ast.CallNode) (code, bool) {
	if f := b.r.refOf(n); f != nil {
		i := slices.Index(b.s.refs, f)
		c := code{isSlot: true, slot: i, val: func(m *machine) record.Value { return m.read(i) }}
		switch {
		case f.kind == refTombstone:
			c.test = func(m *machine) bool { return m.tombstone() }
		case f.has:
			c.test = func(m *machine) bool { return m.exists(&m.slots[i]) }
		case f.kind == refValue && !f.derived():
			// read without its detours, for what expressions do most.
			c.val = func(m *machine) record.Value {
				s := &m.slots[i]
				v, err := m.rec.Value.Get(s.id)
				if err != nil || v.Kind() == record.Missing {
					return m.missing(m.rec.Value, s, err)
				}
				return v
			}
		case f.kind == refValue && f.written && !f.got && len(f.calls) == 0:
			c.val = func(m *machine) record.Value {
				s := &m.slots[i]
				v, err := m.rec.Value.Get(s.id)
				if err != nil || v.Kind() == record.Missing || ownText(v) {
					return m.derived(s)
				}
				return v
			}
		}
		return c, true
	}
	id, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		return code{}, false
	}
	f := b.r.env.lib[id.Value]
	if f == nil {
		return code{}, false
	}
	switch f.Name {
	case sliceFunc:
		return b.slice(n)
	case addFunc, subtractFunc, multiplyFunc:
		return b.operator(f.Name, n)
	}
	vals, constant, ok := b.arguments(n.Arguments)
	if !ok {
		return code{}, false
	}
	c := callLibrary(f, vals, b.text(n))
	if f.Result == "bool" {
		val := c.val
		c.test = func(m *machine) bool { return val(m).Bool() }
	}
	if constant && f.Pure {
		return fold(c), true
	}
	return c, true
}

// operator is a call that stands for an operator: of literals that overflow,
// in a loop, or of a node that is part of an island, too.
func (b *builder) operator(name string, n *ast.CallNode) (code, bool) {
	l, ok := b.node(n.Arguments[0])
	if !ok {
		return code{}, false
	}
	r, ok := b.node(n.Arguments[1])
	if !ok {
		return code{}, false
	}
	for op, fn := range operators {
		if fn == name {
			return arithmetic(op, l, r, b.text(n))
		}
	}
	return code{}, false
}

// arguments builds the arguments of a call; constant says that all are.
func (b *builder) arguments(nodes []ast.Node) (vals []valueFn, constant, ok bool) {
	constant = true
	for _, a := range nodes {
		c, ok := b.node(a)
		if !ok {
			return nil, false, false
		}
		vals = append(vals, c.val)
		constant = constant && c.isConst
	}
	return vals, constant, true
}

// fold computes a call of constants now. One that fails is left as it is: it
// may stand in a branch that is never taken.
func fold(c code) code {
	m := &machine{}
	v := c.val(m)
	if m.err != nil {
		return c
	}
	k := v.Own()
	out := code{isConst: true, k: k, val: func(*machine) record.Value { return k }}
	if k.Kind() == record.Bool {
		is := k.Bool()
		out.test = func(*machine) bool { return is }
	}
	return out
}

// callLibrary builds a call of the library, in its fast form if it has one.
func callLibrary(f *library, vals []valueFn, text string) code {
	fast := f.Fast
	return code{val: func(m *machine) record.Value {
		base := len(m.args)
		for _, val := range vals {
			m.args = append(m.args, val(m))
		}
		args := m.args[base:]
		m.args = m.args[:base]
		if m.err != nil {
			return record.NullValue()
		}
		if fast == nil {
			return m.callBoxed(f.fn.Func, args, text)
		}
		v, buf, err := m.callFast(f, args)
		if err != nil {
			m.failf("%w: %s", err, text)
			return record.NullValue()
		}
		m.buf = buf
		return v
	}}
}

func (m *machine) callFast(f *library, args []record.Value) (v record.Value, buf []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			v, buf, err = record.NullValue(), m.buf, recovered(p)
		}
	}()
	return f.Fast(m.buf, args)
}

// callBoxed calls a function as the VM does.
func (m *machine) callBoxed(call func(...any) (any, error), args []record.Value, text string) (v record.Value) {
	defer func() {
		if p := recover(); p != nil {
			m.failf("%w: %s", recovered(p), text)
			v = record.NullValue()
		}
	}()
	boxed := make([]any, len(args))
	for i := range args {
		boxed[i] = args[i].Any()
	}
	out, err := call(boxed...)
	if err == nil {
		v, err = fromAny(out)
	}
	if err != nil {
		m.failf("%w: %s", err, text)
		return record.NullValue()
	}
	return v
}
