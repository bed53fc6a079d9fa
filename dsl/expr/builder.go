package expr

import (
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/flowrecords/flow/engine/record"
)

type (
	valueFn func(m *machine) record.Value
	boolFn  func(m *machine) bool
)

// code is what a node became. All of it is shared by the workers.
type code struct {
	// val is always set.
	val valueFn
	// test is val in a place that needs a bool: it fails on any other kind.
	// Nil where val must be asked and looked at.
	test boolFn

	// isConst: the result is k.
	isConst bool
	k       record.Value
	// isSlot: the node is the reference slot.
	isSlot bool
	slot   int
	// island: the node runs on the VM, nothing of it is closures. An operator
	// over nothing but islands becomes one itself.
	island bool
}

// builder turns a checked tree into closures. The rules are those of expr's
// VM, to the letter: what is an error there is one here. A node that it does
// not know makes the expression around it, up to the next boolean operator or
// branch, an island on the VM.
type builder struct {
	r *resolver
	s *Source
	// lets are the names around the node that is built.
	lets []letScope
}

type letScope struct {
	name  string
	local int
	decl  *ast.VariableDeclaratorNode
}

// program builds the root.
func (b *builder) program(n ast.Node) code {
	c, ok := b.tail(n)
	if !ok || b.r.env.vmOnly {
		b.s.islands, b.s.locals, b.lets = nil, 0, nil
		c = b.island(n)
	}
	if b.s.want == WantBool {
		c.test = b.asTest(c, n)
	}
	return c
}

// tail builds a node whose result is that of the expression. Literals there
// are written as JSON at once, members in the order of the source.
func (b *builder) tail(n ast.Node) (code, bool) {
	switch n := n.(type) {
	case *ast.MapNode:
		return b.object(n)
	case *ast.ArrayNode:
		return b.array(n)
	case *ast.VariableDeclaratorNode:
		return b.let(n, b.tail)
	case *ast.ConditionalNode:
		return b.conditional(n, b.tail)
	}
	return b.operand(n)
}

// operand builds a node as closures, or as an island.
func (b *builder) operand(n ast.Node) (code, bool) {
	islands, locals := len(b.s.islands), b.s.locals
	if c, ok := b.node(n); ok {
		return c, true
	}
	b.s.islands, b.s.locals = b.s.islands[:islands], locals
	free := b.freeLets(n)
	if len(free) == 0 {
		return b.island(n), true
	}
	if b.s.random {
		// Evaluating let again would give another value.
		return code{}, false
	}
	// The island evaluates the names that it uses by itself.
	for i := len(b.lets) - 1; i >= 0; i-- {
		if !free[b.lets[i].name] {
			continue
		}
		d := b.lets[i].decl
		wrapped := &ast.VariableDeclaratorNode{Name: d.Name, Value: d.Value, Expr: n}
		wrapped.SetLocation(d.Location())
		wrapped.SetNature(*n.Nature())
		b.r.texts[wrapped] = b.text(n)
		n = wrapped
	}
	return b.island(n), true
}

// freeLets returns the names of let that n uses, and those that these use.
func (b *builder) freeLets(n ast.Node) map[string]bool {
	free := map[string]bool{}
	var look func(n ast.Node)
	look = func(n ast.Node) {
		if id, ok := n.(*ast.IdentifierNode); ok && !free[id.Value] {
			for _, l := range b.lets {
				if l.name == id.Value {
					free[l.name] = true
					look(l.decl.Value)
				}
			}
		}
		for _, c := range children(n) {
			if c != nil {
				look(c)
			}
		}
	}
	look(n)
	return free
}

// node builds a node as closures; false if it does not know how.
func (b *builder) node(n ast.Node) (code, bool) {
	switch n := n.(type) {
	case *ast.NilNode, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.StringNode, *ast.BytesNode, *ast.ConstantNode:
		v, _ := literal(n)
		return constant(v)
	case *ast.IdentifierNode:
		for _, l := range slices.Backward(b.lets) {
			if l.name == n.Value {
				i := l.local
				return code{val: func(m *machine) record.Value { return m.locals[i] }}, true
			}
		}
	case *ast.UnaryNode:
		return b.unary(n)
	case *ast.BinaryNode:
		return b.binary(n)
	case *ast.ConditionalNode:
		return b.conditional(n, b.operand)
	case *ast.VariableDeclaratorNode:
		return b.let(n, b.node)
	case *ast.MemberNode:
		return b.lookup(n)
	case *ast.CallNode:
		return b.call(n)
	case *ast.BuiltinNode:
		return b.builtin(n)
	}
	return code{}, false
}

func constant(v any) (code, bool) {
	k, err := record.FromAny(v)
	if err != nil {
		return code{}, false
	}
	c := code{isConst: true, k: k, val: func(*machine) record.Value { return k }}
	if k.Kind() == record.Bool {
		is := k.Bool()
		c.test = func(*machine) bool { return is }
	}
	return c, true
}

func boolean(test boolFn) (code, bool) {
	return code{test: test, val: func(m *machine) record.Value { return record.BoolValue(test(m)) }}, true
}

// asTest returns the closure for a place that needs a bool.
func (b *builder) asTest(c code, n ast.Node) boolFn {
	if c.test != nil {
		return c.test
	}
	val, text := c.val, b.text(n)
	return func(m *machine) bool {
		v := val(m)
		if v.Kind() != record.Bool {
			m.failf("needs bool, got %s: %s", kindName(v.Kind()), text)
			return false
		}
		return v.Bool()
	}
}

func (b *builder) unary(n *ast.UnaryNode) (code, bool) {
	switch n.Operator {
	case "!", "not":
		c, ok := b.operand(n.Node)
		if !ok {
			return code{}, false
		}
		if c.island {
			return code{}, false
		}
		test := b.asTest(c, n.Node)
		return boolean(func(m *machine) bool { return !test(m) })
	case "+":
		return b.node(n.Node)
	case "-":
		c, ok := b.node(n.Node)
		if !ok {
			return code{}, false
		}
		val, text := c.val, b.text(n)
		return code{val: func(m *machine) record.Value {
			v := val(m)
			switch v.Kind() {
			case record.Int:
				return m.ints(subtractInts, record.IntValue(0), v, text)
			case record.Float:
				return record.FloatValue(-v.Float())
			}
			m.failf("cannot negate %s: %s", kindName(v.Kind()), text)
			return record.NullValue()
		}}, true
	}
	return code{}, false
}

func (b *builder) conditional(n *ast.ConditionalNode, branch func(ast.Node) (code, bool)) (code, bool) {
	cond, ok := b.operand(n.Cond)
	if !ok {
		return code{}, false
	}
	yes, ok := branch(n.Exp1)
	if !ok {
		return code{}, false
	}
	no, ok := branch(n.Exp2)
	if !ok {
		return code{}, false
	}
	if cond.island && yes.island && no.island {
		return code{}, false
	}
	test := b.asTest(cond, n.Cond)
	a, z := yes.val, no.val
	c := code{val: func(m *machine) record.Value {
		if test(m) {
			return a(m)
		}
		return z(m)
	}}
	if yes.test != nil && no.test != nil {
		a, z := yes.test, no.test
		c.test = func(m *machine) bool {
			if test(m) {
				return a(m)
			}
			return z(m)
		}
	}
	return c, true
}

// let keeps a value in a local. Its value must be closures: what only the VM
// makes (a map with keys that are no text) is no Value.
func (b *builder) let(n *ast.VariableDeclaratorNode, body func(ast.Node) (code, bool)) (code, bool) {
	v, ok := b.node(n.Value)
	if !ok {
		return code{}, false
	}
	i := b.s.locals
	b.s.locals++
	b.lets = append(b.lets, letScope{n.Name, i, n})
	c, ok := body(n.Expr)
	b.lets = b.lets[:len(b.lets)-1]
	if !ok {
		return code{}, false
	}
	bind, val := v.val, c.val
	out := code{val: func(m *machine) record.Value {
		m.locals[i] = bind(m)
		return val(m)
	}}
	if test := c.test; test != nil {
		out.test = func(m *machine) bool {
			m.locals[i] = bind(m)
			return test(m)
		}
	}
	return out, true
}
