package expr

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/checker/nature"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/optimizer"
	"github.com/expr-lang/expr/parser"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

// maxText bounds the text of an expression: expr's parser recurses once per
// character at worst, before it counts nodes.
const maxText = 64 << 10

// maxProblems is how many mistakes of one expression's types are looked for.
const maxProblems = 20

// config returns expr's configuration. It is used by one goroutine: expr
// caches types in it.
func (e *Env) config() *conf.Config {
	c := conf.CreateNew()
	c.WithEnv(map[string]any{})
	c.MaxNodes = limits.ExprNodes
	for name, f := range e.lib {
		c.Functions[name] = f.fn
	}
	for name := range e.user {
		c.Functions[name] = &builtin.Function{Name: name, Func: unbound}
	}
	return c
}

func unbound(...any) (any, error) { return nil, errors.New("not bound to a record") }

// parse reads a text. Any panic of expr's parser is an error at the whole text.
func (e *Env) parse(text string) (tree *parser.Tree, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return parser.ParseWithConfig(text, e.config())
}

// front parses a text and resolves its names.
func (e *Env) front(text string) (*resolver, *parser.Tree, []Problem) {
	if p, bad := checkText(text); bad {
		return nil, nil, []Problem{p}
	}
	pos := newPositions(text)
	tree, err := e.parse(text)
	if err != nil {
		return nil, nil, []Problem{syntaxProblem(pos, err)}
	}
	if weight(tree.Node, map[ast.Node]int{}) > limits.ExprNodes {
		return nil, nil, []Problem{{Length: len(text), Summary: "The expression is too large", Detail: "Comparison chains (a < b < c) within each other double it at each level."}}
	}
	return newResolver(e, pos), tree, nil
}

// weight counts nodes as often as expr's passes visit them: a chain of
// comparisons shares its operands.
func weight(n ast.Node, seen map[ast.Node]int) int {
	if n == nil {
		return 0
	}
	if w, ok := seen[n]; ok {
		return w
	}
	w := 1
	for _, c := range children(n) {
		if w += weight(c, seen); w > limits.ExprNodes {
			break
		}
	}
	seen[n] = w
	return w
}

func checkText(text string) (Problem, bool) {
	switch {
	case strings.TrimSpace(text) == "":
		return Problem{Length: len(text), Summary: "The expression is empty", Detail: "Write an expression, such as value.amount > 100."}, true
	case len(text) > maxText:
		return Problem{Length: len(text), Summary: "The expression is too long", Detail: fmt.Sprintf("An expression has at most %d bytes.", maxText)}, true
	case !utf8.ValidString(text):
		i := 0
		for i < len(text) {
			r, n := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			i += n
		}
		return Problem{Offset: i, Length: 1, Summary: "The expression is not valid UTF-8", Detail: "Save the file as UTF-8."}, true
	}
	return Problem{}, false
}

// compile is Compile for this package's own type.
func (e *Env) compile(text string, want Want) (s *Source, problems []Problem) {
	defer func() {
		if p := recover(); p != nil {
			s, problems = nil, []Problem{{
				Length: len(text), Summary: "The expression cannot be compiled",
				Detail: sentence(fmt.Sprint(p)),
			}}
		}
	}()
	r, tree, problems := e.front(text)
	if len(problems) > 0 {
		return nil, problems
	}
	tree.Node = r.node(tree.Node)
	if len(r.problems) > 0 {
		return nil, tidy(r.problems)
	}
	c := e.config()
	for _, f := range r.refs {
		c.Functions[f.fn] = f.function(unbound)
	}
	typ, problems := r.check(tree, c)
	if len(problems) == 0 && want == WantBool {
		problems = r.wantBool(tree.Node, typ)
	}
	if len(problems) > 0 {
		return nil, tidy(problems)
	}
	loosen(tree.Node)
	rewrite(&tree.Node)
	if err := optimizer.Optimize(&tree.Node, c); err != nil {
		return nil, []Problem{r.typeProblem(tree, err)}
	}
	s = newSource(r, tree, text, want)
	if p, failed := s.settle(); failed {
		return nil, []Problem{p}
	}
	return s, nil
}

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
	case f.has:
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
		Length: len(r.pos.text), Summary: "The result must be true or false",
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
			if f, ok := n.(*ast.BuiltinNode); ok && (f.Name == "abs" || f.Name == "min" || f.Name == "max") {
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

// rewrite makes slices calls of a function that counts characters, and + in
// loops calls of one that bounds text. It comes after the check, which knows
// the types of both.
func rewrite(n *ast.Node) {
	ast.Walk(n, sliceRewriter{})
	ast.Walk(n, loopRewriter{})
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

// checkFunction checks a declaration with parameters of unknown type.
func (e *Env) checkFunction(f *userFunc) (problems []Problem) {
	whole := Problem{Length: len(f.body)}
	defer func() {
		if p := recover(); p != nil {
			whole.Summary, whole.Detail = "The function cannot be compiled", sentence(fmt.Sprint(p))
			problems = []Problem{whole}
		}
	}()
	if _, isBuiltin := builtin.Index[f.name]; isBuiltin || e.lib[f.name] != nil || e.user[f.name] != nil {
		whole.Summary, whole.Detail = "Function "+f.name+" exists already", "Choose another name; functions cannot be replaced."
		return []Problem{whole}
	}
	if !isIdentifier(f.name) {
		whole.Summary, whole.Detail = "Not a name of a function", "A name is letters, digits and _, and does not begin with a digit."
		return []Problem{whole}
	}
	for i, p := range f.params {
		if !isIdentifier(p) || slices.Contains(f.params[:i], p) {
			whole.Summary, whole.Detail = "Wrong parameter "+p, "Names of parameters are letters, digits and _, and each is used once."
			return []Problem{whole}
		}
	}
	r, tree, problems := e.front(f.body)
	if len(problems) > 0 {
		return problems
	}
	c := e.config()
	// The parameters are references of unknown type; what they would read is
	// never asked.
	r.frameless(f)
	tree.Node = r.node(tree.Node)
	if len(r.problems) > 0 {
		return tidy(r.problems)
	}
	for _, ref := range r.refs {
		c.Functions[ref.fn] = ref.function(unbound)
	}
	if _, problems = r.check(tree, c); len(problems) > 0 {
		return tidy(problems)
	}
	if err := optimizer.Optimize(&tree.Node, c); err != nil {
		return []Problem{r.typeProblem(tree, err)}
	}
	return nil
}

// frameless makes the parameters visible while the declaration itself is
// checked, so that problems keep their place in the body.
func (r *resolver) frameless(f *userFunc) {
	r.declared = f
	r.params = map[string]*ref{}
	for _, p := range f.params {
		r.params[p] = &ref{kind: refParam, name: p, label: p}
	}
}

func isIdentifier(s string) bool {
	tree, err := parser.Parse(s)
	if err != nil {
		return false
	}
	id, ok := tree.Node.(*ast.IdentifierNode)
	return ok && id.Value == s && !strings.Contains(s, "$")
}

// tidy sorts problems and drops repeated ones.
func tidy(ps []Problem) []Problem {
	slices.SortStableFunc(ps, func(a, b Problem) int { return cmp.Or(a.Offset-b.Offset, a.Length-b.Length) })
	return slices.Compact(ps)
}

// Paths returns the paths that an expression reads, without repeats.
func paths(refs []*ref, kind refKind) []record.Path {
	var out []record.Path
	for _, f := range refs {
		if f.kind != kind {
			continue
		}
		if !slices.ContainsFunc(out, func(p record.Path) bool { return slices.Equal(p, f.path) }) {
			out = append(out, slices.Clone(f.path))
		}
	}
	return out
}
