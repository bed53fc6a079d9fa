package expr

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
)

// call resolves a call: of the library, of an HCL function, or of a method of
// a time.
func (r *resolver) call(n *ast.CallNode) ast.Node {
	id, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		return r.method(n)
	}
	name := id.Value
	if r.refOf(n) != nil {
		return n
	}
	if name == "has" && len(n.Arguments) == 1 && r.env.lib[name] != nil {
		if out, ok := r.has(n); ok {
			return out
		}
	}
	r.all(n.Arguments)
	if r.env.lib[name] != nil {
		if out, ok := r.predicate(n, name); ok {
			return out
		}
	}
	switch {
	case r.env.user[name] != nil:
		return r.inline(n, r.env.user[name])
	case r.env.lib[name] != nil:
		r.used[name] = true
		if !r.env.lib[name].Pure {
			r.random = true
		}
		before := len(r.problems)
		out := r.checkCall(n, r.env.lib[name])
		if len(r.problems) == before {
			if made, ok := r.pathCall(n, r.env.lib[name]); ok {
				return made
			}
		}
		return out
	case isRoot(name) || r.env.consts[name] != nil:
		r.problem(KindUnknownFunction, id, name+" is no function", "It is a name of the record or of constants.")
		return n
	}
	if _, isLet := r.letOf(name); isLet {
		r.problem(KindUnknownFunction, id, name+" is no function", "It is declared by let.")
		return n
	}
	r.problem(KindUnknownFunction, id, "Unknown function "+name, "%s", didYouMean(name, r.functionNames(), ""))
	return n
}

func (r *resolver) functionNames() []string {
	names := slices.Clone(builtin.Names)
	names = slices.AppendSeq(names, maps.Keys(r.env.user))
	for name := range r.env.lib {
		if !strings.HasPrefix(name, "$") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// has asks the slot of a path itself: a boxed nil does not say whether the
// member was there.
func (r *resolver) has(n *ast.CallNode) (ast.Node, bool) {
	arg := r.node(n.Arguments[0])
	n.Arguments[0] = arg
	f := r.refOf(arg)
	if f == nil || f.derived() {
		return nil, false
	}
	switch f.kind {
	case refValue, refKey, refHeader, refMeta, refTimestamp:
	default:
		return nil, false
	}
	asked := *f
	asked.has = true
	asked.label = "has(" + f.label + ")"
	r.used["has"] = true
	out := r.replace(n, r.refNode(&asked))
	r.noteSteps(out, r.steps[arg], nil)
	return out, true
}

// checkCall runs a function's own check of constant arguments.
func (r *resolver) checkCall(n *ast.CallNode, f *library) ast.Node {
	if f.Check == nil || len(n.Arguments) == 0 {
		return n
	}
	args := make([]any, len(n.Arguments))
	for i, a := range n.Arguments {
		args[i], _ = literal(a)
	}
	if i, msg := f.Check(args); i >= 0 && i < len(n.Arguments) {
		names := make([]string, len(f.Params))
		for j, p := range f.Params {
			names[j] = p.Name
		}
		r.problem(KindWrongArguments, n.Arguments[i], "Wrong argument of "+f.Name, "%s", sentence(msg, names...))
	}
	return n
}

// timeMethods are what a time or a duration can be asked by x.Method().
func timeMethods() []string {
	return []string{
		"Add", "AddDate", "After", "Before", "Compare", "Day", "Equal", "Format", "Hour", "Hours", "In", "IsZero", "Microseconds",
		"Milliseconds", "Minute", "Minutes", "Month", "Nanosecond", "Nanoseconds", "Round", "Second", "Seconds", "String", "Sub",
		"Truncate", "UTC", "Unix", "UnixMicro", "UnixMilli", "UnixNano", "Weekday", "Year", "YearDay", "Zone",
	}
}

// method resolves x.f(y). Only times and durations have methods; the name is
// no member, so it does not become part of a path.
func (r *resolver) method(n *ast.CallNode) ast.Node {
	r.all(n.Arguments)
	member, ok := n.Callee.(*ast.MemberNode)
	if !ok {
		if c, isChain := n.Callee.(*ast.ChainNode); isChain {
			n.Callee = r.node(c)
		}
		r.problem(KindUnknownFunction, n, "Not a function", "Only functions can be called: write name(arguments).")
		return n
	}
	member.Node = r.node(member.Node)
	prop, ok := member.Property.(*ast.StringNode)
	if !ok {
		r.problem(KindUnknownFunction, n, "Not a function", "Only functions can be called: write name(arguments).")
		return n
	}
	if !slices.Contains(timeMethods(), prop.Value) {
		detail := didYouMean(prop.Value, timeMethods(), "")
		if r.isFunction(prop.Value) {
			detail = fmt.Sprintf("%s is a function: write %s(%s).", prop.Value, prop.Value, r.texts[member.Node])
		}
		r.problem(KindUnknownFunction, prop, "Unknown method "+prop.Value, "%s", detail)
	}
	return n
}

// inline puts the body of an HCL function in the place of its call. Arguments
// that are more than a path or a constant are evaluated once, bound by let.
func (r *resolver) inline(n *ast.CallNode, f *userFunc) ast.Node {
	r.used[f.name] = true
	if len(n.Arguments) != len(f.params) {
		r.problem(KindWrongArguments, n, "Wrong number of arguments", "%s takes %s, not %d.", signature(f), count(len(f.params), "argument"), len(n.Arguments))
		return n
	}
	at := n.Location()
	fr := &frame{fn: f, args: map[string]ast.Node{}, at: at, span: r.span(n), outer: r.frame}
	type bound struct {
		name string
		node ast.Node
	}
	var bounds []bound
	for i, p := range f.params {
		arg := n.Arguments[i]
		_, constant := literal(arg)
		if constant || r.refOf(arg) != nil {
			fr.args[p] = arg
			continue
		}
		name := fmt.Sprintf("%s$%s", p, strconv.Itoa(r.nodes)+"_"+strconv.Itoa(i))
		bounds = append(bounds, bound{name, arg})
		fr.args[p] = &ast.IdentifierNode{Value: name}
		r.texts[fr.args[p]] = r.texts[arg]
	}
	tree, err := r.env.parse(f.body)
	if err != nil { // the body was parsed when it was declared
		r.problem(KindSyntax, n, "Function "+f.name+" is broken", "%s", err.Error())
		return n
	}
	lets, loops := r.lets, r.loops
	r.lets, r.frame = nil, fr
	body := r.node(tree.Node)
	r.lets, r.loops, r.frame = lets, loops, fr.outer
	for i := len(bounds) - 1; i >= 0; i-- {
		let := &ast.VariableDeclaratorNode{Name: bounds[i].name, Value: bounds[i].node, Expr: body}
		let.SetLocation(at)
		r.spans[let] = fr.span
		r.inlined[let] = f.name
		body = let
	}
	if t, ok := r.texts[n]; ok {
		r.texts[body] = t
	}
	return body
}

func signature(f *userFunc) string { return f.name + "(" + strings.Join(f.params, ", ") + ")" }

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
