package expr

import (
	"reflect"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"

	"github.com/flowrecords/flow/dsl/expr/funcs"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/cast"
	"github.com/flowrecords/flow/engine/schema"
)

// call is a reference, a function of the library, or a method of a time.
func (t *typer) call(n *ast.CallNode) typ {
	if f := t.r.refOf(n); f != nil {
		return t.reference(n, f)
	}
	switch callee := n.Callee.(type) {
	case *ast.IdentifierNode:
		if f := t.r.env.lib[callee.Value]; f != nil {
			args := t.nodes(n.Arguments)
			t.arguments(&f.Func, n.Arguments, args, nil)
			return t.result(&f.Func, n.Arguments, args)
		}
	case *ast.MemberNode:
		return t.method(n, callee)
	case *ast.ChainNode:
		if m, ok := callee.Node.(*ast.MemberNode); ok {
			return t.method(n, m).orNil()
		}
	}
	t.nodes(n.Arguments)
	return unknown
}

func (t *typer) nodes(list []ast.Node) []typ {
	out := make([]typ, len(list))
	for i, n := range list {
		out[i] = t.node(n)
	}
	return out
}

// method is x.Method() of a time or duration.
func (t *typer) method(n *ast.CallNode, m *ast.MemberNode) typ {
	of := t.node(m.Node)
	t.nodes(n.Arguments)
	if m.Optional && len(t.skips) > 0 && (of.maybeNil() || of.root) {
		t.skips[len(t.skips)-1] = true
	}
	name, _ := literal(m.Property)
	if !of.anyOf(kinds(record.Time, record.Duration)) {
		t.problem(KindNoMember, m.Property, "No such method", "Only times and durations have methods, and %s is %s.", t.label(m.Node), of.words())
		return unknown
	}
	text, _ := name.(string)
	switch of.value() {
	case kinds(record.Time):
		return t.returned(m, reflect.TypeFor[time.Time](), text)
	case kinds(record.Duration):
		return t.returned(m, reflect.TypeFor[time.Duration](), text)
	}
	return unknown
}

// returned is what a Go method gives.
func (t *typer) returned(m *ast.MemberNode, of reflect.Type, name string) typ {
	method, ok := of.MethodByName(name)
	if !ok {
		t.problem(KindNoMember, m.Property, "No such method", "A %s has no method %s.", goTypeName(of), name)
		return unknown
	}
	if method.Type.NumOut() != 1 {
		return unknown
	}
	switch out := method.Type.Out(0); {
	case out == reflect.TypeFor[time.Time]():
		return ofKinds(record.Time)
	case out == reflect.TypeFor[time.Duration]():
		return ofKinds(record.Duration)
	case out.Kind() == reflect.Bool:
		return ofKinds(record.Bool)
	case out.Kind() == reflect.String:
		return ofKinds(record.String)
	case out.Kind() == reflect.Float64:
		return ofKinds(record.Float)
	case out.Kind() == reflect.Int, out.Kind() == reflect.Int64:
		return ofKinds(record.Int)
	}
	return unknown
}

// arguments reports what a function takes of no kind that an argument may have.
// loose are kinds that it also takes.
func (t *typer) arguments(f *funcs.Func, nodes []ast.Node, args []typ, loose map[string]kindSet) {
	for i, a := range args {
		if len(f.Params) == 0 {
			return
		}
		p := f.Params[min(i, len(f.Params)-1)]
		want, ok := wordKinds(p.Type, loose)
		if !ok || a.anyOf(want) {
			continue
		}
		t.problem(KindWrongArguments, nodes[i], "Wrong argument of "+f.Name, "%s needs %s here, this is %s.", f.Name, strings.ReplaceAll(p.Type, "|", " or "), a.words())
	}
}

// wordKinds are the kinds that the words of a parameter or result stand for;
// false: any, or a predicate.
func wordKinds(words string, loose map[string]kindSet) (kindSet, bool) {
	var out kindSet
	for word := range strings.SplitSeq(words, "|") {
		out |= loose[word]
		switch word {
		case "string":
			out |= textKind
		case "int":
			out |= kinds(record.Int)
		case "float", "number":
			out |= numKinds
		case "bool":
			out |= kinds(record.Bool)
		case "bytes":
			out |= kinds(record.Bytes)
		case "time":
			out |= kinds(record.Time)
		case "duration":
			out |= kinds(record.Duration)
		case "array":
			out |= listKind
		case "object":
			out |= kinds(record.Object)
		case "null":
			out |= nilKind
		default:
			return allKinds, false
		}
	}
	return out, true
}

// resultOf is the type of a function's result by its word.
func resultOf(word string) typ {
	if word == "float" {
		return ofKinds(record.Float)
	}
	k, _ := wordKinds(word, nil)
	return typ{kinds: k}
}

// result is the type of what a function of the library returns.
func (t *typer) result(f *funcs.Func, nodes []ast.Node, args []typ) typ {
	switch f.Name {
	case "throw":
		return typ{} // there is no result
	case "default", "coalesce":
		return firstOf(args)
	case "cast":
		return t.cast(nodes, args)
	case "withSchema":
		if len(args) == 2 {
			about, _ := constantOf(nodes[1])
			if s := funcs.WithSchema(args[0].schema(), about); s != nil {
				return declared(s)
			}
		}
	case "distinct", "intersect", "without":
		if len(args) > 0 && args[0].value() == listKind {
			return listOf(elemOf(args[0]))
		}
	}
	return resultOf(f.Result)
}

// firstOf is the first that is not null.
func firstOf(args []typ) typ {
	out := typ{}
	for i, a := range args {
		if i == len(args)-1 || !a.maybeNil() && !a.root && a.kinds != 0 {
			return join(out, a)
		}
		out = join(out, a.chosen().withoutNil())
	}
	return ofKinds(record.Null)
}

// cast is of the type that it names.
func (t *typer) cast(nodes []ast.Node, args []typ) typ {
	if len(args) < 2 {
		return unknown
	}
	if !args[0].anyOf(allKinds &^ kinds(record.Array, record.Object)) {
		t.problem(KindWrongArguments, nodes[0], "Wrong argument of cast", "%s cannot be cast.", args[0].words())
	}
	name, _ := args[1].lit.(string)
	to, ok := cast.Parse(name)
	switch {
	case !ok:
		return ofKinds(record.Int, record.Float, record.Bool, record.String)
	case to == cast.Float32:
		return ofKinds(record.Float) // its digits may need 64 bits
	}
	return declared(schema.New(to.Schema()))
}
