package playground

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/graph"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

// Chain is the processors of a pipeline, or one of them, bound and wired as a
// run would have them, without inputs and outputs. It belongs to one goroutine.
type Chain struct {
	// Name is the pipeline, or the element, for people.
	Name  string
	nodes map[string]*procNode
	order []*procNode // each behind what it reads
	// readers of a port, processors apart from outputs.
	procs   map[engine.Port][]*procNode
	outputs map[engine.Port][]string
	failed  map[string][]string // who reads the errors of an element
	enter   []engine.Port
	inputs  map[string]bool
	single  bool
}

// procNode is one processor and its working copy.
type procNode struct {
	addr   string
	ports  []string // beside the main one
	bound  engine.Bound
	r      *record.Record
	window engine.Window // that gathers now
	count  int           // of its records
	last   Record        // the latest of them
	parts  []Record
	picked []int
}

// Outcome is what a chain says of one record. Exactly one of Result, Dropped
// and Err is set.
type Outcome struct {
	// Port is where the result left, or the element that dropped or refused
	// the record: processor.route.country.de.
	Port string
	// Readers are the outputs that read the port, or the errors.
	Readers []string
	// Result is what left.
	Result *Record
	// Dropped says why the record ended, in a few words.
	Dropped string
	// Err is the error of the record, and At the record that the element saw.
	Err error
	At  *Record
}

// ChainOptions choose what runs.
type ChainOptions struct {
	// Pipeline may be empty if there is one.
	Pipeline string
	// Element is an address, or its end that is clear: map.shape, shape. Empty
	// runs all processors.
	Element string
	// From is the input whose records are given, if it matters.
	From    string
	Logger  *slog.Logger
	Version string
}

// NewChain binds processors of a plan. Its errors are for people.
func NewChain(plan *engine.Plan, o ChainOptions) (*Chain, error) {
	p, err := pickPipeline(plan, o)
	if err != nil {
		return nil, err
	}
	c := &Chain{Name: p.Name, nodes: map[string]*procNode{}, procs: map[engine.Port][]*procNode{}, outputs: map[engine.Port][]string{}, failed: errorReaders(p)}
	only := ""
	if o.Element != "" {
		e, err := pickElement(p, o.Element, engine.KindProcessor)
		if err != nil {
			return nil, err
		}
		only, c.single, c.Name = e.Address(), true, e.Address()
	}
	order, _ := graph.Check(graphOf(p))
	for _, i := range order {
		e := p.Elements[i]
		if e.Kind != engine.KindProcessor || only != "" && e.Address() != only {
			continue
		}
		n, err := bind(p, e, o)
		if err != nil {
			c.Close()
			return nil, fmt.Errorf("%s: %w", e.Address(), err)
		}
		c.nodes[n.addr] = n
		c.order = append(c.order, n)
	}
	if len(c.order) == 0 {
		return nil, fmt.Errorf("pipeline %q has no processors to run", p.Name)
	}
	c.wire(p)
	if c.single {
		return c, nil
	}
	c.inputs = map[string]bool{}
	for _, e := range p.Elements {
		c.inputs[e.Address()] = e.Kind == engine.KindInput
	}
	if c.enter, err = entries(p, o.From); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func pickPipeline(plan *engine.Plan, o ChainOptions) (*engine.Pipeline, error) {
	var names []string
	var with []*engine.Pipeline
	for _, p := range plan.Pipelines {
		if o.Pipeline != "" && p.Name == o.Pipeline {
			return p, nil
		}
		names = append(names, p.Name)
		if o.Element != "" && len(matching(p, o.Element)) > 0 {
			with = append(with, p)
		}
	}
	switch {
	case len(names) == 0:
		return nil, errors.New("the config has no pipeline")
	case o.Pipeline != "":
		return nil, fmt.Errorf("no pipeline is called %q.%s The config has %s", o.Pipeline, didYouMean(o.Pipeline, names), strings.Join(names, ", "))
	case len(names) == 1:
		return plan.Pipelines[0], nil
	case len(with) == 1:
		return with[0], nil
	}
	return nil, fmt.Errorf("the config has %d pipelines: say with --pipeline which one runs: %s", len(names), strings.Join(names, ", "))
}

// matching returns the elements that a name of the command line may mean.
func matching(p *engine.Pipeline, name string) []*engine.Element {
	var out []*engine.Element
	for _, e := range p.Elements {
		if slices.Contains([]string{e.Address(), e.Type + "." + e.Name, string(e.Kind) + "." + e.Name, e.Name}, name) {
			out = append(out, e)
		}
	}
	return out
}

func pickElement(p *engine.Pipeline, name string, kind engine.Kind) (*engine.Element, error) {
	var all, names []string
	for _, e := range p.Elements {
		if e.Kind == kind {
			all, names = append(all, e.Address()), append(names, e.Address(), e.Type+"."+e.Name, e.Name)
		}
	}
	found := matching(p, name)
	right := slices.DeleteFunc(slices.Clone(found), func(e *engine.Element) bool { return e.Kind != kind })
	switch {
	case len(right) == 1:
		return right[0], nil
	case len(right) > 1:
		return nil, fmt.Errorf("%q may mean %s or %s: write more of it", name, right[0].Address(), right[1].Address())
	case len(found) > 0:
		return nil, fmt.Errorf("%s is an %s: only processors run here", found[0].Address(), found[0].Kind)
	case len(all) == 0:
		return nil, fmt.Errorf("pipeline %q has no %s", p.Name, kind)
	}
	return nil, fmt.Errorf("pipeline %q has no %s %q.%s It has %s", p.Name, kind, name, didYouMean(name, names), strings.Join(all, ", "))
}

// bind makes the working copy of one processor, with a layout of its own.
func bind(p *engine.Pipeline, e *engine.Element, o ChainOptions) (*procNode, error) {
	logger := o.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	addr := e.Address()
	proc, err := e.NewProcessor(engine.Env{Pipeline: p.Name, Element: addr, Logger: logger, Now: time.Now, Version: o.Version})
	if err != nil {
		return nil, err
	}
	l := record.NewLayout()
	bound, err := proc.Bind(l)
	if err != nil {
		return nil, err
	}
	n := &procNode{addr: addr, ports: e.Ports, bound: bound, r: record.NewRecord(l)}
	if bound.Source != nil {
		bound.Source(engine.NewSource(engine.SourceInfo{ID: "records"}, func(*engine.Source) {}, func(int64) {}))
	}
	return n, nil
}

// wire notes who reads which port. A single element leads nowhere.
func (c *Chain) wire(p *engine.Pipeline) {
	for _, e := range p.Elements {
		for _, from := range e.From {
			if from.Name == engine.ErrorsPort || from.Element == "" {
				continue
			}
			if n := c.nodes[e.Address()]; n != nil && !c.single {
				c.procs[from] = append(c.procs[from], n)
			}
			if e.Kind == engine.KindOutput || c.single && e.Kind == engine.KindProcessor {
				c.outputs[from] = append(c.outputs[from], e.Address())
			}
		}
	}
}

// entries returns the ports of the input that records come from.
func entries(p *engine.Pipeline, from string) ([]engine.Port, error) {
	if from != "" {
		e, err := pickElement(p, from, engine.KindInput)
		if err != nil {
			return nil, err
		}
		return []engine.Port{{Element: e.Address()}}, nil
	}
	var first *engine.Element
	var readers string
	for _, e := range p.Elements {
		if e.Kind != engine.KindInput {
			continue
		}
		of := readersOf(p, e.Address())
		if first != nil && of != readers {
			return nil, fmt.Errorf("the inputs %s and %s lead to different processors: say with --from whose records these are", first.Address(), e.Address())
		}
		if first == nil {
			first, readers = e, of
		}
	}
	if first == nil {
		return nil, fmt.Errorf("pipeline %q has no input, so where records enter is not known", p.Name)
	}
	return []engine.Port{{Element: first.Address()}}, nil
}

func readersOf(p *engine.Pipeline, addr string) string {
	var names []string
	for _, e := range p.Elements {
		if slices.Contains(e.From, engine.Port{Element: addr}) {
			names = append(names, e.Address())
		}
	}
	return strings.Join(names, " ")
}

func graphOf(p *engine.Pipeline) []graph.Node {
	index := map[string]int{}
	for i, e := range p.Elements {
		index[e.Address()] = i
	}
	kinds := map[engine.Kind]graph.Kind{engine.KindInput: graph.Source, engine.KindProcessor: graph.Inner, engine.KindOutput: graph.Sink}
	nodes := make([]graph.Node, len(p.Elements))
	for i, e := range p.Elements {
		nodes[i].Kind, nodes[i].Ports = kinds[e.Kind], e.Ports
		for _, from := range e.From {
			at := graph.AllErrors
			if from.Element != "" {
				at = index[from.Element]
			}
			nodes[i].From = append(nodes[i].From, graph.Port{Node: at, Name: from.Name})
		}
	}
	return nodes
}

// errorReaders says who reads the records that fail in each element.
func errorReaders(p *engine.Pipeline) map[string][]string {
	out := map[string][]string{}
	for i, readers := range graph.ErrorReaders(graphOf(p)) {
		for _, r := range readers {
			out[p.Elements[i].Address()] = append(out[p.Elements[i].Address()], p.Elements[r].Address())
		}
	}
	return out
}

// Run takes one record through the chain.
func (c *Chain) Run(x Record, yield func(Outcome)) {
	if c.single {
		c.step(c.order[0], x, yield)
		return
	}
	for _, p := range c.enter {
		c.deliver(p, x, yield)
	}
}

// End gives what windows still hold.
func (c *Chain) End(yield func(Outcome)) {
	for _, n := range c.order {
		if n.count > 0 {
			c.gathered(n, yield)
		}
	}
}

// Close ends the working copies.
func (c *Chain) Close() {
	for _, n := range c.order {
		if n.bound.Close != nil {
			n.bound.Close()
		}
	}
}

// deliver hands a record to whoever reads a port. What an output reads, or
// nobody, is a result.
func (c *Chain) deliver(p engine.Port, x Record, yield func(Outcome)) {
	readers, outputs := c.procs[p], c.outputs[p]
	if len(outputs) > 0 || len(readers) == 0 {
		yield(Outcome{Port: portName(p), Readers: outputs, Result: &x})
	}
	for _, n := range readers {
		c.step(n, x, yield)
	}
}

func portName(p engine.Port) string {
	if p.Name == "" {
		return p.Element
	}
	return p.Element + "." + p.Name
}

// step runs one processor.
func (c *Chain) step(n *procNode, x Record, yield func(Outcome)) {
	to, dropped, err := c.call(n, x)
	switch {
	case err != nil:
		yield(Outcome{Port: n.addr, Readers: c.failed[n.addr], Err: err, At: &x})
		return
	case dropped != "":
		yield(Outcome{Port: n.addr, Dropped: dropped})
		return
	}
	for _, d := range to {
		c.deliver(d.port, d.rec, yield)
	}
	if n.bound.Window != nil && n.window == nil && n.count > 0 {
		c.gathered(n, yield)
	}
}

type delivery struct {
	port engine.Port
	rec  Record
}

// call runs the working copy of a processor over a record.
func (c *Chain) call(n *procNode, x Record) (to []delivery, dropped string, err error) {
	defer func() {
		if p := recover(); p != nil {
			to, dropped, err = nil, "", panicked(p)
		}
	}()
	x.load(n.r)
	main := engine.Port{Element: n.addr}
	switch b := n.bound; {
	case b.Expand != nil:
		return c.expand(n, x)
	case b.Window != nil:
		return nil, "", n.gather(x)
	case b.Step != nil:
		keep, err := b.Step(n.r)
		if err != nil {
			return nil, "", err
		}
		if !keep {
			return nil, cmp.Or(b.Drops, "condition"), nil
		}
	case b.Route != nil:
		return n.route(x)
	case b.Gate != nil: // nobody waits here for the pace of a run
	}
	out, err := x.store(n.r)
	return []delivery{{main, out}}, "", err
}

func (n *procNode) route(x Record) (to []delivery, dropped string, err error) {
	if n.picked, err = n.bound.Route(n.r, n.picked[:0]); err != nil {
		return nil, "", err
	}
	if len(n.picked) == 0 {
		return nil, "no_route", nil
	}
	out, err := x.store(n.r)
	if err != nil {
		return nil, "", err
	}
	for _, i := range n.picked {
		p := engine.Port{Element: n.addr}
		if i < 0 || i > len(n.ports) {
			return nil, "", fmt.Errorf("record goes to port number %d, which does not exist", i)
		}
		if i > 0 {
			p.Name = n.ports[i-1]
		}
		to = append(to, delivery{p, out})
	}
	return to, "", nil
}

// expand takes all parts of a record, or none.
func (c *Chain) expand(n *procNode, x Record) (to []delivery, dropped string, err error) {
	bytes := 0
	err = n.bound.Expand(n.r, func(part *record.Record) error {
		out, err := x.store(part)
		if err != nil {
			return err
		}
		if bytes += len(out.Value); len(to) >= limits.SplitRecords || bytes > limits.SplitBytes {
			return fmt.Errorf("splits into more than %d records or %d bytes", limits.SplitRecords, limits.SplitBytes)
		}
		to = append(to, delivery{engine.Port{Element: n.addr}, out})
		return nil
	})
	switch {
	case err != nil:
		return nil, "", err
	case len(to) == 0:
		return nil, "empty", nil
	}
	return to, "", nil
}

// gather adds a record to the open window; a full one is left to gathered.
func (n *procNode) gather(x Record) error {
	if n.window == nil {
		n.window = n.bound.Window()
	}
	full, err := n.window.Add(n.r)
	if err != nil {
		return err
	}
	n.count, n.last = n.count+1, x.clone()
	if full {
		if err := n.close(); err != nil {
			n.window, n.count = nil, 0
			return err
		}
	}
	return nil
}

// close makes a record of the window.
func (n *procNode) close() error {
	out := record.NewRecord(record.NewLayout())
	empty := Record{Topic: n.last.Topic}
	empty.load(out)
	if err := n.window.Result(out); err != nil {
		return fmt.Errorf("ending a window: %w", err)
	}
	rec, err := n.last.store(out)
	if err != nil {
		return fmt.Errorf("writing a window: %w", err)
	}
	n.window, n.parts = nil, []Record{rec}
	return nil
}

// gathered sends on what a window has become.
func (c *Chain) gathered(n *procNode, yield func(Outcome)) {
	if n.window != nil {
		if err := n.close(); err != nil {
			n.window, n.count = nil, 0
			yield(Outcome{Port: n.addr, Readers: c.failed[n.addr], Err: err, At: &n.last})
			return
		}
	}
	parts := n.parts
	n.parts, n.count = nil, 0
	for _, rec := range parts {
		c.deliver(engine.Port{Element: n.addr}, rec, yield)
	}
}
