package expr

import (
	"github.com/expr-lang/expr/ast"

	"github.com/flowrecords/flow/engine/record"
)

// looseKinds are what functions of the language take beside what they document.
func looseKinds(name string) map[string]kindSet {
	bytes, number := kinds(record.Bytes), kinds(record.Float)
	switch name {
	case "get", "first", "last":
		return map[string]kindSet{"array": bytes | textKind, "int": number}
	case "len":
		return map[string]kindSet{"array": bytes}
	case "split", "splitAfter", "replace", "repeat":
		return map[string]kindSet{"int": number}
	case "int":
		return map[string]kindSet{"number": kinds(record.Duration)}
	case "join", "fromPairs", "sort":
		return nil
	case "min", "max", "mean", "median":
		return map[string]kindSet{"array": bytes, "number": kinds(record.Duration)}
	}
	return map[string]kindSet{"array": bytes}
}

// builtin is a function of the language itself.
func (t *typer) builtin(n *ast.BuiltinNode) typ {
	f := t.r.env.builtins[n.Name]
	if f == nil {
		t.nodes(n.Arguments)
		return unknown
	}
	args := make([]typ, len(n.Arguments))
	for i, a := range n.Arguments {
		p, ok := a.(*ast.PredicateNode)
		if !ok {
			args[i] = t.node(a)
			continue
		}
		t.loops = append(t.loops, elemOf(args[0]))
		args[i] = t.node(p.Node)
		t.loops = t.loops[:len(t.loops)-1]
		if !args[i].anyOf(kinds(record.Bool)) && isTest(n.Name) {
			t.problem(KindNotBool, p, "The predicate must be true or false", "This is %s. Compare it with something.", args[i].words())
		}
	}
	t.arguments(f, n.Arguments, args, looseKinds(n.Name))
	if len(args) == 0 {
		return resultOf(f.Result)
	}
	return builtinResult(f.Name, resultOf(f.Result), args)
}

// isTest: the predicate of the function decides.
func isTest(name string) bool {
	switch name {
	case "all", "any", "one", "none", "filter", "find", "findIndex", "findLast", "findLastIndex", "count":
		return true
	}
	return false
}

// builtinResult is the type of what a function of the language returns, where
// its word does not say enough.
func builtinResult(name string, byWord typ, args []typ) typ {
	of := args[0]
	switch name {
	case "map":
		return listOf(args[len(args)-1].boxed())
	case "filter", "sortBy", "reverse", "uniq", "sort":
		return listOf(elemOf(of))
	case "concat":
		elem := typ{}
		for _, a := range args {
			elem = join(elem, elemOf(a))
		}
		return listOf(elem)
	case "take":
		if of.value() == listKind {
			return listOf(elemOf(of))
		}
		return ofKinds(record.Array, record.Bytes)
	case "split", "splitAfter":
		return listOf(ofKinds(record.String))
	case "find", "findLast":
		return elemOf(of).boxed().orNil()
	case "first", "last":
		if of.value()&textKind != 0 {
			return join(elemOf(of.without(textKind)), ofKinds(record.Int)).orNil()
		}
		return elemOf(of).boxed().orNil()
	case "findIndex", "findLastIndex":
		return ofKinds(record.Int, record.Null)
	case "get":
		return got(of, args)
	case "abs":
		if of.known() {
			return typ{kinds: of.value() & numKinds}
		}
	case "sum":
		if len(args) == 1 {
			of = elemOf(of)
		} else {
			of = args[1]
		}
		if of.value() == kinds(record.Int) {
			return ofKinds(record.Int)
		}
	case "min", "max":
		out := typ{}
		for _, a := range args {
			if a.value()&^numKinds != 0 || a.value() == 0 {
				return unknown
			}
			out = join(out, typ{kinds: a.value()})
		}
		return out
	}
	return byWord
}

// without leaves kinds out.
func (t typ) without(s kindSet) typ {
	t.kinds &^= s
	return t
}

// got is the result of get, which reads a path by its type and anything else as
// it lies in an array or object.
func got(of typ, args []typ) typ {
	name, ok := args[len(args)-1].lit.(string)
	if len(args) != 2 || !ok || of.decl == nil {
		if of.value() == listKind {
			return elemOf(of).boxed().orNil()
		}
		return unknown
	}
	found, m := below(of, record.Step{Name: name})
	if m != nil || found.decl == nil {
		return unknown
	}
	return join(found.boxed(), inText(found.decl)).orNil()
}
