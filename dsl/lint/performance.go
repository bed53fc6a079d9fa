package lint

import (
	"regexp/syntax"
	"slices"
	"strings"
	"sync"

	"github.com/expr-lang/expr/ast"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/dsl/expr/funcs"
	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine/record"
)

// slow finds what makes an expression slow although it need not be.
func (k *checker) slow(t *Text, s *expr.Syntax, n, _ ast.Node) {
	k.wholeValue(t, s, n)
	k.regexOf(t, s, n)
	k.costlyFirst(t, s, n)
}

// wholeValue finds uses of all members of a value, where one would do or
// where the names alone make that all must be decoded.
func (k *checker) wholeValue(t *Text, s *expr.Syntax, n ast.Node) {
	if !wholePath(t.Reads.Value) && !wholePath(t.Reads.Key) {
		return // the compiler found its way
	}
	const decoded = "All of the %s is decoded for each record, instead of the fields that are needed. %s"
	switch n := n.(type) {
	case *ast.MemberNode:
		root, ok := document(n.Node)
		if _, fixed := expr.Literal(n.Property); ok && !fixed && touches(n.Property) {
			k.report(rules.WholeValue, t.place(s, n), "a member is looked up by a name that the record gives",
				decoded, root, "Where few names are possible, choose between paths: "+root+".kind == 'a' ? "+root+".a : "+root+".b")
		}
	case *ast.BinaryNode:
		root, ok := document(n.Right)
		if name, literal := n.Left.(*ast.StringNode); n.Operator == "in" && ok && literal {
			k.report(rules.WholeValue, t.place(s, n), "the whole "+root+" is asked for one member",
				decoded, root, "Write has("+member(root, name.Value)+").")
		}
		k.amongKeys(t, s, n, decoded)
	case *ast.VariableDeclaratorNode:
		if root, ok := document(n.Value); ok && usedAsMember(n.Expr, n.Name) {
			k.report(rules.WholeValue, t.place(s, n.Value), "let holds the whole "+root,
				decoded, root, "Write its paths where they are used: "+root+".a instead of "+n.Name+".a.")
		}
	case *ast.CallNode, *ast.BuiltinNode:
		name, args := called(n)
		k.wholeCall(t, s, n, name, args, decoded)
	}
}

// amongKeys finds "x" in keys(value).
func (k *checker) amongKeys(t *Text, s *expr.Syntax, n *ast.BinaryNode, decoded string) {
	name, literal := n.Left.(*ast.StringNode)
	if f, args := called(n.Right); literal && n.Operator == "in" && (f == "keys" || f == "sortedKeys") && len(args) == 1 {
		if root, ok := document(args[0]); ok {
			k.report(rules.WholeValue, t.place(s, n), "the whole "+root+" is asked for one member",
				decoded, root, "Write has("+member(root, name.Value)+").")
		}
	}
}

// wholeCall finds functions that are given a whole document to look up one
// member or only the names.
func (k *checker) wholeCall(t *Text, s *expr.Syntax, n ast.Node, name string, args []ast.Node, decoded string) {
	if len(args) == 0 {
		return
	}
	root, ok := document(args[0])
	if !ok {
		return
	}
	switch name {
	case "getPath", "hasKey":
		if len(args) < 2 {
			return
		}
		key, literal := args[1].(*ast.StringNode)
		if !literal {
			return
		}
		path := member(root, key.Value)
		if name == "getPath" {
			path = root + "." + key.Value
		}
		if name == "hasKey" {
			path = "has(" + path + ")"
		}
		k.report(rules.WholeValue, t.place(s, n), name+" looks into the whole "+root, decoded, root, "Write "+path+".")
	case "keys", "values", "toPairs", "entries", "sortedKeys":
		if k.parentIsIn(s, n) || t.Option == "value" {
			return // reported with the operator, or made of all members on purpose
		}
		k.report(rules.WholeValue, t.place(s, n), name+" needs the whole "+root, decoded, root, "If an object within it is meant, name it: "+name+"("+root+".items)")
	}
}

// parentIsIn reports whether n is the right side of "x" in n.
func (k *checker) parentIsIn(s *expr.Syntax, n ast.Node) bool {
	return contains(s.Root, func(x ast.Node) bool {
		b, ok := x.(*ast.BinaryNode)
		if !ok || b.Operator != "in" || b.Right != n {
			return false
		}
		_, literal := b.Left.(*ast.StringNode)
		return literal
	})
}

// wholePath reports whether the empty path is among paths.
func wholePath(paths []record.Path) bool {
	return slices.ContainsFunc(paths, func(p record.Path) bool { return len(p) == 0 })
}

func member(root, name string) string {
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return root + "[" + (&ast.StringNode{Value: name}).String() + "]"
		}
	}
	return root + "." + name
}

// document reports whether a node is value or key as a whole.
func document(n ast.Node) (string, bool) {
	id, ok := n.(*ast.IdentifierNode)
	return nameOf(id), ok && (id.Value == "value" || id.Value == "key")
}

func nameOf(id *ast.IdentifierNode) string {
	if id == nil {
		return ""
	}
	return id.Value
}

// touches reports whether a node depends on the record or on what a loop or
// let holds.
func touches(n ast.Node) bool {
	return contains(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IdentifierNode:
			return n.Value != "var" && n.Value != "local"
		case *ast.PointerNode:
			return true
		}
		return false
	})
}

// usedAsMember reports whether name.x stands in n, and name nowhere alone.
func usedAsMember(n ast.Node, name string) bool {
	members, all := 0, 0
	w := &walker{}
	w.walk(n, nil, func(n, parent ast.Node) {
		if id, ok := n.(*ast.IdentifierNode); !ok || id.Value != name {
			return
		}
		all++
		if m, ok := parent.(*ast.MemberNode); ok && m.Node == n {
			if _, fixed := expr.Literal(m.Property); fixed {
				members++
			}
		}
	})
	return all > 0 && members == all
}

// patternParams are the arguments that are patterns, by function.
var patternParams = sync.OnceValue(func() map[string]int {
	m := make(map[string]int)
	for _, f := range funcs.All() {
		for i, p := range f.Params {
			if p.Name == "pattern" {
				m[f.Name] = i
			}
		}
	}
	return m
})

// regexOf finds patterns that are made for each record, and those that are no
// more than a comparison.
func (k *checker) regexOf(t *Text, s *expr.Syntax, n ast.Node) {
	var pattern ast.Node
	switch n := n.(type) {
	case *ast.BinaryNode:
		if n.Operator == "matches" {
			pattern = n.Right
			k.regexForText(t, s, n)
		}
	default:
		name, args := called(n)
		if i, ok := patternParams()[name]; ok && i < len(args) {
			pattern = args[i]
		}
	}
	if pattern != nil && touches(pattern) && !chosen(pattern) {
		k.report(rules.RegexPerRecord, t.place(s, pattern), "a regular expression is built for each record",
			"Building one takes far longer than looking for it, and whoever writes the records chooses what it costs. Use a fixed pattern, with alternatives: 'a|b|c'. For fixed text use contains, startsWith or ==.")
	}
}

// chosen reports whether a node is one of fixed texts.
func chosen(n ast.Node) bool {
	c, ok := n.(*ast.ConditionalNode)
	if !ok {
		_, fixed := expr.Literal(n)
		return fixed
	}
	return chosen(c.Exp1) && chosen(c.Exp2)
}

// regexForText finds patterns without anything of a pattern.
func (k *checker) regexForText(t *Text, s *expr.Syntax, n *ast.BinaryNode) {
	lit, ok := n.Right.(*ast.StringNode)
	if !ok || len(lit.Value) > 1000 {
		return
	}
	re, err := syntax.Parse(lit.Value, syntax.Perl)
	if err != nil {
		return
	}
	parts := []*syntax.Regexp{re}
	if re.Op == syntax.OpConcat {
		parts = re.Sub
	}
	begin, end := false, false
	if len(parts) > 0 && parts[0].Op == syntax.OpBeginText {
		begin, parts = true, parts[1:]
	}
	if n := len(parts); n > 0 && parts[n-1].Op == syntax.OpEndText && parts[n-1].Flags&syntax.WasDollar != 0 {
		end, parts = true, parts[:n-1]
	}
	if len(parts) != 1 || parts[0].Op != syntax.OpLiteral || parts[0].Flags&syntax.FoldCase != 0 {
		return
	}
	operator := "contains"
	switch {
	case begin && end:
		operator = "=="
	case begin:
		operator = "startsWith"
	case end:
		operator = "endsWith"
	}
	text := (&ast.StringNode{Value: string(parts[0].Rune)}).String()
	if !strings.Contains(text[1:len(text)-1], `\`) && !strings.Contains(text, "'") {
		text = "'" + text[1:len(text)-1] + "'"
	}
	k.report(rules.RegexForText, t.place(s, n), "a pattern without anything of a pattern",
		"%s %s %s says the same, is easier to read and several times as fast.", quoted(s.Text(n.Left)), operator, text)
}

// costlyFirst finds conditions that search before they compare.
func (k *checker) costlyFirst(t *Text, s *expr.Syntax, n ast.Node) {
	b, ok := n.(*ast.BinaryNode)
	if !ok || b.Operator != "&&" && b.Operator != "and" || !loops(b.Left) || !cheap(b.Right) {
		return
	}
	k.report(rules.CostlyFirst, t.place(s, b.Left), "the costly condition comes first",
		"It looks at every element of a list, and %s compares one field. Put that in front: where it does not hold, the list is not looked at.", quoted(s.Text(b.Right)))
}

// loops reports whether a node runs a predicate over a list.
func loops(n ast.Node) bool {
	return contains(n, func(n ast.Node) bool { _, ok := n.(*ast.PredicateNode); return ok })
}

// cheap reports whether a node compares a field with a constant, which never
// fails, so that it may stand anywhere.
func cheap(n ast.Node) bool {
	b, ok := n.(*ast.BinaryNode)
	if !ok || b.Operator != "==" && b.Operator != "!=" {
		return false
	}
	_, left := expr.Literal(b.Left)
	_, right := expr.Literal(b.Right)
	return right && isPath(b.Left) || left && isPath(b.Right)
}
