// Package generate is the input that makes records from expressions.
package generate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// sourceID names the only partition.
const sourceID = "generate"

// longestLag is how far behind its rate the input may fall, under back
// pressure, and still catch up. Beyond it the lost time is given up: a burst
// of any size is not a rate.
const longestLag = time.Second

// input is the generate input. All fields belong to the goroutine of Read.
type input struct {
	cfg *Config
	env engine.Env

	host        engine.Host
	src         *engine.Source
	rec         *record.Record
	value, key  engine.Program
	headers     []engine.Program
	random      *random
	usesRandom  bool
	scratch     []byte
	seed, count int64 // count: the next record's number
	state       string

	// Record number base is due at start, the others spacing apart.
	start    time.Time
	base     int64
	lastSent time.Time
}

func newInput(config any, env engine.Env) (engine.Input, error) {
	cfg, ok := config.(*Config)
	if !ok {
		return nil, fmt.Errorf("the config of the generate input is a %T", config)
	}
	return &input{cfg: cfg, env: env}, nil
}

// Open compiles the expressions and finds where to go on counting.
func (in *input) Open(_ context.Context, h engine.Host) error {
	in.host = h
	if err := in.bind(); err != nil {
		return err
	}
	in.count, in.seed = 0, in.cfg.Seed
	if p, ok := h.Stored(sourceID); ok {
		in.count = p.Offset
		if seed, err := strconv.ParseInt(p.State, 10, 64); err == nil && in.seed == 0 {
			in.seed = seed
		}
	}
	for in.seed == 0 {
		in.seed = rand.Int64()
	}
	in.state = strconv.FormatInt(in.seed, 10)
	in.src = h.Source(engine.SourceInfo{
		ID: sourceID, OffsetSeparator: "#",
		Meta: map[string]string{"input": in.env.Element, "seed": in.state},
	})
	in.rec.Meta = in.src.Info().Meta
	in.start, in.base, in.lastSent = time.Time{}, 0, time.Time{}
	return nil
}

// bind compiles the expressions over one record.
func (in *input) bind() (err error) {
	l := record.NewLayout()
	bind := func(option string, e engine.Expression) engine.Program {
		if err != nil || e.IsZero() {
			return nil
		}
		// Making data that nobody looks at would cost more than the rest.
		in.usesRandom = in.usesRandom || strings.Contains(e.Source.Text(), "value")
		var p engine.Program
		if p, err = e.Source.Bind(l); err != nil {
			err = fmt.Errorf("compiling %s: %w", option, err)
		}
		return p
	}
	in.value, in.key = bind("value", in.cfg.Value), bind("key", in.cfg.Key)
	in.headers = in.headers[:0]
	for _, h := range in.cfg.Headers {
		in.headers = append(in.headers, bind("the header "+h.Name, h.Expr))
	}
	if err != nil {
		return err
	}
	in.rec = record.NewRecord(l)
	in.random = newRandom()
	return nil
}

// Read returns the records that are due.
func (in *input) Read(ctx context.Context) (*engine.Batch, error) {
	if in.done() {
		return nil, engine.ErrEnd
	}
	b, err := in.host.NewBatch(ctx)
	if err != nil {
		return nil, err
	}
	if err := in.wait(ctx); err != nil {
		b.Release()
		return nil, err
	}
	now := in.env.Now()
	lim := in.host.Limits()
	first := in.count
	for !in.done() && b.Len() < lim.Records && len(b.Value.Data) < lim.Bytes {
		if b.Len() > 0 && in.due(in.count).After(now) {
			break
		}
		in.add(b, now)
		in.count++
	}
	b.Value.Encoding, b.Key.Encoding = record.JSON, record.Text
	in.src.Begin(b, engine.Position{Offset: in.count, State: in.state}, first, nil)
	for i := range b.Failures {
		if f := &b.Failures[i]; f.Reason != nil {
			f.Element, f.Origin = in.env.Element, b.Origin(i)
		}
	}
	in.lastSent = now
	return b, nil
}

func (in *input) done() bool { return in.cfg.Count > 0 && in.count >= in.cfg.Count }

// due is when a record is due; the zero time without a rate.
func (in *input) due(n int64) time.Time {
	spacing := in.cfg.spacing()
	if spacing == 0 {
		return time.Time{}
	}
	return in.start.Add(time.Duration(float64(n-in.base) * spacing))
}

// wait waits until the next record is due. At high rates it waits for the
// linger too, so that records share a batch.
func (in *input) wait(ctx context.Context) error {
	if in.cfg.spacing() == 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return nil
	}
	now := in.env.Now()
	if in.start.IsZero() || now.Sub(in.due(in.count)) > longestLag {
		in.start, in.base = now, in.count
	}
	until := in.due(in.count)
	if linger := in.lastSent.Add(in.host.Limits().Linger); until.Before(linger) {
		until = linger
	}
	for {
		left := until.Sub(in.env.Now())
		if left <= 0 {
			return nil
		}
		t := time.NewTimer(left)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return context.Cause(ctx)
		}
	}
}

// add makes the next record. One whose expressions fail is a failed record
// without bytes.
func (in *input) add(b *engine.Batch, now time.Time) {
	n := b.Len()
	m := b.Mark()
	in.load(now)
	err := in.fill(b, n)
	if err != nil {
		b.Rollback(m)
		b.Value.Spans = append(b.Value.Spans, engine.NullSpan)
		if !in.cfg.Key.IsZero() {
			b.Key.Spans = append(b.Key.Spans, engine.NullSpan)
		}
		if len(in.headers) > 0 {
			b.Headers.Ends = append(b.Headers.Ends, uint32(len(b.Headers.List)))
		}
	}
	if err != nil || len(b.Failures) > 0 {
		for len(b.Failures) <= n {
			b.Failures = append(b.Failures, engine.Failure{})
		}
		b.Failures[n].Reason = err
	}
	b.Timestamps = append(b.Timestamps, now.UnixNano())
}

// load points the record at what the expressions see.
func (in *input) load(now time.Time) {
	var raw []byte
	if in.usesRandom {
		in.scratch = in.random.append(in.scratch[:0], in.seed, in.count)
		raw = in.scratch
	}
	in.rec.Value.Reset(record.JSON, raw)
	in.rec.Key.Reset(record.Text, nil)
	in.rec.ResetHeaders(nil)
	in.rec.Offset = in.count
	in.rec.Timestamp, in.rec.HasTimestamp = now.UnixNano(), true
}

// fill evaluates the expressions into record n of b.
func (in *input) fill(b *engine.Batch, n int) error {
	v, err := in.value.Eval(in.rec)
	if err != nil {
		return fmt.Errorf("value: %w", err)
	}
	if err := addValue(&b.Value, v, record.Value.AppendJSON); err != nil {
		return fmt.Errorf("value: %w", err)
	}
	if in.key != nil {
		if v, err = in.key.Eval(in.rec); err != nil {
			return fmt.Errorf("key: %w", err)
		}
		if err := addValue(&b.Key, v, record.Value.AppendText); err != nil {
			return fmt.Errorf("key: %w", err)
		}
	}
	for i, p := range in.headers {
		name := in.cfg.Headers[i].Name
		if v, err = p.Eval(in.rec); err != nil {
			return fmt.Errorf("header %s: %w", name, err)
		}
		if v.IsNil() {
			continue
		}
		text, err := v.AppendText(nil)
		if err != nil {
			return fmt.Errorf("header %s: %w", name, err)
		}
		b.Headers.List = append(b.Headers.List, record.Header{Key: name, Value: text})
	}
	if len(in.headers) > 0 {
		b.Headers.Ends = append(b.Headers.Ends, uint32(len(b.Headers.List)))
	}
	return nil
}

// addValue appends a value as the next record of a column.
func addValue(c *engine.Column, v record.Value, write func(record.Value, []byte) ([]byte, error)) error {
	if v.IsNil() {
		c.Spans = append(c.Spans, engine.NullSpan)
		return nil
	}
	start := len(c.Data)
	data, err := write(v, c.Data)
	if err != nil {
		c.Data = c.Data[:start]
		return err
	}
	c.Data = append(data, '\n')
	c.Spans = append(c.Spans, engine.Span{Start: uint32(start), End: uint32(len(data))})
	return nil
}

// Close has nothing to let go of.
func (in *input) Close(context.Context) error { return nil }
