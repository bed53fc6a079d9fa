package expr

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/flowrecords/flow/engine/record"
)

// access resolves a name or a member access: a path of the record, a
// constant, a parameter or a `let` name.
func (r *resolver) access(n ast.Node) ast.Node {
	c, ok := chainOf(n, func(p ast.Node) (any, bool) { return literal(r.node(p)) })
	// An open chain goes on in a call of a method: where it finds nil, the call
	// is skipped, too, which a reference cannot do.
	if ok && !c.open() {
		name := c.root.Value
		if u, isLet := r.letOf(name); isLet {
			if len(c.path) == 0 {
				c.root.Value = u
				return n
			}
			return r.members(n)
		}
		if r.frame != nil {
			if arg, isParam := r.frame.args[name]; isParam {
				return r.param(n, c, arg)
			}
		}
		if p := r.params[name]; p != nil {
			return r.param(n, c, r.refNode(p))
		}
		switch {
		case name == "$env":
			r.problem(KindUnknownName, c.root, "Unknown name $env", "Use value, key, headers, topic, partition, offset, timestamp or meta.")
			return n
		case r.env.consts[name] != nil:
			return r.constant(n, c)
		case isRoot(name):
			return r.recordRef(n, c)
		}
		r.unknownName(c.root)
		return n
	}
	return r.members(n)
}

// members resolves below an access that is no constant path as a whole.
func (r *resolver) members(n ast.Node) ast.Node {
	switch n := n.(type) {
	case *ast.ChainNode:
		n.Node = r.node(n.Node)
	case *ast.MemberNode:
		n.Node = r.node(n.Node)
		n.Property = r.node(n.Property)
	}
	return n
}

func (r *resolver) letOf(name string) (string, bool) {
	for i := len(r.lets) - 1; i >= 0; i-- {
		if r.lets[i].written == name {
			return r.lets[i].unique, true
		}
	}
	return "", false
}

// param puts the argument in the place of a parameter. A path below it joins
// the argument's own path, so that it stays one slot.
func (r *resolver) param(n ast.Node, c chain, arg ast.Node) ast.Node {
	if len(c.path) == 0 {
		return r.replace(n, r.copyLeaf(arg))
	}
	if ref := r.refOf(arg); ref != nil && ref.joins() {
		joined := *ref
		joined.path = append(slices.Clone(ref.path), c.path...)
		joined.steps = slices.Clone(ref.steps)
		for _, s := range c.steps {
			if s.opt {
				s.end += len(ref.steps)
			}
			joined.steps = append(joined.steps, s)
		}
		tail := chain{root: &ast.IdentifierNode{Value: ref.label}, path: c.path, steps: c.steps}
		joined.label = tail.label()
		out := r.replace(n, r.refNode(&joined))
		r.noteSteps(out, r.steps[arg], c.props)
		return out
	}
	return r.members(n)
}

// copyLeaf copies an argument that is put into more than one place: expr
// changes the type of literals where they stand.
func (r *resolver) copyLeaf(n ast.Node) ast.Node {
	var out ast.Node
	switch n := n.(type) {
	case *ast.IdentifierNode:
		out = &ast.IdentifierNode{Value: n.Value}
	default:
		if v, ok := literal(n); ok {
			out = literalNode(v)
		} else if ref := r.refOf(n); ref != nil {
			out = r.refNode(ref)
			r.noteSteps(out, r.steps[n], nil)
		} else {
			return n
		}
	}
	if t, ok := r.texts[n]; ok {
		r.texts[out] = t
	}
	return out
}

func (r *resolver) constant(n ast.Node, c chain) ast.Node {
	root := r.env.consts[c.root.Value]
	name := c.root.Value
	if len(c.path) > 0 {
		name += "." + c.path[0].Name
	}
	r.constants[name] = true
	if len(c.path) == 0 {
		return r.replace(n, literalNode(any(root)))
	}
	var v any = root
	where := c.root.Value
	for i, s := range c.path {
		if v == nil && c.steps[i].opt {
			return r.replace(n, literalNode(nil))
		}
		switch at := v.(type) {
		case map[string]any:
			next, ok := at[s.Name]
			if s.IsIndex || !ok {
				name := record.Path{s}.String()
				r.problem(KindUnknownName, c.props[i], "Unknown name "+where+"."+name, "%s", didYouMean(s.Name, slices.Sorted(maps.Keys(at)), where+"."))
				return n
			}
			v = next
		case []any:
			j := s.Index
			if j < 0 {
				j += len(at)
			}
			if !s.IsIndex || j < 0 || j >= len(at) {
				r.problem(KindNoMember, c.props[i], "No such element", "%s has %d elements.", where, len(at))
				return n
			}
			v = at[j]
		default:
			r.problem(KindNoMember, c.props[i], "No such member", "%s is %s and has no members.", where, typeName(v))
			return n
		}
		if s.IsIndex {
			where += record.Path{s}.String()
		} else {
			where += "." + record.Path{s}.String()
		}
	}
	return r.replace(n, literalNode(v))
}

// recordRef makes a reference of a path that begins with a name of the record.
func (r *resolver) recordRef(n ast.Node, c chain) ast.Node {
	if r.env.noRecord {
		r.problem(KindNoRecord, n, "There is no record here", "Only constants and functions can be used here; %s is part of a record.", c.root.Value)
		return n
	}
	if r.declared != nil {
		r.problem(KindNoRecord, n, "A function does not see the record", "Give %s to the function as an argument.", c.label())
		return n
	}
	ref := &ref{label: c.label()}
	switch c.root.Value {
	case "value", "key":
		if c.root.Value == "key" {
			ref.kind = refKey
		}
		ref.path, ref.steps = c.path, c.steps
		out := r.replace(n, r.refNode(ref))
		r.noteSteps(out, nil, c.props)
		return out
	case "headers", "meta":
		all, one := refHeaders, refHeader
		if c.root.Value == "meta" {
			all, one = refMetaAll, refMeta
		}
		switch {
		case len(c.path) == 0:
			ref.kind = all
		case c.path[0].IsIndex:
			r.problem(KindNoMember, n, "Names of "+c.root.Value+" are text", `Write %s.name or %s["name"].`, c.root.Value, c.root.Value)
			return n
		case len(c.path) > 1:
			r.problem(KindNoMember, n, "No such member", "%s is text and has no members.", chain{c.root, c.path[:1], c.steps[:1], nil}.label())
			return n
		default:
			ref.kind, ref.name = one, c.path[0].Name
		}
		return r.replace(n, r.refNode(ref))
	}
	switch c.root.Value {
	case "topic":
		ref.kind = refTopic
	case "partition":
		ref.kind = refPartition
	case "offset":
		ref.kind = refOffset
	case "timestamp":
		ref.kind = refTimestamp
	}
	if len(c.path) > 0 {
		r.problem(KindNoMember, n, "No such member", "%s has no members.", c.root.Value)
		return n
	}
	return r.replace(n, r.refNode(ref))
}

// refNode returns the call that stands for a reference.
func (r *resolver) refNode(f *ref) ast.Node {
	id := f.identity()
	known := r.refByID[id]
	if known == nil {
		known = f
		known.fn = "$" + strconv.Itoa(len(r.refs))
		r.refs = append(r.refs, known)
		r.refByID[id] = known
	}
	return &ast.CallNode{Callee: &ast.IdentifierNode{Value: known.fn}}
}

// refOf returns the reference that a node stands for, or nil.
func (r *resolver) refOf(n ast.Node) *ref { return refIn(r.refs, n) }

func refIn(refs []*ref, n ast.Node) *ref {
	call, ok := n.(*ast.CallNode)
	if !ok || len(call.Arguments) > 0 {
		return nil
	}
	id, ok := call.Callee.(*ast.IdentifierNode)
	if !ok || len(id.Value) < 2 || id.Value[0] != '$' {
		return nil
	}
	i, err := strconv.Atoi(id.Value[1:])
	if err != nil || i >= len(refs) {
		return nil
	}
	return refs[i]
}

func (r *resolver) unknownName(n *ast.IdentifierNode) {
	name := n.Value
	if r.isFunction(name) {
		r.problem(KindWrongArguments, n, "Function without arguments", "%s is a function: write %s(...).", name, name)
		return
	}
	if strings.EqualFold(name, "null") {
		r.problem(KindUnknownName, n, "Unknown name "+name, "Write nil: that is null here.")
		return
	}
	names := slices.Sorted(maps.Keys(r.env.consts))
	if !r.env.noRecord && r.declared == nil {
		names = append(names, rootNames()...)
	}
	for _, l := range r.lets {
		names = append(names, l.written)
	}
	if r.declared != nil {
		names = append(names, r.declared.params...)
	}
	detail := didYouMean(name, names, "")
	if hint := nearest(name, names); hint == "" && !r.env.noRecord && r.declared == nil {
		detail = fmt.Sprintf("A field of the record is written value.%s; text is written '%s'.", name, name)
	}
	r.problem(KindUnknownName, n, "Unknown name "+name, "%s", detail)
}
