package expr

import (
	"fmt"

	"github.com/expr-lang/expr/ast"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

var _ engine.Resulting = (*Source)(nil)

// Result implements engine.TypedExpression. The text is read again with each
// call: a Source keeps no tree.
func (s *Source) Result(in engine.Schemas) *schema.Schema {
	t := s.env.typer(s.text, in)
	if t == nil {
		return nil
	}
	result := t.node(t.root)
	if s.Mode() == ModeVM && result.path && !exact(result.decl, nil) {
		result.path = false // the VM has floats alone
	}
	return result.schema()
}

// Check finds what cannot work on records of known types, at its place in the
// expression: what Compile would say if all records were of these types. What
// is optional counts as its type; what is not known may be anything.
func (s *Source) Check(in engine.Schemas) []Problem {
	return s.env.checkTypes(s.text, in, s.want == WantBool, false)
}

// Check is Source.Check of all holes; places are those in the template.
func (t *Template) Check(in engine.Schemas) []Problem {
	var e *Env
	for _, p := range t.parts {
		if p.hole != nil {
			e = p.hole.env
		}
	}
	if e == nil {
		return nil // all holes are constant
	}
	var problems []Problem
	holes, _ := TemplateHoles(t.text)
	for _, h := range holes {
		for _, p := range e.checkTypes(t.text[h.From:h.To], in, false, true) {
			p.Offset += h.From
			problems = append(problems, p)
		}
	}
	return problems
}

func (e *Env) checkTypes(text string, in engine.Schemas, wantBool, hole bool) []Problem {
	t := e.typer(text, in)
	if t == nil {
		return nil
	}
	result := t.node(t.root)
	switch {
	case wantBool && !result.anyOf(kinds(record.Bool)):
		t.problem(KindNotBool, t.root, "The result must be true or false", "This is always %s. Compare it with something.", result.words())
	case hole && !result.anyOf(allKinds&^nilKind&^kinds(record.Array, record.Object)):
		t.problem(KindHole, t.root, "The hole is never text", "This is always %s. A template is filled with text, numbers, booleans or times.", result.words())
	}
	return tidy(t.problems)
}

// typer finds the types of the nodes of a resolved tree and what cannot work
// there.
type typer struct {
	r    *resolver
	in   engine.Schemas
	root ast.Node

	lets map[string]typ
	// loops are the elements of the predicates around the node.
	loops []typ
	// skips says, for each chain around the node, that one of its ?. may find nil.
	skips    []bool
	problems []Problem
}

// typer reads a text that compiled before; nil if no schema is known.
func (e *Env) typer(text string, in engine.Schemas) *typer {
	if in.Value == nil && in.Key == nil {
		return nil
	}
	r, tree, problems := e.front(text)
	if len(problems) > 0 {
		return nil
	}
	r.steps, r.arguments = map[ast.Node][]place{}, map[ast.Node][][]ast.Node{}
	root := r.writes(r.node(tree.Node), false)
	if len(r.problems) > 0 {
		return nil
	}
	return &typer{r: r, in: in, root: root, lets: map[string]typ{}}
}

// place is where something stands in the text; fn names the function whose
// body it is from.
type place struct {
	span
	fn string
}

// noteSteps remembers where the steps of a path stand that a reference has.
func (r *resolver) noteSteps(ref ast.Node, before []place, props []ast.Node) {
	if r.steps == nil {
		return
	}
	steps := append([]place{}, before...)
	for _, p := range props {
		at := place{span: r.span(p)}
		if r.frame != nil {
			at.fn = r.frame.fn.name
		}
		steps = append(steps, at)
	}
	r.steps[ref] = steps
}

func (t *typer) problem(kind Kind, n ast.Node, summary, detail string, args ...any) {
	t.problemAt(kind, place{t.r.span(n), t.r.inlined[n]}, summary, detail, args...)
}

func (t *typer) problemAt(kind Kind, at place, summary, detail string, args ...any) {
	text := fmt.Sprintf(detail, args...)
	if at.fn != "" {
		text = fmt.Sprintf("In function %s: %s", at.fn, text)
	}
	if len(t.problems) < maxProblems {
		t.problems = append(t.problems, at.span.problem(kind, summary, text))
	}
}

// label is a node as it is written, for messages.
func (t *typer) label(n ast.Node) string {
	if _, ok := n.(*ast.PointerNode); ok {
		return "the element"
	}
	if text := t.r.texts[n]; text != "" {
		return text
	}
	if f := t.r.refOf(n); f != nil {
		return f.label
	}
	return "this"
}

func (t *typer) node(n ast.Node) typ {
	if v, ok := literal(n); ok {
		return literalType(v)
	}
	switch n := n.(type) {
	case *ast.IdentifierNode:
		if v, ok := t.lets[n.Value]; ok {
			return v
		}
	case *ast.UnaryNode:
		return t.unary(n)
	case *ast.BinaryNode:
		return t.binary(n)
	case *ast.ConditionalNode:
		t.bool(n.Cond, "The condition")
		yes, no := t.node(n.Exp1), t.node(n.Exp2)
		return join(yes, no)
	case *ast.VariableDeclaratorNode:
		t.lets[n.Name] = t.node(n.Value)
		out := t.node(n.Expr)
		delete(t.lets, n.Name)
		return out
	case *ast.SequenceNode:
		out := unknown
		for _, e := range n.Nodes {
			out = t.node(e)
		}
		return out
	case *ast.ChainNode:
		t.skips = append(t.skips, false)
		out := t.node(n.Node)
		last := len(t.skips) - 1
		if t.skips[last] {
			out = out.chosen().orNil()
		}
		t.skips = t.skips[:last]
		return out
	case *ast.MemberNode:
		return t.member(n)
	case *ast.SliceNode:
		return t.slice(n)
	case *ast.CallNode:
		return t.call(n)
	case *ast.BuiltinNode:
		return t.builtin(n)
	case *ast.PointerNode:
		return t.pointer(n)
	case *ast.ArrayNode:
		elem := typ{}
		for _, e := range n.Nodes {
			elem = join(elem, t.node(e))
		}
		if len(n.Nodes) == 0 {
			elem = unknown
		}
		return listOf(elem)
	case *ast.MapNode:
		return t.object(n)
	}
	return unknown
}

func (t *typer) pointer(n *ast.PointerNode) typ {
	switch {
	case n.Name == "index":
		return ofKinds(record.Int)
	case n.Name == "" && len(t.loops) > 0:
		return t.loops[len(t.loops)-1]
	}
	return unknown
}

func (t *typer) object(n *ast.MapNode) typ {
	out := ofKinds(record.Object)
	seen, plain := map[string]bool{}, true
	members := []member{}
	for _, p := range n.Pairs {
		pair, ok := p.(*ast.PairNode)
		if !ok {
			return out
		}
		key, value := t.node(pair.Key), t.node(pair.Value)
		name, isText := key.lit.(string)
		plain = plain && isText && !seen[name]
		seen[name] = true
		members = append(members, member{name, value})
	}
	if plain {
		out.members = members
	}
	return out
}

// bool types a node that must be true or false.
func (t *typer) bool(n ast.Node, what string) typ {
	of := t.node(n)
	if !of.anyOf(kinds(record.Bool)) {
		t.problem(KindNotBool, n, what+" must be true or false", "This is %s. Compare it with something.", of.words())
	}
	return of
}

// literalType is the type of a constant, as encoding/json would give it.
func literalType(v any) typ {
	k, err := record.FromAny(v)
	if err != nil {
		return unknown
	}
	kind := max(k.Kind(), record.Null)
	out := typ{kinds: kinds(kind), lit: v, isLit: true}
	switch v := v.(type) {
	case []any:
		elem := typ{}
		for _, e := range v {
			elem = join(elem, literalType(e))
		}
		if len(v) == 0 {
			elem = unknown
		}
		out.elem = &elem
	}
	return out
}
