//go:build unix

package run

import (
	"bytes"
	"context"
	"syscall"
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
)

const (
	benchBatch = 512
	benchBytes = 300
)

// endless is an input whose batches cost nothing to make: what is measured is
// the engine.
type endless struct {
	left  int
	spans []engine.Span
	host  engine.Host
	src   *engine.Source
	at    int64
}

func newEndless(records int) *endless {
	in := &endless{left: records}
	for i := range benchBatch {
		start := uint32(i * (benchBytes + 1))
		in.spans = append(in.spans, engine.Span{Start: start, End: start + benchBytes})
	}
	return in
}

func (in *endless) Open(_ context.Context, h engine.Host) error {
	in.host, in.src = h, h.Source(engine.SourceInfo{ID: "endless"})
	return nil
}

func (in *endless) Read(ctx context.Context) (*engine.Batch, error) {
	if in.left <= 0 {
		return nil, engine.ErrEnd
	}
	b, err := in.host.NewBatch(ctx)
	if err != nil {
		return nil, err
	}
	n := min(in.left, benchBatch)
	in.left -= n
	b.Value.Data = b.Value.Data[:n*(benchBytes+1)]
	if b.Value.Data[0] == 0 {
		copy(b.Value.Data, bytes.Repeat([]byte{'x'}, len(b.Value.Data)))
	}
	b.Value.Spans = append(b.Value.Spans, in.spans[:n]...)
	b.Value.Encoding = record.Opaque
	in.src.Begin(b, engine.Position{Offset: in.at + int64(n)}, in.at, nil)
	in.at += int64(n)
	return b, nil
}

func (in *endless) Close(context.Context) error { return nil }

func benchmark(b *testing.B, build func(p *plan)) {
	b.ReportAllocs()
	t := &testing.T{}
	p := &plan{t, &engine.Pipeline{Name: "bench", Settings: engine.DefaultSettings()}}
	p.p.Settings.Workers = 1
	p.input("in", newEndless(b.N))
	build(p)
	r, err := New(p.p, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	before := cpuTime(b)
	if err := r.Run(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// cpuTime is the CPU time of the process in nanoseconds: unlike wall time it
// means something on a machine that is shared.
func cpuTime(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// One operation is one record.
func BenchmarkEngine(b *testing.B) {
	keep := func(r *record.Record) (bool, error) { return r.Row&1 == 0, nil }
	all := func(*record.Record) (bool, error) { return true, nil }
	b.Run("input-output", func(b *testing.B) {
		benchmark(b, func(p *plan) { p.output("out", &enginetest.Output{Count: true}, "input.mem.in") })
	})
	for name, proc := range map[string]processor{
		"filter-all":  {readOnly: true, step: all},
		"filter-half": {readOnly: true, step: keep},
		"map":         {step: all},
		"map-half":    {step: keep},
	} {
		b.Run("input-"+name+"-output", func(b *testing.B) {
			benchmark(b, func(p *plan) {
				p.proc("f", proc, "input.mem.in")
				p.output("out", &enginetest.Output{Count: true}, "processor.f.f")
			})
		})
	}
	b.Run("fan-out", func(b *testing.B) {
		benchmark(b, func(p *plan) {
			p.output("one", &enginetest.Output{Count: true}, "input.mem.in")
			p.output("two", &enginetest.Output{Count: true}, "input.mem.in")
		})
	})
}
