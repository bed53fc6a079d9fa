package expr

import (
	"github.com/expr-lang/expr/ast"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// derived is the type of what functions of a path give.
func (t *typer) derived(n ast.Node, f *ref) typ {
	var of typ
	if len(f.calls) > 0 && f.calls[0].f.Lenient && !f.got {
		of = t.lenient(f)
	} else {
		of = t.path(n, f)
	}
	if f.got {
		of = gotMember(of, f.path[len(f.path)-1].Name)
	}
	for i, c := range f.calls {
		args, nodes := []typ{of}, []ast.Node{n}
		for _, a := range c.args {
			args, nodes = append(args, literalType(a)), append(nodes, n)
		}
		if of := t.r.arguments[n]; i < len(of) {
			nodes = of[i]
		}
		t.arguments(&c.f.Func, nodes, args, nil)
		out := t.result(&c.f.Func, nodes, args)
		if c.f.TypeOfPath != nil {
			if made := c.f.TypeOfPath(of.decl, c.args); made != nil {
				out = declared(made)
				out.root = of.root && made == of.decl
				out.path = true
				if c.f.Name == "withDefaults" || c.f.Name == "withSchema" {
					out.kinds |= of.kinds & nilKind // which stays one
				}
			}
		}
		of = out
	}
	if f.written && of.decl != nil && !sameText(of.decl) {
		null := of.kinds & nilKind
		of = typ{kinds: textKinds(of.decl) | null, decl: of.decl, text: true}
	}
	return of
}

// lenient is path of one that may lead nowhere.
func (t *typer) lenient(f *ref) typ {
	s := t.in.Value
	if f.kind == refKey {
		s = t.in.Key
	}
	if s == nil {
		return unknown
	}
	at := declared(s)
	for _, step := range f.path {
		next, m := below(at, step)
		if m != nil || next.decl == nil {
			return unknown
		}
		at = next
	}
	return at
}

// gotMember is the result of get of a path, which reads what stands there by its
// type.
func gotMember(of typ, name string) typ {
	if of.decl == nil {
		return unknown
	}
	found, m := below(of, record.Step{Name: name})
	if m != nil || found.decl == nil || found.decl.Type == schema.Any {
		return unknown
	}
	return found.chosen().orNil()
}
