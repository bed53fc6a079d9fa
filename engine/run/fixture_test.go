package run

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
)

// plan builds pipelines for tests.
type plan struct {
	t *testing.T
	p *engine.Pipeline
}

func newPlan(t *testing.T) *plan {
	return &plan{t, &engine.Pipeline{Name: "test", Settings: engine.DefaultSettings()}}
}

func address(s string) engine.Port {
	port := engine.Port{Element: s}
	switch {
	case s == engine.ErrorsPort:
		return engine.Port{Name: engine.ErrorsPort}
	case strings.Count(s, ".") > 2:
		i := strings.LastIndex(s, ".")
		port = engine.Port{Element: s[:i], Name: s[i+1:]}
	}
	return port
}

func (p *plan) add(el *engine.Element, from ...string) *engine.Element {
	for _, f := range from {
		el.From = append(el.From, address(f))
	}
	p.p.Elements = append(p.p.Elements, el)
	return el
}

func (p *plan) input(name string, in engine.Input) *engine.Element {
	return p.add(&engine.Element{Kind: engine.KindInput, Type: "mem", Name: name, Bounded: true,
		NewInput: func(engine.Env) (engine.Input, error) { return in, nil }})
}

func (p *plan) output(name string, out engine.Output, from ...string) *engine.Element {
	return p.add(&engine.Element{Kind: engine.KindOutput, Type: "mem", Name: name,
		NewOutput: func(engine.Env) (engine.Output, error) { return out, nil }}, from...)
}

func (p *plan) proc(name string, proc engine.Processor, from ...string) *engine.Element {
	return p.add(&engine.Element{Kind: engine.KindProcessor, Type: "f", Name: name, Ports: proc.Ports(),
		NewProcessor: func(engine.Env) (engine.Processor, error) { return proc, nil }}, from...)
}

func (p *plan) runner(o Options) *Runner {
	p.t.Helper()
	r, err := New(p.p, o)
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

func (p *plan) run() error {
	p.t.Helper()
	return p.runner(Options{}).Run(p.t.Context())
}

// processor is a processor made of functions over the text of a value.
type processor struct {
	ports    []string
	readOnly bool
	step     func(r *record.Record) (bool, error)
	route    func(r *record.Record, ports []int) ([]int, error)
	expand   func(r *record.Record, emit func(*record.Record) error) error
	window   func() engine.Window
	period   time.Duration
	gate     engine.Gate
	source   func(*engine.Source)
	state    engine.State
	closed   *sync.WaitGroup
}

func (p processor) Ports() []string { return p.ports }
func (p processor) ReadOnly() bool  { return p.readOnly }

func (p processor) Serial() bool { return p.window != nil || p.gate != nil || p.state != nil }

func (p processor) Bind(*record.Layout) (engine.Bound, error) {
	b := engine.Bound{Step: p.step, Route: p.route, Expand: p.expand, Window: p.window, Period: p.period, Gate: p.gate, Source: p.source, State: p.state}
	if p.closed != nil {
		p.closed.Add(1)
		b.Close = p.closed.Done
	}
	return b, nil
}

// number reads the number that a test record's value ends with: "a12" is 12.
func number(r *record.Record) int {
	s := string(r.Value.Raw())
	n, err := strconv.Atoi(strings.TrimLeft(s, "abcdefghijklmnopqrstuvwxyz-"))
	if err != nil {
		panic(fmt.Sprintf("no number in %q", s))
	}
	return n
}

func filter(keep func(n int) bool) processor {
	return processor{readOnly: true, step: func(r *record.Record) (bool, error) { return keep(number(r)), nil }}
}

// joined is a window that joins values with commas.
type joined struct {
	size   int
	values []string
	refuse func(v string) error
}

func (j *joined) Add(r *record.Record) (bool, error) {
	v := string(r.Value.Raw())
	if j.refuse != nil {
		if err := j.refuse(v); err != nil {
			return false, err
		}
	}
	j.values = append(j.values, v)
	return len(j.values) == j.size, nil
}

func (j *joined) Result(r *record.Record) error {
	r.Value.Reset(record.Opaque, []byte(strings.Join(j.values, ",")))
	j.values = j.values[:0]
	return nil
}

// gather joins so many values, or those of a period.
func gather(size int, period time.Duration) processor {
	return processor{window: func() engine.Window { return &joined{size: size} }, period: period}
}

// ungather undoes gather.
func ungather() processor {
	return processor{expand: func(r *record.Record, emit func(*record.Record) error) (err error) {
		whole := string(r.Value.Raw())
		defer restore(r, &err)()
		for v := range strings.SplitSeq(whole, ",") {
			r.Value.Reset(record.Opaque, []byte(v))
			if err := emit(r); err != nil {
				return err
			}
		}
		return nil
	}}
}

// tag appends text to each value.
func tag(text string) processor {
	return processor{step: func(r *record.Record) (bool, error) {
		v := string(r.Value.Raw()) + text
		r.Value.Reset(record.Opaque, []byte(v))
		return true, nil
	}}
}

// values makes n records prefix0, prefix1, ...
func values(prefix string, n int) []enginetest.Record {
	list := make([]enginetest.Record, n)
	for i := range list {
		list[i].Value = []byte(prefix + strconv.Itoa(i))
	}
	return list
}

func memory(prefix string, n, batch int) *enginetest.Input {
	return &enginetest.Input{BatchRecords: batch, Partitions: []enginetest.Partition{{ID: prefix, Records: values(prefix, n)}}}
}

func want(prefix string, n int, keep func(int) bool) []string {
	list := []string{}
	for i := range n {
		if keep == nil || keep(i) {
			list = append(list, prefix+strconv.Itoa(i))
		}
	}
	return list
}

func even(n int) bool { return n%2 == 0 }

// cancelled returns a context that a test ends.
func cancellable(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithCancel(t.Context())
}

func misuse(t *testing.T, fakes ...interface{ Misuse() []string }) {
	t.Helper()
	for _, f := range fakes {
		for _, m := range f.Misuse() {
			t.Errorf("the engine called %s", m)
		}
	}
}

type counter struct{ wg sync.WaitGroup }

func newCounter() *counter { return &counter{} }

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 11)) }
