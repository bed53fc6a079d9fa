package enginetest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func numbers(source string, n int) []enginetest.Record {
	list := make([]enginetest.Record, n)
	for i := range list {
		list[i] = enginetest.Record{Value: fmt.Appendf(nil, "%s%d", source, i), Source: source}
	}
	return list
}

func newInput(unbounded bool) *enginetest.Input {
	return &enginetest.Input{Unbounded: unbounded, Partitions: []enginetest.Partition{
		{ID: "a", Records: numbers("a", 10)}, {ID: "b", Records: numbers("b", 1)}, {ID: "c"}}}
}

func inputCase(make func() engine.Input, unbounded bool) enginetest.InputCase {
	return enginetest.InputCase{
		New:       func(*testing.T) engine.Input { return make() },
		Want:      append(numbers("a", 10), numbers("b", 1)...),
		Unbounded: unbounded,
		Away: func(*testing.T) engine.Input {
			in := newInput(false)
			in.OnOpen = func(context.Context, int) error { return engine.Retry(errors.New("away")) }
			return in
		},
	}
}

func outputCase(make func() *enginetest.Output, wrap func(*enginetest.Output) engine.Output) enginetest.OutputCase {
	return enginetest.OutputCase{
		New: func(*testing.T) enginetest.Target {
			o := make()
			return enginetest.Target{Output: wrap(o), Read: func(*testing.T) []enginetest.Record { return o.Confirmed() }}
		},
		Arrives: func(r enginetest.Record) (enginetest.Record, error) { return r, nil },
	}
}

func asIs(o *enginetest.Output) engine.Output { return o }

// upper is a processor: it writes headers, and refuses what holds "bad".
type upper struct{ editsOnError, readOnly bool }

func (upper) Ports() []string  { return nil }
func (u upper) ReadOnly() bool { return u.readOnly }

func (u upper) Bind(*record.Layout) (engine.Bound, error) {
	return engine.Bound{Step: func(r *record.Record) (bool, error) {
		if u.editsOnError {
			r.SetHeader("seen", []byte("1"))
		}
		if bytes.Contains(r.Value.Raw(), []byte("bad")) {
			return false, errors.New("bad")
		}
		r.SetHeader("seen", []byte("1"))
		return true, nil
	}}, nil
}

func processorCase(p engine.Processor) enginetest.ProcessorCase {
	return enginetest.ProcessorCase{
		New: func(*testing.T) engine.Processor { return p },
		Examples: []enginetest.ProcessorExample{
			{Name: "good", In: enginetest.Record{Value: []byte("{}")}, Want: []enginetest.Emitted{{Record: enginetest.Record{
				Value: []byte("{}"), Headers: []record.Header{{Key: "seen", Value: []byte("1")}}}}}},
			{Name: "bad", In: enginetest.Record{Value: []byte(`"bad"`)}, Err: true},
		},
	}
}

// quote is a converter between text and text in quotes.
type quote struct{ lenient, panics, shares bool }

func (quote) Decoded() record.Encoding { return record.Text }

func (q quote) NewDecoder() engine.Decode {
	return func(dst, src []byte, _ *engine.Meta) ([]byte, record.Encoding, error) {
		if src == nil {
			return nil, nil, nil
		}
		if q.panics {
			_ = src[3]
		}
		if len(src) < 2 || src[0] != '"' || src[len(src)-1] != '"' {
			if q.lenient {
				return append(dst, "?"...), nil, nil
			}
			return dst, nil, errors.New("no quotes")
		}
		if q.shares {
			return src[1 : len(src)-1], nil, nil
		}
		return append(dst, src[1:len(src)-1]...), nil, nil
	}
}

func (quote) NewEncoder(record.Encoding) engine.Encode {
	return func(dst, src []byte, _ *engine.Meta) ([]byte, error) {
		if src == nil {
			return nil, nil
		}
		return append(append(append(dst, '"'), src...), '"'), nil
	}
}

func converterCase(q quote) enginetest.ConverterCase {
	return enginetest.ConverterCase{
		New:      func(*testing.T) engine.Converter { return q },
		Examples: []enginetest.ConverterExample{{Name: "text", Source: []byte(`"text"`), Decoded: []byte("text")}, {Name: "empty", Source: []byte(`""`), Decoded: []byte{}}},
		Garbage:  [][]byte{[]byte("x"), {}},
	}
}

func TestSuitesOnGoodComponents(t *testing.T) {
	t.Parallel()
	t.Run("bounded input", func(t *testing.T) {
		enginetest.RunInput(t, inputCase(func() engine.Input { return newInput(false) }, false))
	})
	t.Run("unbounded input", func(t *testing.T) {
		enginetest.RunInput(t, inputCase(func() engine.Input { return newInput(true) }, true))
	})
	t.Run("output", func(t *testing.T) {
		enginetest.RunOutput(t, outputCase(func() *enginetest.Output { return &enginetest.Output{} }, asIs))
	})
	t.Run("late output", func(t *testing.T) {
		c := outputCase(func() *enginetest.Output { return &enginetest.Output{Late: rand.New(rand.NewPCG(1, 1))} }, asIs)
		var o *enginetest.Output
		c.New = func(*testing.T) enginetest.Target {
			o = &enginetest.Output{Late: rand.New(rand.NewPCG(1, 1))}
			target := o
			return enginetest.Target{Output: o, Read: func(*testing.T) []enginetest.Record { return target.Records() }}
		}
		enginetest.RunOutput(t, c)
	})
	t.Run("processor", func(t *testing.T) { enginetest.RunProcessor(t, processorCase(upper{})) })
	t.Run("converter", func(t *testing.T) { enginetest.RunConverter(t, converterCase(quote{})) })
}

// The broken components.

type forgetful struct{ *enginetest.Input } // starts anew each time

func (f forgetful) Open(ctx context.Context, h engine.Host) error {
	return f.Input.Open(ctx, deafHost{h})
}

type deafHost struct{ engine.Host }

func (deafHost) Stored(string) (engine.Position, bool) { return engine.Position{}, false }

type stubborn struct{ *enginetest.Input } // does not listen to its context

func (s stubborn) Read(ctx context.Context) (*engine.Batch, error) {
	if ctx.Err() != nil {
		select {}
	}
	return s.Input.Read(context.WithoutCancel(ctx))
}

type doubleDone struct{ *enginetest.Output }

func (o doubleDone) Write(ctx context.Context, b *engine.Batch, done func(error)) {
	o.Output.Write(ctx, b, func(err error) { done(err); done(err) })
}

type silent struct{ *enginetest.Output } // never answers

func (o silent) Write(ctx context.Context, b *engine.Batch, _ func(error)) {
	o.Output.Write(ctx, b, func(error) {})
}

type early struct { // confirms before it has looked at the batch
	*enginetest.Output
	held *[]*engine.Batch
}

func (o early) Write(_ context.Context, b *engine.Batch, done func(error)) {
	*o.held = append(*o.held, b)
	done(nil)
}

func (o early) Close(ctx context.Context) error {
	for _, b := range *o.held {
		o.Output.Write(ctx, b, func(error) {})
	}
	return o.Output.Close(ctx)
}

var broken = map[string]func(t *testing.T){
	"input that forgets": func(t *testing.T) {
		enginetest.RunInput(t, inputCase(func() engine.Input { return forgetful{newInput(false)} }, false))
	},
	"input that loses": func(t *testing.T) {
		enginetest.RunInput(t, inputCase(func() engine.Input {
			in := newInput(false)
			in.Partitions[0].Records = in.Partitions[0].Records[1:]
			return in
		}, false))
	},
	"input that does not listen": func(t *testing.T) {
		enginetest.RunInput(t, inputCase(func() engine.Input { return stubborn{newInput(false)} }, false))
	},
	"output that confirms twice": func(t *testing.T) {
		enginetest.RunOutput(t, outputCase(newOutput, func(o *enginetest.Output) engine.Output { return doubleDone{o} }))
	},
	"output that never answers": func(t *testing.T) {
		enginetest.RunOutput(t, outputCase(newOutput, func(o *enginetest.Output) engine.Output { return silent{o} }))
	},
	"output that confirms too early": func(t *testing.T) {
		enginetest.RunOutput(t, outputCase(newOutput, func(o *enginetest.Output) engine.Output { return early{o, new([]*engine.Batch)} }))
	},
	"output that refuses what it documents": func(t *testing.T) {
		enginetest.RunOutput(t, outputCase(func() *enginetest.Output {
			return &enginetest.Output{Refuse: func(r enginetest.Record) error {
				if r.Value == nil {
					return errors.New("null")
				}
				return nil
			}}
		}, asIs))
	},
	"processor that edits what it refuses": func(t *testing.T) { enginetest.RunProcessor(t, processorCase(upper{editsOnError: true})) },
	"processor that is not read-only":      func(t *testing.T) { enginetest.RunProcessor(t, processorCase(upper{readOnly: true})) },
	"converter that takes garbage":         func(t *testing.T) { enginetest.RunConverter(t, converterCase(quote{lenient: true})) },
	"converter that panics":                func(t *testing.T) { enginetest.RunConverter(t, converterCase(quote{panics: true})) },
	"converter that does not append":       func(t *testing.T) { enginetest.RunConverter(t, converterCase(quote{shares: true})) },
}

func newOutput() *enginetest.Output { return &enginetest.Output{} }

const brokenVariable = "FLOW_TEST_BROKEN_COMPONENT"

// TestBroken runs a suite on a broken component, in a process of its own.
func TestBroken(t *testing.T) {
	name := os.Getenv(brokenVariable)
	if name == "" {
		t.Skip("run by TestSuitesCatchBrokenComponents")
	}
	broken[name](t)
}

func TestSuitesCatchBrokenComponents(t *testing.T) {
	t.Parallel()
	for name := range broken {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBroken$", "-test.timeout=60s")
			cmd.Env = append(os.Environ(), brokenVariable+"="+name)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestBroken") {
				t.Errorf("the suite did not notice (%v):\n%s", err, out)
			}
		})
	}
}
