package dsl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/flowrecords/flow/dsl/rules"
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
	for _, e := range slices.Concat(p.elements, p.seconds) {
		if e.Kind != engine.KindInput {
			l.resolveFrom(p, e)
		}
	}
	l.defaultWiring(p)
	inputs, outputs := l.count(p, engine.KindInput), l.count(p, engine.KindOutput)
	l.needs(p, inputs, outputs)
	l.checkGraph(p, !p.broken && inputs > 0 && outputs > 0)
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
		l.report(rules.IncompletePipeline, p.block.DefRange(), "pipeline has neither input nor output", "Add at least one of each: input \"TYPE\" \"NAME\" { ... } and output \"TYPE\" \"NAME\" { ... }")
	case inputs == 0:
		l.report(rules.IncompletePipeline, p.block.DefRange(), "pipeline has no input", "Add at least one: input \"TYPE\" \"NAME\" { ... }")
	case outputs == 0:
		l.report(rules.IncompletePipeline, p.block.DefRange(), "pipeline has no output", "Add at least one: output \"TYPE\" \"NAME\" { ... } An output \"drop\" is for records that nobody wants.")
	}
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

// checkGraph reports what the graph finds. When an element is missing, only
// cycles are sure; where a from has a mistake, also what that cannot mean.
func (l *loader) checkGraph(p *pipeline, complete bool) {
	nodes, sure := p.nodes()
	known := complete && sure
	doubt := l.doubts(p)
	// graph.Unreachable cannot be among them: with an input, whatever an element
	// reads leads back to one, or into a circle, which is the mistake.
	_, findings := graph.Check(nodes)
	side := sideChain(p)
	for _, f := range findings {
		switch f.Problem {
		case graph.Cycle:
			l.cycle(p, f)
		case graph.Twice:
			e := p.elements[f.Node]
			l.report(rules.ReadTwice, e.fromRange(f.From), "element is read twice", "%s reads %s twice, so each record would come twice. Remove one of the two.", e.Address(), l.portText(p, e.From[f.From]))
		case graph.Unread:
			if e := p.elements[f.Node]; known && !doubt.read[e] {
				l.unread(p, p.elements[f.Node], f.Port, side)
			}
		}
	}
	if known && len(doubt.reached) == 0 {
		l.outputsBefore(p)
	}
}

// doubts are what mistakes in from leave open.
type doubts struct {
	// read are elements that such a from may have meant, or that the main
	// chain would lead on from if it had meant something else.
	read map[*element]bool
	// reached are the addresses of what has such a from, and of what lies
	// behind it.
	reached map[string]bool
}

func (l *loader) doubts(p *pipeline) doubts {
	d := doubts{read: make(map[*element]bool), reached: make(map[string]bool)}
	var before *element // the processor before
	for _, e := range p.elements {
		if e.unresolved {
			d.reached[e.Address()] = true
			for _, m := range p.meant(e) {
				d.read[m] = true
			}
		}
		if e.Kind != engine.KindProcessor {
			continue
		}
		if e.unresolved {
			// It may be of the main chain or not.
			d.read[e] = true
			for _, x := range p.elements {
				if before == nil && x.Kind == engine.KindInput || x == before {
					d.read[x] = true
				}
			}
		}
		before = e
	}
	for grown := true; grown; {
		grown = false
		for _, e := range p.elements {
			if !d.reached[e.Address()] && slices.ContainsFunc(e.From, func(f engine.Port) bool { return d.reached[f.Element] }) {
				d.reached[e.Address()], grown = true, true
			}
		}
	}
	return d
}

// nodes is the pipeline as a graph. sure: no port is one of an element with
// mistakes.
func (p *pipeline) nodes() (nodes []graph.Node, sure bool) {
	index := make(map[string]int)
	for i, e := range p.elements {
		index[e.Address()] = i
	}
	nodes, sure = make([]graph.Node, len(p.elements)), true
	for i, e := range p.elements {
		nodes[i] = graph.Node{Kind: graphKind(e.Kind), Ports: e.Ports}
		for _, f := range e.From {
			n := graph.AllErrors
			if f.Element != "" {
				n = index[f.Element]
			}
			if f.Name != "" && f.Name != engine.ErrorsPort && !slices.Contains(p.elements[n].Ports, f.Name) {
				sure = false
			}
			nodes[i].From = append(nodes[i].From, graph.Port{Node: n, Name: f.Name})
		}
	}
	return nodes, sure
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
	l.report(rules.ElementCircle, e.fromRange(f.From), "elements form a circle", "%s. Records would run round for ever. Change one of the from.", strings.Join(path, " -> "))
}

// unread reports a port whose records would vanish (Invariant 3).
func (l *loader) unread(p *pipeline, e *element, port string, side map[string]bool) {
	ref := l.portText(p, engine.Port{Element: e.Address(), Name: port})
	remedy := fmt.Sprintf("Add from = [%s] to the element that is to read it, or drop its records with output \"drop\" \"NAME\" { from = [%s] }.", ref, ref)
	switch {
	case e.Kind == engine.KindInput:
		l.report(rules.Unread, e.block.DefRange(), fmt.Sprintf("nobody reads %s", ref), "%s", remedy)
	case port != "":
		l.report(rules.Unread, e.portRange(port), fmt.Sprintf("nobody reads %s", ref), "Records that go to this port would vanish. %s", remedy)
	case side[e.Address()]:
		l.report(rules.Unread, e.block.DefRange(), fmt.Sprintf("nobody reads %s", ref), "It handles errors, and elements without from read the main chain. %s", remedy)
	case len(e.Ports) > 0:
		l.report(rules.Unread, e.block.DefRange(), fmt.Sprintf("nobody reads %s", ref), "Records that go to none of its ports would vanish. %s", remedy)
	default:
		l.report(rules.Unread, e.block.DefRange(), fmt.Sprintf("nobody reads %s", ref), "%s", remedy)
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
			l.report(rules.OutputBeforeProcessors, e.block.DefRange(), fmt.Sprintf("%s stands before the processors", e.short()),
				"It would get the records as they come from the inputs. If that is meant, say so: from = [%s]. If not, move it behind %s.", l.candidate(p), p.elements[first].short())
		}
	}
}
