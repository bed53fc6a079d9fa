// Package graph checks the wiring of a pipeline: nodes with ports, joined by
// who reads what. It is pure, knows no component and does no I/O.
package graph

import (
	"slices"
)

// Kind is where a node may stand.
type Kind uint8

// The kinds of nodes.
const (
	Source Kind = iota // reads nothing of the graph: an input
	Inner              // reads and is read: a processor
	Sink               // is read by nothing: an output
)

// Errors is the name of the port that every node has for records that fail in
// it. Nobody needs to read it.
const Errors = "errors"

// AllErrors as Port.Node, with Name Errors, stands for the errors of all
// nodes; ErrorReaders says which these are.
const AllErrors = -1

// Port is one output of a node. Name is empty for the main one.
type Port struct {
	Node int
	Name string
}

// Node is one element of a pipeline.
type Node struct {
	Kind Kind
	// Ports names the outputs beside the main one and Errors.
	Ports []string
	// From lists what the node reads. Its ports must exist.
	From []Port

	// Decodes: what a source gives must be decoded before anything reads it.
	Decodes bool
	// Serial: an inner node that must see all records in one place. It makes
	// a stage of its own with one worker.
	Serial bool
}

// Finding is one mistake in the wiring.
type Finding struct {
	Problem Problem
	// Node is the element at fault.
	Node int
	// Port is the port that nobody reads.
	Port string
	// From is the index in Node's From that closes a cycle or is there twice.
	From int
	// Path is the cycle: each node is read by the next, the last by the first.
	Path []int
}

// Problem says what a Finding found.
type Problem uint8

// The problems.
const (
	// Cycle: records would come back to where they were.
	Cycle Problem = iota + 1
	// Unread: a port that nobody reads. Its records would vanish.
	Unread
	// Unreachable: no source leads to the node.
	Unreachable
	// Twice: a node reads the same port twice.
	Twice
)

// Check returns the nodes in topological order, sources first and otherwise
// in the order given, and all mistakes. With a cycle there is no order.
func Check(nodes []Node) (order []int, findings []Finding) {
	g := build(nodes)
	for n := range nodes {
		for i, p := range nodes[n].From {
			if slices.Index(nodes[n].From, p) < i {
				findings = append(findings, Finding{Problem: Twice, Node: n, From: i})
			}
		}
	}
	cycles := g.cycles()
	findings = append(findings, cycles...)
	findings = append(findings, g.unread()...)
	findings = append(findings, g.unreachable(cycles)...)
	if len(cycles) > 0 {
		return nil, findings
	}
	return g.order(), findings
}

// edge leads from a port of a node to a reader.
type edge struct {
	to   int
	from int // index in the reader's From
	port string
}

type digraph struct {
	nodes []Node
	out   [][]edge
}

// build draws all edges, those of errors resolved.
func build(nodes []Node) *digraph {
	g := &digraph{nodes: nodes, out: make([][]edge, len(nodes))}
	for n := range nodes {
		for i, p := range nodes[n].From {
			if p.Node != AllErrors {
				g.out[p.Node] = append(g.out[p.Node], edge{to: n, from: i, port: p.Name})
			}
		}
	}
	for n, readers := range ErrorReaders(nodes) {
		for _, r := range readers {
			i := slices.Index(nodes[r].From, Port{AllErrors, Errors})
			if i >= 0 && !slices.Contains(nodes[r].From, Port{n, Errors}) {
				g.out[n] = append(g.out[n], edge{to: r, from: i, port: Errors})
			}
		}
	}
	return g
}

// ErrorReaders returns for each node the nodes that read the records that
// fail in it; with none the pipeline must stop. Those that name its errors
// port take precedence over those that read the errors of all. The latter get
// the errors of every node that does not lie behind one of them, nor is one:
// so a failure while failures are handled never comes back.
func ErrorReaders(nodes []Node) [][]int {
	readers := make([][]int, len(nodes))
	var all []int
	for n := range nodes {
		for _, p := range nodes[n].From {
			switch {
			case p.Name != Errors:
			case p.Node == AllErrors && !slices.Contains(all, n):
				all = append(all, n)
			case p.Node != AllErrors && !slices.Contains(readers[p.Node], n):
				readers[p.Node] = append(readers[p.Node], n)
			}
		}
	}
	behind := reach(nodes, all)
	for n := range nodes {
		if len(readers[n]) == 0 && !behind[n] {
			readers[n] = all
		}
	}
	return readers
}

// reach returns the nodes that start leads to, itself included. The errors of
// all lead nowhere here.
func reach(nodes []Node, start []int) []bool {
	seen := make([]bool, len(nodes))
	for _, n := range start {
		seen[n] = true
	}
	for grown := true; grown; {
		grown = false
		for n := range nodes {
			if !seen[n] && slices.ContainsFunc(nodes[n].From, func(p Port) bool { return p.Node != AllErrors && seen[p.Node] }) {
				seen[n], grown = true, true
			}
		}
	}
	return seen
}

// cycles finds one cycle for each edge that leads back.
func (g *digraph) cycles() (findings []Finding) {
	const (
		white = iota
		grey
		black
	)
	color := make([]uint8, len(g.nodes))
	type step struct{ node, edge int }
	for root := range g.nodes {
		if color[root] != white {
			continue
		}
		color[root] = grey
		for stack := []step{{node: root}}; len(stack) > 0; {
			top := &stack[len(stack)-1]
			if top.edge == len(g.out[top.node]) {
				color[top.node] = black
				stack = stack[:len(stack)-1]
				continue
			}
			e := g.out[top.node][top.edge]
			top.edge++
			switch color[e.to] {
			case white:
				color[e.to] = grey
				stack = append(stack, step{node: e.to})
			case grey:
				var path []int
				for _, s := range stack[slices.IndexFunc(stack, func(s step) bool { return s.node == e.to }):] {
					path = append(path, s.node)
				}
				findings = append(findings, Finding{Problem: Cycle, Node: e.to, From: e.from, Path: path})
			}
		}
	}
	return findings
}

func (g *digraph) unread() (findings []Finding) {
	for n, node := range g.nodes {
		if node.Kind == Sink {
			continue
		}
		for _, port := range append([]string{""}, node.Ports...) {
			if !slices.ContainsFunc(g.out[n], func(e edge) bool { return e.port == port }) {
				findings = append(findings, Finding{Problem: Unread, Node: n, Port: port})
			}
		}
	}
	return findings
}

// unreachable finds nodes without a source; what lies on or behind a cycle is
// left out, since the cycle is the mistake.
func (g *digraph) unreachable(cycles []Finding) (findings []Finding) {
	var start []int
	for n := range g.nodes {
		if g.nodes[n].Kind == Source {
			start = append(start, n)
		}
	}
	for _, c := range cycles {
		start = append(start, c.Path...)
	}
	seen := make([]bool, len(g.nodes))
	for len(start) > 0 {
		n := start[len(start)-1]
		start = start[:len(start)-1]
		if seen[n] {
			continue
		}
		seen[n] = true
		for _, e := range g.out[n] {
			start = append(start, e.to)
		}
	}
	for n := range g.nodes {
		if !seen[n] {
			findings = append(findings, Finding{Problem: Unreachable, Node: n})
		}
	}
	return findings
}

func (g *digraph) order() []int {
	waits := make([]int, len(g.nodes))
	for _, edges := range g.out {
		for _, e := range edges {
			waits[e.to]++
		}
	}
	order := make([]int, 0, len(g.nodes))
	for len(order) < len(g.nodes) {
		next := slices.IndexFunc(waits, func(w int) bool { return w == 0 })
		waits[next] = -1
		order = append(order, next)
		for _, e := range g.out[next] {
			waits[e.to]--
		}
	}
	return order
}

// Stage is what runs as one loop.
type Stage struct {
	// Decoder is the source whose records are decoded first; -1: none.
	Decoder int
	// Nodes are a chain of inner nodes; none in a stage that only decodes.
	Nodes []int
	// Serial: there must be one worker.
	Serial bool
}

// Stages says what runs together, by the rule that engine/run builds a
// pipeline with: chains of inner nodes, each with the decoding of the source
// that it alone reads, in the order of their first nodes; then the sources
// whose records are decoded before they go to several readers, to an output,
// or to a serial node, which has no time to decode.
func Stages(nodes []Node) []Stage {
	var stages []Stage
	heads := make(map[int]int) // by first node
	for _, chain := range Chains(nodes) {
		heads[chain[0]] = len(stages)
		stages = append(stages, Stage{Decoder: -1, Nodes: chain, Serial: nodes[chain[0]].Serial})
	}
	for n, node := range nodes {
		if !node.Decodes {
			continue
		}
		if r := mainReaders(nodes, n); len(r) == 1 {
			if s, ok := heads[r[0]]; ok && !stages[s].Serial && slices.Equal(nodes[r[0]].From, []Port{{Node: n}}) {
				stages[s].Decoder = n
				continue
			}
		}
		stages = append(stages, Stage{Decoder: n})
	}
	return stages
}

// mainReaders returns the nodes that read the main port of n.
func mainReaders(nodes []Node, n int) []int {
	var readers []int
	for r := range nodes {
		if slices.Contains(nodes[r].From, Port{Node: n}) {
			readers = append(readers, r)
		}
	}
	return readers
}

// Chains groups inner nodes that can run as one stage: each reads only the
// main port of the one before, nobody else reads that, and neither is Serial.
// Every inner node is in exactly one chain, and chains come in the order of
// their first nodes.
func Chains(nodes []Node) [][]int {
	readers := make([]int, len(nodes)) // of main and named ports
	for n := range nodes {
		for _, p := range nodes[n].From {
			if p.Node != AllErrors && p.Name != Errors {
				readers[p.Node]++
			}
		}
	}
	next := make([]int, len(nodes))
	follows := make([]bool, len(nodes))
	for n := range nodes {
		next[n] = -1
	}
	for n, node := range nodes {
		if node.Kind != Inner || len(node.From) != 1 || node.From[0].Name != "" || node.From[0].Node == n {
			continue
		}
		if p := node.From[0].Node; nodes[p].Kind == Inner && !node.Serial && !nodes[p].Serial && len(nodes[p].Ports) == 0 && readers[p] == 1 {
			next[p], follows[n] = n, true
		}
	}
	var chains [][]int
	for n, node := range nodes {
		if node.Kind != Inner || follows[n] {
			continue
		}
		var chain []int
		for m := n; m >= 0; m = next[m] {
			chain = append(chain, m)
		}
		chains = append(chains, chain)
	}
	return chains
}
