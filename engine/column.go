package engine

import (
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
	// Encodings is each record's encoding in a column that mixes several, such
	// as the versions of one schema; empty: all have Encoding. What stands for
	// a null means nothing. Read it with EncodingOf.
	Encodings []record.Encoding
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

// EncodingOf returns the encoding of record i; nil as of Encoding.
func (c *Column) EncodingOf(i int) record.Encoding {
	if len(c.Encodings) > 0 {
		return c.Encodings[i]
	}
	return c.Encoding
}

// note says that the last record, which is not null, has the encoding enc.
func (c *Column) note(enc record.Encoding, first bool) {
	n := len(c.Spans)
	switch {
	case first:
		c.Encoding, c.Encodings = enc, c.Encodings[:0]
	case len(c.Encodings) > 0 || c.Encoding != enc:
		from := c.Encoding
		for len(c.Encodings) < n {
			c.Encodings = append(c.Encodings, from)
		}
		c.Encodings[n-1] = enc
	}
}

// Add appends a record's bytes, nil for a null, and a newline behind them.
func (c *Column) Add(p []byte) {
	if p == nil {
		c.null()
		return
	}
	start := len(c.Data)
	c.Data = append(c.Data, p...)
	c.close(start)
}

// null adds a null.
func (c *Column) null() {
	c.Spans = append(c.Spans, NullSpan)
	if len(c.Encodings) > 0 {
		c.Encodings = append(c.Encodings, nil)
	}
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
	c.Encodings = gather(c.Encodings[:0], p.Encodings, kept)
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
	c.Encoding = spare.Encoding
	c.Encodings, spare.Encodings = spare.Encodings, c.Encodings[:0]
}

func (c *Column) reset() {
	if c.borrowed {
		c.Data, c.own, c.borrowed = c.own, nil, false
	}
	if cap(c.Data) > 4*limits.BatchBytes {
		c.Data = nil // the memory of a giant record is not kept (Invariant 5)
	}
	c.Data, c.Spans, c.Encoding, c.Lines = c.Data[:0], c.Spans[:0], nil, false
	clear(c.Encodings)
	c.Encodings = c.Encodings[:0]
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
