package engine

import (
	"bytes"
	"math"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

// Span is the range of one record in Column.Data.
type Span struct{ Start, End uint32 }

// NullSpan stands for a null (a tombstone's value, a record without a key).
var NullSpan = Span{Start: math.MaxUint32}

// Null reports whether the span stands for a null.
func (s Span) Null() bool { return s.Start > s.End }

// Len is the number of bytes of the record; 0 for a null.
func (s Span) Len() int {
	if s.Null() {
		return 0
	}
	return int(s.End - s.Start)
}

// Column holds the same part (value or key) of all records of a batch in one
// slab. Spans may leave gaps and, after a filter, skip whole records.
type Column struct {
	// Data may belong to another batch (Borrow): only the producer that fills
	// an empty batch appends to it.
	Data  []byte
	Spans []Span
	// Encoding of every record of the column; nil: not known, or all nulls.
	Encoding record.Encoding
	// Lines: no record holds a newline, and in Data exactly one newline
	// follows each record (Data[span.End] == '\n'). Outputs of lines then
	// write ranges of Data as they are. Whoever writes Data decides; false is
	// always safe.
	Lines bool

	// own keeps this batch's memory while Data is borrowed.
	own      []byte
	borrowed bool
}

// At returns the bytes of record i; nil for a null. An empty record is not nil.
func (c *Column) At(i int) []byte {
	s := c.Spans[i]
	if s.Null() {
		return nil
	}
	return c.Data[s.Start:s.End:s.End]
}

// Add appends a record's bytes, nil for a null, and a newline behind them.
func (c *Column) Add(p []byte) {
	if p == nil {
		c.Spans = append(c.Spans, NullSpan)
		return
	}
	start := len(c.Data)
	c.Data = append(c.Data, p...)
	c.close(start)
}

// Bytes is the size of all records, without gaps and newlines.
func (c *Column) Bytes() int64 {
	n := int64(0)
	for _, s := range c.Spans {
		n += int64(s.Len())
	}
	return n
}

// close makes what was appended to Data since start a record.
func (c *Column) close(start int) {
	c.Spans = append(c.Spans, Span{uint32(start), uint32(len(c.Data))})
	c.Data = append(c.Data, '\n')
}

// borrow makes c show the records kept of p, in p's memory.
func (c *Column) borrow(p *Column, kept []uint32) {
	c.own, c.borrowed = c.Data[:0], true
	c.Data, c.Encoding, c.Lines = p.Data, p.Encoding, p.Lines
	if len(p.Spans) == 0 {
		return
	}
	for _, i := range kept {
		c.Spans = append(c.Spans, p.Spans[i])
	}
}

// swap exchanges the records of c with those of spare, which gets memory that
// is c's own, never borrowed memory.
func (c *Column) swap(spare *Column) {
	free := c.Data
	if c.borrowed {
		free, c.own, c.borrowed = c.own, nil, false
	}
	c.Data, spare.Data = spare.Data, free[:0]
	c.Spans, spare.Spans = spare.Spans, c.Spans[:0]
}

func (c *Column) reset() {
	if c.borrowed {
		c.Data, c.own, c.borrowed = c.own, nil, false
	}
	if cap(c.Data) > 4*limits.BatchBytes {
		c.Data = nil // the memory of a giant record is not kept (Invariant 5)
	}
	c.Data, c.Spans, c.Encoding, c.Lines = c.Data[:0], c.Spans[:0], nil, false
}

// Headers holds the headers of all records of a batch, flat.
type Headers struct {
	List []record.Header
	// Ends[i] is where the headers of record i end in List.
	Ends []uint32

	// data holds the values that Append has copied. Values keep pointing to
	// the older memory when it grows.
	data []byte
}

// At returns the headers of record i; none when the column is unused.
func (h *Headers) At(i int) []record.Header {
	if len(h.Ends) == 0 {
		return nil
	}
	start := uint32(0)
	if i > 0 {
		start = h.Ends[i-1]
	}
	return h.List[start:h.Ends[i]:h.Ends[i]]
}

// add appends the headers of one record, copying values if asked to.
func (h *Headers) add(hs []record.Header, copied bool) {
	for _, x := range hs {
		if copied && x.Value != nil {
			start := len(h.data)
			h.data = append(h.data, x.Value...)
			x.Value = h.data[start:len(h.data):len(h.data)]
			if x.Value == nil {
				x.Value = []byte{} // empty is not null
			}
		}
		h.List = append(h.List, x)
	}
	h.Ends = append(h.Ends, uint32(len(h.List)))
}

func (h *Headers) reset() {
	clear(h.List)
	h.List, h.Ends, h.data = h.List[:0], h.Ends[:0], h.data[:0]
	if cap(h.data) > limits.HeaderBytes {
		h.data = nil
	}
}

// Transcoder converts the keys and values of batches with the working copies
// of converters. It keeps memory between batches and belongs to one goroutine.
type Transcoder struct {
	// Value and Key convert; nil leaves the column as it is.
	Value, Key Transcode
	// ValueTo and KeyTo are the encodings of the results.
	ValueTo, KeyTo record.Encoding

	value, key Column
	kept       []uint32
}

// Run converts all records of b, which must have this one owner. fail is
// called for each record that a converter refuses, while b is still unchanged;
// afterwards those records are gone from b. Run returns the numbers that the
// remaining ones had, nil when none is gone, valid until the next Run.
func (t *Transcoder) Run(b *Batch, fail func(i int, reason error)) []uint32 {
	n := b.Len()
	t.kept = t.kept[:0]
	doKey := t.Key != nil && len(b.Key.Spans) > 0
	t.value.reset()
	t.key.reset()
	for i := range n {
		if err := t.one(b, i, doKey); err != nil {
			fail(i, err)
			continue
		}
		t.kept = append(t.kept, uint32(i))
	}
	if t.Value != nil {
		t.finish(&b.Value, &t.value, t.ValueTo)
	}
	if doKey {
		t.finish(&b.Key, &t.key, t.KeyTo)
	}
	if len(t.kept) == n {
		return nil
	}
	b.Compact(t.kept)
	return t.kept
}

// one converts record i into the spare columns, or leaves nulls there.
func (t *Transcoder) one(b *Batch, i int, doKey bool) (err error) {
	vn := len(t.value.Data)
	if t.Value != nil {
		err = t.value.transcode(t.Value, b.Value.At(i))
	}
	if doKey {
		if err == nil {
			if err = t.key.transcode(t.Key, b.Key.At(i)); err != nil && t.Value != nil {
				t.value.Data, t.value.Spans[i] = t.value.Data[:vn], NullSpan
			}
		} else {
			t.key.Spans = append(t.key.Spans, NullSpan)
		}
	}
	return err
}

func (c *Column) transcode(t Transcode, src []byte) error {
	if c.Data == nil {
		c.Data = make([]byte, 0, limits.BatchBytes)
	}
	start := len(c.Data)
	out, err := t(c.Data, src)
	if err != nil || out == nil {
		c.Data = c.Data[:start]
		c.Spans = append(c.Spans, NullSpan)
		return err
	}
	c.Data = out
	c.close(start)
	return nil
}

func (t *Transcoder) finish(c, spare *Column, to record.Encoding) {
	records := 0
	for _, s := range spare.Spans {
		if !s.Null() {
			records++
		}
	}
	c.swap(spare)
	c.Encoding = to
	c.Lines = bytes.Count(c.Data, []byte{'\n'}) == records
}
