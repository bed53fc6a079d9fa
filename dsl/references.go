package dsl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
)

// resolveFrom reads the attribute from.
func (l *loader) resolveFrom(p *pipeline, e *element) {
	a := e.block.Body.Attributes["from"]
	if a == nil {
		return
	}
	e.from = []hcl.Range{}
	e.unresolved = true
	t, ok := unwrapParens(a.Expr).(*hclsyntax.TupleConsExpr)
	if !ok {
		l.report(rules.WrongFrom, a.Expr.Range(), "from must be a list", "Write it as from = [%s]", l.source(a.Expr.Range()))
		if t, diags := hcl.AbsTraversalForExpr(unwrapParens(a.Expr)); !diags.HasErrors() && traversalNames(t) != nil {
			l.fix(around(a.Expr.Range(), "[", "]")...)
		}
		return
	}
	if len(t.Exprs) == 0 {
		l.report(rules.WrongFrom, a.Expr.Range(), "from is empty", "Name at least one element, such as %s, or remove from to read the element before.", l.candidate(p))
		return
	}
	e.unresolved = false
	for _, x := range t.Exprs {
		if port, ok := l.reference(p, x); ok {
			e.From = append(e.From, port)
			e.from = append(e.from, x.Range())
		} else {
			e.unresolved = true
		}
	}
}

// meant returns the elements that the mistakes in e's from may have meant:
// those whose names occur or are near, or else all.
func (p *pipeline) meant(e *element) []*element {
	a := e.block.Body.Attributes["from"]
	exprs := []hclsyntax.Expression{a.Expr}
	if t, ok := unwrapParens(a.Expr).(*hclsyntax.TupleConsExpr); ok {
		exprs = t.Exprs
	}
	if len(exprs) == 0 {
		return p.elements
	}
	var found []*element
	for _, x := range exprs {
		near := p.near(referenceWords(x))
		if near == nil {
			return p.elements
		}
		found = append(found, near...)
	}
	return found
}

// referenceWords returns the names of a reference, quoted or not.
func referenceWords(x hclsyntax.Expression) []string {
	if t, diags := hcl.AbsTraversalForExpr(unwrapParens(x)); !diags.HasErrors() {
		return traversalNames(t)
	}
	if v, diags := x.Value(nil); !diags.HasErrors() && !v.IsNull() && v.Type() == cty.String {
		return strings.Split(v.AsString(), ".")
	}
	return nil
}

// near returns the elements with one of the names, or else with names that
// resemble one of them. An empty list: errors are meant, which need no reader.
func (p *pipeline) near(words []string) []*element {
	var found []*element
	names := make([]string, 0, len(p.elements))
	for _, e := range p.elements {
		names = append(names, e.Name)
		if slices.Contains(words, e.Name) {
			found = append(found, e)
		}
	}
	if found != nil {
		return found
	}
	for _, w := range words {
		if name := nearest(w, names); name != "" {
			return p.near([]string{name})
		}
	}
	if len(words) == 1 && (words[0] == engine.ErrorsPort || nearest(words[0], []string{engine.ErrorsPort}) != "") {
		return []*element{}
	}
	return nil
}

// candidate is a reference to show as an example.
func (l *loader) candidate(p *pipeline) string {
	for _, e := range p.elements {
		if e.Kind != engine.KindOutput {
			return e.short()
		}
	}
	return "input.NAME"
}

// reference resolves one element of from: input.NAME, input.TYPE.NAME,
// processor.NAME.PORT, errors and so on.
func (l *loader) reference(p *pipeline, x hclsyntax.Expression) (engine.Port, bool) {
	t, diags := hcl.AbsTraversalForExpr(unwrapParens(x))
	if diags.HasErrors() {
		detail := "Name elements without quotes, such as %s or errors."
		if m, _ := l.literal(x); m != nil {
			if parts := strings.Split(m.text, "."); len(parts) > 1 || m.text == "errors" {
				detail = "Write it without quotes. " + detail
			}
		}
		l.report(rules.WrongFrom, x.Range(), "from names no element", detail, l.candidate(p))
		if m, _ := l.literal(x); m != nil && p.has(m.text) {
			l.fix(rules.Edit{Range: x.Range(), Text: m.text})
		}
		return engine.Port{}, false
	}
	parts := traversalNames(t)
	if len(parts) == 1 && parts[0] == engine.ErrorsPort {
		return engine.Port{Name: engine.ErrorsPort}, true
	}
	kinds := []string{"input", "processor", "output", "errors"}
	if len(parts) == 0 || !slices.Contains(kinds[:3], parts[0]) {
		l.notAnElement(p, t, x.Range(), kinds)
		return engine.Port{}, false
	}
	kind := engine.Kind(parts[0])
	if len(parts) < 2 || len(parts) > 4 {
		l.report(rules.WrongFrom, x.Range(), "reference is incomplete", "Write %s.NAME, %s.NAME.errors or %s.TYPE.NAME.", kind, kind, kind)
		return engine.Port{}, false
	}
	return l.resolve(p, kind, parts[1:], x.Range())
}

// has reports whether a text is a reference to an element of the pipeline.
func (p *pipeline) has(ref string) bool {
	return ref == engine.ErrorsPort || slices.ContainsFunc(p.elements, func(e *element) bool {
		return e.Kind != engine.KindOutput && (ref == e.short() || ref == e.Address()) || ref == e.short()+"."+engine.ErrorsPort
	})
}

func (l *loader) notAnElement(p *pipeline, t hcl.Traversal, at hcl.Range, kinds []string) {
	root := t.RootName()
	detail := "from takes input.NAME, processor.NAME, processor.NAME.PORT and errors."
	for _, e := range p.elements {
		if e.Name == root {
			detail += fmt.Sprintf(" Did you mean %s?", e.short())
			l.report(rules.UnknownElement, at, fmt.Sprintf("unknown reference %q", traversalText(t)), "%s", detail)
			return
		}
	}
	if near := nearest(root, kinds); near != "" {
		detail += fmt.Sprintf(" Did you mean %s?", strings.Replace(traversalText(t), root, near, 1))
	}
	l.report(rules.UnknownElement, at, fmt.Sprintf("unknown reference %q", traversalText(t)), "%s", detail)
}

// resolve finds the element and port that NAME, NAME.PORT, TYPE.NAME or
// TYPE.NAME.PORT mean.
func (l *loader) resolve(p *pipeline, kind engine.Kind, parts []string, at hcl.Range) (engine.Port, bool) {
	type match struct {
		e    *element
		port string
	}
	var found []match
	var named *element // by NAME, whatever follows
	for _, e := range p.elements {
		if e.Kind != kind {
			continue
		}
		if e.Name == parts[0] {
			named = e
			if len(parts) == 1 {
				found = append(found, match{e, ""})
			} else if len(parts) == 2 && e.hasPort(parts[1]) {
				found = append(found, match{e, parts[1]})
			}
		}
		if len(parts) > 1 && e.Type == parts[0] && e.Name == parts[1] {
			if named == nil {
				named = e
			}
			if len(parts) == 2 {
				found = append(found, match{e, ""})
			} else if e.hasPort(parts[2]) {
				found = append(found, match{e, parts[2]})
			}
		}
	}
	ref := string(kind) + "." + strings.Join(parts, ".")
	switch {
	case len(found) == 1:
		return l.portOf(found[0].e, found[0].port, at)
	case len(found) > 1:
		l.report(rules.AmbiguousReference, at, fmt.Sprintf("ambiguous reference %q", ref), "It is the port %q of %s and also the element %s. Write TYPE.NAME.PORT for the port, %s.%s.%s.%s, or rename one of them.",
			parts[1], found[0].e.Address(), found[1].e.Address(), kind, found[0].e.Type, found[0].e.Name, parts[1])
	case named != nil:
		l.unknownPort(named, parts[len(parts)-1], ref, at)
	default:
		l.unknownElement(p, kind, parts, ref, at)
	}
	return engine.Port{}, false
}

// hasPort also accepts any port of an element whose ports are not known.
func (e *element) hasPort(name string) bool {
	return name == engine.ErrorsPort || slices.Contains(e.Ports, name) || slices.Contains(e.written, name) || e.portsUnknown
}

func (l *loader) portOf(e *element, port string, at hcl.Range) (engine.Port, bool) {
	if e.Kind == engine.KindOutput && port != engine.ErrorsPort {
		l.report(rules.OutputRead, at, "an output cannot be read", "It is where records leave the pipeline. Its errors can be read: %s.errors. To write to two outputs, let both read the same element.", e.short())
		return engine.Port{}, false
	}
	return engine.Port{Element: e.Address(), Name: port}, true
}

func (l *loader) unknownPort(e *element, port, ref string, at hcl.Range) {
	ports := slices.Concat(e.Ports, e.written, []string{engine.ErrorsPort})
	detail := fmt.Sprintf("%s has the ports %s.", e.Address(), list(ports))
	if len(ports) == 1 {
		detail = fmt.Sprintf("%s has no port but errors: read it as %s.", e.Address(), e.short())
	}
	l.report(rules.UnknownPort, at, fmt.Sprintf("unknown port %q", ref), "%s%s", detail, didYouMean(port, ports))
}

func (l *loader) unknownElement(p *pipeline, kind engine.Kind, parts []string, ref string, at hcl.Range) {
	detail := fmt.Sprintf("The pipeline has no %s of this name.", kind)
	var candidates []string
	for _, e := range p.elements {
		if e.Kind == kind {
			candidates = append(candidates, e.Name)
		} else if e.Name == parts[0] && e.Kind != engine.KindOutput {
			l.report(rules.UnknownElement, at, fmt.Sprintf("unknown element %q", ref), "%s Did you mean %s?", detail, e.short())
			return
		}
	}
	if near := nearest(parts[0], candidates); near != "" {
		detail += fmt.Sprintf(" Did you mean %s.%s?", kind, near)
	} else if len(candidates) > 0 && len(candidates) <= 8 {
		detail += fmt.Sprintf(" It has %s.", list(candidates))
	}
	l.report(rules.UnknownElement, at, fmt.Sprintf("unknown element %q", ref), "%s", detail)
}
