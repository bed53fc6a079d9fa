package lint

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/hashicorp/hcl/v2"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
)

// Check returns what the config most likely does not mean, in no particular
// order. It changes nothing of c.
func Check(c *Config) hcl.Diagnostics {
	k := &checker{config: c}
	k.declarations()
	for _, d := range c.Declarations {
		if d.Part != nil {
			k.securityOf(d.Part)
		}
	}
	for _, p := range c.Pipelines {
		k.pipeline(p)
	}
	if c.Whole {
		k.sharedGroups()
		k.sharedFiles()
	}
	return k.found
}

type checker struct {
	config *Config
	found  hcl.Diagnostics
}

func (k *checker) pipeline(p *Pipeline) {
	k.settings(p)
	for _, e := range p.Elements {
		if !e.OK {
			continue
		}
		k.securityOf(&e.Part)
		for _, c := range e.Converters {
			k.securityOf(c)
		}
		for _, t := range e.Texts {
			k.text(e, t)
		}
		k.cases(e)
		k.lossy(p, e)
		k.windows(p, e)
	}
	if !p.Whole {
		return
	}
	g := newWiring(p)
	k.onceInputs(p)
	k.sessions(p)
	k.errorsUnread(g)
	k.errorsBack(g)
	k.errorsDropped(g)
	k.readsBack(g)
	k.overwritten(g)
	k.gone(g)
	k.filters(g)
}

// report adds a finding.
func (k *checker) report(id rules.ID, at hcl.Range, summary, detail string, args ...any) {
	if len(args) > 0 {
		detail = fmt.Sprintf(detail, args...)
	}
	k.found = append(k.found, rules.Finding(id, at.Ptr(), summary, detail))
}

// fix attaches edits to the finding reported last. None at all: nothing
// certain is known.
func (k *checker) fix(edits ...rules.Edit) {
	if len(edits) > 0 {
		rules.AddFix(k.found[len(k.found)-1], edits...)
	}
}

// text checks one expression or template by itself.
func (k *checker) text(e *Element, t *Text) {
	if k.constant(e, t) {
		return // one word about it is enough
	}
	k.itself(e, t)
	k.leaks(e, t)
	for _, s := range t.Syntax {
		k.nodes(t, s)
	}
}

// nodes checks what stands in an expression, wherever it stands.
func (k *checker) nodes(t *Text, s *expr.Syntax) {
	deterministic := t.Source == nil || t.Source.Deterministic()
	w := &walker{}
	w.walk(s.Root, nil, func(n, parent ast.Node) {
		k.slow(t, s, n, parent)
		if deterministic {
			k.logic(t, s, n, parent)
		}
	})
}

// walker visits each node once: a chain of comparisons shares its operands.
type walker struct{ seen map[ast.Node]bool }

func (w *walker) walk(n, parent ast.Node, visit func(n, parent ast.Node)) {
	if n == nil || reflect.ValueOf(n).IsNil() {
		return
	}
	if w.seen == nil {
		w.seen = make(map[ast.Node]bool)
	}
	if w.seen[n] {
		return
	}
	w.seen[n] = true
	visit(n, parent)
	for _, c := range expr.Children(n) {
		w.walk(c, n, visit)
	}
}

// contains reports whether a node or one below it is so.
func contains(n ast.Node, is func(ast.Node) bool) bool {
	found := false
	w := &walker{}
	w.walk(n, nil, func(n, _ ast.Node) { found = found || is(n) })
	return found
}

// called returns the function that a node calls, and its arguments; "" if it
// is no call.
func called(n ast.Node) (string, []ast.Node) {
	switch n := n.(type) {
	case *ast.BuiltinNode:
		return n.Name, n.Arguments
	case *ast.CallNode:
		if f, ok := n.Callee.(*ast.IdentifierNode); ok {
			return f.Value, n.Arguments
		}
	}
	return "", nil
}

// place is where a node stands in the file.
func (t *Text) place(s *expr.Syntax, n ast.Node) hcl.Range {
	return t.Place(s.Span(n))
}

// quoted is a piece of an expression for a message.
func quoted(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > 60 {
		text = string(r[:60]) + "..."
	}
	return text
}

// cut is the edit that takes a text range away. It needs the text itself in
// the file.
func (t *Text) cut(from, to int) []rules.Edit {
	if !t.Written || to <= from {
		return nil
	}
	return []rules.Edit{{Range: t.Place(from, to-from)}}
}

// wholeLines widens a range to the lines that it stands on, if nothing else
// does; false otherwise.
func (k *checker) wholeLines(r hcl.Range) (hcl.Range, bool) {
	src := k.config.Sources[r.Filename]
	if r.End.Byte > len(src) || r.Start.Byte > r.End.Byte {
		return r, false
	}
	for r.Start.Byte > 0 && src[r.Start.Byte-1] != '\n' {
		if c := src[r.Start.Byte-1]; c != ' ' && c != '\t' {
			return r, false
		}
		r.Start.Byte--
		r.Start.Column--
	}
	r.Start.Column = 1
	for r.End.Byte < len(src) && src[r.End.Byte] != '\n' {
		if c := src[r.End.Byte]; c != ' ' && c != '\t' && c != '\r' {
			return r, false
		}
		r.End.Byte++
	}
	if r.End.Byte < len(src) {
		r.End.Byte++
		r.End.Line++
		r.End.Column = 1
	}
	return r, true
}

// removed is the edit that takes an attribute or block away with its lines.
func (k *checker) removed(r hcl.Range) []rules.Edit {
	lines, ok := k.wholeLines(r)
	if !ok {
		return nil
	}
	return []rules.Edit{{Range: lines}}
}

// processors returns the elements of p that are processors.
func (p *Pipeline) processors() []*Element { return p.kind(engine.KindProcessor) }
func (p *Pipeline) inputs() []*Element     { return p.kind(engine.KindInput) }
func (p *Pipeline) outputs() []*Element    { return p.kind(engine.KindOutput) }

func (p *Pipeline) kind(kind engine.Kind) []*Element {
	return slices.DeleteFunc(slices.Clone(p.Elements), func(e *Element) bool { return e.Kind != kind })
}
