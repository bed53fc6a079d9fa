package dsl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/graph"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// types finds what is known of the records at each element of a pipeline, in
// the order of the flow, and reports what cannot work on them. It says nothing
// of what it is not sure: an element with mistakes makes all behind it unknown.
func (l *loader) types(p *pipeline) {
	nodes, _ := p.nodes()
	order, _ := graph.Check(nodes)
	t := &typing{loader: l, p: p, readers: graph.ErrorReaders(nodes), index: make(map[string]*element)}
	for _, e := range p.elements {
		t.index[e.Address()] = e
	}
	for _, n := range order {
		t.element(n, p.elements[n])
	}
}

// typing is the propagation of types through one pipeline.
type typing struct {
	*loader
	p *pipeline
	// readers are those of the errors of each element, by its number.
	readers [][]int
	index   map[string]*element
}

func (t *typing) element(n int, e *element) {
	if e.Kind == engine.KindInput {
		t.input(e)
		return
	}
	ty := &e.Types
	ty.In, ty.WhyKey, ty.WhyValue = t.read(n, e)
	ty.Out = ty.In
	switch {
	case !e.ok:
		ty.Out = engine.Schemas{}
		why := fmt.Sprintf("%s: it has a mistake.", e.Address())
		ty.WhyKey, ty.WhyValue = why, why
	case e.Kind == engine.KindProcessor:
		t.checkTexts(e)
		t.processor(e)
	default:
		t.checkTexts(e)
		t.output(e)
	}
}

// part is the schema of keys or of values, with why it is not known.
type part struct {
	schema *schema.Schema
	why    string
}

// input takes what the input itself says, whose records keep the schema that
// they come with, and otherwise what its converters do.
func (t *typing) input(e *element) {
	ty := &e.Types
	if !e.ok {
		ty.WhyKey = fmt.Sprintf("%s: it has a mistake.", e.Address())
		ty.WhyValue = ty.WhyKey
		return
	}
	var own engine.Schemas
	if f := t.reg.Inputs[e.Type]; f.Schemas != nil {
		own = f.Schemas(e.Config)
	}
	key := t.converted(e, "key", e.Key, e.KeyConverter, own.Key)
	value := t.converted(e, "value", e.Value, e.ValueConverter, own.Value)
	ty.Out = engine.Schemas{Key: key.schema, Value: value.schema}
	ty.WhyKey, ty.WhyValue = key.why, value.why
}

// converted is the part of an input's records that one converter makes.
func (t *typing) converted(e *element, what string, c engine.Converter, name string, own *schema.Schema) part {
	switch {
	case own == schema.Unknown:
		return part{why: fmt.Sprintf("%s: what it reads says itself of which schema its %ss are, during a run.", e.Address(), what)}
	case own != nil:
		return part{schema: own}
	}
	if typed, ok := c.(engine.Typed); ok {
		if s := typed.Decodes(); s != nil {
			return part{schema: s}
		}
	}
	if f, ok := c.(engine.Fetcher); ok {
		return t.fetched(e, what, f)
	}
	why := fmt.Sprintf("%s: nothing says of which schema its %ss are.", e.Address(), what)
	if c != nil && takesSchema(t.loader, name) {
		why = fmt.Sprintf("%s: its %ss have no schema: %s %q { schema = ... } gives them one.", e.Address(), what, what, name)
	}
	return part{why: why}
}

// takesSchema reports whether a converter has the option schema.
func takesSchema(l *loader, converter string) bool {
	f, ok := l.reg.Converters[converter]
	if !ok {
		return false
	}
	o := l.spec(engine.KindConverter, f.Component).Option("schema")
	return o != nil && o.Type == "schema"
}

// fetched asks for the schema of each topic of an input, if that is wanted.
func (t *typing) fetched(e *element, what string, f engine.Fetcher) part {
	if t.opts.Fetch == nil {
		return part{why: fmt.Sprintf("%s: each record says of which schema its %s is. flow schema --fetch asks for the latest.", e.Address(), what)}
	}
	topics := e.fixedTopics
	if len(topics) == 0 {
		topics = []string{""}
	}
	var first *schema.Schema
	for i, topic := range topics {
		s, err := t.opts.Fetch(f, topic, what == "key")
		switch {
		case err != nil:
			return part{why: fmt.Sprintf("%s: %s.", e.Address(), strings.TrimSuffix(err.Error(), "."))}
		case s == nil:
			return part{why: fmt.Sprintf("%s: nobody knows the schema of its %ss.", e.Address(), what)}
		case i > 0 && !schema.Equal(first, s):
			return part{why: fmt.Sprintf("%s: the %ss of the topics %s and %s are of different schemas.", e.Address(), what, topics[0], topic)}
		}
		first = s
	}
	return part{schema: first}
}

// read merges what an element reads: types are known where all of it has the
// same.
func (t *typing) read(n int, e *element) (in engine.Schemas, whyKey, whyValue string) {
	var key, value *part
	add := func(from string, s engine.Schemas, wk, wv string) {
		key, value = merged(key, part{s.Key, wk}, from, "key"), merged(value, part{s.Value, wv}, from, "value")
	}
	if e.unresolved {
		why := fmt.Sprintf("%s: what it reads has a mistake.", e.Address())
		return in, why, why
	}
	for _, f := range e.From {
		switch u := t.index[f.Element]; {
		case f.Element == "":
			for i, x := range t.p.elements {
				for _, r := range t.readers[i] {
					if r == n {
						t.failed(x, add)
					}
				}
			}
		case f.Name == engine.ErrorsPort:
			t.failed(u, add)
		default:
			add(u.Address(), u.Types.Out, u.Types.WhyKey, u.Types.WhyValue)
		}
	}
	if key == nil {
		return in, "", ""
	}
	return engine.Schemas{Key: key.schema, Value: value.schema}, key.why, value.why
}

// failed adds the records that an element refuses: they are what it read. Those
// of an input are bytes that could not be read.
func (t *typing) failed(x *element, add func(string, engine.Schemas, string, string)) {
	if x.Kind == engine.KindInput {
		why := fmt.Sprintf("%s: what it cannot read is of no schema.", x.Address())
		add(x.Address(), engine.Schemas{}, why, why)
		return
	}
	in, whyKey, whyValue := x.Types.In, x.Types.WhyKey, x.Types.WhyValue
	add(x.Address(), in, orElse(in.Key, whyKey, x), orElse(in.Value, whyValue, x))
}

// orElse is why the records that x read are not known.
func orElse(s *schema.Schema, why string, x *element) string {
	if s == nil && why == "" {
		why = fmt.Sprintf("%s: what it reads is not known.", x.Address())
	}
	return why
}

// merged joins what comes from one more element.
func merged(have *part, more part, from, what string) *part {
	switch {
	case have == nil:
		return &more
	case have.schema == nil:
		return have
	case more.schema == nil:
		return &more
	case !schema.Equal(have.schema, more.schema):
		return &part{why: fmt.Sprintf("%s: its %ss are of another schema than those that come beside them.", from, what)}
	}
	return have
}

// processor asks what a processor makes of the records.
func (t *typing) processor(e *element) {
	f, ty := t.reg.Processors[e.Type], &e.Types
	switch {
	case f.Schemas != nil:
		out, problems := f.Schemas(e.Config, ty.In)
		ty.Out = out
		t.optionProblems(e, problems)
		t.doubtMoves(e, problems)
	case ty.In == engine.Schemas{}: // and nothing comes out
	case f.Changes != nil:
		if c := e.Changes; c.Key {
			ty.Out.Key = nil
		}
		if c := e.Changes; c.WholeValue || len(c.Sets)+len(c.Removes)+len(c.Moves) > 0 || c.Keeps != nil {
			ty.Out.Value = nil
		}
	case !t.readOnly(e):
		ty.Out = engine.Schemas{}
	}
	lost := func(in, out *schema.Schema, why *string, what string) {
		if in != nil && out == nil {
			*why = fmt.Sprintf("%s: what it makes of %ss is not known before a run.", e.Address(), what)
		}
	}
	lost(ty.In.Key, ty.Out.Key, &ty.WhyKey, "key")
	lost(ty.In.Value, ty.Out.Value, &ty.WhyValue, "value")
	clean(ty)
}

// doubtMoves forgets the type of what a field that is not there is renamed to:
// it is a mistake already, and to read the new name is no second one.
func (t *typing) doubtMoves(e *element, problems []engine.Problem) {
	out := &e.Types.Out.Value
	for _, p := range problems {
		if p.Missing == nil || p.InKey || e.Changes == nil {
			continue
		}
		for _, m := range e.Changes.Moves {
			if *out != nil && len(m.To) > 0 && slices.Equal(p.Missing, m.From) {
				*out = record.SchemaSetAs(*out, m.To, schema.Unknown)
			}
		}
	}
}

func (t *typing) readOnly(e *element) bool {
	env := t.opts.Env
	env.Pipeline, env.Element = t.p.name, e.Address()
	p, err := e.NewProcessor(env)
	if err != nil {
		return false
	}
	ro, ok := p.(engine.ReadOnly)
	return ok && ro.ReadOnly()
}

// output asks the converters, and then the output itself, whether they can
// write the records.
func (t *typing) output(e *element) {
	ty := &e.Types
	for _, x := range []struct {
		part string
		conv engine.Converter
		s    **schema.Schema
		why  *string
	}{{"key", e.Key, &ty.Out.Key, &ty.WhyKey}, {"value", e.Value, &ty.Out.Value, &ty.WhyValue}} {
		if taker, ok := x.conv.(engine.Taker); ok && *x.s != nil {
			t.takerProblems(e, x.part, taker.Takes(*x.s))
		}
		if typed, ok := x.conv.(engine.Typed); ok && typed.Encodes() != nil {
			*x.s, *x.why = typed.Encodes(), ""
		}
		if remote, ok := x.conv.(engine.Remote); ok && remote.FromRegistry() {
			*x.s, *x.why = nil, fmt.Sprintf("%s: the registry says with which schema its %ss are written, during a run.", e.Address(), x.part)
		}
	}
	if f := t.reg.Outputs[e.Type]; f.Schemas != nil {
		out, problems := f.Schemas(e.Config, ty.Out)
		ty.Out = out
		t.outputProblems(e, problems)
	}
	clean(ty)
}

// clean takes the reasons away of what is known.
func clean(ty *engine.Flowing) {
	if ty.Out.Key != nil {
		ty.WhyKey = ""
	}
	if ty.Out.Value != nil {
		ty.WhyValue = ""
	}
}
