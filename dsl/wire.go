package dsl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/graph"
)

// The rule of default wiring, which docs/language.md gives to users.
//
// The main chain are the processors that records reach without passing an
// errors port, in the order of the file. An element without from reads
//
//   - the last processor of the main chain that stands before it,
//   - or, if there is none, all inputs of the pipeline.
//
// A processor with from is of the main chain too, unless what it reads are
// errors only, or processors that do: these form a side chain, which never
// becomes "the element before". So the order of elements decides nothing
// about errors, and a side chain is continued with from. Whatever this rule
// leaves unread is a mistake that says which from was probably meant.

// wire resolves from, fills in the default wiring and checks the graph.
func (l *loader) wire(p *pipeline) {
	before := l.errors()
	for _, e := range p.elements {
		if e.Kind != engine.KindInput {
			l.resolveFrom(p, e)
		}
	}
	l.defaultWiring(p)
	resolved := l.errors() == before
	inputs, outputs := l.count(p, engine.KindInput), l.count(p, engine.KindOutput)
	l.needs(p, inputs, outputs)
	l.checkGraph(p, resolved && !p.broken && inputs > 0 && outputs > 0)
}

func (l *loader) count(p *pipeline, kind engine.Kind) int {
	n := 0
	for _, b := range p.block.Body.Blocks {
		n += boolInt(b.Type == string(kind))
	}
	return n
}

func (l *loader) needs(p *pipeline, inputs, outputs int) {
	switch {
	case inputs == 0 && outputs == 0:
		l.errorf(p.block.DefRange(), "pipeline has neither input nor output", "Add at least one of each: input \"TYPE\" \"NAME\" { ... } and output \"TYPE\" \"NAME\" { ... }")
	case inputs == 0:
		l.errorf(p.block.DefRange(), "pipeline has no input", "Add at least one: input \"TYPE\" \"NAME\" { ... }")
	case outputs == 0:
		l.errorf(p.block.DefRange(), "pipeline has no output", "Add at least one: output \"TYPE\" \"NAME\" { ... } An output \"drop\" is for records that nobody wants.")
	}
}

// resolveFrom reads the attribute from.
func (l *loader) resolveFrom(p *pipeline, e *element) {
	a := e.block.Body.Attributes["from"]
	if a == nil {
		return
	}
	e.from = []hcl.Range{}
	t, ok := unwrapParens(a.Expr).(*hclsyntax.TupleConsExpr)
	if !ok {
		l.errorf(a.Expr.Range(), "from must be a list", "Write it as from = [%s]", l.source(a.Expr.Range()))
		return
	}
	if len(t.Exprs) == 0 {
		l.errorf(a.Expr.Range(), "from is empty", "Name at least one element, such as %s, or remove from to read the element before.", l.candidate(p))
		return
	}
	for _, x := range t.Exprs {
		if port, ok := l.reference(p, x); ok {
			e.From = append(e.From, port)
			e.from = append(e.from, x.Range())
		}
	}
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
		l.errorf(x.Range(), "from names no element", detail, l.candidate(p))
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
		l.errorf(x.Range(), "reference is incomplete", "Write %s.NAME, %s.NAME.errors or %s.TYPE.NAME.", kind, kind, kind)
		return engine.Port{}, false
	}
	return l.resolve(p, kind, parts[1:], x.Range())
}

func (l *loader) notAnElement(p *pipeline, t hcl.Traversal, at hcl.Range, kinds []string) {
	root := t.RootName()
	detail := "from takes input.NAME, processor.NAME, processor.NAME.PORT and errors."
	for _, e := range p.elements {
		if e.Name == root {
			detail += fmt.Sprintf(" Did you mean %s?", e.short())
			l.errorf(at, fmt.Sprintf("unknown reference %q", traversalText(t)), "%s", detail)
			return
		}
	}
	if near := nearest(root, kinds); near != "" {
		detail += fmt.Sprintf(" Did you mean %s?", strings.Replace(traversalText(t), root, near, 1))
	}
	l.errorf(at, fmt.Sprintf("unknown reference %q", traversalText(t)), "%s", detail)
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
		l.errorf(at, fmt.Sprintf("ambiguous reference %q", ref), "It is the port %q of %s and also the element %s. Write TYPE.NAME.PORT for the port, %s.%s.%s.%s, or rename one of them.",
			parts[1], found[0].e.Address(), found[1].e.Address(), kind, found[0].e.Type, found[0].e.Name, parts[1])
	case named != nil:
		l.unknownPort(named, parts[len(parts)-1], ref, at)
	default:
		l.unknownElement(p, kind, parts, ref, at)
	}
	return engine.Port{}, false
}

// hasPort also accepts any port of an element whose options have mistakes:
// its ports are not known.
func (e *element) hasPort(name string) bool {
	return name == engine.ErrorsPort || slices.Contains(e.Ports, name) || !e.ok && e.Kind == engine.KindProcessor
}

func (l *loader) portOf(e *element, port string, at hcl.Range) (engine.Port, bool) {
	if e.Kind == engine.KindOutput && port != engine.ErrorsPort {
		l.errorf(at, "an output cannot be read", "It is where records leave the pipeline. Its errors can be read: %s.errors. To write to two outputs, let both read the same element.", e.short())
		return engine.Port{}, false
	}
	return engine.Port{Element: e.Address(), Name: port}, true
}

func (l *loader) unknownPort(e *element, port, ref string, at hcl.Range) {
	ports := append(slices.Clone(e.Ports), engine.ErrorsPort)
	detail := fmt.Sprintf("%s has the ports %s.", e.Address(), list(ports))
	if len(ports) == 1 {
		detail = fmt.Sprintf("%s has no port but errors: read it as %s.", e.Address(), e.short())
	}
	l.errorf(at, fmt.Sprintf("unknown port %q", ref), "%s%s", detail, didYouMean(port, ports))
}

func (l *loader) unknownElement(p *pipeline, kind engine.Kind, parts []string, ref string, at hcl.Range) {
	detail := fmt.Sprintf("The pipeline has no %s of this name.", kind)
	var candidates []string
	for _, e := range p.elements {
		if e.Kind == kind {
			candidates = append(candidates, e.Name)
		} else if e.Name == parts[0] && e.Kind != engine.KindOutput {
			l.errorf(at, fmt.Sprintf("unknown element %q", ref), "%s Did you mean %s?", detail, e.short())
			return
		}
	}
	if near := nearest(parts[0], candidates); near != "" {
		detail += fmt.Sprintf(" Did you mean %s.%s?", kind, near)
	} else if len(candidates) > 0 && len(candidates) <= 8 {
		detail += fmt.Sprintf(" It has %s.", list(candidates))
	}
	l.errorf(at, fmt.Sprintf("unknown element %q", ref), "%s", detail)
}

// defaultWiring gives each element without from what it reads.
func (l *loader) defaultWiring(p *pipeline) {
	var inputs []engine.Port
	for _, e := range p.elements {
		if e.Kind == engine.KindInput {
			inputs = append(inputs, engine.Port{Element: e.Address()})
		}
	}
	side := sideChain(p)
	last := inputs
	for _, e := range p.elements {
		if e.Kind == engine.KindInput {
			continue
		}
		if e.from == nil {
			e.From = slices.Clone(last)
		}
		if e.Kind == engine.KindProcessor && !side[e.Address()] {
			last = []engine.Port{{Element: e.Address()}}
		}
	}
}

// sideChain finds the processors that only failed records reach.
func sideChain(p *pipeline) map[string]bool {
	side := make(map[string]bool)
	for grown := true; grown; {
		grown = false
		for _, e := range p.elements {
			if e.Kind != engine.KindProcessor || side[e.Address()] || len(e.from) == 0 || len(e.From) == 0 {
				continue
			}
			errorsOnly := !slices.ContainsFunc(e.From, func(f engine.Port) bool {
				return f.Name != engine.ErrorsPort && !side[f.Element]
			})
			if errorsOnly {
				side[e.Address()], grown = true, true
			}
		}
	}
	return side
}

// checkGraph reports what the graph finds. When some element could not be
// wired, only cycles are sure.
func (l *loader) checkGraph(p *pipeline, resolved bool) {
	index := make(map[string]int)
	for i, e := range p.elements {
		index[e.Address()] = i
	}
	nodes := make([]graph.Node, len(p.elements))
	known := resolved
	for i, e := range p.elements {
		nodes[i] = graph.Node{Kind: graphKind(e.Kind), Ports: e.Ports}
		for _, f := range e.From {
			n := graph.AllErrors
			if f.Element != "" {
				n = index[f.Element]
			}
			if f.Name != "" && f.Name != engine.ErrorsPort && !slices.Contains(p.elements[n].Ports, f.Name) {
				known = false // ports of an element with mistakes
			}
			nodes[i].From = append(nodes[i].From, graph.Port{Node: n, Name: f.Name})
		}
	}
	order, findings := graph.Check(nodes)
	side := sideChain(p)
	for _, f := range findings {
		switch f.Problem {
		case graph.Cycle:
			l.cycle(p, f)
		case graph.Twice:
			e := p.elements[f.Node]
			l.errorf(e.fromRange(f.From), "element is read twice", "%s reads %s twice, so each record would come twice. Remove one of the two.", e.Address(), l.portText(p, e.From[f.From]))
		case graph.Unread:
			if known {
				l.unread(p, p.elements[f.Node], f.Port, side)
			}
		case graph.Unreachable:
			if e := p.elements[f.Node]; known && len(e.From) > 0 {
				l.errorf(e.block.DefRange(), fmt.Sprintf("%s is never reached", e.short()), "No input leads to it. Change its from.")
			}
		}
	}
	if known && order != nil {
		l.outputsBefore(p)
	}
}

func graphKind(k engine.Kind) graph.Kind {
	switch k {
	case engine.KindInput:
		return graph.Source
	case engine.KindOutput:
		return graph.Sink
	}
	return graph.Inner
}

// fromRange is where element i of From stands.
func (e *element) fromRange(i int) hcl.Range {
	if i < len(e.from) {
		return e.from[i]
	}
	return e.block.DefRange()
}

func (l *loader) portText(p *pipeline, f engine.Port) string {
	if f.Element == "" {
		return engine.ErrorsPort
	}
	text := f.Element
	for _, e := range p.elements {
		if e.Address() == f.Element {
			text = e.short()
		}
	}
	if f.Name != "" {
		text += "." + f.Name
	}
	return text
}

func (l *loader) cycle(p *pipeline, f graph.Finding) {
	var path []string
	for _, n := range append(f.Path, f.Path[0]) {
		path = append(path, p.elements[n].short())
	}
	e := p.elements[f.Node]
	l.errorf(e.fromRange(f.From), "elements form a circle", "%s. Records would run round for ever. Change one of the from.", strings.Join(path, " -> "))
}

// unread reports a port whose records would vanish (Invariant 3).
func (l *loader) unread(p *pipeline, e *element, port string, side map[string]bool) {
	ref := l.portText(p, engine.Port{Element: e.Address(), Name: port})
	remedy := fmt.Sprintf("Add from = [%s] to the element that is to read it, or drop its records with output \"drop\" \"NAME\" { from = [%s] }.", ref, ref)
	switch {
	case e.Kind == engine.KindInput:
		l.errorf(e.block.DefRange(), fmt.Sprintf("nobody reads %s", ref), "%s", remedy)
	case port != "":
		l.errorf(e.portRange(port), fmt.Sprintf("nobody reads %s", ref), "Records that go to this port would vanish. %s", remedy)
	case side[e.Address()]:
		l.errorf(e.block.DefRange(), fmt.Sprintf("nobody reads %s", ref), "It handles errors, and elements without from read the main chain. %s", remedy)
	case len(e.Ports) > 0:
		l.errorf(e.block.DefRange(), fmt.Sprintf("nobody reads %s", ref), "Records that go to none of its ports would vanish. %s", remedy)
	default:
		l.errorf(e.block.DefRange(), fmt.Sprintf("nobody reads %s", ref), "%s", remedy)
	}
}

// portRange is the label of the block that declares a port.
func (e *element) portRange(port string) hcl.Range {
	for _, b := range e.block.Body.Blocks {
		if len(b.Labels) == 1 && b.Labels[0] == port {
			return b.LabelRanges[0]
		}
	}
	return e.block.DefRange()
}

// outputsBefore finds outputs that read all inputs only because they stand
// before the processors: in most files that is not what was meant.
func (l *loader) outputsBefore(p *pipeline) {
	side := sideChain(p)
	first := slices.IndexFunc(p.elements, func(e *element) bool { return e.Kind == engine.KindProcessor && !side[e.Address()] })
	if first < 0 {
		return
	}
	for _, e := range p.elements[:first] {
		if e.Kind == engine.KindOutput && e.from == nil {
			l.errorf(e.block.DefRange(), fmt.Sprintf("%s stands before the processors", e.short()),
				"It would get the records as they come from the inputs. If that is meant, say so: from = [%s]. If not, move it behind %s.", l.candidate(p), p.elements[first].short())
		}
	}
}
