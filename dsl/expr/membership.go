package expr

import (
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm/runtime"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

// in is membership in constant lists, ranges, objects, and in what the record
// holds.
func (b *builder) in(n *ast.BinaryNode) (code, bool) {
	l, ok := b.node(n.Left)
	if !ok {
		return code{}, false
	}
	lv, text := l.val, b.text(n)
	switch right := n.Right.(type) {
	case *ast.ConstantNode:
		return b.inConstant(lv, right.Value, text)
	case *ast.BinaryNode:
		if right.Operator == ".." {
			return inRange(lv, right)
		}
	case *ast.ArrayNode:
		return b.inArray(lv, right)
	case *ast.CallNode:
		if f := b.r.refOf(right); f != nil && f.kind == refHeaders {
			return boolean(func(m *machine) bool {
				v := lv(m)
				switch v.Kind() {
				case record.Missing, record.Null, record.String:
					_, ok := m.rec.Header(string(v.Text()))
					return ok
				}
				m.failf("a header's name is text, not %s: %s", kindName(v.Kind()), text)
				return false
			})
		}
	}
	r, ok := b.node(n.Right)
	if !ok {
		return code{}, false
	}
	rv := r.val
	if name, ok := n.Left.(*ast.StringNode); ok && r.isSlot {
		if i, ok := b.child(r, record.Step{Name: name.Value}); ok {
			return boolean(func(m *machine) bool {
				list := rv(m)
				switch {
				case m.err != nil || list.IsNil():
					return false
				case list.Kind() == record.Object:
					return m.exists(&m.slots[i])
				}
				return m.inBoxed(lv(m), list, text)
			})
		}
	}
	return boolean(func(m *machine) bool {
		x, list := lv(m), rv(m)
		if m.err != nil || list.IsNil() {
			return false
		}
		switch list.Kind() {
		case record.Array, record.Object, record.Bytes:
			return m.inBoxed(x, list, text)
		}
		m.failf("in needs an array or object on its right, got %s: %s", kindName(list.Kind()), text)
		return false
	})
}

// child returns the slot one step below that of c, a path.
func (b *builder) child(c code, step record.Step) (int, bool) {
	parent := b.s.refs[c.slot]
	if !parent.document() || parent.derived() {
		return 0, false
	}
	below := *parent
	below.path = append(slices.Clone(parent.path), step)
	below.steps = append(slices.Clone(parent.steps), chainStep{})
	below.label = parent.label + " " + below.path[len(parent.path):].String()
	f := b.r.refOf(b.r.refNode(&below))
	i := slices.Index(b.s.refs, f)
	if i < 0 {
		i = len(b.s.refs)
		b.s.refs = append(b.s.refs, f)
	}
	return i, true
}

// at is what a path holds, Missing if it leads nowhere.
func (m *machine) at(s *slot) record.Value {
	d := m.rec.Value
	if s.kind == refKey {
		d = m.rec.Key
	}
	v, err := d.Get(s.id)
	if err != nil {
		m.fail(err)
	}
	return v
}

// inBoxed asks expr itself.
func (m *machine) inBoxed(x, list record.Value, text string) (found bool) {
	defer func() {
		if p := recover(); p != nil {
			m.failf("%w: %s", recovered(p), text)
			found = false
		}
	}()
	return runtime.In(x.Any(), list.Any())
}

func (b *builder) inConstant(lv valueFn, set any, text string) (code, bool) {
	switch set := set.(type) {
	case map[string]struct{}:
		// A null is looked up as empty text, as expr does.
		return boolean(func(m *machine) bool {
			v := lv(m)
			switch v.Kind() {
			case record.Missing, record.Null, record.String:
				_, ok := set[string(v.Text())]
				return ok
			}
			m.failf("cannot find %s in a list of text: %s", kindName(v.Kind()), text)
			return false
		})
	case map[int]struct{}:
		// A null is looked up as 0, as expr does.
		return boolean(func(m *machine) bool {
			v := lv(m)
			if v.Kind() != record.Int && !v.IsNil() {
				m.failf("cannot find %s in a list of int: %s", kindName(v.Kind()), text)
				return false
			}
			_, ok := set[int(v.Int())]
			return ok
		})
	case map[string]any:
		return boolean(func(m *machine) bool {
			v := lv(m)
			switch v.Kind() {
			case record.Missing, record.Null, record.String:
				_, ok := set[string(v.Text())]
				return ok
			}
			m.failf("a member's name is text, not %s: %s", kindName(v.Kind()), text)
			return false
		})
	case []any:
		return inList(lv, set)
	}
	return code{}, false
}

func inList(lv valueFn, set []any) (code, bool) {
	list := make([]record.Value, len(set))
	texts := make(map[string]struct{}, len(set))
	for i, e := range set {
		c, ok := constant(e)
		if !ok {
			return code{}, false
		}
		list[i] = c.k
		if s, ok := e.(string); ok {
			texts[s] = struct{}{}
		}
	}
	return boolean(func(m *machine) bool {
		v := lv(m)
		if v.Kind() == record.String {
			_, ok := texts[string(v.Text())]
			return ok
		}
		for i := range list {
			if equal(list[i], v) {
				return true
			}
		}
		return false
	})
}

// inArray evaluates every element before it looks, as expr does.
func (b *builder) inArray(lv valueFn, n *ast.ArrayNode) (code, bool) {
	vals := make([]valueFn, len(n.Nodes))
	for i, e := range n.Nodes {
		c, ok := b.node(e)
		if !ok {
			return code{}, false
		}
		vals[i] = c.val
	}
	return boolean(func(m *machine) bool {
		x, found := lv(m), false
		for _, val := range vals {
			found = equal(val(m), x) || found
		}
		return found
	})
}

// inRange is membership in first..last without making the list.
func inRange(lv valueFn, n *ast.BinaryNode) (code, bool) {
	from, ok := n.Left.(*ast.IntegerNode)
	to, ok2 := n.Right.(*ast.IntegerNode)
	if !ok || !ok2 {
		return code{}, false
	}
	first, last := int64(from.Value), int64(to.Value)
	// Beyond its budget expr fails; the VM says so.
	if size := last - first + 1; last >= first && (size <= 0 || size >= limits.ExprMemory) {
		return code{}, false
	}
	return boolean(func(m *machine) bool {
		v := lv(m)
		switch v.Kind() {
		case record.Int:
			return v.Int() >= first && v.Int() <= last
		case record.Float:
			f := v.Float()
			return f >= float64(first) && f <= float64(last) && f == float64(int64(f))
		}
		return false
	})
}
