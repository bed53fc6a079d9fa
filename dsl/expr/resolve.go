package expr

import (
	"fmt"
	"math"
	"strconv"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/file"

	"github.com/flowrecords/flow/engine/limits"
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
	// constants are what Source.Constants returns.
	constants map[string]bool
	random    bool

	lets  []letName
	frame *frame
	// declared is the function whose declaration is checked, with its params.
	declared *userFunc
	params   map[string]*ref
	// loops counts the predicates around the node.
	loops    int
	nodes    int
	problems []Problem
	// steps are the places of the steps of references, kept for types alone.
	steps map[ast.Node][]place
	// arguments are those of the calls of references, kept for types alone.
	arguments map[ast.Node][][]ast.Node
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
		inlined: map[ast.Node]string{}, refByID: map[string]*ref{}, used: map[string]bool{}, constants: map[string]bool{},
	}
}

func (r *resolver) problem(kind Kind, n ast.Node, summary, detail string, args ...any) {
	s := r.span(n)
	r.problems = append(r.problems, s.problem(kind, summary, fmt.Sprintf(detail, args...)))
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
			r.problem(KindTooLarge, n, "The expression is too large", "Calls of functions are expanded in place; what comes out has more than %d parts. Use fewer nested calls.", limits.ExprNodes)
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
		if out, ok := r.get(n); ok {
			return out
		}
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
			if n.Operator == "-" && v != math.MinInt {
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

func (r *resolver) let(n *ast.VariableDeclaratorNode) ast.Node {
	n.Value = r.node(n.Value)
	name := n.Name
	_, taken := r.letOf(name)
	switch {
	case r.frame == nil && taken:
		r.problem(KindNameTaken, n, "Name used twice", "%s is declared by let already. Choose another name.", name)
	case isRoot(name) || r.env.consts[name] != nil:
		r.problem(KindNameTaken, n, "Name is taken", "%s is a name of the record or of constants. Choose another name for let.", name)
	case r.isFunction(name):
		r.problem(KindNameTaken, n, "Name is taken", "%s is a function. Choose another name for let.", name)
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
