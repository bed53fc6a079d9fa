package expr

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/optimizer"
	"github.com/expr-lang/expr/parser"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

// maxProblems is how many mistakes of one expression's types are looked for.
const maxProblems = 20

// config returns expr's configuration. It is used by one goroutine: expr
// caches types in it.
func (e *Env) config() *conf.Config {
	c := *e.base
	c.Functions = maps.Clone(c.Functions)
	c.WithEnv(map[string]any{})
	return &c
}

// baseConfig is what all configurations begin with. Only AddFunction writes to
// it. A copy shares its maps but for Functions: to fill them anew for each
// expression took a third of the time of reading a config.
func baseConfig(lib map[string]*library) *conf.Config {
	c := conf.CreateNew()
	c.MaxNodes = limits.ExprNodes
	for name, f := range lib {
		c.Functions[name] = f.fn
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
	return parser.ParseWithConfig(text, e.base) // which it only reads
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
		return nil, nil, []Problem{{Kind: KindTooLarge, Length: len(text), Summary: "The expression is too large", Detail: "Comparison chains (a < b < c) within each other double it at each level."}}
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
		return Problem{Kind: KindEmpty, Length: len(text), Summary: "The expression is empty", Detail: "Write an expression, such as value.amount > 100."}, true
	case len(text) > limits.ExprBytes:
		return Problem{Kind: KindTooLarge, Length: len(text), Summary: "The expression is too long", Detail: fmt.Sprintf("An expression has at most %d bytes.", limits.ExprBytes)}, true
	case !utf8.ValidString(text):
		i := 0
		for i < len(text) {
			r, n := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			i += n
		}
		return Problem{Offset: i, Kind: KindSyntax, Length: 1, Summary: "The expression is not valid UTF-8", Detail: "Save the file as UTF-8."}, true
	}
	return Problem{}, false
}

// compile is Compile for this package's own type.
func (e *Env) compile(text string, want Want) (s *Source, problems []Problem) {
	defer func() {
		if p := recover(); p != nil {
			s, problems = nil, []Problem{{
				Kind: KindSyntax, Length: len(text), Summary: "The expression cannot be compiled",
				Detail: sentence(fmt.Sprint(p)),
			}}
		}
	}()
	r, tree, problems := e.front(text)
	if len(problems) > 0 {
		return nil, problems
	}
	tree.Node = r.node(tree.Node)
	tree.Node = r.writes(tree.Node, false)
	if n := r.misplaced(tree.Node, true); n != nil {
		r.problem(KindWrongArguments, n, "nothing() is no value", "It says that there is no result, so it stands only where the result does: has(value.a) ? value.a + 1 : nothing().")
	}
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
	ast.Walk(&tree.Node, foldInts{r, map[ast.Node]int64{}})
	if err := optimizer.Optimize(&tree.Node, c); err != nil {
		return nil, []Problem{r.typeProblem(tree, err)}
	}
	s = newSource(r, tree, text, want)
	if p, failed := s.settle(); failed {
		return nil, []Problem{p}
	}
	return s, nil
}

// checkFunction checks a declaration with parameters of unknown type.
func (e *Env) checkFunction(f *userFunc) (problems []Problem) {
	whole := Problem{Length: len(f.body)}
	defer func() {
		if p := recover(); p != nil {
			whole.Kind, whole.Summary, whole.Detail = KindSyntax, "The function cannot be compiled", sentence(fmt.Sprint(p))
			problems = []Problem{whole}
		}
	}()
	if _, isBuiltin := builtin.Index[f.name]; isBuiltin || e.lib[f.name] != nil || e.user[f.name] != nil {
		whole.Kind, whole.Summary, whole.Detail = KindExists, "Function "+f.name+" exists already", "Choose another name; functions cannot be replaced."
		return []Problem{whole}
	}
	if !isIdentifier(f.name) {
		whole.Kind, whole.Summary, whole.Detail = KindNameTaken, "Not a name of a function", "A name is letters, digits and _, and does not begin with a digit."
		return []Problem{whole}
	}
	for i, p := range f.params {
		if !isIdentifier(p) || slices.Contains(f.params[:i], p) {
			whole.Kind, whole.Summary, whole.Detail = KindNameTaken, "Wrong parameter "+p, "Names of parameters are letters, digits and _, and each is used once."
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
	return slices.CompactFunc(ps, func(a, b Problem) bool {
		return a.Offset == b.Offset && a.Length == b.Length && a.Summary == b.Summary && a.Detail == b.Detail
	})
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
