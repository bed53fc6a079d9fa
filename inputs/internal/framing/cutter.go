// Package framing cuts byte streams into records and batches, for the inputs
// that read files and pipes. It does no I/O and starts nothing.
package framing

import (
	"regexp"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/csvrow"
)

// Format is how a stream divides into records.
type Format uint8

// The formats.
const (
	// Lines: a record ends before a newline.
	Lines Format = iota
	// Multiline: a record is a line that matches Options.Start and all that
	// follow up to the next such line, without the last newline.
	Multiline
	// CSV: a row becomes a JSON object.
	CSV
	// Whole: the stream is one record, also when it is empty.
	Whole
)

// Options say how to cut.
type Options struct {
	Format Format
	// StripCR drops a carriage return before the newline (Lines).
	StripCR bool
	// Start and MaxLines belong to Multiline. After MaxLines a record ends
	// whatever follows.
	Start    *regexp.Regexp
	MaxLines int
	// CSV settings. Columns stands in for the names that the header gives,
	// or is the only source of names when there is no Header.
	Dialect csvrow.Dialect
	Header  bool
	Columns []string
	Types   map[string]csvrow.Type
	Nulls   []string

	// MaxRecord is the size in bytes of the largest record that is taken.
	MaxRecord int
	// Records and Bytes bound a batch.
	Records, Bytes int
}

// Batch is what Finish says of a batch of records, for engine.Source.Begin.
type Batch struct {
	// First is the offset of the first record, End that behind the last one
	// and its newline.
	First, End int64
	// Rows is the distance of each record from First; valid until the next
	// batch is begun.
	Rows []uint32
	// Err, if not nil, says why the only record of the batch is none: its
	// bytes, or their beginning, are there for the errors edge.
	Err error
}

const (
	firstRead    = 64 << 10 // when nothing is known of the size of records
	smallestRead = 4 << 10
	skipRead     = 256 << 10
	// keptBytes is how much of a record over the limit goes to the errors edge.
	keptBytes = 4 << 10
)

// Cutter cuts one stream. Its user takes an empty batch, and then calls in
// turn Begin, any number of times Space and Wrote until Full, perhaps End or
// Flush, and Finish or Abandon. One goroutine uses it at a time.
//
// Lines are read into the batch's own slab and never copied, except the piece
// of the last line that belongs to the next batch. To keep that piece small,
// Space offers about as many bytes as the records of a batch have taken lately.
type Cutter struct {
	o      Options
	batch  *engine.Batch
	finder *csvrow.Finder
	parser *csvrow.Parser

	// raw holds the stream from offset base on, in the batch's slab; for CSV
	// in memory of its own. Up to rest it has been cut; up to scan it has been searched for the
	// end of the record that begins at rest.
	raw        []byte
	base       int64
	rest, scan int
	lines      int  // whole lines between rest and scan (Multiline)
	ended      bool // End was called
	taken      bool // Whole: the record has been made
	padded     bool // raw ends with a newline that the stream does not have
	full       bool
	stripped   bool // a record of the batch lost its carriage return

	carry []byte // raw from rest on, between batches; CSV keeps raw itself
	rows  []uint32
	err   error // of the batch's only record
	end   int64 // with err: where the stream goes on

	// A record over the limit is skipped, without being held.
	skipping  bool
	skipFrom  int64 // its offset; CSV uses it for every batch's first record
	skipErr   error
	head      []byte // its first bytes
	average   int    // bytes a record takes
	columns   *csvrow.Columns
	badHeader error
	header    bool // the header has not been read yet
}

// New returns a Cutter for a stream whose next byte has the given offset.
// A CSV header is expected only at offset 0.
func New(o Options, offset int64) *Cutter {
	c := &Cutter{o: o, base: offset}
	if o.Format == CSV {
		c.finder, c.parser = csvrow.NewFinder(o.Dialect), csvrow.NewParser(o.Dialect)
		c.header = o.Header && offset == 0
		if len(o.Columns) > 0 {
			c.columns, c.badHeader = csvrow.NewColumns(o.Columns, o.Types, o.Nulls)
		}
	}
	return c
}

// Begin starts a batch with what is left of the stream so far.
func (c *Cutter) Begin(b *engine.Batch) {
	c.batch, c.full, c.err, c.stripped = b, false, nil, false
	c.rows = c.rows[:0]
	if c.o.Format == CSV {
		b.Value.Encoding = record.JSON
		c.shift()
	} else {
		c.raw = append(b.Value.Data[:0], c.carry...)
		c.carry = c.carry[:0]
	}
	if cap(c.carry) > 4*limits.BatchBytes {
		c.carry = nil // a giant record's memory is not kept
	}
	c.cut()
}

// shift moves what is not cut yet to the front of raw.
func (c *Cutter) shift() {
	if c.rest > 0 {
		n := copy(c.raw, c.raw[c.rest:])
		c.base += int64(c.rest)
		c.raw, c.scan, c.rest = c.raw[:n], c.scan-c.rest, 0
	}
	if cap(c.raw) > 4*limits.BatchBytes && len(c.raw) <= limits.BatchBytes {
		c.raw = append(make([]byte, 0, 2*limits.BatchBytes), c.raw...)
	}
}

// Full reports that the batch takes no more: Finish is due.
func (c *Cutter) Full() bool { return c.full }

// Empty reports that the batch holds no record yet.
func (c *Cutter) Empty() bool { return len(c.batch.Value.Spans) == 0 && c.err == nil }

// Pending is the number of bytes that belong to no complete record yet. While
// a record over the limit is skipped it is 1 at least.
func (c *Cutter) Pending() int {
	n := len(c.raw) - c.rest
	if c.batch == nil && c.o.Format != CSV {
		n = len(c.carry)
	}
	if c.skipping {
		n++
	}
	return n
}

// Offset is where the stream stands: behind the last byte that was written.
func (c *Cutter) Offset() int64 {
	if c.batch == nil && c.o.Format != CSV {
		return c.base + int64(len(c.carry))
	}
	return c.base + int64(len(c.raw))
}

// Next is the offset of the first byte that belongs to no finished record:
// where another Cutter would go on. It is asked between batches.
func (c *Cutter) Next() int64 {
	if c.skipping {
		return c.skipFrom
	}
	return c.base + int64(c.rest)
}

// Space returns room for the next bytes of the stream, of a size that fits
// what the batch still lacks. It is valid until the next call of any method.
func (c *Cutter) Space() []byte {
	if c.skipping {
		c.grow(skipRead)
		return c.raw[len(c.raw):cap(c.raw)]
	}
	if c.o.Format == CSV {
		c.shift()
	}
	want := firstRead
	if c.average > 0 {
		want = c.average*(c.o.Records-len(c.batch.Value.Spans)) + c.average + 256
	}
	if left := c.o.Bytes - len(c.raw); want > left {
		want = left
	}
	// A record that fills the batch alone takes as much again each time.
	want = max(want, c.smallest(), len(c.raw)-c.rest)
	want = min(want, c.o.MaxRecord+smallestRead)
	c.grow(want)
	return c.raw[len(c.raw) : len(c.raw)+want]
}

// smallest is the size below which a read is not worth its call.
func (c *Cutter) smallest() int { return min(smallestRead, c.o.Bytes) }

// grow makes room for n more bytes, and one for a newline behind the last line.
func (c *Cutter) grow(n int) {
	if cap(c.raw)-len(c.raw) > n {
		return
	}
	grown := make([]byte, len(c.raw), max(len(c.raw)+n+1, min(2*cap(c.raw), c.o.MaxRecord+2*smallestRead)))
	copy(grown, c.raw)
	c.raw = grown
}

// Wrote says that n bytes of the stream stand in what Space returned.
func (c *Cutter) Wrote(n int) {
	c.raw = c.raw[:len(c.raw)+n]
	c.cut()
}

// End says that no more bytes come: what is left is the last record.
func (c *Cutter) End() {
	c.ended = true
	c.cut()
}

// Flush makes a record of what is there, as if the stream ended: of whole
// lines only, or also of the piece of a line. The stream then goes on.
func (c *Cutter) Flush(partial bool) {
	if c.full || c.skipping || c.rest == len(c.raw) {
		return
	}
	switch {
	case partial:
		c.ended = true
		c.cut()
		c.ended = false
	case c.o.Format == Multiline && c.lines > 0:
		c.record(c.scan-1, c.scan)
	}
}

// cut makes records of what is in raw until the batch is full.
func (c *Cutter) cut() {
	if c.skipping && !c.skip() {
		return
	}
	if c.full {
		return
	}
	switch c.o.Format {
	case Lines:
		c.cutLines()
	case Multiline:
		c.cutMultiline()
	case CSV:
		c.cutRows()
	case Whole:
		c.scan = len(c.raw)
	}
	if c.full {
		return
	}
	open := c.rest // where the piece begins that no newline ends
	if c.o.Format == Multiline {
		open = c.scan
	}
	switch {
	case len(c.raw)-open > c.o.MaxRecord:
		c.tooLong()
	case c.ended && !c.padded && (c.rest < len(c.raw) || c.o.Format == Whole && !c.taken):
		c.last()
	}
}

// cutLines is the hot path: no call and no copy for a record.
func (c *Cutter) cutLines() {
	raw, rest, scan := c.raw, c.rest, c.scan
	spans := c.batch.Value.Spans
	room := c.o.Records
	for len(spans) < room {
		n := indexNewline(raw[scan:])
		if n < 0 {
			scan = len(raw)
			break
		}
		end := scan + n
		if end-rest > c.o.MaxRecord {
			scan = end
			break
		}
		start := rest
		rest, scan = end+1, end+1
		if c.o.StripCR && end > start && raw[end-1] == '\r' {
			end--
			c.stripped = true
		}
		spans = append(spans, engine.Span{Start: uint32(start), End: uint32(end)})
	}
	c.batch.Value.Spans, c.rest, c.scan = spans, rest, scan
	// A read smaller than smallest is not worth its call.
	c.full = len(spans) >= room || len(spans) > 0 && len(raw)+c.smallest() > c.o.Bytes
}

// record makes raw[rest:end] a record; the next one begins at next.
func (c *Cutter) record(end, next int) {
	if c.o.StripCR && c.o.Format == Lines && end > c.rest && c.raw[end-1] == '\r' {
		end--
		c.stripped = true
	}
	c.batch.Value.Spans = append(c.batch.Value.Spans, engine.Span{Start: uint32(c.rest), End: uint32(end)})
	c.rest, c.scan, c.lines = next, next, 0
	c.full = len(c.batch.Value.Spans) >= c.o.Records || next >= c.o.Bytes
}

// last makes the rest of an ended stream a record.
func (c *Cutter) last() {
	c.taken = true
	if c.o.Format == CSV {
		c.row(len(c.raw))
		return
	}
	end, next := len(c.raw), len(c.raw)
	if c.o.Format == Multiline && c.raw[end-1] == '\n' {
		c.record(end-1, next)
		return
	}
	// The newline that the stream lacks keeps the promise of Column.Lines.
	c.raw = append(c.raw, '\n')
	c.padded = true
	c.record(end, next+1)
}

// Finish seals the batch. It must not be Empty.
func (c *Cutter) Finish() Batch {
	b := c.batch
	c.batch = nil
	var r Batch
	switch {
	case c.err != nil:
		r = Batch{First: c.skipFrom, End: c.end, Rows: c.rows, Err: c.err}
		b.Value.Encoding = record.Opaque
		if c.o.Format != CSV {
			b.Value.Data = c.raw
			c.raw, c.rest, c.scan = nil, 0, 0
		}
		if cap(c.head) > skipRead {
			c.head = nil
		}
		return r
	case c.o.Format == CSV:
		r = Batch{First: c.skipFrom, End: c.base + int64(c.rest), Rows: c.rows}
		c.average = int(r.End-r.First)/len(c.rows) + 1
		b.Value.Lines = true
		return r
	}
	for _, s := range b.Value.Spans {
		c.rows = append(c.rows, s.Start)
	}
	c.average = c.rest/len(b.Value.Spans) + 1
	r = Batch{First: c.base, End: c.base + int64(c.rest), Rows: c.rows}
	if c.padded {
		r.End--
		c.padded = false
	}
	b.Value.Encoding = record.Opaque
	b.Value.Lines = c.o.Format == Lines && !c.stripped
	c.leave(b)
	c.base = r.End
	return r
}

// Abandon gives back the batch, which must be Empty, and keeps what the
// stream brought for the next one.
func (c *Cutter) Abandon() {
	b := c.batch
	c.batch = nil
	if c.o.Format != CSV {
		c.leave(b)
	}
}

// leave moves what is not cut yet from the slab to carry.
func (c *Cutter) leave(b *engine.Batch) {
	c.carry = append(c.carry[:0], c.raw[c.rest:]...)
	b.Value.Data = c.raw[:c.rest]
	c.scan -= c.rest
	c.raw, c.rest = nil, 0
}
