package run

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// encoder applies the converters of an output. It belongs to its goroutine.
type encoder struct {
	value, key engine.Converter
	values     []made
	keys       []made
	t          engine.Transcoder
	pool       *engine.Pool
	all        []uint32 // 0, 1, 2, ...
}

// made is the working copy for one encoding.
type made struct {
	from record.Encoding
	f    engine.Transcode
}

// encodedBatches is how many encoded batches are kept for reuse.
const encodedBatches = 64

func newEncoder(el *engine.Element) *encoder {
	return &encoder{value: el.Value, key: el.Key, pool: engine.NewPool(encodedBatches, 0)}
}

func pick(c engine.Converter, cache *[]made, from record.Encoding) engine.Transcode {
	if c == nil {
		return nil
	}
	if from == nil {
		from = record.Opaque
	}
	for _, m := range *cache {
		if m.from == from {
			return m.f
		}
	}
	f := c.NewEncoder(from)
	*cache = append(*cache, made{from, f})
	return f
}

// run sets w.enc to what is to be written. Records that cannot be encoded are
// added to the failures. The batch itself stays as it is: its records are what
// the errors edge gets when the output refuses them.
func (e *encoder) run(w *write) error {
	b := w.b
	w.enc = b
	e.t.Value, e.t.Key = pick(e.value, &e.values, b.Value.Encoding), nil
	if len(b.Key.Spans) > 0 {
		e.t.Key = pick(e.key, &e.keys, b.Key.Encoding)
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
	if e.t.Value == nil && e.t.Key == nil {
		return nil
	}
	e.t.ValueTo, e.t.KeyTo = record.Opaque, record.Opaque
	for len(e.all) < b.Len() {
		e.all = append(e.all, uint32(len(e.all)))
	}
	// The pool never makes the output wait: what it holds must be flushed by
	// this goroutine. The bytes in flight bound the rest.
	enc := e.pool.TryGet()
	if enc == nil {
		enc = engine.NewBatch()
	}
	enc.Borrow(b, e.all[:b.Len()])
	w.enc = enc
	var failed error
	rows := e.t.Run(enc, func(i int, reason error) {
		if failed == nil {
			failed = w.o.fails.add(w.o.n, b, i, nil, fmt.Errorf("encoding: %w", reason))
		}
	})
	if rows != nil {
		w.rows = append([]uint32(nil), rows...)
	}
	enc.EncodedFrom(b, w.rows)
	return failed
}

func opaque(e record.Encoding) bool { return e == nil || e == record.Opaque }
