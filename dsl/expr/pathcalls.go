package expr

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// pathCall makes one reference of a call of the library that wants to know which
// type is declared where its first argument stands: on the VM, too, a value at a
// path is of its own kind then.
func (r *resolver) pathCall(n *ast.CallNode, f *library) (ast.Node, bool) {
	if f.OfPath == nil || len(n.Arguments) == 0 {
		return nil, false
	}
	of := r.refOf(n.Arguments[0])
	if of == nil || !of.document() || of.has {
		return nil, false
	}
	required := 0
	for _, p := range f.Params {
		if !p.Optional {
			required++
		}
	}
	if len(n.Arguments) < required || len(n.Arguments) > len(f.Params) {
		return nil, false // the checker says so
	}
	var args []any
	for i, a := range n.Arguments[1:] {
		v, ok := constantOf(a)
		if !ok || !f.takes(i+1, v) {
			return nil, false
		}
		args = append(args, v)
	}
	if _, err := f.OfPath(args); err != nil {
		r.problem(KindWrongArguments, n, "Wrong argument of "+f.Name, "%s", sentence(strings.TrimPrefix(err.Error(), f.Name+": ")))
		return n, true
	}
	made := *of
	made.calls = append(slices.Clone(of.calls), pathCall{f, args})
	made.label = r.texts[n]
	if made.label == "" {
		made.label = f.Name + "(" + of.label + ")"
	}
	out := r.replace(n, r.refNode(&made))
	r.noteSteps(out, r.steps[n.Arguments[0]], nil)
	if r.arguments != nil {
		r.arguments[out] = append(slices.Clone(r.arguments[n.Arguments[0]]), n.Arguments)
	}
	return out, true
}

// takes reports that a constant is of the kind of a parameter; of another one
// the checker says so.
func (f *library) takes(i int, v any) bool {
	want, ok := wordKinds(f.Params[i].Type, nil)
	k, err := record.FromAny(v)
	return !ok || err == nil && want&kinds(max(k.Kind(), record.Null)) != 0
}

// constantOf is literal for what is written as an object, too.
func constantOf(n ast.Node) (any, bool) {
	m, ok := n.(*ast.MapNode)
	if !ok {
		return literal(n)
	}
	out := map[string]any{}
	for _, p := range m.Pairs {
		pair, ok := p.(*ast.PairNode)
		if !ok {
			return nil, false
		}
		name, isText := literal(pair.Key)
		v, constant := constantOf(pair.Value)
		text, _ := name.(string)
		if !isText || !constant || text == "" {
			return nil, false
		}
		out[text] = v
	}
	return out, true
}

// get makes one reference of get(path, name), which reads what stands there by
// its type as the path itself would.
func (r *resolver) get(n *ast.BuiltinNode) (ast.Node, bool) {
	if n.Name != "get" || len(n.Arguments) != 2 {
		return nil, false
	}
	of := r.refOf(n.Arguments[0])
	name, ok := n.Arguments[1].(*ast.StringNode)
	if !ok || of == nil || !of.document() || of.derived() {
		return nil, false
	}
	made := *of
	made.path = append(slices.Clone(of.path), record.Step{Name: name.Value})
	made.steps = append(slices.Clone(of.steps), chainStep{})
	made.got, made.label = true, "get("+of.label+", "+string(record.AppendQuoted(nil, []byte(name.Value)))+")"
	out := r.replace(n, r.refNode(&made))
	r.noteSteps(out, r.steps[n.Arguments[0]], []ast.Node{name})
	return out, true
}

// derived is what functions of a path give.
func (m *machine) derived(s *slot) record.Value {
	var v record.Value
	switch {
	case s.got:
		v = m.member(s)
	case len(s.calls) > 0 && s.calls[0].f.Lenient:
		v = m.at(s)
	default:
		v = m.path(s)
	}
	if m.err != nil {
		return v
	}
	var t *schema.Schema
	if len(s.run) > 0 {
		t = m.declared(s)
	}
	for i, run := range s.run {
		if v = m.callOfPath(run, v, t, s.label); m.err != nil {
			return record.NullValue()
		}
		if i+1 < len(s.run) {
			t = s.calls[i].typeOf(t)
		}
	}
	if s.written && ownText(v) {
		return m.written(s, v)
	}
	return v
}

// ownText reports a value whose text in typed JSON is not the one of its kind.
func ownText(v record.Value) bool {
	switch v.Kind() {
	case record.Time, record.Duration:
		return true
	case record.Float:
		return v.Float()-v.Float() != 0 // not finite
	}
	return false
}

// typeOf is the type of what the call gives for values of a type; nil: not known.
func (c pathCall) typeOf(s *schema.Schema) *schema.Schema {
	if c.f.TypeOfPath == nil {
		return nil
	}
	return c.f.TypeOfPath(s, c.args)
}

// written is a value as the text that it has in typed JSON.
func (m *machine) written(s *slot, v record.Value) record.Value {
	if t := m.declared(s); t != s.of || s.as == nil {
		s.of, s.as = t, t
		for _, c := range s.calls {
			s.as = c.typeOf(s.as)
		}
		if s.as == nil {
			s.as = schema.Unknown
		}
	}
	start := len(m.buf)
	var err error
	if m.buf, err = v.AppendAs(m.buf, s.as); err != nil {
		m.fail(err)
		return record.NullValue()
	}
	if m.buf[start] != '"' {
		return v
	}
	return record.TextValue(m.buf[start+1 : len(m.buf)-1 : len(m.buf)-1])
}

// writes marks what a tree holds of the record that is written into a literal
// which is the result: nobody sees it as a value of its own, so a day stays one.
func (r *resolver) writes(n ast.Node, within bool) ast.Node {
	switch n := n.(type) {
	case *ast.ConditionalNode:
		n.Exp1, n.Exp2 = r.writes(n.Exp1, within), r.writes(n.Exp2, within)
	case *ast.VariableDeclaratorNode:
		n.Expr = r.writes(n.Expr, within)
	case *ast.MapNode:
		for _, p := range n.Pairs {
			if pair, ok := p.(*ast.PairNode); ok {
				pair.Value = r.writes(pair.Value, true)
			}
		}
	case *ast.ArrayNode:
		for i := range n.Nodes {
			n.Nodes[i] = r.writes(n.Nodes[i], true)
		}
	case *ast.CallNode:
		f := r.refOf(n)
		if !within || f == nil || !f.document() || f.has {
			return n
		}
		made := *f
		made.written = true
		out := r.refNode(&made)
		out.SetLocation(n.Location())
		if text, ok := r.texts[n]; ok {
			r.texts[out] = text
		}
		if at, ok := r.spans[n]; ok {
			r.spans[out] = at
		}
		if name, ok := r.inlined[n]; ok {
			r.inlined[out] = name
		}
		r.noteSteps(out, r.steps[n], nil)
		if r.arguments != nil {
			r.arguments[out] = r.arguments[n]
		}
		return out
	}
	return n
}

func (m *machine) callOfPath(run func([]byte, record.Value, *schema.Schema) (record.Value, []byte, error), v record.Value, t *schema.Schema, text string) (out record.Value) {
	defer func() {
		if p := recover(); p != nil {
			m.failf("%w: %s", recovered(p), text)
			out = record.NullValue()
		}
	}()
	out, buf, err := run(m.buf, v, t)
	if err != nil {
		m.failf("%w: %s", err, text)
		return record.NullValue()
	}
	m.buf = buf
	return out
}

// member is get of a path and a name. Where expr would find nothing it is null;
// what it would refuse is left to it.
func (m *machine) member(s *slot) record.Value {
	from := m.path(s.parent)
	switch {
	case m.err != nil || from.IsNil():
		return record.NullValue()
	case from.Kind() != record.Object:
		return m.callBoxed(callGet, []record.Value{from, record.StringValue(s.ref.path[len(s.ref.path)-1].Name)}, s.label)
	}
	if v := m.at(s); v.Kind() != record.Missing {
		return v
	}
	return record.NullValue()
}

// declared is the type that the schema declares at a path: Any where it says
// nothing of it.
func (m *machine) declared(s *slot) *schema.Schema {
	d := m.doc(s)
	t, err := d.TypeOf(s.id)
	for i := len(s.prefix) - 2; t == nil && err == nil && i >= 0; i-- {
		var above *schema.Schema
		if above, err = d.TypeOf(s.prefix[i]); above != nil {
			if above.Type == schema.Any {
				t = above
			}
			break
		}
	}
	if err != nil {
		m.fail(err)
	}
	return t
}

func (m *machine) doc(s *slot) *record.Doc {
	if s.kind == refKey {
		return m.rec.Key
	}
	return m.rec.Value
}

// misplaced returns the nothing() in a tree that is not the result as a whole.
func (r *resolver) misplaced(n ast.Node, result bool) ast.Node {
	if f := r.refOf(n); f != nil {
		if f.kind == refNothing && !result {
			return n
		}
		return nil
	}
	whole := map[ast.Node]bool{}
	if result {
		switch n := n.(type) {
		case *ast.ConditionalNode:
			whole[n.Exp1], whole[n.Exp2] = true, true
		case *ast.VariableDeclaratorNode:
			whole[n.Expr] = true
		case *ast.BinaryNode:
			whole[n.Right] = n.Operator == "??"
		}
	}
	for _, c := range children(n) {
		if c == nil {
			continue
		}
		if found := r.misplaced(c, whole[c]); found != nil {
			return found
		}
	}
	return nil
}

// names reports that the text names the type of the result: all that it may give,
// but null and nothing, comes from a call that says of which type it is.
func (r *resolver) names(n ast.Node) bool {
	named := false
	var all func(n ast.Node) bool
	all = func(n ast.Node) bool {
		var f *library
		switch n := n.(type) {
		case *ast.NilNode:
			return true
		case *ast.ConditionalNode:
			return all(n.Exp1) && all(n.Exp2)
		case *ast.VariableDeclaratorNode:
			return all(n.Expr)
		case *ast.CallNode:
			if ref := r.refOf(n); ref != nil {
				if ref.kind == refNothing {
					return true
				}
				if last := len(ref.calls) - 1; last >= 0 {
					f = ref.calls[last].f
				}
			} else if id, ok := n.Callee.(*ast.IdentifierNode); ok {
				f = r.env.lib[id.Value]
			}
		}
		if f == nil {
			return false
		}
		named = named || f.NamesType
		return f.NamesType || f.Name == "throw"
	}
	return all(n) && named
}
