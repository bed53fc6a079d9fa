package engine

import (
	"bytes"
	"context"
	"errors"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

// Recode is what a Transcoder calls for each value: a Decode or an Encode, with
// the encoding that the record has.
type Recode func(dst, src []byte, from record.Encoding, m *Meta) (out []byte, to record.Encoding, err error)

// Decoding returns the Recode of a converter's working copy; nil if there is
// nothing to do.
func Decoding(c Converter) Recode {
	if c == nil {
		return nil
	}
	decode, def := c.NewDecoder(), c.Decoded()
	if decode == nil {
		return nil
	}
	return func(dst, src []byte, from record.Encoding, m *Meta) ([]byte, record.Encoding, error) {
		if record.SchemaOf(from) != nil {
			// The input has decoded it, from a file with a schema.
			if src == nil {
				return nil, from, nil
			}
			return append(dst, src...), from, nil
		}
		out, enc, err := decode(dst, src, m)
		if enc == nil {
			enc = def
		}
		return out, enc, err
	}
}

// Transcoder converts the keys and values of batches with the working copies
// of converters. It keeps memory between batches and belongs to one goroutine.
type Transcoder struct {
	// Value and Key convert; nil leaves the column as it is.
	Value, Key Recode
	// Headers converts the value of each header but OwnHeader: see HeaderDecoding
	// and HeaderEncoding. Nil leaves them as they are.
	Headers Recode
	// Wait is called after a *RetryError and returns when it is time to try
	// again, or an error, which ends Run. Nil makes it an error of the record.
	Wait func(ctx context.Context, err *RetryError) error
	// Adds: records may get headers.
	Adds bool
	// Topic, if set, says the topic of record i instead of the batch.
	Topic func(b *Batch, i int) string

	value, key Column
	kept       []uint32
	meta       Meta
	at         int   // number of the record at work
	stop       error // of Wait

	added []added
	text  []byte          // values of added
	list  []record.Header // spare memory
	ends  []uint32        // spare memory

	headers    []record.Header // of the records so far; their values are the batch's
	headerEnds []uint32
}

// added is a header that record number at gets.
type added struct {
	at    int
	name  string
	value []byte
}

// Run converts all records of b, which must have this one owner. fail is
// called for each record that a converter refuses, while b is still unchanged;
// afterwards those records are gone from b. Run returns the numbers that the
// remaining ones had, nil when none is gone, valid until the next Run. After an
// error, which stops the pipeline, b is as it was.
func (t *Transcoder) Run(ctx context.Context, b *Batch, fail func(i int, reason error)) ([]uint32, error) {
	n := b.Len()
	t.kept = t.kept[:0]
	doKey, doHeaders := t.Key != nil && len(b.Key.Spans) > 0, t.Headers != nil && len(b.Headers.List) > 0
	t.value.reset()
	t.key.reset()
	t.begin(ctx)
	for t.at = 0; t.at < n; t.at++ {
		err := t.one(b, t.at, doKey, doHeaders)
		switch {
		case err == nil:
			t.kept = append(t.kept, uint32(t.at))
		case t.stop != nil:
			return nil, t.stop
		case isFatal(err):
			return nil, err
		default:
			fail(t.at, err)
		}
	}
	t.meta.Context, t.meta.Headers = nil, nil
	if doHeaders {
		t.finishHeaders(&b.Headers)
	}
	if len(t.added) > 0 {
		t.addHeaders(b)
	}
	if t.Value != nil {
		t.finish(&b.Value, &t.value)
	}
	if doKey {
		t.finish(&b.Key, &t.key)
	}
	if len(t.kept) == n {
		return nil, nil
	}
	b.Compact(t.kept)
	return t.kept, nil
}

// isFatal is a function of its own, so that a record without an error costs no
// allocation.
func isFatal(err error) bool {
	_, fatal := errors.AsType[*FatalError](err)
	return fatal
}

func (t *Transcoder) begin(ctx context.Context) {
	t.meta.Context = ctx
	clear(t.added)
	t.added, t.text, t.stop = t.added[:0], t.text[:0], nil
	clear(t.headers)
	t.headers, t.headerEnds = t.headers[:0], t.headerEnds[:0]
	if t.Adds && t.meta.AddHeader == nil {
		t.meta.AddHeader = func(name string, value []byte) {
			start := len(t.text)
			t.text = append(t.text, value...)
			t.added = append(t.added, added{t.at, name, t.text[start:len(t.text):len(t.text)]})
		}
	}
}

// one converts record i into the spare columns, or leaves nulls there.
func (t *Transcoder) one(b *Batch, i int, doKey, doHeaders bool) (err error) {
	if t.Topic != nil {
		t.meta.Topic = t.Topic(b, i)
	} else {
		t.meta.Topic = b.Topic(i)
	}
	t.meta.Headers = b.Headers.At(i)
	vn, kn, hn := len(t.value.Data), len(t.key.Data), len(t.added)
	if t.Value != nil {
		t.meta.Key = false
		err = t.column(&t.value, &b.Value, i, t.Value)
	}
	switch {
	case doKey && err == nil:
		t.meta.Key = true
		err = t.column(&t.key, &b.Key, i, t.Key)
	case doKey:
		t.key.null()
	}
	if doHeaders {
		if err == nil {
			err = t.headersOf(b, i)
		}
		t.headerEnds = append(t.headerEnds, uint32(len(t.headers)))
	}
	if err != nil {
		t.added = t.added[:hn]
		t.value.takeBack(i, vn)
		t.key.takeBack(i, kn)
	}
	return err
}

// takeBack makes record i, the last one, a null if the column has it. n is the
// length of Data before.
func (c *Column) takeBack(i, n int) {
	if i < len(c.Spans) {
		c.Data, c.Spans[i] = c.Data[:n], NullSpan
	}
}

// column converts one value, waiting for what is away.
func (t *Transcoder) column(to, from *Column, i int, f Recode) error {
	if to.Data == nil {
		to.Data = make([]byte, 0, limits.BatchBytes)
	}
	start := len(to.Data)
	out, enc, err := t.call(f, to.Data, from.At(i), from.EncodingOf(i))
	if err != nil || out == nil {
		to.null()
		return err
	}
	to.Data = out
	to.close(start)
	to.note(enc, start == 0)
	return nil
}

// finish puts what was converted into its place.
func (t *Transcoder) finish(c, spare *Column) {
	records := 0
	for _, s := range spare.Spans {
		if !s.Null() {
			records++
		}
	}
	c.swap(spare)
	c.Lines = bytes.Count(c.Data, []byte{'\n'}) == records
}

// addHeaders puts the new headers behind those that records have.
func (t *Transcoder) addHeaders(b *Batch) {
	h := &b.Headers
	old, list, ends := h.List, t.list[:0], h.Ends
	from, next := 0, 0
	h.Ends = nil
	for i := range b.Len() {
		if len(ends) > 0 {
			list = append(list, old[from:ends[i]]...)
			from = int(ends[i])
		}
		for ; next < len(t.added) && t.added[next].at == i; next++ {
			start := len(h.data)
			h.data = append(h.data, t.added[next].value...)
			list = append(list, record.Header{Key: t.added[next].name, Value: h.data[start:len(h.data):len(h.data)]})
		}
		t.ends = append(t.ends, uint32(len(list)))
	}
	clear(old)
	h.List, t.list = list, old[:0]
	h.Ends, t.ends = t.ends, ends[:0]
}
