package run

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/graph"
	"github.com/flowrecords/flow/engine/observe"
)

// wiring is the DAG of a pipeline as nodes and edges.
type wiring struct {
	nodes  []*node // in plan order
	byAddr map[string]*node
	read   map[*edge]*node // who reads an edge
}

// wire makes the nodes, connects their ports, and resolves errors ports.
func wire(p *engine.Pipeline, o Options) (*wiring, error) {
	w := &wiring{byAddr: make(map[string]*node), read: make(map[*edge]*node)}
	for _, el := range p.Elements {
		addr := el.Address()
		if w.byAddr[addr] != nil {
			return nil, fmt.Errorf("element %s is there twice", addr)
		}
		log := o.Logger.With("pipeline", p.Name, "element", addr)
		n := &node{
			el: el, addr: addr, log: log, hide: o.Hide, state: Starting,
			stats: &observe.Element{Pipeline: p.Name, Address: addr},
			env:   engine.Env{Pipeline: p.Name, Element: addr, Logger: log, Now: o.Now, Version: o.Version},
			out:   map[string]*port{"": {}},
			errs:  &port{name: engine.ErrorsPort},

			headers: p.Settings.ErrorHeaders, refused: o.Refused,
		}
		for _, name := range el.Ports {
			n.out[name] = &port{name: name}
		}
		if el.Kind != engine.KindInput {
			n.in = newEdge(addr)
			w.read[n.in] = n
		}
		w.nodes = append(w.nodes, n)
		w.byAddr[addr] = n
	}
	for _, n := range w.nodes {
		for _, from := range n.el.From {
			if err := w.connect(n, from); err != nil {
				return nil, fmt.Errorf("%s: %w", n.addr, err)
			}
		}
	}
	w.resolveErrors()
	return w, w.check()
}

func (w *wiring) connect(n *node, from engine.Port) error {
	if n.in == nil {
		return fmt.Errorf("an input reads nothing, but it names %s", from.Element)
	}
	if from.Element == "" {
		if from.Name != engine.ErrorsPort {
			return fmt.Errorf("it reads port %q of no element", from.Name)
		}
		return nil // see resolveErrors
	}
	source := w.byAddr[from.Element]
	if source == nil {
		return fmt.Errorf("it reads %s, which does not exist", from.Element)
	}
	if from.Name == engine.ErrorsPort {
		return nil
	}
	p := source.out[from.Name]
	if p == nil || source.el.Kind == engine.KindOutput {
		return fmt.Errorf("it reads port %q of %s, which does not exist", from.Name, source.addr)
	}
	p.readers = unique(append(p.readers, n.in))
	return nil
}

// resolveErrors decides where each element's refused records go, by the rule
// that the check of the config uses, too.
func (w *wiring) resolveErrors() {
	for i, readers := range graph.ErrorReaders(w.graph()) {
		for _, r := range readers {
			w.nodes[i].errs.readers = append(w.nodes[i].errs.readers, w.nodes[r].in)
		}
	}
}

// graph returns what each node reads, and its ports.
func (w *wiring) graph() []graph.Node {
	index := make(map[string]int)
	for i, n := range w.nodes {
		index[n.addr] = i
	}
	nodes := make([]graph.Node, len(w.nodes))
	for i, n := range w.nodes {
		nodes[i].Ports = n.el.Ports
		for _, from := range n.el.From {
			at := graph.AllErrors
			if from.Element != "" {
				at = index[from.Element]
			}
			nodes[i].From = append(nodes[i].From, graph.Port{Node: at, Name: from.Name})
		}
	}
	return nodes
}

func (w *wiring) readersOf(n *node) []*node {
	var list []*node
	for _, p := range append([]*port{n.errs, n.out[""]}, namedPorts(n)...) {
		for _, e := range p.readers {
			list = append(list, w.read[e])
		}
	}
	return list
}

func namedPorts(n *node) []*port {
	var list []*port
	for _, name := range n.el.Ports {
		list = append(list, n.out[name])
	}
	return list
}

// check finds what would hang or lose records. Users see these mistakes as
// diagnostics of the config; here they are bugs of whoever made the plan.
func (w *wiring) check() error {
	for _, n := range w.nodes {
		switch {
		case n.in != nil && len(n.el.From) == 0:
			return fmt.Errorf("%s reads nothing", n.addr)
		case n.el.Kind != engine.KindOutput && len(n.el.Ports) == 0 && len(n.out[""].readers) == 0:
			return fmt.Errorf("nothing reads %s", n.addr)
		}
	}
	const open, closed = 1, 2
	mark := make(map[*node]int)
	var path []string
	var walk func(n *node) error
	walk = func(n *node) error {
		path = append(path, n.addr)
		defer func() { path = path[:len(path)-1] }()
		switch mark[n] {
		case open:
			return fmt.Errorf("elements read each other in a circle: %s", strings.Join(path, " -> "))
		case closed:
			return nil
		}
		mark[n] = open
		for _, m := range w.readersOf(n) {
			if err := walk(m); err != nil {
				return err
			}
		}
		mark[n] = closed
		return nil
	}
	for _, n := range w.nodes {
		if err := walk(n); err != nil {
			return err
		}
	}
	return nil
}

// fuse makes the stages that graph.Stages says.
func (w *wiring) fuse(procs map[*node]engine.Processor, inputs []*input) []*stage {
	nodes := w.graph()
	for i, n := range w.nodes {
		switch n.el.Kind {
		case engine.KindInput:
			nodes[i].Decodes = newDecoder(n.el) != nil
		case engine.KindProcessor:
			nodes[i].Kind, nodes[i].Serial = graph.Inner, isSerial(procs[n])
		default:
			nodes[i].Kind = graph.Sink
		}
	}
	var stages []*stage
	for _, g := range graph.Stages(nodes) {
		s := &stage{serial: g.Serial}
		var names []string
		for _, i := range g.Nodes {
			n := w.nodes[i]
			s.nodes, s.procs, s.main = append(s.nodes, n), append(s.procs, procs[n]), n.out[""]
			names = append(names, n.addr)
		}
		if g.Decoder >= 0 {
			s.decoder = w.nodes[g.Decoder]
		}
		if len(s.nodes) > 0 {
			s.first, s.in, s.name = s.nodes[0], s.nodes[0].in, strings.Join(names, " + ")
		} else {
			s.decodeAlone(inputs)
		}
		stages = append(stages, s)
	}
	return stages
}

// decodeAlone puts the stage between its input and the readers of that.
func (s *stage) decodeAlone(inputs []*input) {
	s.first, s.main = s.decoder, s.decoder.out[""]
	s.in = newEdge(s.decoder.addr + " (decoding)")
	s.name = s.in.to
	i := slices.IndexFunc(inputs, func(i *input) bool { return i.n == s.decoder })
	inputs[i].main = &port{readers: []*edge{s.in}}
}
