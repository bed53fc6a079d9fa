package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// remote is a converter that asks something which may be away.
type remote struct {
	away     atomic.Int32 // how many calls still fail
	fatal    error
	openings atomic.Int32
	openAway int32
	openErr  error
	closings atomic.Int32
	used     atomic.Bool // after Close
}

func (c *remote) Open(context.Context) error {
	if c.openErr != nil {
		return c.openErr
	}
	if c.openings.Add(1) <= c.openAway {
		return engine.Retry(errAway)
	}
	return nil
}

func (c *remote) Close(context.Context) error {
	c.closings.Add(1)
	return nil
}

func (c *remote) ask(m *engine.Meta, src []byte) error {
	if c.closings.Load() > 0 {
		c.used.Store(true)
	}
	if err := m.Context.Err(); err != nil {
		return err
	}
	if c.fatal != nil && strings.HasSuffix(string(src), "7") {
		return engine.Fatal(c.fatal)
	}
	if strings.HasSuffix(string(src), "3") && c.away.Add(-1) >= 0 {
		return fmt.Errorf("asking: %w", engine.Retry(errAway))
	}
	return nil
}

func (*remote) Decoded() record.Encoding { return record.Text }

func (c *remote) NewDecoder() engine.Decode {
	return func(dst, src []byte, m *engine.Meta) ([]byte, record.Encoding, error) {
		if err := c.ask(m, src); err != nil {
			return append(dst, "half"...), nil, err
		}
		return append(append(dst, 'd'), src...), nil, nil
	}
}

func (c *remote) NewEncoder(record.Encoding) engine.Encode {
	return func(dst, src []byte, m *engine.Meta) ([]byte, error) {
		m.AddHeader("tried", src)
		if err := c.ask(m, src); err != nil {
			return append(dst, "half"...), err
		}
		return append(append(dst, 'e'), src...), nil
	}
}

// TestConvertersWait: what a converter needs is away for a while, and no record
// is lost, refused, or converted twice.
func TestConvertersWait(t *testing.T) {
	t.Parallel()
	for _, alone := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			p := newPlan(t)
			in, out := memory("a", 20, 6), &enginetest.Output{}
			dec, enc := &remote{openAway: 2}, &remote{openAway: 3}
			dec.away.Store(4)
			enc.away.Store(5)
			p.input("in", in).Value = dec
			from := "input.mem.in"
			if !alone {
				p.proc("all", filter(func(int) bool { return true }), from)
				from = "processor.f.all"
			}
			p.output("out", out, from).Value = enc
			r := p.runner(Options{})
			if err := r.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			expect(t, "records", out.Values(), want("eda", 20, nil))
			for _, w := range out.Records() {
				hs := w.Headers
				if len(hs) != 1 || hs[0].Key != "tried" || "e"+string(hs[0].Value) != string(w.Value) {
					t.Errorf("%s has the headers %v", w.Value, hs)
				}
			}
			for i, c := range []*remote{dec, enc} {
				if c.openings.Load() != c.openAway+1 || c.closings.Load() != 1 || c.used.Load() {
					t.Errorf("converter %d: opened %d times, closed %d times, used afterwards: %v", i, c.openings.Load(), c.closings.Load(), c.used.Load())
				}
			}
			stats := r.Elements()
			if n := stats[0].Retries.Load(); n != 6 {
				t.Errorf("%d retries of the input", n)
			}
			if n := stats[len(stats)-1].Retries.Load(); n != 8 {
				t.Errorf("%d retries of the output", n)
			}
			misuse(t, in, out)
		})
	}
}

func TestConvertersFail(t *testing.T) {
	t.Parallel()
	errDenied := errors.New("access denied")
	tests := []struct {
		name     string
		dec, enc *remote
		element  string
	}{
		{"decoding", &remote{fatal: errDenied}, &remote{}, "input.mem.in: decoding: "},
		{"encoding", &remote{}, &remote{fatal: errDenied}, "output.mem.out: encoding: "},
		{"opening at an input", &remote{openErr: errDenied}, &remote{}, "input.mem.in: opening its converter: "},
		{"opening at an output", &remote{}, &remote{openErr: errDenied}, "output.mem.out: opening its converter: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPlan(t)
			in, out, errs := memory("a", 20, 6), &enginetest.Output{}, &enginetest.Output{}
			p.input("in", in).Value = tt.dec
			p.output("out", out, "input.mem.in").Value = tt.enc
			p.output("errors", errs, engine.ErrorsPort)
			err := p.run()
			if !errors.Is(err, errDenied) || !strings.HasPrefix(err.Error(), tt.element) {
				t.Errorf("got %v", err)
			}
			if len(errs.Values()) > 0 {
				t.Errorf("records are blamed: %q", errs.Values())
			}
			if tt.enc.closings.Load() != 1 {
				t.Error("the converter of the output was not closed")
			}
			misuse(t, in, out, errs)
		})
	}
}

// TestConverterIsAwayAtTheEnd: a pipeline that is cut while a converter waits
// ends, and reads the records again next time.
func TestConverterIsAwayAtTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlan(t)
		in, out := memory("a", 20, 6), &enginetest.Output{}
		dec := &remote{}
		dec.away.Store(1 << 30)
		p.input("in", in).Value = dec
		p.output("out", out, "input.mem.in")
		r := p.runner(Options{})
		done := start(t.Context(), r)
		synctest.Wait()
		running(t, done)
		if h := r.Health()[0]; h.State != Retrying || !errors.Is(h.Cause, errAway) {
			t.Errorf("health %v", h)
		}
		r.Abort()
		if err := <-done; !errors.Is(err, ErrAborted) {
			t.Errorf("got %v", err)
		}
		if dec.closings.Load() != 1 {
			t.Error("the converter was not closed")
		}
	})
}

// versions decodes each record as of one of two schemas, and encodes by them.
type versions struct{ of [2]record.Encoding }

func (versions) Decoded() record.Encoding { return record.JSON }

func (v versions) NewDecoder() engine.Decode {
	n := 0
	return func(dst, src []byte, _ *engine.Meta) ([]byte, record.Encoding, error) {
		if src == nil {
			return nil, nil, nil
		}
		n++
		return append(dst, src...), v.of[n%2], nil
	}
}

func (v versions) NewEncoder(from record.Encoding) engine.Encode {
	i := slices.Index(v.of[:], from)
	if i == 0 {
		return nil
	}
	return func(dst, src []byte, _ *engine.Meta) ([]byte, error) {
		if src == nil {
			return nil, nil
		}
		return append(fmt.Appendf(dst, "v%d ", i), src...), nil
	}
}

// TestRecordsOfSeveralSchemas: they share batches, and each keeps its own.
func TestRecordsOfSeveralSchemas(t *testing.T) {
	t.Parallel()
	one := schema.NewStruct("", schema.F("n", schema.New(schema.Int64)))
	two := schema.NewStruct("", schema.F("n", schema.New(schema.Decimal)))
	v := versions{[2]record.Encoding{record.JSONOf(one), record.JSONOf(two)}}
	for _, edits := range []bool{false, true} {
		p := newPlan(t)
		p.p.Settings.Workers = 1
		in, out := memory("", 9, 9), &enginetest.Output{}
		for i := range in.Partitions[0].Records {
			in.Partitions[0].Records[i].Value = fmt.Appendf(nil, `{"n":%d}`, i)
		}
		in.Partitions[0].Records[4].Value = nil
		p.input("in", in).Value = v
		p.proc("x", processor{readOnly: !edits, step: func(r *record.Record) (bool, error) {
			if r.Value.IsNull() {
				return true, nil
			}
			if s := r.Value.Schema(); s != one && s != two {
				return false, fmt.Errorf("schema %s", s)
			}
			return string(r.Value.Raw()) != `{"n":2}`, nil
		}}, "input.mem.in")
		p.output("out", out, "processor.f.x").Value = v
		if err := p.run(); err != nil {
			t.Fatal(err)
		}
		expect(t, "records", out.Values(), []string{`v1 {"n":0}`, `{"n":1}`, `{"n":3}`, "", `v1 {"n":5}`, `{"n":6}`, `v1 {"n":7}`, `{"n":8}`})
	}
}
