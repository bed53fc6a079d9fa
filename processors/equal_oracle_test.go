package processors_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/dsl/connect"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/inputs/generate"
	"github.com/flowrecords/flow/internal/oracle"
	"github.com/flowrecords/flow/outputs/drop"
	"github.com/flowrecords/flow/processors"
)

// apart are cases in which a map decides by the record and a transform by its
// schema alone.
var apart = map[string]bool{
	"cast/schema/bad-string-default":          true, // a default that cannot be cast, of a field that is there
	"extract_field/null-record-missing-field": true, // a null of a schema without the field
	"timestamp_router/time/far":               true, // to a topic that Kafka Connect does not give
}

// TestCasesAreExpressions runs every case of Kafka Connect's transforms, with
// every option that they have, by the expression form, too: flow explain must
// show one for each, and it must do the same.
func TestCasesAreExpressions(t *testing.T) {
	t.Parallel()
	all, err := oracle.Load("../testdata/oracle")
	if err != nil {
		t.Fatal(err)
	}
	forms := newForms(t, resultTopics(all))
	count, types := 0, make(map[string]int)
	for _, file := range slices.Sorted(maps.Keys(all)) {
		for _, c := range all[file] {
			if c.Op != oracle.Transform || !representable(c.Record.Value) || !representable(c.Record.Key) {
				continue
			}
			elements, findings := connect.Transforms(c.Properties())
			if slices.ContainsFunc(findings, func(f connect.Finding) bool { return f.Severity == connect.Mistake }) {
				continue
			}
			var blocks []string
			for _, e := range elements {
				blocks = append(blocks, e.HCL())
			}
			own, equal, ok := forms.both(blocks)
			if !ok {
				continue // flow refuses the config, which TestOracle looks at
			}
			want, r := own.record()
			if fill(r, c.Record) != nil {
				continue
			}
			got, e := equal.record()
			if err := fill(e, c.Record); err != nil {
				t.Fatal(err)
			}
			if d := got(e).differs(want(r)); d != "" && !apart[c.Name] {
				t.Errorf("%s: %s\n%s\nas %s", c.Name, d, strings.Join(blocks, ""), strings.Join(equal.blocks, ""))
			}
			count++
			for _, el := range elements {
				types[el.Type]++
			}
		}
	}
	t.Logf("%d cases; by processor: %v", count, types)
	if count < 1400 || len(types) < 16 {
		t.Errorf("only %d cases of %d processors", count, len(types))
	}
}

// resultTopics are all that come out of the cases.
func resultTopics(all map[string][]oracle.Answered) []string {
	var out []string
	for _, cases := range all {
		for _, c := range cases {
			if r := c.Result.Record; r != nil && r.Topic != nil && engine.CheckTopic([]byte(*r.Topic)) == nil {
				out = append(out, *r.Topic)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// forms makes chains of configs.
type forms struct {
	t      testing.TB
	reg    *engine.Registry
	topics []string // that maps may choose
}

func newForms(t testing.TB, topics []string) *forms {
	t.Helper()
	reg, err := engine.NewRegistry(engine.Components{Inputs: []engine.InputFactory{generate.Factory()}, Processors: processors.All(), Outputs: []engine.OutputFactory{drop.Factory()}})
	if err != nil {
		t.Fatal(err)
	}
	return &forms{t, reg, topics}
}

// form is a chain of steps over a layout of its own.
type form struct {
	layout *record.Layout
	steps  []engine.Step
	blocks []string
}

// record returns a record and what runs the chain on it.
func (f *form) record() (func(*record.Record) outcome, *record.Record) {
	return f.run, record.NewRecord(f.layout)
}

func (f *form) run(r *record.Record) outcome {
	for _, step := range f.steps {
		keep, err := step(r)
		switch {
		case err != nil:
			return outcome{end: "error: " + err.Error()}
		case !keep:
			return outcome{end: "dropped"}
		}
	}
	return outcome{topic: r.Topic, headers: slices.Clone(r.Headers()), value: docOf(r.Value), key: docOf(r.Key)}
}

func (f *forms) load(blocks []string) ([]*engine.Element, error) {
	text := "pipeline \"p\" {\n  input \"generate\" \"in\" {\n    value = \"1\"\n  }\n" + strings.Join(blocks, "\n") + "\n  output \"drop\" \"out\" {}\n}\n"
	res := dsl.LoadSources(map[string][]byte{"x.hcl": []byte(text)}, dsl.Options{Registry: f.reg})
	if res.Diags.HasErrors() {
		return nil, fmt.Errorf("%w\n%s", res.Diags, text)
	}
	all := res.Plan.Pipelines[0].Elements
	return all[1 : len(all)-1], nil
}

func (f *forms) bind(elements []*engine.Element, blocks []string) *form {
	f.t.Helper()
	out := &form{layout: record.NewLayout(), blocks: blocks}
	out.layout.Value.Add(nil)
	out.layout.Key.Add(nil)
	for _, el := range elements {
		p, err := el.NewProcessor(engine.Env{Now: time.Now})
		if err != nil {
			f.t.Fatal(err)
		}
		b, err := p.Bind(out.layout)
		if err != nil {
			f.t.Fatal(err)
		}
		out.steps = append(out.steps, b.Step)
	}
	return out
}

// both compiles processors, and what they are as expressions; false: they do not
// compile.
func (f *forms) both(blocks []string) (own, equal *form, ok bool) {
	f.t.Helper()
	elements, err := f.load(blocks)
	if err != nil {
		return nil, nil, false
	}
	own = f.bind(elements, blocks)
	var written []string
	for i, el := range elements {
		if el.Type == "filter" {
			written = append(written, blocks[i])
			continue
		}
		of := f.reg.Processors[el.Type].Equal
		if of == nil {
			f.t.Fatalf("%s has no expression form", el.Type)
		}
		texts := of(el.Config)
		if len(texts) == 0 {
			f.t.Fatalf("there is no expression form of\n%s", blocks[i])
		}
		for _, x := range texts {
			kind, body, _ := strings.Cut(x, " ")
			written = append(written, fmt.Sprintf("processor %q \"e%d\" %s\n", kind, len(written), f.allow(body)))
		}
	}
	if elements, err = f.load(written); err != nil {
		f.t.Fatalf("%v\nof %s", err, strings.Join(blocks, "\n"))
	}
	return own, f.bind(elements, written), true
}

// allow lists the topics that a map may choose, which it must.
func (f *forms) allow(body string) string {
	const option = "\n  topic = "
	at := strings.Index(body, option)
	if at < 0 || strings.Contains(body, "\n  topics = ") {
		return body
	}
	end := at + len(option) + strings.Index(body[at+len(option):], "\n")
	return body[:end] + "\n  topics = [\"" + strings.Join(f.topics, `", "`) + "\"]" + body[end:]
}

// outcome is what became of a record behind a chain.
type outcome struct {
	end        string // what ended it before
	topic      string
	headers    []record.Header
	value, key docOutcome
}

type docOutcome struct {
	null bool
	text string
	s    *schema.Schema
	err  error
}

func docOf(d *record.Doc) docOutcome {
	o := docOutcome{null: d.IsNull(), s: d.Schema()}
	if o.null {
		return o
	}
	text, err := d.AppendTo(nil)
	if err == nil && (o.s != nil || record.IsJSON(d.Encoding())) {
		text, err = record.Compact(nil, text)
	}
	o.null = string(text) == "null"
	o.text, o.err = string(text), err
	return o
}

// failed also finds what passed unread and is no JSON.
func (o outcome) failed() bool {
	return strings.HasPrefix(o.end, "error") || o.value.err != nil || o.key.err != nil
}

func (o outcome) differs(want outcome) string {
	switch {
	case o.failed() && want.failed():
		return ""
	case o.end != want.end:
		return fmt.Sprintf("ends with %q, want %q", o.end, want.end)
	case o.topic != want.topic:
		return fmt.Sprintf("topic %q, want %q", o.topic, want.topic)
	case !slices.EqualFunc(o.headers, want.headers, func(a, b record.Header) bool {
		return a.Key == b.Key && bytes.Equal(a.Value, b.Value) && (a.Value == nil) == (b.Value == nil)
	}):
		return fmt.Sprintf("headers %q, want %q", o.headers, want.headers)
	}
	if d := o.value.differs(want.value); d != "" {
		return "value " + d
	}
	if d := o.key.differs(want.key); d != "" {
		return "key " + d
	}
	return ""
}

func (o docOutcome) differs(want docOutcome) string {
	switch {
	case o.null && want.null:
		return "" // nothing is said of the types of nulls
	case o.null != want.null || o.text != want.text || (o.err == nil) != (want.err == nil):
		return fmt.Sprintf("%s %v, want %s %v", o.text, o.err, want.text, want.err)
	case (o.s == nil) != (want.s == nil):
		return fmt.Sprintf("of schema %v, want %v", o.s, want.s)
	case o.s != nil && !sameShape(o.s, want.s, record.RawJSON([]byte(o.text))):
		return fmt.Sprintf("of schema %s, want %s", o.s, want.s)
	}
	return ""
}

// sameShape compares the types of a value. What may be null, the type of what is
// null, defaults, units of times and what documents a schema are matters of a
// transform that a map decides by itself.
func sameShape(a, b *schema.Schema, v record.Value) bool {
	if v.IsNil() {
		return true
	}
	if a.Type != b.Type || len(a.Fields) != len(b.Fields) || (a.Elem == nil) != (b.Elem == nil) {
		return false
	}
	for i := range a.Fields {
		if a.Fields[i].Name != b.Fields[i].Name || !sameShape(a.Fields[i].Schema, b.Fields[i].Schema, v.Member(a.Fields[i].Name)) {
			return false
		}
	}
	return a.Elem == nil || sameShape(a.Elem, b.Elem, record.BoolValue(true))
}
