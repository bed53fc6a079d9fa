package expr

import (
	"errors"
	"fmt"
	"math"
	"reflect"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm/runtime"

	"github.com/flowrecords/flow/engine/record"
)

// errOverflow: expr wraps around, which would write a wrong amount without a
// word.
var errOverflow = errors.New("integer overflow")

func addInts(a, b int64) (int64, bool) {
	c := a + b
	return c, (c > a) == (b > 0)
}

func subtractInts(a, b int64) (int64, bool) {
	c := a - b
	return c, (c < a) == (b > 0)
}

func multiplyInts(a, b int64) (int64, bool) {
	c := a * b
	if int64(int32(a)) == a && int64(int32(b)) == b {
		return c, true
	}
	if a == 0 || b == 0 {
		return 0, true
	}
	return c, c/b == a && (b != -1 || a != math.MinInt64)
}

// ints computes with two ints.
func (m *machine) ints(calc func(a, b int64) (int64, bool), a, b record.Value, text string) record.Value {
	v, ok := calc(a.Int(), b.Int())
	if !ok {
		m.failf("%w: %s", errOverflow, text)
		return record.NullValue()
	}
	return record.IntValue(v)
}

// onInts is an operator for the VM: ints are checked, of anything else expr
// itself is asked.
func onInts(calc func(a, b int64) (int64, bool), other func(a, b any) any) func(args ...any) (any, error) {
	return func(args ...any) (any, error) {
		a, isInt := args[0].(int)
		b, isInt2 := args[1].(int)
		if !isInt || !isInt2 {
			return other(args[0], args[1]), nil
		}
		v, ok := calc(int64(a), int64(b))
		if !ok {
			return nil, errOverflow
		}
		return int(v), nil
	}
}

func callNegate(args ...any) (any, error) {
	if args[0] == math.MinInt {
		return nil, errOverflow
	}
	return runtime.Negate(args[0]), nil
}

func callAbs(args ...any) (any, error) {
	if args[0] == math.MinInt {
		return nil, errOverflow
	}
	return boxedBuiltin("abs")(args...)
}

// callSum is sum of the language, of one list.
func callSum(args ...any) (any, error) {
	list := reflect.ValueOf(args[0])
	switch list.Kind() {
	case reflect.Slice, reflect.Array, reflect.String:
	default:
		return nil, fmt.Errorf("sum needs array, got %s", typeName(args[0]))
	}
	var sum any = 0
	for i := range list.Len() {
		next, err := callAdd(sum, list.Index(i).Interface())
		if err != nil {
			return nil, err
		}
		sum = next
	}
	return sum, nil
}

// operators are the functions that an island calls for an operator.
var operators = map[string]string{"+": addFunc, "-": subtractFunc, "*": multiplyFunc}

// forVM makes what computes with ints a call of a function that reports an
// overflow, and string one that knows bytes, as the closures do.
func (b *builder) forVM(n *ast.Node) { ast.Walk(n, vmRewriter{b}) }

type vmRewriter struct{ b *builder }

func (c vmRewriter) Visit(n *ast.Node) {
	var name string
	var args []ast.Node
	switch at := (*n).(type) {
	case *ast.BinaryNode:
		name, args = operators[at.Operator], []ast.Node{at.Left, at.Right}
		if neverInt(at.Left) || neverInt(at.Right) {
			return
		}
	case *ast.UnaryNode:
		if at.Operator != "-" {
			return
		}
		name, args = negateFunc, []ast.Node{at.Node}
	case *ast.BuiltinNode:
		switch {
		case at.Name == "abs":
			name, args = absFunc, at.Arguments
		case at.Name == "string":
			name, args = stringFunc, at.Arguments
		case at.Name == "sum" && len(at.Arguments) == 1:
			name, args = sumFunc, at.Arguments
		case at.Name == "sum" && len(at.Arguments) == 2:
			list := &ast.BuiltinNode{Name: "map", Arguments: at.Arguments}
			list.SetLocation(at.Location())
			name, args = sumFunc, []ast.Node{list}
		}
	}
	if name == "" {
		return
	}
	text := c.b.text(*n)
	*n = callOf(name, *n, args...)
	c.b.r.texts[*n] = text
}

func neverInt(n ast.Node) bool {
	switch n.(type) {
	case *ast.FloatNode, *ast.StringNode:
		return true
	}
	return false
}

// callOf is a call in the place of n.
func callOf(name string, n ast.Node, args ...ast.Node) ast.Node {
	call := &ast.CallNode{Callee: &ast.IdentifierNode{Value: name}, Arguments: args}
	call.SetNature(*n.Nature())
	call.SetLocation(n.Location())
	return call
}

// foldInts finds sums and products of literals that overflow and makes them
// calls, which fail when they are reached: expr's optimiser would fold them.
type foldInts struct {
	r     *resolver
	known map[ast.Node]int64
}

func (f foldInts) value(n ast.Node) (int64, bool) {
	if i, ok := n.(*ast.IntegerNode); ok {
		return int64(i.Value), true
	}
	v, ok := f.known[n]
	return v, ok
}

func (f foldInts) Visit(n *ast.Node) {
	var v int64
	var fits bool
	var name string
	var args []ast.Node
	switch at := (*n).(type) {
	case *ast.BinaryNode:
		a, ok := f.value(at.Left)
		b, ok2 := f.value(at.Right)
		if !ok || !ok2 {
			return
		}
		switch at.Operator {
		case "+":
			v, fits = addInts(a, b)
		case "-":
			v, fits = subtractInts(a, b)
		case "*":
			v, fits = multiplyInts(a, b)
		default:
			return
		}
		name, args = operators[at.Operator], []ast.Node{at.Left, at.Right}
	case *ast.UnaryNode:
		a, ok := f.value(at.Node)
		if !ok || at.Operator != "-" && at.Operator != "+" {
			return
		}
		v, fits = a, true
		if at.Operator == "-" {
			v, fits = subtractInts(0, a)
		}
		name, args = negateFunc, []ast.Node{at.Node}
	default:
		return
	}
	if fits {
		f.known[*n] = v
		return
	}
	old := *n
	*n = callOf(name, old, args...)
	if t, ok := f.r.texts[old]; ok {
		f.r.texts[*n] = t
	}
	if s, ok := f.r.spans[old]; ok {
		f.r.spans[*n] = s
	}
	if name, ok := f.r.inlined[old]; ok {
		f.r.inlined[*n] = name
	}
}
