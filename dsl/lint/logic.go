package lint

import (
	"cmp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/dsl/rules"
)

// test is a condition on one subject: value.a == 'x', value.n > 5, a in [..].
// Whatever is true or false by itself is compared with true.
type test struct {
	node    ast.Node
	subject string
	op      string // == != < <= > >= ; with several values == is "one of"
	values  []any
	// self: the subject is a condition, so it is true or false.
	self bool
}

// testOf takes a condition apart; false for what has no such form.
func testOf(n ast.Node) (test, bool) {
	switch x := n.(type) {
	case *ast.UnaryNode:
		if x.Operator == "!" || x.Operator == "not" {
			t, ok := testOf(x.Node)
			t = t.negated()
			t.node = n
			return t, ok
		}
	case *ast.BinaryNode:
		switch x.Operator {
		case "==", "!=", "<", "<=", ">", ">=":
			return comparison(x)
		case "in":
			if values, ok := literals(x.Right); ok {
				return test{node: n, subject: x.Left.String(), op: "==", values: values}, true
			}
		}
	}
	if _, ok := expr.Literal(n); ok {
		return test{}, false
	}
	return test{node: n, subject: n.String(), op: "==", values: []any{true}, self: true}, true
}

func comparison(n *ast.BinaryNode) (test, bool) {
	left, onLeft := expr.Literal(n.Left)
	right, onRight := expr.Literal(n.Right)
	switch {
	case onLeft && onRight:
		return test{}, false
	case onRight:
		return test{node: n, subject: n.Left.String(), op: n.Operator, values: []any{right}}, true
	case onLeft:
		return test{node: n, subject: n.Right.String(), op: flipped(n.Operator), values: []any{left}}, true
	case n.Operator == "!=":
		return test{node: n, subject: n.Left.String() + " == " + n.Right.String(), op: "==", values: []any{false}, self: true}, true
	}
	return test{node: n, subject: n.Left.String() + " " + n.Operator + " " + n.Right.String(), op: "==", values: []any{true}, self: true}, true
}

func flipped(op string) string {
	switch op {
	case "<":
		return ">"
	case "<=":
		return ">="
	case ">":
		return "<"
	case ">=":
		return "<="
	}
	return op
}

// literals are the values of a list that is written out.
func literals(n ast.Node) ([]any, bool) {
	list, ok := n.(*ast.ArrayNode)
	if !ok || len(list.Nodes) == 0 {
		return nil, false
	}
	var out []any
	for _, x := range list.Nodes {
		v, ok := expr.Literal(x)
		if !ok {
			return nil, false
		}
		out = append(out, v)
	}
	return out, true
}

// negated is the opposite.
func (t test) negated() test {
	if t.self {
		b, _ := t.values[0].(bool)
		t.values = []any{!b}
		return t
	}
	switch t.op {
	case "==":
		t.op = "!="
	case "!=":
		t.op = "=="
	case "<":
		t.op = ">="
	case "<=":
		t.op = ">"
	case ">":
		t.op = "<="
	case ">=":
		t.op = "<"
	}
	return t
}

func (t test) finite() bool  { return t.op == "==" }
func (t test) ordered() bool { return t.op != "==" && t.op != "!=" }

// holds reports whether t is true of a value. An order between different
// kinds is an error, so it never is.
func (t test) holds(v any) bool {
	switch t.op {
	case "==":
		return slices.ContainsFunc(t.values, func(x any) bool { return same(v, x) })
	case "!=":
		return !slices.ContainsFunc(t.values, func(x any) bool { return same(v, x) })
	}
	c, ok := order(v, t.values[0])
	if !ok {
		return false
	}
	switch t.op {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}

func same(a, b any) bool {
	if c, ok := order(a, b); ok {
		return c == 0
	}
	switch a := a.(type) {
	case nil:
		return b == nil
	case bool:
		b, ok := b.(bool)
		return ok && a == b
	}
	return false
}

// order compares numbers with numbers and texts with texts.
func order(a, b any) (int, bool) {
	switch a := a.(type) {
	case string:
		b, ok := b.(string)
		return cmp.Compare(a, b), ok
	case int:
		switch b := b.(type) {
		case int:
			return cmp.Compare(a, b), true
		case float64:
			return cmp.Compare(float64(a), b), true
		}
	case float64:
		switch b := b.(type) {
		case int:
			return cmp.Compare(a, float64(b)), true
		case float64:
			return cmp.Compare(a, b), true
		}
	}
	return 0, false
}

// conflict reports whether no value meets both.
func conflict(a, b test) bool {
	switch {
	case a.finite():
		return !slices.ContainsFunc(a.values, b.holds)
	case b.finite():
		return !slices.ContainsFunc(b.values, a.holds)
	case a.ordered() && b.ordered():
		c, ok := order(a.values[0], b.values[0])
		if !ok {
			return true // a number and a text
		}
		below := func(t test) bool { return t.op[0] == '<' }
		if below(a) == below(b) {
			return false
		}
		if below(b) {
			a, b, c = b, a, -c
		}
		// a is the upper bound, b the lower one.
		return c < 0 || c == 0 && (a.op == "<" || b.op == ">")
	}
	return false
}

// implies reports whether every value that meets a meets b.
func implies(a, b test) bool {
	switch {
	case a.finite():
		return !slices.ContainsFunc(a.values, func(v any) bool { return !b.holds(v) })
	case a.ordered() && b.ordered():
		c, ok := order(a.values[0], b.values[0])
		if !ok || a.op[0] != b.op[0] {
			return false
		}
		if a.op[0] == '<' {
			c = -c
		}
		return c > 0 || c == 0 && (a.op == b.op || len(b.op) == 2)
	case b.op == "!=" && a.ordered():
		return !slices.ContainsFunc(b.values, a.holds)
	case b.op == "!=" && a.op == "!=":
		return !slices.ContainsFunc(b.values, a.holds)
	}
	return false
}

func isAnd(n ast.Node) (*ast.BinaryNode, bool) {
	b, ok := n.(*ast.BinaryNode)
	return b, ok && (b.Operator == "&&" || b.Operator == "and")
}

func isOr(n ast.Node) (*ast.BinaryNode, bool) {
	b, ok := n.(*ast.BinaryNode)
	return b, ok && (b.Operator == "||" || b.Operator == "or")
}

// chain is a maximal chain of && or ||: the operands, and for each but the
// first the operator in front of it.
type chain struct {
	operands []ast.Node
	joins    []*ast.BinaryNode // joins[i] is in front of operands[i]; nil for the first
}

func chainOf(n ast.Node, is func(ast.Node) (*ast.BinaryNode, bool)) chain {
	var c chain
	var flat func(n ast.Node, join *ast.BinaryNode)
	flat = func(n ast.Node, join *ast.BinaryNode) {
		if b, ok := is(n); ok {
			flat(b.Left, join)
			flat(b.Right, b)
			return
		}
		c.operands, c.joins = append(c.operands, n), append(c.joins, join)
	}
	flat(n, nil)
	return c
}

// logic finds conditions that say nothing, or what can never be.
func (k *checker) logic(t *Text, s *expr.Syntax, n, parent ast.Node) {
	if _, and := isAnd(n); and {
		if _, inner := isAnd(parent); !inner {
			k.conjunction(t, s, chainOf(n, isAnd))
		}
	}
	if _, or := isOr(n); or {
		if _, inner := isOr(parent); !inner {
			k.disjunction(t, s, chainOf(n, isOr))
		}
	}
	k.single(t, s, n)
}

func (k *checker) conjunction(t *Text, s *expr.Syntax, c chain) {
	tests := make([]test, len(c.operands))
	for j, n := range c.operands {
		if lit, ok := n.(*ast.BoolNode); ok {
			k.literalOperand(t, s, c, j, lit.Value)
			continue
		}
		tests[j], _ = testOf(n)
		for i := range j {
			if tests[i].subject != tests[j].subject || tests[i].subject == "" {
				continue
			}
			if conflict(tests[i], tests[j]) || k.exhausted(tests[:j+1], j) {
				k.report(rules.NeverHolds, t.place(s, n), "condition can never hold", "%s holds already where this is asked, and the two exclude each other.", quoted(s.Text(c.operands[i])))
				return
			}
			if implies(tests[i], tests[j]) {
				k.redundant(t, s, c, j, c.operands[i], "holds already where this is asked, so this adds nothing")
				break
			}
			if tests[i].ordered() && tests[j].ordered() && implies(tests[j], tests[i]) {
				k.redundant(t, s, c, i, n, "asks for more, so this adds nothing")
				break
			}
		}
	}
}

// exhausted reports whether no value is left of those that some test names.
func (k *checker) exhausted(tests []test, j int) bool {
	for _, f := range tests {
		if f.subject != tests[j].subject || !f.finite() || len(f.values) == 0 {
			continue
		}
		if !slices.ContainsFunc(f.values, func(v any) bool {
			return !slices.ContainsFunc(tests, func(x test) bool { return x.subject == f.subject && !x.holds(v) })
		}) {
			return true
		}
	}
	return false
}

func (k *checker) disjunction(t *Text, s *expr.Syntax, c chain) {
	tests := make([]test, len(c.operands))
	for j, n := range c.operands {
		if lit, ok := n.(*ast.BoolNode); ok {
			k.literalOperand(t, s, c, j, lit.Value)
			continue
		}
		tests[j], _ = testOf(n)
		for i := range j {
			if tests[i].subject != tests[j].subject || tests[i].subject == "" {
				continue
			}
			if conflict(tests[i].negated(), tests[j].negated()) {
				k.report(rules.AlwaysHolds, t.place(s, n), "condition always holds", "Where %s is false, this is true. Is && meant?", quoted(s.Text(c.operands[i])))
				return
			}
			if implies(tests[j], tests[i]) {
				k.redundant(t, s, c, j, c.operands[i], "is false where this is asked, and then this is too")
				break
			}
			if tests[i].ordered() && tests[j].ordered() && implies(tests[i], tests[j]) {
				k.redundant(t, s, c, i, n, "asks for less, so this adds nothing")
				break
			}
		}
	}
}

// redundant reports operand j of a chain, for the sake of another one.
func (k *checker) redundant(t *Text, s *expr.Syntax, c chain, j int, other ast.Node, why string) {
	k.report(rules.RedundantCondition, t.place(s, c.operands[j]), "condition adds nothing", "%s %s. Remove one of the two.", quoted(s.Text(other)), why)
	k.fix(k.without(t, s, c, j)...)
}

// literalOperand reports true and false within a chain.
func (k *checker) literalOperand(t *Text, s *expr.Syntax, c chain, j int, value bool) {
	_, and := isAnd(firstJoin(c))
	if and == value { // true && x, false || x
		k.report(rules.RedundantCondition, t.place(s, c.operands[j]), "condition adds nothing", "The result depends on the rest alone. Remove it.")
		k.fix(k.without(t, s, c, j)...)
		return
	}
	id, summary := rules.NeverHolds, "condition can never hold"
	if !and {
		id, summary = rules.AlwaysHolds, "condition always holds"
	}
	k.report(id, t.place(s, c.operands[j]), summary, "With it the rest decides nothing.")
}

func firstJoin(c chain) ast.Node {
	for _, j := range c.joins {
		if j != nil {
			return j
		}
	}
	return nil
}

// without is the edit that takes an operand away with the operator in front
// of it, or behind the first one. Comparison chains (a < b < c) have no such
// operator in the text.
func (k *checker) without(t *Text, s *expr.Syntax, c chain, j int) []rules.Edit {
	if !t.Written || len(c.operands) < 2 {
		return nil
	}
	a, b := max(j-1, 0), max(j, 1)
	fromA, lenA := s.Outer(c.operands[a])
	fromB, lenB := s.Outer(c.operands[b])
	between := s.Between(fromA+lenA, fromB)
	if op := c.joins[b].Operator; strings.TrimSpace(between) != op {
		return nil
	}
	if j == 0 {
		return t.cut(fromA, fromB)
	}
	return t.cut(fromA+lenA, fromB+lenB)
}
