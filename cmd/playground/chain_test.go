package playground

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// fakeProcessor binds what a test says.
type fakeProcessor struct {
	ports []string
	bind  func(l *record.Layout) engine.Bound
}

func (p fakeProcessor) Ports() []string { return p.ports }

func (p fakeProcessor) Bind(l *record.Layout) (engine.Bound, error) { return p.bind(l), nil }

func fakeElement(name string, p fakeProcessor, from ...engine.Port) *engine.Element {
	return &engine.Element{
		Kind: engine.KindProcessor, Type: "fake", Name: name, Ports: p.ports, From: from,
		NewProcessor: func(engine.Env) (engine.Processor, error) { return p, nil },
	}
}

// never is an input or output that must not be made.
func never(t *testing.T, kind engine.Kind, name string, from ...engine.Port) *engine.Element {
	return &engine.Element{
		Kind: kind, Type: "never", Name: name, From: from,
		NewInput:  func(engine.Env) (engine.Input, error) { t.Error("an input was made"); return nil, errors.New("no") },
		NewOutput: func(engine.Env) (engine.Output, error) { t.Error("an output was made"); return nil, errors.New("no") },
	}
}

func port(element string) engine.Port { return engine.Port{Element: element} }

// collected is a window of up to three records.
type collected struct {
	values []string
	out    []byte
}

func (c *collected) Add(r *record.Record) (bool, error) {
	if string(r.Value.Raw()) == `"refused"` {
		return false, errors.New("this one is refused")
	}
	c.values = append(c.values, string(r.Value.Raw()))
	return len(c.values) == 3, nil
}

func (c *collected) Result(r *record.Record) error {
	c.out = []byte("[" + strings.Join(c.values, ",") + "]")
	c.values = nil
	r.Value.Reset(record.JSON, c.out)
	return nil
}

func chainOf(t *testing.T, p *engine.Pipeline, o ChainOptions) *Chain {
	t.Helper()
	c, err := NewChain(&engine.Plan{Pipelines: []*engine.Pipeline{p}}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// play runs values through a chain and writes down what comes out.
func play(c *Chain, values ...string) []string {
	var out []string
	yield := func(o Outcome) {
		switch {
		case o.Err != nil:
			out = append(out, fmt.Sprintf("%s failed: %v %v", o.Port, o.Err, o.Readers))
		case o.Dropped != "":
			out = append(out, o.Port+" dropped: "+o.Dropped)
		default:
			out = append(out, fmt.Sprintf("%s: %s %v", o.Port, o.Result.Value, o.Readers))
		}
	}
	for i, v := range values {
		c.Run(Record{}.At(i+1, []byte(v)), yield)
	}
	c.End(yield)
	return out
}

func wantPlay(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestChainWindow(t *testing.T) {
	t.Parallel()
	window := fakeProcessor{bind: func(*record.Layout) engine.Bound {
		return engine.Bound{Window: func() engine.Window { return &collected{} }, Period: time.Hour, Source: func(*engine.Source) {}}
	}}
	gate := fakeProcessor{bind: func(*record.Layout) engine.Bound {
		return engine.Bound{Gate: func(context.Context, int, func(int) int) (int, error) { return 0, errors.New("nobody waits here") }}
	}}
	p := &engine.Pipeline{Name: "p", Elements: []*engine.Element{
		never(t, engine.KindInput, "in"),
		fakeElement("gate", gate, port("input.never.in")),
		fakeElement("window", window, port("processor.fake.gate")),
		never(t, engine.KindOutput, "out", port("processor.fake.window")),
	}}
	wantPlay(t, play(chainOf(t, p, ChainOptions{}), "1", "2", `"refused"`, "3", "4"),
		"processor.fake.window failed: this one is refused []",
		"processor.fake.window: [1,2,3] [output.never.out]",
		"processor.fake.window: [4] [output.never.out]")
	wantPlay(t, play(chainOf(t, p, ChainOptions{Element: "window"}), "1"), "processor.fake.window: [1] [output.never.out]")
}

// TestChainRoutes: fan-out, ports that outputs and processors read, errors and
// panics of a processor, and parts of which all or none come.
func TestChainRoutes(t *testing.T) {
	t.Parallel()
	route := fakeProcessor{ports: []string{"big"}, bind: func(*record.Layout) engine.Bound {
		return engine.Bound{Route: func(r *record.Record, ports []int) ([]int, error) {
			switch string(r.Value.Raw()) {
			case "1":
				return append(ports, 0), nil
			case "2":
				return append(ports, 0, 1), nil
			case "3":
				return ports, nil
			case "4":
				return append(ports, 7), nil
			}
			panic("a bug")
		}}
	}}
	split := fakeProcessor{bind: func(*record.Layout) engine.Bound {
		part := record.NewRecord(record.NewLayout())
		return engine.Bound{Expand: func(r *record.Record, emit func(*record.Record) error) error {
			for _, v := range []string{`"a"`, `"b"`} {
				part.Value.Reset(record.JSON, []byte(v))
				if err := emit(part); err != nil {
					return err
				}
			}
			if r.Offset > 100 {
				return errors.New("the last part is wrong")
			}
			return nil
		}}
	}}
	p := &engine.Pipeline{Name: "p", Elements: []*engine.Element{
		never(t, engine.KindInput, "in"),
		fakeElement("route", route, port("input.never.in")),
		fakeElement("split", split, engine.Port{Element: "processor.fake.route", Name: "big"}),
		never(t, engine.KindOutput, "a", port("processor.fake.route")),
		never(t, engine.KindOutput, "b", port("processor.fake.route"), port("processor.fake.split")),
		never(t, engine.KindOutput, "bad", engine.Port{Name: engine.ErrorsPort}),
	}}
	c := chainOf(t, p, ChainOptions{})
	wantPlay(t, play(c, "1", "2", "3", "4", "5"),
		"processor.fake.route: 1 [output.never.a output.never.b]",
		"processor.fake.route: 2 [output.never.a output.never.b]",
		`processor.fake.split: "a" [output.never.b]`,
		`processor.fake.split: "b" [output.never.b]`,
		"processor.fake.route dropped: no_route",
		"processor.fake.route failed: record goes to port number 7, which does not exist [output.never.bad]",
		"processor.fake.route failed: panic: a bug [output.never.bad]")
	var got []string
	c.Run(Record{Offset: 101}.At(1, []byte("2")), func(o Outcome) { got = append(got, fmt.Sprint(o.Port, " ", o.Err)) })
	wantPlay(t, got, "processor.fake.route <nil>", "processor.fake.split the last part is wrong")
}

func TestChainMistakes(t *testing.T) {
	t.Parallel()
	step := fakeProcessor{bind: func(*record.Layout) engine.Bound {
		return engine.Bound{Step: func(*record.Record) (bool, error) { return true, nil }}
	}}
	p := &engine.Pipeline{Name: "p", Elements: []*engine.Element{
		never(t, engine.KindInput, "a"), never(t, engine.KindInput, "b"),
		fakeElement("x", step, port("input.never.a")), fakeElement("y", step, port("input.never.b")),
		never(t, engine.KindOutput, "out", port("processor.fake.x"), port("processor.fake.y")),
	}}
	empty := &engine.Pipeline{Name: "empty", Elements: []*engine.Element{never(t, engine.KindInput, "a"), never(t, engine.KindOutput, "o", port("input.never.a"))}}
	for _, c := range []struct {
		plan []*engine.Pipeline
		o    ChainOptions
		want string
	}{
		{nil, ChainOptions{}, "no pipeline"},
		{[]*engine.Pipeline{p, empty}, ChainOptions{}, "say with --pipeline which one runs: p, empty"},
		{[]*engine.Pipeline{p}, ChainOptions{Pipeline: "q"}, `no pipeline is called "q". Did you mean "p"?`},
		{[]*engine.Pipeline{empty}, ChainOptions{}, "no processors"},
		{[]*engine.Pipeline{p}, ChainOptions{}, "say with --from"},
		{[]*engine.Pipeline{p}, ChainOptions{From: "c"}, "no input"},
		{[]*engine.Pipeline{p}, ChainOptions{Element: "out"}, "only processors run"},
		{[]*engine.Pipeline{p}, ChainOptions{Element: "fake"}, "It has processor.fake.x, processor.fake.y"},
	} {
		if _, err := NewChain(&engine.Plan{Pipelines: c.plan}, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.o, err, c.want)
		}
	}
	if c := chainOf(t, p, ChainOptions{From: "input.never.b"}); len(play(c, "1")) != 1 {
		t.Error("--from chooses nothing")
	}
}
