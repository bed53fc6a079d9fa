package run

import (
	"context"
	"fmt"
	"slices"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// encoder applies the converters of an output. It belongs to its goroutine.
type encoder struct {
	value, key copies
	headers    engine.Recode // nil: they stay
	t          engine.Transcoder
	pool       *engine.Pool
	all        []uint32 // 0, 1, 2, ...
	// topic says where record i of a batch goes; nil: not known.
	topic func(b *engine.Batch, i int) (string, error)
}

// copies are the working copies of a converter, one for each encoding that
// records come in.
type copies struct {
	conv engine.Converter
	made []made
	as   engine.Recode // calls the copy for each record's encoding
}

// made is the working copy for one encoding.
type made struct {
	from, to record.Encoding
	f        engine.Encode // nil: the bytes stay
}

// encodedBatches is how many encoded batches are kept for reuse.
const encodedBatches = 64

// keptCopies is how many working copies a converter keeps: schemas come from
// outside, and each makes one.
const keptCopies = 64

func newEncoder(el *engine.Element) *encoder {
	e := &encoder{pool: engine.NewPool(encodedBatches, 0)}
	e.value.conv, e.key.conv = el.Value, el.Key
	e.value.as, e.key.as = e.value.recode, e.key.recode
	e.headers = engine.HeaderEncoding(el.Headers)
	e.t.Adds = true
	return e
}

// of returns the working copy for an encoding; nil: the bytes stay.
func (c *copies) of(from record.Encoding) *made {
	if from == nil {
		from = record.Opaque
	}
	for i := range c.made {
		if m := c.made[i]; m.from == from {
			if i > 0 { // what is used stays, and is found at once
				copy(c.made[1:i+1], c.made[:i])
				c.made[0] = m
			}
			return &c.made[0]
		}
	}
	m := made{from: from, to: record.Opaque}
	if c.conv == nil {
		m.to = from
	} else {
		m.f = c.conv.NewEncoder(from)
	}
	if inner, ok := from.(record.Inner); ok {
		if text := record.JSONOf(inner.Schema()); c.conv == nil || c.conv.NewEncoder(text) == nil {
			m.f, m.to = outward(inner), text
		}
	}
	if len(c.made) == keptCopies {
		c.made = c.made[:keptCopies-1]
	}
	c.made = slices.Insert(c.made, 0, m)
	return &c.made[0]
}

// outward makes records that only flow reads JSON, for who writes JSON as it is.
func outward(from record.Inner) engine.Encode {
	return func(dst, src []byte, _ *engine.Meta) ([]byte, error) {
		if src == nil {
			return nil, nil
		}
		return from.AppendJSON(dst, src)
	}
}

// pick returns what is to be done with a column; nil: nothing.
func (c *copies) pick(col *engine.Column) engine.Recode {
	if len(col.Encodings) == 0 {
		if c.of(col.Encoding).f == nil {
			return nil
		}
		return c.as
	}
	for i := range col.Spans {
		if !col.Spans[i].Null() && c.of(col.Encodings[i]).f != nil {
			return c.as
		}
	}
	return nil
}

func (c *copies) recode(dst, src []byte, from record.Encoding, m *engine.Meta) ([]byte, record.Encoding, error) {
	as := c.of(from)
	if as.f != nil {
		out, err := as.f(dst, src, m)
		return out, as.to, err
	}
	if src == nil {
		return nil, nil, nil
	}
	return append(dst, src...), as.to, nil
}

// run sets w.enc to what is to be written. Records that cannot be encoded are
// added to the failures. The batch itself stays as it is: its records are what
// the errors edge gets when the output refuses them.
func (e *encoder) run(ctx context.Context, w *write) error {
	b := w.b
	w.enc = b
	e.t.Value, e.t.Key, e.t.Headers = e.value.pick(&b.Value), nil, nil
	if len(b.Key.Spans) > 0 {
		e.t.Key = e.key.pick(&b.Key)
	}
	if len(b.Headers.List) > 0 && len(b.Failures) == 0 {
		// Those of a failed record may not be decoded: a dead letter has them as
		// they were when it failed.
		e.t.Headers = e.headers
	}
	if len(b.Failures) > 0 {
		// Bytes that could not be decoded are kept as they came.
		if opaque(b.Value.Encoding) {
			e.t.Value = nil
		}
		if opaque(b.Key.Encoding) {
			e.t.Key = nil
		}
	}
	if e.t.Value == nil && e.t.Key == nil && e.t.Headers == nil {
		return nil
	}
	for len(e.all) < b.Len() {
		e.all = append(e.all, uint32(len(e.all)))
	}
	// The pool never makes the output wait: what it holds must be flushed by
	// this goroutine. The bytes in flight bound the rest.
	enc := e.pool.TryGet()
	if enc == nil {
		enc = engine.NewBatch()
	}
	if e.topic != nil {
		e.t.Topic = func(_ *engine.Batch, i int) string {
			if t, err := e.topic(b, i); err == nil {
				return t
			}
			return b.Topic(i)
		}
	}
	enc.Borrow(b, e.all[:b.Len()])
	w.enc = enc
	var failed error
	rows, err := e.t.Run(ctx, enc, func(i int, reason error) {
		if failed == nil {
			failed = w.o.fails.add(w.o.n, b, i, nil, fmt.Errorf("encoding: %w", reason))
		}
	})
	if err != nil {
		return fmt.Errorf("%s: encoding: %w", w.o.n.addr, err)
	}
	if rows != nil {
		w.rows = append([]uint32(nil), rows...)
	}
	enc.EncodedFrom(b, w.rows)
	return failed
}

func opaque(e record.Encoding) bool { return e == nil || e == record.Opaque }
