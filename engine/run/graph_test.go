package run

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
)

func expect(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %d records %.200q\nwant %d records %.200q", what, len(got), got, len(want), want)
	}
}

func TestFanOutSharesBatches(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	in, outs := memory("a", 500, 7), []*enginetest.Output{{}, {}, {}}
	p.input("in", in)
	p.proc("even", filter(even), "input.mem.in")
	p.proc("tag", tag("!"), "input.mem.in")
	p.output("all", outs[0], "input.mem.in")
	p.output("even", outs[1], "processor.f.even")
	p.output("tagged", outs[2], "processor.f.tag")
	if err := p.run(); err != nil {
		t.Fatal(err)
	}
	expect(t, "all", outs[0].Values(), want("a", 500, nil))
	expect(t, "even", outs[1].Values(), want("a", 500, even))
	var tagged []string
	for _, v := range want("a", 500, nil) {
		tagged = append(tagged, v+"!")
	}
	expect(t, "tagged", outs[2].Values(), tagged)
	misuse(t, in, outs[0], outs[1], outs[2])
}

func TestFanIn(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	out := &enginetest.Output{}
	p.input("a", memory("a", 300, 3))
	p.input("b", memory("b", 200, 5))
	p.proc("even", filter(even), "input.mem.a", "input.mem.b")
	p.output("out", out, "processor.f.even")
	if err := p.run(); err != nil {
		t.Fatal(err)
	}
	a, b := []string{}, []string{}
	for _, v := range out.Values() {
		if v[0] == 'a' {
			a = append(a, v)
		} else {
			b = append(b, v)
		}
	}
	expect(t, "a", a, want("a", 300, even))
	expect(t, "b", b, want("b", 200, even))
}

func TestDiamond(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	out := &enginetest.Output{}
	p.input("in", memory("a", 400, 3))
	p.proc("one", tag("-one"), "input.mem.in")
	p.proc("two", tag("-two"), "input.mem.in")
	p.proc("join", tag("-join"), "processor.f.one", "processor.f.two")
	p.output("out", out, "processor.f.join")
	if err := p.run(); err != nil {
		t.Fatal(err)
	}
	one, two := []string{}, []string{}
	for _, v := range out.Values() {
		switch base, ok := strings.CutSuffix(v, "-one-join"); {
		case ok:
			one = append(one, base)
		default:
			two = append(two, strings.TrimSuffix(v, "-two-join"))
		}
	}
	expect(t, "one", one, want("a", 400, nil))
	expect(t, "two", two, want("a", 400, nil))
}

func byThree(readOnly bool) processor {
	return processor{readOnly: readOnly, ports: []string{"one", "both"}, route: func(r *record.Record, ports []int) ([]int, error) {
		switch n := number(r); n % 5 {
		case 0:
			return append(ports, 0), nil
		case 1:
			return append(ports, 1), nil
		case 2:
			return append(ports, 1, 2), nil
		case 3:
			return ports, nil
		default:
			return append(ports, 2), nil
		}
	}}
}

func TestRoute(t *testing.T) {
	t.Parallel()
	for _, readOnly := range []bool{true, false} {
		for _, shared := range []bool{true, false} {
			for _, batch := range []int{1, 64} {
				t.Run(fmt.Sprintf("readOnly=%v,shared=%v,batch=%d", readOnly, shared, batch), func(t *testing.T) {
					t.Parallel()
					p := newPlan(t)
					main, one, both, all := &enginetest.Output{}, &enginetest.Output{}, &enginetest.Output{}, &enginetest.Output{}
					p.input("in", memory("a", 500, batch))
					p.proc("r", byThree(readOnly), "input.mem.in")
					p.output("main", main, "processor.f.r")
					p.output("one", one, "processor.f.r.one")
					p.output("both", both, "processor.f.r.both")
					if shared {
						p.output("all", all, "input.mem.in")
					}
					r := p.runner(Options{})
					if err := r.Run(t.Context()); err != nil {
						t.Fatal(err)
					}
					is := func(rests ...int) func(int) bool {
						return func(n int) bool { return slices.Contains(rests, n%5) }
					}
					expect(t, "main", main.Values(), want("a", 500, is(0)))
					expect(t, "one", one.Values(), want("a", 500, is(1, 2)))
					expect(t, "both", both.Values(), want("a", 500, is(2, 4)))
					if shared {
						expect(t, "all", all.Values(), want("a", 500, nil))
					}
					e := r.Elements()[1]
					if e.In.Load() != 500 || e.Dropped.Load() != 100 || e.Out.Load() != 500 || e.DropReason != "no_route" {
						t.Errorf("in %d, dropped %d (%s), out %d", e.In.Load(), e.Dropped.Load(), e.DropReason, e.Out.Load())
					}
				})
			}
		}
	}
}

// TestRouteToUnreadPort: such a record is refused, never dropped.
func TestRouteToUnreadPort(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	p.input("in", memory("a", 5, 1))
	p.proc("r", byThree(true), "input.mem.in")
	p.output("one", &enginetest.Output{}, "processor.f.r.one")
	p.output("both", &enginetest.Output{}, "processor.f.r.both")
	var re *RecordError
	if err := p.run(); !errors.As(err, &re) || re.Origin != "a@0" || !strings.Contains(err.Error(), "which no element reads") {
		t.Errorf("got %v", err)
	}
}

// restore returns what a fixture calls at its end: after an error the record is
// as it was.
func restore(r *record.Record, err *error) func() {
	was := slices.Clone(r.Value.Raw())
	return func() {
		if *err != nil {
			r.Value.Reset(record.Opaque, was)
		}
	}
}

// splitter makes of a12 into a12, a12, ... n%4 times; n%7 == 6 fails after some.
func splitter() processor {
	return processor{expand: func(r *record.Record, emit func(*record.Record) error) (err error) {
		n, v := number(r), string(r.Value.Raw())
		defer restore(r, &err)()
		for i := range n % 4 {
			r.Value.Reset(record.Opaque, fmt.Appendf(nil, "%s%s", strings.Repeat("x", i+1), v))
			if err := emit(r); err != nil {
				return err
			}
		}
		if n%7 == 6 {
			return errors.New("broken")
		}
		return nil
	}}
}

func TestExpandIsAllOrNothing(t *testing.T) {
	t.Parallel()
	for _, behind := range []string{"nothing", "step", "filter", "route"} {
		for _, batch := range []int{1, 5, 512} {
			t.Run(fmt.Sprintf("%s,batch=%d", behind, batch), func(t *testing.T) {
				t.Parallel()
				p := newPlan(t)
				out, bad := &enginetest.Output{}, &enginetest.Output{}
				p.input("in", memory("a", 1000, batch))
				p.proc("pre", tag(""), "input.mem.in")
				p.proc("split", splitter(), "processor.f.pre")
				last := "processor.f.split"
				keep := func(int) bool { return true }
				switch behind {
				case "step":
					p.proc("post", tag(""), last)
					last = "processor.f.post"
				case "filter":
					keep = even
					p.proc("post", filter(even), last)
					last = "processor.f.post"
				case "route":
					p.proc("post", processor{ports: []string{"x"}, readOnly: true, route: func(_ *record.Record, ports []int) ([]int, error) {
						return append(ports, 1), nil
					}}, last)
					last = "processor.f.post.x"
				}
				p.output("out", out, last)
				p.output("bad", bad, "errors")
				r := p.runner(Options{})
				if err := r.Run(t.Context()); err != nil {
					t.Fatal(err)
				}
				var good, refused []string
				empty := int64(0)
				for n := range 1000 {
					if n%7 == 6 {
						refused = append(refused, fmt.Sprint("a", n))
						continue
					}
					if n%4 == 0 {
						empty++
					}
					for i := range n % 4 {
						if keep(n) {
							good = append(good, fmt.Sprint(strings.Repeat("x", i+1), "a", n))
						}
					}
				}
				expect(t, "parts", out.Values(), good)
				expect(t, "refused", bad.Values(), refused)
				if e := r.Elements()[2]; e.Dropped.Load() != empty || e.DropReason != "empty" || e.Errors.Load() != int64(len(refused)) {
					t.Errorf("dropped %d, want %d; errors %d", e.Dropped.Load(), empty, e.Errors.Load())
				}
				for _, x := range out.Records() {
					if want := "a@" + strings.TrimLeft(string(x.Value), "xa"); x.Origin != want {
						t.Fatalf("part %s comes from %s", x.Value, x.Origin)
					}
				}
			})
		}
	}
}

// TestExpandBeyondThePool: parts of one record that fill more batches than the
// stage has must neither hang it nor lose order, with any number of workers.
func TestExpandBeyondThePool(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	p.p.Settings.Workers = 3
	const each = 30_000
	out := &enginetest.Output{Count: true}
	p.input("in", memory("a", 9, 1))
	p.proc("split", processor{expand: func(r *record.Record, emit func(*record.Record) error) error {
		v := make([]byte, 512)
		for range each {
			r.Value.Reset(record.Opaque, v)
			if err := emit(r); err != nil {
				return err
			}
		}
		return nil
	}}, "input.mem.in")
	p.output("out", out, "processor.f.split")
	if err := p.run(); err != nil {
		t.Fatal(err)
	}
	if out.Len() != 9*each {
		t.Errorf("%d records arrived, want %d", out.Len(), 9*each)
	}
}

func TestExpandIsBounded(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"records": 0, "bytes": 4096} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlan(t)
			out, bad := &enginetest.Output{Count: true}, &enginetest.Output{}
			p.input("in", memory("a", 3, 1))
			p.proc("split", processor{expand: func(r *record.Record, emit func(*record.Record) error) error {
				v := make([]byte, size)
				for range 1 << 30 {
					r.Value.Reset(record.Opaque, v)
					if err := emit(r); err != nil {
						return err
					}
				}
				return nil
			}}, "input.mem.in")
			p.output("out", out, "processor.f.split")
			p.output("bad", bad, "errors")
			if err := p.run(); err != nil {
				t.Fatal(err)
			}
			if out.Len() != 0 || len(bad.Records()) != 3 || !strings.Contains(bad.Records()[0].Header(engine.HeaderErrorReason), "more than") {
				t.Errorf("%d parts, refused %v", out.Len(), bad.Records())
			}
		})
	}
}

func TestWiringMistakes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		build func(p *plan)
		want  string
	}{
		{"no input", func(p *plan) { p.output("o", &enginetest.Output{}, "errors") }, "no input"},
		{"unread input", func(p *plan) { p.input("in", memory("a", 1, 1)) }, "nothing reads input.mem.in"},
		{"unread processor", func(p *plan) {
			p.input("in", memory("a", 1, 1))
			p.proc("f", filter(even), "input.mem.in")
		}, "nothing reads processor.f.f"},
		{"output of nothing", func(p *plan) {
			p.input("in", memory("a", 1, 1))
			p.output("o", &enginetest.Output{}, "input.mem.in")
			p.output("p", &enginetest.Output{})
		}, "output.mem.p reads nothing"},
		{"unknown element", func(p *plan) { p.output("o", &enginetest.Output{}, "input.mem.in") }, "input.mem.in, which does not exist"},
		{"unknown port", func(p *plan) {
			p.input("in", memory("a", 1, 1))
			p.output("o", &enginetest.Output{}, "input.mem.in.x")
		}, `port "x" of input.mem.in`},
		{"output read", func(p *plan) {
			p.input("in", memory("a", 1, 1))
			p.output("o", &enginetest.Output{}, "input.mem.in")
			p.output("p", &enginetest.Output{}, "output.mem.o")
		}, "output.mem.o, which does not exist"},
		{"twice", func(p *plan) {
			p.input("in", memory("a", 1, 1))
			p.input("in", memory("a", 1, 1))
		}, "input.mem.in is there twice"},
		{"circle", func(p *plan) {
			p.input("in", memory("a", 1, 1))
			p.proc("a", filter(even), "input.mem.in", "processor.f.b")
			p.proc("b", filter(even), "processor.f.a")
			p.output("o", &enginetest.Output{}, "processor.f.b")
		}, "in a circle"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPlan(t)
			tt.build(p)
			if _, err := New(p.p, Options{}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestWorkersAreClosed(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	p.p.Settings.Workers = 5
	f := tag("x")
	closed := newCounter()
	f.closed = &closed.wg
	p.input("in", memory("a", 100, 1))
	p.proc("f", f, "input.mem.in")
	p.output("out", &enginetest.Output{}, "processor.f.f")
	if err := p.run(); err != nil {
		t.Fatal(err)
	}
	closed.wg.Wait() // hangs if one is missing, panics if one is too many
}
