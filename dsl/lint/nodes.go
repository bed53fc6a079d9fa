package lint

import (
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/dsl/rules"
)

// single finds nodes that say nothing by themselves.
func (k *checker) single(t *Text, s *expr.Syntax, n ast.Node) {
	switch n := n.(type) {
	case *ast.BinaryNode:
		k.binary(t, s, n)
	case *ast.ConditionalNode:
		if _, literal := n.Cond.(*ast.BoolNode); literal {
			k.report(rules.ConstantCondition, t.place(s, n.Cond), "condition is always the same", "Only one of the two branches is ever taken. Remove the other one.")
		} else if n.Exp1.String() == n.Exp2.String() {
			k.report(rules.SameBranches, t.place(s, n), "both branches are the same", "Whatever the condition is, the result is %s.", quoted(s.Text(n.Exp1)))
		}
	case *ast.VariableDeclaratorNode:
		if !contains(n.Expr, func(x ast.Node) bool { id, ok := x.(*ast.IdentifierNode); return ok && id.Value == n.Name }) {
			k.report(rules.UnusedLet, t.place(s, n.Value), "let "+n.Name+" is not used", "Remove it, or use %s in what follows.", n.Name)
		}
	case *ast.MapNode:
		k.members(t, s, n)
	case *ast.ArrayNode:
		k.elements(t, s, n)
	}
}

func (k *checker) binary(t *Text, s *expr.Syntax, n *ast.BinaryNode) {
	switch n.Operator {
	case "==", "!=":
		if k.withBool(t, s, n) || k.neverEqual(t, s, n, n.Left, n.Right, n.Operator) || k.neverEqual(t, s, n, n.Right, n.Left, n.Operator) {
			return
		}
		fallthrough
	case "<", "<=", ">", ">=":
		_, left := expr.Literal(n.Left)
		_, right := expr.Literal(n.Right)
		switch {
		case left && right && t.Source != nil:
			k.report(rules.ConstantCondition, t.place(s, n), "condition is always the same", "Both sides are fixed values. Compare with a field of the record.")
		case !left && n.Left.String() == n.Right.String():
			id, summary := rules.AlwaysHolds, "condition always holds"
			if n.Operator == "!=" || n.Operator == "<" || n.Operator == ">" {
				id, summary = rules.NeverHolds, "condition can never hold"
			}
			k.report(id, t.place(s, n), summary, "%s is compared with itself.", quoted(s.Text(n.Left)))
		default:
			k.length(t, s, n)
		}
	case "in":
		if values, ok := literals(n.Right); ok {
			k.neverIn(t, s, n, values)
		}
	case "??":
		if _, isNil := n.Right.(*ast.NilNode); isNil {
			k.report(rules.RedundantCondition, t.place(s, n.Right), "?? nil changes nothing", "What is missing is nil already. Remove it.")
			from, length := s.Outer(n.Left)
			at, size := s.Outer(n.Right)
			if strings.TrimSpace(s.Between(from+length, at)) == "??" {
				k.fix(t.cut(from+length, at+size)...)
			}
		}
	}
}

// withBool finds == true behind what is true or false anyway.
func (k *checker) withBool(t *Text, s *expr.Syntax, n *ast.BinaryNode) bool {
	lit, ok := n.Right.(*ast.BoolNode)
	if !ok || !isBool(n.Left) {
		return false
	}
	wanted := lit.Value == (n.Operator == "==")
	detail := "It is true or false already. Remove the comparison."
	if !wanted {
		detail = "It is true or false already. Write not (...) instead."
	}
	k.report(rules.ComparedWithBool, t.place(s, n), "comparison with "+lit.String()+" of what is true or false", "%s", detail)
	from, length := s.Outer(n.Left)
	at, size := s.Outer(n.Right)
	if wanted && strings.TrimSpace(s.Between(from+length, at)) == n.Operator {
		k.fix(t.cut(from+length, at+size)...)
	}
	return true
}

// isBool reports whether a node is true or false whatever the record is.
func isBool(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.UnaryNode:
		return n.Operator == "!" || n.Operator == "not"
	case *ast.BinaryNode:
		switch n.Operator {
		case "==", "!=", "<", "<=", ">", ">=", "in", "matches", "contains", "startsWith", "endsWith", "&&", "||", "and", "or":
			return true
		}
	}
	switch name, _ := called(n); name {
	case "has", "all", "any", "none", "one":
		return true
	}
	return false
}

// neverEqual finds a text that a function can never give.
func (k *checker) neverEqual(t *Text, s *expr.Syntax, n, side, other ast.Node, op string) bool {
	lit, ok := other.(*ast.StringNode)
	if !ok {
		return false
	}
	name, why := impossible(side, lit.Value)
	if name == "" {
		return false
	}
	id, summary := rules.NeverHolds, "condition can never hold"
	if op == "!=" {
		id, summary = rules.AlwaysHolds, "condition always holds"
	}
	k.report(id, t.place(s, n), summary, "%s never gives %s.", name, why)
	return true
}

// neverIn finds such texts in a list.
func (k *checker) neverIn(t *Text, s *expr.Syntax, n *ast.BinaryNode, values []any) {
	list, ok := n.Right.(*ast.ArrayNode)
	if !ok {
		return
	}
	for i, v := range values {
		text, ok := v.(string)
		if !ok {
			continue
		}
		if name, why := impossible(n.Left, text); name != "" {
			k.report(rules.NeverHolds, t.place(s, list.Nodes[i]), "condition can never hold", "%s never gives %s.", name, why)
		}
	}
}

// impossible says which function never gives a text, and why.
func impossible(n ast.Node, text string) (name, why string) {
	name, args := called(n)
	if len(args) != 1 {
		return "", ""
	}
	switch {
	case name == "lower" && text != strings.ToLower(text):
		return name, "a text with capitals"
	case name == "upper" && text != strings.ToUpper(text):
		return name, "a text with small letters"
	case name == "trim" && text != strings.TrimSpace(text):
		return name, "a text with blanks around it"
	}
	return "", ""
}

// length finds comparisons of a length with what none can be.
func (k *checker) length(t *Text, s *expr.Syntax, n *ast.BinaryNode) {
	side, other, op := n.Left, n.Right, n.Operator
	if _, ok := expr.Literal(side); ok {
		side, other, op = other, side, flipped(op)
	}
	f, _ := called(side)
	v, literal := expr.Literal(other)
	limit, number := v.(int)
	if f != "len" || !literal || !number {
		return
	}
	switch {
	case limit < 0 && (op == "==" || op == "<" || op == "<="), limit == 0 && op == "<":
		k.report(rules.NeverHolds, t.place(s, n), "condition can never hold", "A length is never below zero.")
	case limit < 0 && (op == "!=" || op == ">" || op == ">="), limit == 0 && op == ">=":
		k.report(rules.AlwaysHolds, t.place(s, n), "condition always holds", "A length is never below zero. Is > 0 meant?")
	}
}

// members finds names that an object has twice.
func (k *checker) members(t *Text, s *expr.Syntax, n *ast.MapNode) {
	seen := make(map[string]bool)
	for _, p := range n.Pairs {
		pair, ok := p.(*ast.PairNode)
		if !ok {
			continue
		}
		name, ok := pair.Key.(*ast.StringNode)
		if !ok {
			continue
		}
		if seen[name.Value] {
			k.report(rules.DuplicateElement, t.place(s, pair.Key), "the object has this member twice", "Only the last one counts. Remove the other one, or choose another name.")
		}
		seen[name.Value] = true
	}
}

// elements finds what a list that something is looked up in has twice.
func (k *checker) elements(t *Text, s *expr.Syntax, n *ast.ArrayNode) {
	looked := contains(s.Root, func(x ast.Node) bool {
		b, ok := x.(*ast.BinaryNode)
		return ok && b.Operator == "in" && b.Right == ast.Node(n)
	})
	if !looked {
		return
	}
	var seen []any
	for _, x := range n.Nodes {
		v, ok := expr.Literal(x)
		if !ok {
			continue
		}
		for _, first := range seen {
			if same(v, first) {
				k.report(rules.DuplicateElement, t.place(s, x), "the list has this twice", "One is enough to be found. Remove the other one, or write what was meant.")
				break
			}
		}
		seen = append(seen, v)
	}
}
