package dsl

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/flowrecords/flow/dsl/lint"
	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
)

// pipeline is one pipeline block.
type pipeline struct {
	name     string
	block    *hclsyntax.Block
	settings engine.Settings
	elements []*element
	// seconds are elements whose name another one has. Nothing reads them.
	seconds []*element
	// broken: an element is missing because of a mistake, so what seems to be
	// unread or unreachable may not be.
	broken bool
	// second: another pipeline has the name; only the elements by themselves
	// are checked, since the two may be halves of one.
	second bool
	places map[string]hcl.Range // of the settings
	exprs  map[string]hclsyntax.Expression
}

// element is one input, processor or output.
type element struct {
	engine.Element
	block *hclsyntax.Block
	// ok: type and options are right, so config and ports can be relied on.
	ok bool
	// written are the ports as they stand in options that have mistakes: good
	// for names, not for wiring. portsUnknown: not even those are there.
	written      []string
	portsUnknown bool
	// spec is nil for an unknown type.
	spec *engine.Spec
	d    *decoder
	// fixedTopics are the topics that an input's records can have.
	fixedTopics []string
	// from holds the places of From, one each; nil for default wiring.
	from []hcl.Range
	// unresolved: a part of from has a mistake.
	unresolved bool
	second     bool
	// files are what an input reads or an output writes, as far as known.
	files []string
	// part describes the options; see described.
	part *lint.Part
	// converted are the options of its blocks of converters, for lint.
	converted []converted
}

// converted is a decoded block of a converter.
type converted struct {
	// part is the name of the block.
	part   string
	d      *decoder
	spec   *engine.Spec
	config any
}

func (e *element) short() string { return string(e.Kind) + "." + e.Name }

func (l *loader) declarePipeline(b *hclsyntax.Block) {
	if !l.labels(b, blockUse("pipeline"), 1) {
		return
	}
	for _, p := range l.pipelines {
		if p.name == b.Labels[0] {
			l.duplicate(fmt.Sprintf("pipeline %q", p.name), b.LabelRanges[0], p.block.LabelRanges[0])
			l.seconds = append(l.seconds, &pipeline{name: p.name, block: b, broken: true, second: true})
			return
		}
	}
	l.pipelines = append(l.pipelines, &pipeline{name: b.Labels[0], block: b})
}

func (l *loader) buildPipelines() *engine.Plan {
	plan := &engine.Plan{}
	if len(l.pipelines) == 0 && len(l.names) > 0 && l.errors() == 0 {
		at := hcl.Range{Filename: l.names[0], Start: hcl.InitialPos, End: hcl.InitialPos}
		l.report(rules.NoPipeline, at, "no pipeline", "A config needs at least one block pipeline \"NAME\" { ... } with an input and an output.")
	}
	for _, c := range l.connList {
		if c.value != nil {
			plan.Connections = append(plan.Connections, &engine.Connection{Name: c.address(), Type: c.typ, Config: c.config, Value: c.value})
		}
	}
	for _, p := range l.pipelines {
		l.buildPipeline(p)
		out := &engine.Pipeline{Name: p.name, Settings: p.settings}
		for _, e := range p.elements {
			out.Elements = append(out.Elements, &e.Element)
		}
		plan.Pipelines = append(plan.Pipelines, out)
	}
	for _, p := range l.seconds {
		l.buildPipeline(p)
	}
	l.checkAfter()
	l.checkExclusive()
	l.checkListeners()
	l.checkFiles()
	return plan
}

// checkExclusive finds inputs that cannot share what they read.
func (l *loader) checkExclusive() {
	first := make(map[string]*element)
	for _, p := range l.pipelines {
		for _, e := range p.elements {
			if e.Kind != engine.KindInput || !l.reg.Inputs[e.Type].Exclusive {
				continue
			}
			if other := first[e.Type]; other != nil {
				l.report(rules.SecondInput, e.block.DefRange(), fmt.Sprintf("second input of type %q", e.Type),
					"A config can have only one, since all of them would read the same bytes, each a part of them. The first stands at %s. Let several elements read that one.", other.Where)
				continue
			}
			first[e.Type] = e
		}
	}
}

func (l *loader) buildPipeline(p *pipeline) {
	p.settings = engine.DefaultSettings()
	d := l.newDecoder(fmt.Sprintf("the pipeline %q", p.name), p.block)
	d.extraBlocks = []string{"input", "processor", "output"}
	d.body(p.block.Body, settingsSpec(), reflect.ValueOf(&p.settings), "")
	p.places, p.exprs = d.places, d.exprs
	for _, b := range p.block.Body.Blocks {
		switch b.Type {
		case "input", "processor", "output":
			if e := l.buildElement(p, b); e != nil {
				p.elements = append(p.elements, e)
			} else {
				p.broken = true
			}
		}
	}
	if p.second {
		l.checkDestinations(p)
		return
	}
	l.wire(p)
	l.checkDestinations(p)
	l.checkDelivery(p)
	l.checkCheckpoint(p)
	l.types(p)
}

// labelPorts takes the ports of a processor whose options have mistakes from
// what could be decoded, if that are all of its blocks with a label.
func (e *element) labelPorts(ports func(config any) []string) bool {
	labels := 0
	for _, b := range e.block.Body.Blocks {
		if len(b.Labels) > 0 {
			labels++
		}
	}
	found := ports(e.Config)
	if len(found) != labels {
		return false
	}
	e.written = found
	return true
}

// buildElement decodes an element. nil: it has no usable name, or one that
// another element has already.
func (l *loader) buildElement(p *pipeline, b *hclsyntax.Block) *element {
	if !l.labels(b, b.Type+` "TYPE" "NAME"`, 2) {
		return nil
	}
	e := &element{block: b}
	e.Kind, e.Type, e.Name = engine.Kind(b.Type), b.Labels[0], b.Labels[1]
	e.Where = place(b.DefRange())
	for _, other := range p.elements {
		if other.Kind == e.Kind && other.Name == e.Name {
			l.duplicate(fmt.Sprintf("%s %q", e.Kind, e.Name), b.LabelRanges[1], other.block.LabelRanges[1])
			e.second = true
			break
		}
	}
	e.d = l.newDecoder(fmt.Sprintf("the %s %s", e.Type, e.Kind), b)
	if e.Kind != engine.KindInput {
		e.d.extraAttrs = []string{"from"}
	}
	switch e.Kind {
	case engine.KindInput:
		l.buildInput(e)
	case engine.KindProcessor:
		l.buildProcessor(e)
	default:
		l.buildOutput(e)
	}
	if e.second {
		p.seconds = append(p.seconds, e)
		return nil
	}
	return e
}

func (l *loader) buildInput(e *element) {
	f, ok := l.reg.Inputs[e.Type]
	if !ok {
		l.unknownType("input", e.Type, e.block.LabelRanges[0], engine.Types(l.reg.Inputs))
		return
	}
	e.decode(f.Component)
	e.converters(f.KeyConverter, f.ValueConverter)
	if e.ok = !e.d.failed; !e.ok {
		return
	}
	config := e.Config
	if f.Files != nil {
		e.files = f.Files(config)
	}
	if f.Container != nil {
		e.Container = f.Container(config)
	}
	e.NewInput = func(env engine.Env) (engine.Input, error) { return f.New(config, env) }
	if f.Bounded != nil {
		e.Bounded = f.Bounded(config)
	}
	if f.Delivery != nil {
		e.Delivery = f.Delivery(config)
	}
	if f.FixedTopics != nil {
		e.fixedTopics = f.FixedTopics(config)
	}
}

func (l *loader) buildProcessor(e *element) {
	f, ok := l.reg.Processors[e.Type]
	if !ok {
		l.unknownType("processor", e.Type, e.block.LabelRanges[0], engine.Types(l.reg.Processors))
		e.portsUnknown = true
		return
	}
	e.decode(f.Component)
	if e.ok = !e.d.failed; !e.ok {
		e.portsUnknown = f.Ports != nil && !e.labelPorts(f.Ports)
		return
	}
	config := e.Config
	e.NewProcessor = func(env engine.Env) (engine.Processor, error) { return f.New(config, env) }
	if f.Ports != nil {
		e.Ports = f.Ports(config)
	}
	if f.Changes != nil {
		changes := f.Changes(config)
		e.Changes = &changes
	}
}

func (l *loader) buildOutput(e *element) {
	f, ok := l.reg.Outputs[e.Type]
	if !ok {
		l.unknownType("output", e.Type, e.block.LabelRanges[0], engine.Types(l.reg.Outputs))
		return
	}
	e.decode(f.Component)
	e.converters(f.KeyConverter, f.ValueConverter)
	if e.ok = !e.d.failed; !e.ok {
		return
	}
	config := e.Config
	if f.Files != nil {
		e.files = f.Files(config)
	}
	if f.Container != nil {
		e.Container = f.Container(config)
	}
	if f.Delivery != nil {
		e.Delivery = f.Delivery(config)
	}
	e.NewOutput = func(env engine.Env) (engine.Output, error) { return f.New(config, env) }
}

func (e *element) decode(c engine.Component) {
	if e.Kind != engine.KindProcessor {
		e.d.extraBlocks = converterBlocks()
	}
	e.spec = e.d.spec(e.Kind, c)
	e.Config = e.d.config(e.Kind, c, e.block.Body)
}

// headersBlock is the block of the converter of headers. Several components
// have an option headers, and others one called header.
const headersBlock = "header_values"

// converterBlocks are the blocks of an input or output that convert.
func converterBlocks() []string { return []string{"key", "value", headersBlock} }

// converters builds the converters of the blocks key, value and header_values,
// or the component's default ones.
func (e *element) converters(key, value string) {
	e.Key, e.KeyConverter = e.converter("key", key)
	e.Value, e.ValueConverter = e.converter("value", value)
	e.Headers, e.HeadersConverter = e.converter(headersBlock, "")
}

// converter returns a converter and its type.
func (e *element) converter(part, def string) (engine.Converter, string) {
	var block *hclsyntax.Block
	for _, b := range e.block.Body.Blocks {
		switch {
		case b.Type != part:
		case block != nil:
			e.d.fail(rules.GivenTwice, b.DefRange(), fmt.Sprintf("block %q is there twice", part), "The first stands at %s. Remove one of the two.", place(block.DefRange()))
			return nil, ""
		default:
			block = b
		}
	}
	l := e.d.loader
	if block == nil {
		f, ok := l.reg.Converters[def]
		if !ok {
			return nil, "" // "": as the records are
		}
		return e.newConverter(f, f.Defaults(), e.block.DefRange())
	}
	if len(block.Labels) != 1 {
		at := block.TypeRange
		if len(block.Labels) > 1 {
			at = block.LabelRanges[1]
		}
		e.d.fail(rules.WrongLabels, at, fmt.Sprintf("%s needs one label", part), "It is the type of the converter: %s \"json\" { }", part)
		return nil, ""
	}
	f, ok := l.reg.Converters[block.Labels[0]]
	if !ok {
		l.unknownType("converter", block.Labels[0], block.LabelRanges[0], engine.Types(l.reg.Converters))
		e.d.failed = true
		return nil, ""
	}
	d := l.newDecoder(fmt.Sprintf("the %s converter", f.Type), block)
	config := d.config(engine.KindConverter, f.Component, block.Body)
	if v, ok := config.(engine.HeaderValidator); ok && part == headersBlock {
		for _, p := range v.ValidateHeaders() {
			d.fail(rules.ComponentRule, d.place(p.Option), p.Summary, "%s", p.Detail)
		}
	}
	if d.failed {
		e.d.failed = true
		return nil, ""
	}
	e.converted = append(e.converted, converted{part, d, l.spec(engine.KindConverter, f.Component), config})
	return e.newConverter(f, config, block.DefRange())
}

func (e *element) newConverter(f engine.ConverterFactory, config any, at hcl.Range) (engine.Converter, string) {
	env := e.d.opts.Env
	env.Element = e.Address()
	c, err := f.New(config, env)
	if err != nil {
		e.d.fail(rules.ComponentRule, at, "converter cannot be made", "%s.", upperFirst(err.Error()))
		return nil, ""
	}
	return c, f.Type
}

// checkAfter checks which pipelines wait for which.
func (l *loader) checkAfter() {
	byName := make(map[string]*pipeline)
	for _, p := range l.pipelines {
		byName[p.name] = p
	}
	for _, p := range l.pipelines {
		for i, name := range p.settings.After {
			at, ok := p.places[fmt.Sprintf("after[%d]", i)]
			if !ok {
				at = p.places["after"]
			}
			q := byName[name]
			switch {
			case q == nil:
				l.report(rules.UnknownPipeline, at, fmt.Sprintf("unknown pipeline %q", name), "after names pipelines of this config.%s", didYouMean(name, names(byName)))
			case q.circle(byName, p, map[*pipeline]bool{}):
				l.report(rules.PipelineCircle, at, "pipelines wait for each other", "%s itself waits for %s, so neither could ever start.", name, p.name)
			default:
				l.checkEnds(at, q)
			}
		}
	}
}

// circle reports whether p waits for target, directly or not.
func (p *pipeline) circle(byName map[string]*pipeline, target *pipeline, seen map[*pipeline]bool) bool {
	if p == target {
		return true
	}
	if seen[p] {
		return false
	}
	seen[p] = true
	return slices.ContainsFunc(p.settings.After, func(name string) bool {
		q := byName[name]
		return q != nil && q.circle(byName, target, seen)
	})
}

func (l *loader) checkEnds(at hcl.Range, p *pipeline) {
	var endless []string
	for _, e := range p.elements {
		if e.Kind == engine.KindInput && e.ok && !e.Bounded {
			endless = append(endless, e.Address())
		}
	}
	if len(endless) > 0 {
		l.report(rules.WaitsForEndless, at, fmt.Sprintf("pipeline %q never ends", p.name), "It cannot be waited for, since %s goes on for ever.", strings.Join(endless, " and "))
	}
}

// checkDelivery says which element keeps a pipeline from what it promises.
func (l *loader) checkDelivery(p *pipeline) {
	if p.settings.Delivery != engine.ExactlyOnce || len(p.elements) == 0 {
		return
	}
	at, ok := p.places["delivery"]
	if e := p.exprs["delivery"]; e != nil {
		at = e.Range()
	}
	if !ok {
		return
	}
	obstacles := engine.ObstaclesOf(p.known())
	if len(obstacles) == 0 {
		return
	}
	var text strings.Builder
	for _, o := range obstacles {
		fmt.Fprintf(&text, "%s at %s %s. ", o.Element, p.whereIs(o.Element), o.Why)
		if o.Remedy != "" {
			text.WriteString(o.Remedy + " ")
		}
	}
	text.WriteString("Every output must be able to take back what came after the last stored position, as a file without rotate can, or all outputs must write over one connection of Kafka, and every input must go on exactly there. Change what is named, or use delivery = \"at_least_once\".")
	l.report(rules.NoExactlyOnce, at, "pipeline cannot give exactly_once", "%s", text.String())
}

// whereIs is the place of an element, by address.
func (p *pipeline) whereIs(address string) string {
	for _, e := range p.elements {
		if e.Address() == address {
			return e.Where
		}
	}
	return ""
}
