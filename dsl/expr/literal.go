package expr

import (
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/flowrecords/flow/engine/record"
)

// lookup is a member of a constant object by a name that the record gives.
func (b *builder) lookup(n *ast.MemberNode) (code, bool) {
	table, ok := n.Node.(*ast.ConstantNode)
	if !ok || n.Optional {
		return code{}, false
	}
	object, ok := table.Value.(map[string]any)
	if !ok {
		return code{}, false
	}
	name, ok := b.node(n.Property)
	if !ok {
		return code{}, false
	}
	values := make(map[string]record.Value, len(object))
	for k, v := range object {
		c, ok := constant(v)
		if !ok {
			return code{}, false
		}
		values[k] = c.k
	}
	val, text := name.val, b.text(n)
	return code{val: func(m *machine) record.Value {
		v := val(m)
		switch v.Kind() {
		case record.Missing, record.Null, record.String:
			if out, ok := values[string(v.Text())]; ok {
				return out
			}
		default:
			m.failf("a member's name is text, not %s: %s", kindName(v.Kind()), text)
		}
		return record.NullValue()
	}}, true
}

// object writes a map literal as JSON, members in the order of the source.
func (b *builder) object(n *ast.MapNode) (code, bool) {
	var names []string
	var values []code
	for _, p := range n.Pairs {
		pair := p.(*ast.PairNode)
		key, ok := pair.Key.(*ast.StringNode)
		if !ok || slices.Contains(names, key.Value) {
			return b.operandOnVM(n)
		}
		c, ok := b.tail(pair.Value)
		if !ok {
			return code{}, false
		}
		names = append(names, key.Value)
		values = append(values, c)
	}
	heads := make([]string, len(names))
	for i, name := range names {
		quoted, err := record.StringValue(name).AppendJSON(nil)
		if err != nil {
			return b.operandOnVM(n)
		}
		heads[i] = string(quoted) + ":"
	}
	return b.written(n, '{', '}', heads, values), true
}

func (b *builder) array(n *ast.ArrayNode) (code, bool) {
	values := make([]code, len(n.Nodes))
	for i, e := range n.Nodes {
		c, ok := b.tail(e)
		if !ok {
			return code{}, false
		}
		values[i] = c
	}
	return b.written(n, '[', ']', make([]string, len(values)), values), true
}

// operandOnVM is for literals whose names are known or unique only at run time.
func (b *builder) operandOnVM(n ast.Node) (code, bool) {
	if len(b.lets) > 0 && len(b.freeLets(n)) > 0 {
		return code{}, false
	}
	return b.island(n), true
}

// written evaluates all values first: they use the same buffer.
func (b *builder) written(n ast.Node, open, end byte, heads []string, values []code) code {
	vals := make([]valueFn, len(values))
	for i, v := range values {
		vals[i] = v.val
	}
	text := b.text(n)
	return code{val: func(m *machine) record.Value {
		base := len(m.args)
		for _, val := range vals {
			m.args = append(m.args, val(m))
		}
		if m.err != nil {
			m.args = m.args[:base]
			return record.NullValue()
		}
		start := len(m.buf)
		m.buf = append(m.buf, open)
		for i, v := range m.args[base:] {
			if i > 0 {
				m.buf = append(m.buf, ',')
			}
			m.buf = append(m.buf, heads[i]...)
			var err error
			if m.buf, err = v.AppendJSON(m.buf); err != nil {
				m.failf("%w: %s", err, text)
				break
			}
		}
		m.args = m.args[:base]
		if m.err != nil {
			return record.NullValue()
		}
		m.buf = append(m.buf, end)
		return record.RawJSON(m.since(start))
	}}
}
