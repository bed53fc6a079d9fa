package expr

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/checker/nature"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
)

// function is a reference as the checker and the compiler see it.
func (f *ref) function(read func(...any) (any, error)) *builtin.Function {
	t := f.goType()
	return &builtin.Function{
		Name: f.fn, Func: read,
		Validate: func([]reflect.Type) (reflect.Type, error) { return t, nil },
	}
}

// goType is the type of a reference for the checker. Whatever may be nil, or
// of any kind, has none: the VM would take it for granted. The type any will
// not do, since the checker lets a value of it pass for one of the other
// branch's type.
func (f *ref) goType() reflect.Type {
	switch {
	case f.has, f.kind == refTombstone:
		return reflect.TypeFor[bool]()
	case f.kind == refTopic:
		return reflect.TypeFor[string]()
	case f.kind == refPartition, f.kind == refOffset:
		return reflect.TypeFor[int]()
	case f.kind == refHeaders, f.kind == refMetaAll:
		return reflect.TypeFor[map[string]any]()
	case f.kind == refTimestamp:
		return reflect.TypeFor[time.Time]()
	}
	return nil
}

// check finds the mistakes of types. expr reports the first only; what it
// names is taken for a value of unknown type, and it is asked again.
func (r *resolver) check(tree *parser.Tree, c *conf.Config) (reflect.Type, []Problem) {
	var problems []Problem
	c.Functions["$unknown"] = (&ref{fn: "$unknown"}).function(unbound)
	for {
		typ, err := checker.Check(tree, c)
		if err == nil {
			return typ, problems
		}
		problems = append(problems, r.typeProblem(tree, err))
		var fe *file.Error
		if !errors.As(err, &fe) || len(problems) == maxProblems {
			return nil, problems
		}
		if !forget(&tree.Node, fe.Location) {
			return nil, problems
		}
	}
}

// forget puts a value of unknown type in the place of the node at l.
func forget(n *ast.Node, l file.Location) bool {
	f := &forgetter{at: l}
	ast.Walk(n, f)
	return f.done
}

type forgetter struct {
	at   file.Location
	done bool
}

func (f *forgetter) Visit(n *ast.Node) {
	switch (*n).(type) {
	case *ast.PredicateNode, *ast.PairNode:
		return
	}
	if f.done || (*n).Location() != f.at {
		return
	}
	f.done = true
	fresh := &ast.CallNode{Callee: &ast.IdentifierNode{Value: "$unknown"}}
	// A place of its own, so that the same mistake is not found again.
	fresh.SetLocation(file.Location{From: -1, To: -1})
	*n = fresh
}

// nodeAt returns the outermost node at a location.
func nodeAt(n ast.Node, l file.Location) ast.Node {
	if n == nil {
		return nil
	}
	if n.Location() == l {
		if _, ok := n.(*ast.PairNode); !ok {
			return n
		}
	}
	for _, c := range children(n) {
		if found := nodeAt(c, l); found != nil {
			return found
		}
	}
	return nil
}

func (r *resolver) wantBool(n ast.Node, typ reflect.Type) []Problem {
	if typ != nil && (typ.Kind() == reflect.Bool || typ.Kind() == reflect.Interface) {
		if _, isNil := n.(*ast.NilNode); !isNil {
			return nil
		}
	}
	return []Problem{{
		Kind: KindNotBool, Length: len(r.pos.text), Summary: "The result must be true or false",
		Detail: fmt.Sprintf("This is always %s. Compare it with something, as in value.status == 'paid'.", goTypeName(typ)),
	}}
}

// loosen forgets types that rest on a value of type any: the checker gives
// x ? "a" : f() the type string whatever f returns, and the compiler then
// compares it as one. It reports that the type of n is not to be trusted.
func loosen(n ast.Node) bool { return (&loosener{lets: map[string]bool{}}).node(n) }

type loosener struct{ lets map[string]bool }

func (l *loosener) node(n ast.Node) bool {
	if n == nil {
		return false
	}
	loose := false
	switch n := n.(type) {
	case *ast.VariableDeclaratorNode:
		l.lets[n.Name] = l.node(n.Value)
		loose = l.node(n.Expr)
	case *ast.IdentifierNode:
		loose = l.lets[n.Value]
	case *ast.ConditionalNode:
		l.node(n.Cond)
		a, b := l.node(n.Exp1), l.node(n.Exp2)
		loose = a || b
	case *ast.SequenceNode:
		for _, e := range n.Nodes {
			loose = l.node(e)
		}
	case *ast.UnaryNode:
		loose = l.node(n.Node) && n.Operator != "!" && n.Operator != "not"
	case *ast.ChainNode:
		loose = l.node(n.Node)
	case *ast.BinaryNode:
		a, b := l.node(n.Left), l.node(n.Right)
		switch n.Operator {
		case "+", "-", "*", "??":
			loose = a || b
		}
	default:
		for _, c := range children(n) {
			of := l.node(c)
			f, ok := n.(*ast.BuiltinNode)
			switch {
			case !ok:
			case f.Name == "min" || f.Name == "max":
				// Their type is that of the first argument, whichever wins.
				loose = loose || of || c.Nature().Kind != f.Arguments[0].Nature().Kind
			case f.Name == "abs":
				loose = loose || of
			}
		}
	}
	if loose {
		n.SetNature(nature.Nature{})
		return true
	}
	t := n.Nature().Type
	return t == nil || t.Kind() == reflect.Interface
}

// rewrite makes slices calls of a function that counts characters, + in loops
// calls of one that bounds text, and get and type calls of functions that know
// one kind of int. It comes after the check, which knows the types of all.
func rewrite(n *ast.Node) {
	ast.Walk(n, sliceRewriter{})
	ast.Walk(n, intRewriter{})
	ast.Walk(n, loopRewriter{})
}

// intRewriter is for the bytes of a text, which expr makes uint8: as a result
// or in a slot they are int.
type intRewriter struct{}

func (intRewriter) Visit(n *ast.Node) {
	f, ok := (*n).(*ast.BuiltinNode)
	if !ok {
		return
	}
	var name string
	switch {
	case f.Name == "get" && len(f.Arguments) == 2:
		name = getFunc
	case f.Name == "type" && len(f.Arguments) == 1:
		name = typeFunc
	default:
		return
	}
	call := &ast.CallNode{Callee: &ast.IdentifierNode{Value: name}, Arguments: f.Arguments}
	call.SetNature(*f.Nature())
	call.SetLocation(f.Location())
	*n = call
}

type loopRewriter struct{}

func (loopRewriter) Visit(n *ast.Node) {
	if p, ok := (*n).(*ast.PredicateNode); ok {
		ast.Walk(&p.Node, addRewriter{})
	}
}

type addRewriter struct{}

func (addRewriter) Visit(n *ast.Node) {
	add, ok := (*n).(*ast.BinaryNode)
	if !ok || add.Operator != "+" || add.Nature().IsNumber() {
		return
	}
	call := &ast.CallNode{
		Callee:    &ast.IdentifierNode{Value: addFunc},
		Arguments: []ast.Node{add.Left, add.Right},
	}
	call.SetNature(*add.Nature())
	call.SetLocation(add.Location())
	*n = call
}

type sliceRewriter struct{}

func (sliceRewriter) Visit(n *ast.Node) {
	s, ok := (*n).(*ast.SliceNode)
	if !ok {
		return
	}
	bound := func(b ast.Node) ast.Node {
		if b != nil {
			return b
		}
		c := &ast.ConstantNode{Value: absent{}}
		c.SetType(reflect.TypeFor[absent]())
		return c
	}
	call := &ast.CallNode{
		Callee:    &ast.IdentifierNode{Value: sliceFunc},
		Arguments: []ast.Node{s.Node, bound(s.From), bound(s.To)},
	}
	call.SetNature(*s.Nature())
	call.SetLocation(s.Location())
	*n = call
}
