package dsl

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
	"github.com/hashicorp/hcl/v2"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// checkDestinations holds the rule that record content must not choose where
// data goes: what sets a destination begins with fixed text, is one of a
// fixed set, or has an allow-list beside it.
func (l *loader) checkDestinations(p *pipeline) {
	for _, e := range slices.Concat(p.elements, p.seconds) {
		if e.spec != nil && e.Config != nil {
			l.checkDestination(p, e, e.spec, reflect.ValueOf(e.Config), "")
		}
	}
}

func (l *loader) checkDestination(p *pipeline, e *element, spec *engine.Spec, config reflect.Value, prefix string) {
	for i := range spec.Options {
		o := &spec.Options[i]
		path := prefix + o.Name
		field := o.Field(config)
		if o.Block != nil {
			l.checkDestinationBlocks(p, e, o, field, path)
			continue
		}
		if !o.Destination || allowed(o, config, spec) || e.mayAllow(o, spec, prefix) {
			continue
		}
		x, ok := e.d.exprs[path]
		if !ok || slices.Contains(e.d.broken, path) {
			continue // a default, which is the component's own, or a mistake
		}
		switch v := field.Interface().(type) {
		case engine.Template:
			if o.URL {
				if t, ok := compiledTemplate(v.Source); ok && !t.LiteralHost() {
					l.report(rules.DestinationByContent, x.Range(), fmt.Sprintf("the host of %s is chosen by record content", o.Name),
						"Whoever writes the records could send them anywhere. Write scheme and host as fixed text, up to the first slash behind them: %s = \"https://api.example.com/orders/{{ ... }}\"", o.Name)
				}
				continue
			}
			if v.Source != nil && !l.safeTemplate(v.Source, l.topicsKnown(p, e)) {
				l.unsafe(o, x.Range(), fmt.Sprintf("Begin it with fixed text: %s = \"%s{{ ... }}\"", o.Name, examplePrefix(o.Name)))
			}
		case engine.Expression:
			if v.Source != nil && !l.safeExpression(v.Source, l.topicsKnown(p, e)) {
				l.unsafe(o, x.Range(), fmt.Sprintf("Begin it with fixed text: %s = \"'%s' + ...\", or choose between fixed texts with ? :", o.Name, examplePrefix(o.Name)))
			}
		}
	}
}

func (l *loader) checkDestinationBlocks(p *pipeline, e *element, o *engine.Option, field reflect.Value, path string) {
	switch field.Kind() {
	case reflect.Struct:
		l.checkDestination(p, e, o.Block, field, path+".")
	case reflect.Pointer:
		if !field.IsNil() {
			l.checkDestination(p, e, o.Block, field, path+".")
		}
	case reflect.Slice:
		for i := range field.Len() {
			l.checkDestination(p, e, o.Block, field.Index(i), fmt.Sprintf("%s[%d].", path, i))
		}
	}
}

func (l *loader) unsafe(o *engine.Option, at hcl.Range, remedy string) {
	if o.Allow != "" {
		remedy += fmt.Sprintf(", or list what it may give: %s = [...]", o.Allow)
	}
	l.report(rules.DestinationByContent, at, fmt.Sprintf("%s is chosen by record content alone", o.Name), "Whoever writes the records could send them anywhere. %s", remedy)
}

func examplePrefix(option string) string {
	if option == "path" {
		return "out/"
	}
	return "orders-"
}

// topicsKnown reports whether topic is safe as a destination in e: all inputs
// that lead to it have a fixed list of topics, or lead through a processor
// that sets the topic of every record, which is checked where it stands.
func (l *loader) topicsKnown(p *pipeline, e *element) bool {
	byAddress := make(map[string]*element)
	for _, x := range p.elements {
		byAddress[x.Address()] = x
	}
	seen := make(map[*element]bool)
	var walk func(x *element) bool
	walk = func(x *element) bool {
		// Where from or a processor has a mistake, nobody knows yet.
		if x == nil || seen[x] || x.unresolved || x.Kind == engine.KindProcessor && !x.ok && x != e {
			return true
		}
		seen[x] = true
		if x.Kind == engine.KindInput {
			return !x.ok || x.fixedTopics != nil
		}
		return !slices.ContainsFunc(x.From, func(f engine.Port) bool {
			if f.Element == "" { // the errors of all: any input
				return slices.ContainsFunc(p.elements, func(y *element) bool { return y.Kind == engine.KindInput && !walk(y) })
			}
			// What failed in an element is as it was before it.
			y := byAddress[f.Element]
			return (f.Name == engine.ErrorsPort || !y.setsTopic()) && !walk(y)
		})
	}
	return p.broken || walk(e)
}

// setsTopic reports whether no record leaves the element with the topic that
// it came with.
func (e *element) setsTopic() bool {
	if e == nil || !e.ok || e.Kind != engine.KindProcessor {
		return false
	}
	given := func(name string) bool {
		o := e.spec.Option(name)
		if o == nil {
			return false
		}
		x, ok := o.Field(reflect.ValueOf(e.Config)).Interface().(engine.Expression)
		return ok && !x.IsZero()
	}
	o := e.spec.Option("topic")
	return o != nil && o.Destination && given("topic") && !given("when")
}

func (l *loader) safeTemplate(t engine.TemplateSource, topics bool) bool {
	if _, literal := t.Literal(); literal {
		return true
	}
	src, ok := compiledTemplate(t)
	if !ok {
		return false
	}
	if fixed(src.LiteralPrefix()) {
		return true
	}
	holes := src.Holes()
	if len(holes) == 0 {
		return false
	}
	// The first hole decides: what stands after it is not in front.
	return l.safeExpression(holes[0], topics)
}

// fixed reports whether a prefix says anything: "./" or "/" alone leave the
// whole file system open.
func fixed(prefix string) bool {
	return strings.ContainsFunc(prefix, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
}

func (l *loader) safeExpression(e engine.ExpressionSource, topics bool) bool {
	if src, ok := compiled(e); ok {
		if v, constant := src.Constant(); constant {
			return v.Kind() != record.String || fixed(v.String()) || v.String() == ""
		}
	}
	tree, err := parser.Parse(e.Text())
	if err != nil {
		return false
	}
	s := safety{env: l.env, topics: topics}
	return s.safe(tree.Node)
}

// safety decides whether a tree's result begins with fixed text or is one of
// a fixed set. It knows few shapes and refuses all others.
type safety struct {
	env    *expr.Env
	topics bool
	// members are texts of nodes that a condition around has found to be in a
	// fixed list.
	members []string
}

func (s safety) safe(n ast.Node) bool {
	if slices.Contains(s.members, n.String()) {
		return true
	}
	switch n := n.(type) {
	case *ast.NilNode:
		return true // the record is refused or keeps what it has
	case *ast.StringNode:
		return fixed(n.Value)
	case *ast.IdentifierNode:
		return n.Value == "topic" && s.topics
	case *ast.BinaryNode:
		switch n.Operator {
		case "+":
			return s.safe(n.Left)
		case "??":
			return s.safe(n.Left) && s.safe(n.Right)
		}
	case *ast.ConditionalNode:
		yes := s
		yes.members = append(slices.Clone(s.members), member(n.Cond)...)
		return yes.safe(n.Exp1) && s.safe(n.Exp2)
	case *ast.MemberNode:
		return s.safeMember(n)
	case *ast.BuiltinNode:
		return (n.Name == "lower" || n.Name == "upper") && len(n.Arguments) == 1 && s.safe(n.Arguments[0])
	}
	return false
}

// safeMember accepts a constant, and an element of a list or map that is
// written out.
func (s safety) safeMember(n *ast.MemberNode) bool {
	switch of := n.Node.(type) {
	case *ast.ArrayNode:
		return !slices.ContainsFunc(of.Nodes, func(x ast.Node) bool { return !s.safe(x) })
	case *ast.MapNode:
		return !slices.ContainsFunc(of.Pairs, func(x ast.Node) bool {
			pair, ok := x.(*ast.PairNode)
			return !ok || !s.safe(pair.Value)
		})
	}
	v, problems := s.env.Constant(n.String())
	text, ok := v.(string)
	return len(problems) == 0 && ok && fixed(text)
}

// member returns what a condition of the form x in ["a", "b"], or a
// conjunction of such, has found to be one of fixed texts.
func member(cond ast.Node) []string {
	b, ok := cond.(*ast.BinaryNode)
	if !ok {
		return nil
	}
	switch b.Operator {
	case "and", "&&":
		return append(member(b.Left), member(b.Right)...)
	case "in":
		list, ok := b.Right.(*ast.ArrayNode)
		if ok && !slices.ContainsFunc(list.Nodes, func(x ast.Node) bool { _, text := x.(*ast.StringNode); return !text }) {
			return []string{b.Left.String()}
		}
	case "==":
		if _, text := b.Right.(*ast.StringNode); text {
			return []string{b.Left.String()}
		}
	}
	return nil
}

// mayAllow reports whether a destination's allow-list has a mistake.
func (e *element) mayAllow(o *engine.Option, spec *engine.Spec, prefix string) bool {
	if o.Allow == "" || spec.Option(o.Allow) == nil {
		return false
	}
	return len(e.d.strays) > 0 || slices.Contains(e.d.broken, prefix+o.Allow)
}

// allowed reports whether a destination's allow-list is given.
func allowed(o *engine.Option, config reflect.Value, spec *engine.Spec) bool {
	if o.Allow == "" {
		return false
	}
	list := spec.Option(o.Allow)
	return list != nil && list.Field(config).Len() > 0
}
