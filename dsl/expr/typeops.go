package expr

import (
	"maps"
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

func (t *typer) unary(n *ast.UnaryNode) typ {
	switch n.Operator {
	case "!", "not":
		t.bool(n.Node, "What is negated")
		return ofKinds(record.Bool)
	}
	of := t.node(n.Node)
	if !of.anyOf(numKinds) {
		t.problem(KindTypes, n, "Wrong type", "%s cannot be applied to %s.", n.Operator, of.words())
		return unknown
	}
	if !of.known() {
		return unknown
	}
	return typ{kinds: of.value() & numKinds}
}

func (t *typer) binary(n *ast.BinaryNode) typ {
	l, r := t.node(n.Left), t.node(n.Right)
	switch n.Operator {
	case "and", "&&", "or", "||":
		return t.logic(n, l, r)
	case "??":
		t.neverNil(n, n.Left, l, "so what stands behind ?? is never used")
		if l.kinds != 0 && !l.maybeNil() && !l.root {
			return l.chosen()
		}
		return join(l.chosen().withoutNil(), r)
	case "==", "!=":
		t.equality(n, l, r)
		return ofKinds(record.Bool)
	case "<", ">", "<=", ">=":
		if !operates(n.Operator, l, r) {
			t.notComparable(n, l, r)
		}
		return ofKinds(record.Bool)
	case "contains", "startsWith", "endsWith", "matches":
		t.textual(n, l, r)
		return ofKinds(record.Bool)
	case "in":
		t.membership(n, l, r)
		return ofKinds(record.Bool)
	case "..":
		if !l.anyOf(kinds(record.Int)) || !r.anyOf(kinds(record.Int)) {
			t.problem(KindTypes, n, "Types do not fit", "The ends of a range are whole numbers, these are %s and %s.", l.words(), r.words())
		}
		return listOf(ofKinds(record.Int))
	}
	if !operates(n.Operator, l, r) {
		t.problem(KindTypes, n, "Types do not fit", "%s cannot be applied to %s and %s.%s", n.Operator, l.words(), r.words(), remedy(n.Operator, l, r))
		return unknown
	}
	var out kindSet
	for a := range l.value().each {
		for b := range r.value().each {
			out |= outcomeOf(n.Operator, a, b)
		}
	}
	if out == 0 {
		return unknown
	}
	return typ{kinds: out}
}

// operates reports that an operator may have a result.
func operates(op string, l, r typ) bool {
	if l.value() == 0 || r.value() == 0 {
		return true // null alone: the compiler says so
	}
	for a := range l.value().each {
		for b := range r.value().each {
			if outcomeOf(op, a, b) != 0 {
				return true
			}
		}
	}
	return false
}

// outcomeOf is the kinds of an operator's result; none: it fails.
func outcomeOf(op string, a, b record.Kind) kindSet {
	number := func(k record.Kind) bool { return k == record.Int || k == record.Float }
	switch op {
	case "<", ">", "<=", ">=":
		if number(a) && number(b) || a == b && (a == record.String || a == record.Time || a == record.Duration) {
			return kinds(record.Bool)
		}
		return 0
	case "%":
		if a == record.Int && b == record.Int {
			return kinds(record.Int)
		}
		return 0
	case "/", "**", "^":
		if number(a) && number(b) {
			return kinds(record.Float)
		}
		return 0
	}
	switch {
	case a == record.Int && b == record.Int:
		return kinds(record.Int)
	case number(a) && number(b):
		return kinds(record.Float)
	}
	time, length := record.Time, record.Duration
	switch op {
	case "+":
		switch {
		case a == record.String && b == record.String:
			return textKind
		case a == time && b == length, a == length && b == time:
			return kinds(time)
		case a == length && b == length:
			return kinds(length)
		}
	case "-":
		switch {
		case a == time && b == time, a == length && b == length:
			return kinds(length)
		case a == time && b == length:
			return kinds(time)
		}
	case "*":
		switch {
		case a == length && b == record.Float, a == record.Float && b == length:
			return kinds(record.Float, length)
		case a == length && (b == length || b == record.Int), a == record.Int && b == length:
			return kinds(length)
		}
	}
	return 0
}

// logic is and, or: the right side is the result where the left one does not
// decide, and the left side where the right one is a constant.
func (t *typer) logic(n *ast.BinaryNode, l, r typ) typ {
	for _, side := range []struct {
		node ast.Node
		typ  typ
	}{{n.Left, l}, {n.Right, r}} {
		if !side.typ.anyOf(kinds(record.Bool)) {
			t.problem(KindNotBool, side.node, "A side of "+n.Operator+" must be true or false", "This is %s. Compare it with something.", side.typ.words())
		}
	}
	out := kinds(record.Bool) | r.kinds
	if len(t.r.refsIn(n.Right)) == 0 {
		out |= l.kinds
	}
	return typ{kinds: out}
}

func (t *typer) equality(n *ast.BinaryNode, l, r typ) {
	for _, side := range []struct {
		node     ast.Node
		typ, nil typ
	}{{n.Left, l, r}, {n.Right, r, l}} {
		if side.nil.isLit && side.nil.kinds == nilKind {
			t.neverNil(n, side.node, side.typ, "so it is never nil")
			return
		}
	}
	if !mayEqual(l, r) {
		t.notComparable(n, l, r)
		return
	}
	t.symbol(n.Right, l, r)
	t.symbol(n.Left, r, l)
}

// mayEqual reports that two values may be equal, null left out.
func mayEqual(l, r typ) bool {
	a, b := l.value(), r.value()
	if a == textKind && b == textKind && isEnum(l) && isEnum(r) {
		return slices.ContainsFunc(l.decl.Symbols, func(s string) bool { return r.decl.SymbolIndex(s) >= 0 })
	}
	return a == 0 || b == 0 || a&b != 0 || a&numKinds != 0 && b&numKinds != 0
}

func isEnum(t typ) bool { return t.decl != nil && t.decl.Type == schema.Enum }

func (t *typer) notComparable(n *ast.BinaryNode, l, r typ) {
	t.problem(KindTypes, n, "Types do not compare", "%s and %s cannot be compared with %s.%s", l.words(), r.words(), n.Operator, remedy(n.Operator, l, r))
}

// remedy says how two types are made to fit, "" if nothing is usual.
func remedy(op string, l, r typ) string {
	has := func(k record.Kind) bool { return l.value() == kinds(k) || r.value() == kinds(k) }
	number := has(record.Int) || has(record.Float)
	switch {
	case (op == "+" || op == "-") && has(record.Time) && number:
		return ` Times go with durations: duration("1h").`
	case (op == "+" || op == "-") && has(record.Duration) && number:
		return ` Durations go with durations: duration("1h").`
	case op == "%" && has(record.Float):
		return " % is for integers: toInt(...)."
	case !has(record.String):
		return ""
	case has(record.Time):
		return " Make a time of the text with toTime(...)."
	case has(record.Duration):
		return " Make a duration of the text with duration(...)."
	case op == "+" && (number || has(record.Bool)):
		return " Make text of it with string(...)."
	case !number:
	case op == "==" || op == "!=" || op == "in":
		return " Make a number of the text with toInt(...) or toFloat(...), or write the number in quotes."
	default:
		return " Make a number of the text with toInt(...) or toFloat(...)."
	}
	return ""
}

// symbol reports a literal that is none of the texts that a value may be: a
// symbol of an enum, a uuid.
func (t *typer) symbol(n ast.Node, of, lit typ) {
	text, isText := lit.lit.(string)
	if of.decl == nil || !isText {
		return
	}
	found := len(t.problems)
	switch of.decl.Type {
	case schema.Enum:
		if of.decl.SymbolIndex(text) < 0 {
			t.problem(KindNoSymbol, n, "No symbol of "+schemaWords(of.decl), "%s", didYouMean(text, of.decl.Symbols, ""))
		}
	case schema.UUID:
		if schema.CheckText(of.decl, []byte(text)) != nil {
			t.problem(KindNoSymbol, n, "Not a uuid", "This is compared with a uuid, which is written as f81d4fae-7dec-11d0-a765-00a0c91e6bf6.")
		}
	default:
	}
	for i := range t.problems[found:] {
		t.problems[found+i].Constants = slices.Sorted(maps.Keys(t.r.constants))
	}
}

// neverNil is a hint that nil is looked for where the schema allows none.
func (t *typer) neverNil(at, n ast.Node, of typ, why string) {
	if of.decl != nil && of.path && !of.root && !of.maybeNil() && of.decl.Type != schema.Any {
		t.problem(KindNeverNil, at, "Never nil", "The schema requires %s, %s.", t.label(n), why)
	}
}

// textual is the operators that look into text.
func (t *typer) textual(n *ast.BinaryNode, l, r typ) {
	left := textKind
	if n.Operator == "matches" {
		left |= kinds(record.Bytes)
	}
	for _, side := range []struct {
		node ast.Node
		typ  typ
		want kindSet
	}{{n.Left, l, left}, {n.Right, r, textKind}} {
		if !side.typ.anyOf(side.want) {
			t.problem(KindTypes, side.node, "Wrong type", "%s works on text, and this is %s.", n.Operator, side.typ.words())
		}
	}
}

func (t *typer) membership(n *ast.BinaryNode, l, r typ) {
	object, list := kinds(record.Object), listKind|kinds(record.Bytes)
	switch v := r.value(); {
	case !r.anyOf(object | list):
		t.problem(KindTypes, n.Right, "Wrong type", "in needs an array or object on its right, and this is %s.", r.words())
	case v == object:
		if !l.anyOf(textKind) {
			t.problem(KindTypes, n.Left, "Wrong type", "Names of members are text, and this is %s.", l.words())
			return
		}
		if name, ok := l.lit.(string); ok && r.decl != nil {
			if _, m := below(r, record.Step{Name: name}); m != nil {
				_, detail := m.text(t.label(n.Right))
				t.problem(KindNeverThere, n.Left, "Never there", "%s", detail)
			}
		}
	case v != 0 && v&^list == 0:
		t.inList(n, l, r)
	}
}

// inList reports what can never be one of a list.
func (t *typer) inList(n *ast.BinaryNode, l, r typ) {
	elem := elemOf(r)
	if elem.value() != 0 && !mayEqual(l, elem) {
		t.problem(KindTypes, n, "Types do not compare", "%s is never in a list of %s.%s", l.words(), elem.words(), remedy("in", l, elem))
		return
	}
	written, ok := n.Right.(*ast.ArrayNode)
	if !ok {
		if symbols, ok := r.lit.([]any); ok {
			for _, s := range symbols {
				t.symbol(n.Right, l, literalType(s))
			}
		}
		return
	}
	for _, e := range written.Nodes {
		of := literalOf(e)
		if of.kinds != 0 && !mayEqual(l, of) {
			t.problem(KindTypes, e, "Types do not compare", "%s is never equal to %s.%s", l.words(), of.words(), remedy("in", l, of))
			continue
		}
		t.symbol(e, l, of)
	}
}

// literalOf is the type of a literal, none for any other node.
func literalOf(n ast.Node) typ {
	if v, ok := literal(n); ok {
		return literalType(v)
	}
	return typ{}
}
