package expr

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/file"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

// userFunc is a function declared in HCL.
type userFunc struct {
	name   string
	params []string
	body   string
}

// resolver turns a parsed tree into one that holds no names but those of
// `let`: paths become references, constants literals, calls of HCL's
// functions their bodies. It reports all names that do not exist.
type resolver struct {
	env  *Env
	pos  *positions
	memo map[ast.Node]ast.Node
	// texts holds the text of nodes whose place in the tree says too little.
	texts map[ast.Node]string
	spans map[ast.Node]span
	// inlined names the function that a node comes from.
	inlined map[ast.Node]string

	refs    []*ref
	refByID map[string]*ref
	used    map[string]bool
	random  bool

	lets  []letName
	frame *frame
	// declared is the function whose declaration is checked, with its params.
	declared *userFunc
	params   map[string]*ref
	// loops counts the predicates around the node.
	loops    int
	nodes    int
	problems []Problem
}

type letName struct{ written, unique string }

// frame is one call of an HCL function while its body is inlined.
type frame struct {
	fn    *userFunc
	args  map[string]ast.Node
	at    file.Location
	span  span
	outer *frame
}

func newResolver(e *Env, pos *positions) *resolver {
	return &resolver{
		env: e, pos: pos,
		memo: map[ast.Node]ast.Node{}, texts: map[ast.Node]string{}, spans: map[ast.Node]span{},
		inlined: map[ast.Node]string{}, refByID: map[string]*ref{}, used: map[string]bool{},
	}
}

func (r *resolver) problem(n ast.Node, summary, detail string, args ...any) {
	s := r.span(n)
	r.problems = append(r.problems, s.problem(summary, fmt.Sprintf(detail, args...)))
}

func (r *resolver) span(n ast.Node) span {
	if r.frame != nil {
		return r.frame.span
	}
	if s, ok := r.spans[n]; ok {
		return s
	}
	return r.pos.spanOf(n)
}

// replace remembers where the new node comes from.
func (r *resolver) replace(old, fresh ast.Node) ast.Node {
	fresh.SetLocation(old.Location())
	s := r.span(old)
	r.spans[fresh] = s
	if r.frame != nil {
		r.inlined[fresh] = r.frame.fn.name
		fresh.SetLocation(r.frame.at)
	} else {
		r.texts[fresh] = excerpt(r.pos.text[s.from:s.to])
	}
	return fresh
}

// node resolves n and all below it. A comparison chain (a < b < c) has b twice
// in the tree, so a node may come by more than once.
func (r *resolver) node(n ast.Node) ast.Node {
	if n == nil {
		return nil
	}
	if done, ok := r.memo[n]; ok {
		return done
	}
	if r.nodes++; r.nodes > limits.ExprNodes {
		if r.nodes == limits.ExprNodes+1 {
			r.problem(n, "The expression is too large", "Calls of functions are expanded in place; what comes out has more than %d parts. Use fewer nested calls.", limits.ExprNodes)
		}
		return n
	}
	if _, ok := r.spans[n]; !ok {
		s := r.span(n)
		r.spans[n] = s
		if r.frame == nil {
			r.texts[n] = excerpt(r.pos.text[s.from:s.to])
		}
	}
	out := r.resolve(n)
	if r.frame != nil && out == n {
		n.SetLocation(r.frame.at)
		r.inlined[n] = r.frame.fn.name
	}
	r.memo[n], r.memo[out] = out, out
	return out
}

func (r *resolver) resolve(n ast.Node) ast.Node {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return r.access(n)
	case *ast.MemberNode, *ast.ChainNode:
		return r.access(n)
	case *ast.CallNode:
		return r.call(n)
	case *ast.VariableDeclaratorNode:
		return r.let(n)
	case *ast.PredicateNode:
		r.loops++
		n.Node = r.node(n.Node)
		r.loops--
	case *ast.UnaryNode:
		n.Node = r.node(n.Node)
	case *ast.BinaryNode:
		n.Left, n.Right = r.node(n.Left), r.node(n.Right)
	case *ast.SliceNode:
		n.Node, n.From, n.To = r.node(n.Node), r.node(n.From), r.node(n.To)
	case *ast.BuiltinNode:
		r.used[n.Name] = true
		if n.Name == "now" {
			r.random = true
		}
		r.all(n.Arguments)
	case *ast.ConditionalNode:
		n.Cond, n.Exp1, n.Exp2 = r.node(n.Cond), r.node(n.Exp1), r.node(n.Exp2)
	case *ast.SequenceNode:
		r.all(n.Nodes)
	case *ast.ArrayNode:
		r.all(n.Nodes)
	case *ast.MapNode:
		r.all(n.Pairs)
	case *ast.PairNode:
		n.Key, n.Value = r.node(n.Key), r.node(n.Value)
	}
	return n
}

func (r *resolver) all(nodes []ast.Node) {
	for i := range nodes {
		nodes[i] = r.node(nodes[i])
	}
}

// literal returns the value of a node that is a constant already.
func literal(n ast.Node) (any, bool) {
	switch n := n.(type) {
	case *ast.NilNode:
		return nil, true
	case *ast.BoolNode:
		return n.Value, true
	case *ast.IntegerNode:
		return n.Value, true
	case *ast.FloatNode:
		return n.Value, true
	case *ast.StringNode:
		return n.Value, true
	case *ast.BytesNode:
		return n.Value, true
	case *ast.ConstantNode:
		return n.Value, true
	case *ast.UnaryNode:
		switch v, ok := literal(n.Node); v := v.(type) {
		case int:
			if n.Operator == "-" {
				return -v, ok
			}
		case float64:
			if n.Operator == "-" {
				return -v, ok
			}
		}
	}
	return nil, false
}

// literalNode is the node of a constant value.
func literalNode(v any) ast.Node {
	switch v := v.(type) {
	case nil:
		return &ast.NilNode{}
	case bool:
		return &ast.BoolNode{Value: v}
	case int:
		return &ast.IntegerNode{Value: v}
	case float64:
		return &ast.FloatNode{Value: v}
	case string:
		return &ast.StringNode{Value: v}
	case []byte:
		return &ast.BytesNode{Value: v}
	}
	return &ast.ConstantNode{Value: v}
}

// access resolves a name or a member access: a path of the record, a
// constant, a parameter or a `let` name.
func (r *resolver) access(n ast.Node) ast.Node {
	c, ok := chainOf(n, func(p ast.Node) (any, bool) { return literal(r.node(p)) })
	if ok {
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
			r.problem(c.root, "Unknown name $env", "Use value, key, headers, topic, partition, offset, timestamp or meta.")
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
		return r.replace(n, r.refNode(&joined))
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
				r.problem(c.props[i], "Unknown name "+where+"."+name, "%s", didYouMean(s.Name, slices.Sorted(maps.Keys(at)), where+"."))
				return n
			}
			v = next
		case []any:
			j := s.Index
			if j < 0 {
				j += len(at)
			}
			if !s.IsIndex || j < 0 || j >= len(at) {
				r.problem(c.props[i], "No such element", "%s has %d elements.", where, len(at))
				return n
			}
			v = at[j]
		default:
			r.problem(c.props[i], "No such member", "%s is %s and has no members.", where, typeName(v))
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
		r.problem(n, "There is no record here", "Only constants and functions can be used here; %s is part of a record.", c.root.Value)
		return n
	}
	if r.declared != nil {
		r.problem(n, "A function does not see the record", "Give %s to the function as an argument.", c.label())
		return n
	}
	ref := &ref{label: c.label()}
	switch c.root.Value {
	case "value", "key":
		if c.root.Value == "key" {
			ref.kind = refKey
		}
		ref.path, ref.steps = c.path, c.steps
		return r.replace(n, r.refNode(ref))
	case "headers", "meta":
		all, one := refHeaders, refHeader
		if c.root.Value == "meta" {
			all, one = refMetaAll, refMeta
		}
		switch {
		case len(c.path) == 0:
			ref.kind = all
		case c.path[0].IsIndex:
			r.problem(n, "Names of "+c.root.Value+" are text", `Write %s.name or %s["name"].`, c.root.Value, c.root.Value)
			return n
		case len(c.path) > 1:
			r.problem(n, "No such member", "%s is text and has no members.", chain{c.root, c.path[:1], c.steps[:1], nil}.label())
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
		r.problem(n, "No such member", "%s has no members.", c.root.Value)
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

func (r *resolver) let(n *ast.VariableDeclaratorNode) ast.Node {
	n.Value = r.node(n.Value)
	name := n.Name
	_, taken := r.letOf(name)
	switch {
	case r.frame == nil && taken:
		r.problem(n, "Name used twice", "%s is declared by let already. Choose another name.", name)
	case isRoot(name) || r.env.consts[name] != nil:
		r.problem(n, "Name is taken", "%s is a name of the record or of constants. Choose another name for let.", name)
	case r.isFunction(name):
		r.problem(n, "Name is taken", "%s is a function. Choose another name for let.", name)
	}
	if r.frame != nil {
		// The same body may be inlined inside itself through an argument.
		n.Name = name + "$" + strconv.Itoa(r.nodes)
	}
	r.lets = append(r.lets, letName{name, n.Name})
	n.Expr = r.node(n.Expr)
	r.lets = r.lets[:len(r.lets)-1]
	return n
}

func (r *resolver) isFunction(name string) bool {
	_, isBuiltin := builtin.Index[name]
	return isBuiltin || r.env.lib[name] != nil || r.env.user[name] != nil
}

func (r *resolver) unknownName(n *ast.IdentifierNode) {
	name := n.Value
	if r.isFunction(name) {
		r.problem(n, "Function without arguments", "%s is a function: write %s(...).", name, name)
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
	r.problem(n, "Unknown name "+name, "%s", detail)
}
