package explain

import (
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

// Options are what a description depends on beside the plan.
type Options struct {
	// Registry has the defaults of options; without it every option that says
	// something is shown.
	Registry *engine.Registry
	// CPUs is the number of workers of a stage whose pipeline does not say.
	CPUs int
	// Version of flow, handed to components.
	Version string
}

// Describe describes the pipelines of a plan that was compiled without a
// mistake. An error comes from the constructor of a component.
func Describe(pipelines []*engine.Pipeline, o Options) (*Plan, error) {
	plan := &Plan{Version: ShapeVersion, Pipelines: []Pipeline{}}
	for _, p := range pipelines {
		d := &describer{plan: p, opts: o, index: make(map[string]int)}
		if err := d.build(); err != nil {
			return nil, fmt.Errorf("pipeline %s: %w", p.Name, err)
		}
		plan.Pipelines = append(plan.Pipelines, d.out)
	}
	return plan, nil
}

// describer describes one pipeline.
type describer struct {
	plan  *engine.Pipeline
	opts  Options
	index map[string]int // of the plan's elements, by address
	nodes []graph.Node
	order []int // elements in the order of the flow
	parts []part
	out   Pipeline
}

// part is an element of the plan with what its constructor tells.
type part struct {
	el        *engine.Element
	readOnly  bool
	committer bool
	prompt    bool
	reads     engine.Reads
	whole     []string // options that read a whole value
	out       Element
}

func (d *describer) build() error {
	s := &d.plan.Settings
	d.out = Pipeline{Name: d.plan.Name, After: s.After, Order: s.Order, Bounded: true}
	d.nodes = make([]graph.Node, len(d.plan.Elements))
	d.parts = make([]part, len(d.plan.Elements))
	for i, el := range d.plan.Elements {
		d.index[el.Address()] = i
	}
	for i, el := range d.plan.Elements {
		if err := d.element(i, el); err != nil {
			return fmt.Errorf("%s: %w", el.Address(), err)
		}
	}
	order, findings := graph.Check(d.nodes)
	if len(findings) > 0 {
		return fmt.Errorf("its wiring was not checked: %v", findings)
	}
	d.order = order
	for i, readers := range graph.ErrorReaders(d.nodes) {
		for _, r := range readers {
			d.parts[i].out.Errors = append(d.parts[i].out.Errors, d.plan.Elements[r].Address())
		}
	}
	d.stages()
	d.bounds()
	d.delivery()
	for _, i := range order {
		d.out.Elements = append(d.out.Elements, d.parts[i].out)
	}
	return nil
}

// element fills in what an element is by itself.
func (d *describer) element(i int, el *engine.Element) error {
	p, node := &d.parts[i], &d.nodes[i]
	p.el = el
	p.out = Element{Address: el.Address(), Kind: string(el.Kind), Type: el.Type, Name: el.Name, Where: el.Where, Ports: el.Ports, Bounded: el.Bounded}
	node.Ports = el.Ports
	for _, from := range el.From {
		at := graph.AllErrors
		if from.Element != "" {
			at = d.index[from.Element]
		}
		node.From = append(node.From, graph.Port{Node: at, Name: from.Name})
		p.out.From = append(p.out.From, Port{Element: from.Element, Port: from.Name})
	}
	if err := d.options(p); err != nil {
		return err
	}
	return d.construct(p, node)
}

// construct makes the component, which touches nothing, and asks what it is.
func (d *describer) construct(p *part, node *graph.Node) error {
	el := p.el
	env := engine.Env{Pipeline: d.plan.Name, Element: el.Address(), Logger: slog.New(slog.DiscardHandler), Now: time.Now, Version: d.opts.Version}
	switch el.Kind {
	case engine.KindInput:
		in, err := el.NewInput(env)
		if err != nil {
			return err
		}
		_, p.committer = in.(engine.Committer)
		_, p.prompt = in.(engine.Prompt)
		p.out.Key, p.out.Value = decoding(el.Key, el.KeyConverter), decoding(el.Value, el.ValueConverter)
		if el.Headers != nil {
			p.out.HeaderValues = &Conversion{Converter: el.HeadersConverter, Encoding: record.Text.Name(), Rewrites: engine.HeaderDecoding(el.Headers) != nil}
		}
		if p.out.Container = el.Container; p.out.Container != "" {
			p.out.Key, p.out.Value = &Conversion{}, &Conversion{} // the files say what values are, and have no keys
		}
		node.Decodes = p.out.Key.Rewrites || p.out.Value.Rewrites || p.out.HeaderValues.rewrites()
		if !el.Bounded {
			d.out.Bounded, d.out.Endless = false, append(d.out.Endless, el.Address())
		}
	case engine.KindProcessor:
		proc, err := el.NewProcessor(env)
		if err != nil {
			return err
		}
		ro, ok := proc.(engine.ReadOnly)
		p.readOnly = ok && ro.ReadOnly()
		serial, ok := proc.(engine.Serial)
		node.Kind, node.Serial = graph.Inner, ok && serial.Serial()
		if d.opts.Registry != nil {
			if equal := d.opts.Registry.Processors[el.Type].Equal; equal != nil {
				for _, text := range equal(el.Config) {
					p.out.Equal = append(p.out.Equal, redact(text))
				}
			}
		}
		p.out.Changes = changesOf(el.Changes, p.readOnly)
	case engine.KindOutput:
		node.Kind = graph.Sink
	default:
		return fmt.Errorf("%s is no element", el.Kind)
	}
	return nil
}

func decoding(c engine.Converter, name string) *Conversion {
	if c == nil {
		return &Conversion{}
	}
	return &Conversion{Converter: name, Encoding: c.Decoded().Name(), Rewrites: c.NewDecoder() != nil}
}

func (c *Conversion) rewrites() bool { return c != nil && c.Rewrites }

// stages says what shares a loop, and encodes what depends on that.
func (d *describer) stages() {
	workers, perCPU := d.plan.Settings.Workers, false
	if workers <= 0 {
		workers, perCPU = max(d.opts.CPUs, 1), true
	}
	all := graph.Stages(d.nodes)
	first := func(s graph.Stage) int {
		if len(s.Nodes) == 0 {
			return slices.Index(d.order, s.Decoder)
		}
		return slices.Index(d.order, s.Nodes[0])
	}
	slices.SortStableFunc(all, func(a, b graph.Stage) int { return first(a) - first(b) })
	for k, g := range all {
		s := Stage{Number: k + 1, Workers: workers, PerCPU: perCPU, Serial: g.Serial, Projected: true, QueueBatches: limits.EdgeBatches}
		if s.Serial {
			s.Workers, s.PerCPU = 1, false
		}
		if g.Decoder >= 0 {
			s.Decodes = d.parts[g.Decoder].out.Address
			d.parts[g.Decoder].out.Stage = s.Number
		}
		var reads engine.Reads
		s.Changes = Changes{Known: true, ReadOnly: true}
		for j, i := range g.Nodes {
			p := &d.parts[i]
			p.out.Stage = s.Number
			if j == 0 {
				p.out.QueueBatches = limits.EdgeBatches
			}
			s.Elements = append(s.Elements, p.out.Address)
			reads.Add(p.reads)
			for _, option := range p.whole {
				s.Whole = append(s.Whole, strings.TrimSpace(p.out.Address+" "+option))
			}
			s.Changes.add(p.out.Changes)
		}
		s.Reads, s.Projected = readsText(reads), len(s.Whole) == 0
		d.out.Stages = append(d.out.Stages, s)
	}
	upstream := d.encodings()
	for i := range d.parts {
		p := &d.parts[i]
		if p.el.Kind == engine.KindOutput {
			p.out.QueueBatches = limits.EdgeBatches
			p.out.Key, p.out.Value = encoding(p.el.Key, p.el.KeyConverter, upstream[i].keys), encoding(p.el.Value, p.el.ValueConverter, upstream[i].values)
			if p.out.Container = p.el.Container; p.out.Container != "" && p.el.Value == nil {
				p.out.Value = &Conversion{} // the files take what other outputs make JSON of
			}
			if p.el.Headers != nil {
				p.out.HeaderValues = &Conversion{Converter: p.el.HeadersConverter, Rewrites: engine.HeaderEncoding(p.el.Headers) != nil}
			}
		}
	}
}

// encodings returns those that the records of each element may have when they
// come to it: those of the inputs behind it, and JSON once a processor may
// have edited them.
func (d *describer) encodings() []encodings {
	at := make([]encodings, len(d.parts))
	edits := encodings{keys: []record.Encoding{record.Text}, values: []record.Encoding{record.JSON}}
	edited := func(n int) bool {
		return d.parts[n].el.Kind == engine.KindProcessor && !d.parts[n].readOnly
	}
	var all encodings // that any record may have
	for n := range d.parts {
		if el := d.parts[n].el; el.Kind == engine.KindInput {
			all.add(encodings{keys: decodedAs(el.Key), values: decodedAs(el.Value)})
		} else if edited(n) {
			all.add(edits)
		}
	}
	for _, n := range d.order {
		el := d.parts[n].el
		if el.Kind == engine.KindInput {
			at[n].add(encodings{keys: decodedAs(el.Key), values: decodedAs(el.Value)})
		}
		for _, from := range d.nodes[n].From {
			switch failed := from.Name == graph.Errors; {
			case failed && from.Node == graph.AllErrors:
				at[n].add(all)
			case failed: // as they were in front of it
				at[n].add(at[from.Node])
			default:
				at[n].add(at[from.Node])
				if edited(from.Node) {
					at[n].add(edits)
				}
			}
		}
	}
	return at
}

type encodings struct{ keys, values []record.Encoding }

func (e *encodings) add(other encodings) {
	for _, k := range other.keys {
		if !slices.Contains(e.keys, k) {
			e.keys = append(e.keys, k)
		}
	}
	for _, v := range other.values {
		if !slices.Contains(e.values, v) {
			e.values = append(e.values, v)
		}
	}
}

func decodedAs(c engine.Converter) []record.Encoding {
	if c == nil {
		return []record.Encoding{record.Opaque}
	}
	return []record.Encoding{c.Decoded()}
}

func encoding(c engine.Converter, name string, from []record.Encoding) *Conversion {
	x := &Conversion{}
	if c != nil {
		x.Converter = name
	}
	for _, e := range from {
		if inner, ok := e.(record.Inner); ok {
			// As the output does it: what only flow reads is JSON to who writes
			// JSON as it is.
			if text := record.JSONOf(inner.Schema()); c == nil || c.NewEncoder(text) == nil {
				x.Rewrites = true
				if c == nil {
					x.Encoding = text.Name()
				}
				continue
			}
		}
		x.Rewrites = x.Rewrites || c != nil && c.NewEncoder(e) != nil
	}
	return x
}

// bounds says what is bounded by what, and what that comes to.
func (d *describer) bounds() {
	s := &d.plan.Settings
	d.out.Bounds = Bounds{
		BatchRecords: s.BatchRecords, BatchBytes: int64(s.BatchBytes), Linger: engine.DurationText(s.Linger),
		InFlightBytes: int64(s.MaxInFlight), QueueBatches: limits.EdgeBatches, RecordBytes: limits.RecordBytes,
		DrainTimeout: engine.DurationText(s.DrainTimeout),
	}
	d.out.Retry = Retry{Min: engine.DurationText(min(limits.RetryMin, s.RetryMax)), Max: engine.DurationText(s.RetryMax)}
	add := func(what string, bytes int64) {
		d.out.Memory.Parts = append(d.out.Memory.Parts, MemoryPart{What: what, Bytes: bytes})
		d.out.Memory.Bytes += bytes
	}
	inputs, encoders := int64(0), int64(0)
	for i := range d.parts {
		p := &d.parts[i].out
		switch {
		case p.Kind == string(engine.KindInput):
			inputs++
		case p.Kind == string(engine.KindOutput) && (p.Key.Rewrites || p.Value.Rewrites || p.HeaderValues.rewrites()):
			encoders++
		}
	}
	add("read and not confirmed (max_in_flight)", int64(s.MaxInFlight))
	add("in the batches that inputs fill", inputs*(int64(s.BatchBytes)+limits.SlabSlack))
	for _, st := range d.out.Stages {
		if st.Changes.ReadOnly {
			continue
		}
		batches := st.Workers * limits.WorkerBatches(st.Workers)
		add(fmt.Sprintf("in %d batches of changed records of stage %d", batches, st.Number), int64(batches)*(limits.BatchBytes+limits.SlabSlack))
	}
	if encoders > 0 {
		add("of these, as converted by outputs", encoders*int64(s.MaxInFlight))
	}
}
