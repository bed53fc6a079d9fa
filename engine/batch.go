package engine

import (
	"context"
	"math"
	"strconv"
	"sync/atomic"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

// Span is the range of one record in Column.Data.
type Span struct{ Start, End uint32 }

// NullSpan stands for a null (a tombstone's value, a record without a key).
var NullSpan = Span{Start: math.MaxUint32}

// Null reports whether the span stands for a null.
func (s Span) Null() bool { return s.Start > s.End }

// NoTimestamp stands for a record without timestamp in a batch that has some.
const NoTimestamp = math.MinInt64

// Column holds the same part (value or key) of all records of a batch in one
// slab. Spans may leave gaps and, after a filter, skip whole records.
type Column struct {
	Data  []byte
	Spans []Span
	// Encoding of every record of the column.
	Encoding record.Encoding
	// Lines: no record holds a newline, and in Data exactly one newline
	// follows each record (Data[span.End] == '\n'). Outputs of lines then
	// write ranges of Data as they are. Whoever writes Data decides; false is
	// always safe.
	Lines bool
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

// close makes what was appended to Data since start a record.
func (c *Column) close(start int) {
	c.Spans = append(c.Spans, Span{uint32(start), uint32(len(c.Data))})
	c.Data = append(c.Data, '\n')
}

func (c *Column) reset() {
	if cap(c.Data) > 4*limits.BatchBytes {
		c.Data = make([]byte, 0, limits.BatchBytes) // a giant record's slab is not kept
	}
	c.Data, c.Spans, c.Encoding, c.Lines = c.Data[:0], c.Spans[:0], nil, false
}

// Headers holds the headers of all records of a batch, flat.
type Headers struct {
	List []record.Header
	// Ends[i] is where the headers of record i end in List.
	Ends []uint32
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

// Failure says why a record is on an errors edge.
type Failure struct {
	// Reason is the error of the record.
	Reason error
	// Element is the address of the element that refused it: processor.map.shape.
	Element string
	// Origin names the record at its source: orders.jsonl@10342, orders/3/991.
	Origin string
}

// Batch is what crosses an edge: records of one source partition, in its
// order, in columns. Optional columns are empty when no record uses them.
//
// A batch has one owner at a time. Readers that share one (fan-out) hold a
// reference each (Retain, Release) and must not change it. Whoever finishes
// with a batch calls Done once, when all that it caused is confirmed, and
// Release once, when its memory is no longer needed.
type Batch struct {
	Value   Column
	Key     Column  // Spans empty: no record has a key
	Headers Headers // Ends empty: no record has headers
	// Timestamps in nanoseconds since 1970 UTC; empty: no record has one.
	Timestamps []int64
	// Topics holds each record's topic where a processor has set it; empty:
	// all have the source's.
	Topics []string
	// Rows is each record's number in the input batch that it came from;
	// empty: record i is row i. It names the origin of a record after
	// filters and splits.
	Rows []uint32
	// Failures is set on errors edges only, one for each record.
	Failures []Failure

	// Seq numbers the batches of an edge, for the sequencer of a stage.
	Seq uint64

	group *AckGroup
	pool  *Pool
	refs  atomic.Int32
}

// Len is the number of records.
func (b *Batch) Len() int { return len(b.Value.Spans) }

// Bytes is the size of keys and values.
func (b *Batch) Bytes() int64 { return int64(len(b.Value.Data) + len(b.Key.Data)) }

// Source returns the source partition of the records; nil outside a pipeline.
func (b *Batch) Source() *Source {
	if b.group == nil {
		return nil
	}
	return b.group.source
}

func (b *Batch) row(i int) uint32 {
	if len(b.Rows) == 0 {
		return uint32(i)
	}
	return b.Rows[i]
}

// Offset is the source offset of record i.
func (b *Batch) Offset(i int) int64 {
	if b.group == nil {
		return int64(b.row(i))
	}
	return b.group.offset(b.row(i))
}

// Origin names record i at its source, for people: orders.jsonl@10342.
func (b *Batch) Origin(i int) string {
	if b.group == nil {
		return "#" + strconv.Itoa(int(b.row(i)))
	}
	info := &b.group.source.info
	return info.ID + info.OffsetSeparator + strconv.FormatInt(b.Offset(i), 10)
}

// Topic is the topic of record i.
func (b *Batch) Topic(i int) string {
	if len(b.Topics) > 0 {
		return b.Topics[i]
	}
	if b.group == nil {
		return ""
	}
	return b.group.source.info.Topic
}

// Load points r at record i. r is valid until the batch is released.
func (b *Batch) Load(i int, r *record.Record) {
	r.Value.Reset(b.Value.Encoding, b.Value.At(i))
	if len(b.Key.Spans) > 0 {
		r.Key.Reset(b.Key.Encoding, b.Key.At(i))
	} else {
		r.Key.Reset(record.Text, nil)
	}
	r.ResetHeaders(b.Headers.At(i))
	r.Row = b.row(i)
	r.Topic = b.Topic(i)
	r.HasTimestamp = len(b.Timestamps) > 0 && b.Timestamps[i] != NoTimestamp
	if r.HasTimestamp {
		r.Timestamp = b.Timestamps[i]
	}
	if b.group != nil {
		info := &b.group.source.info
		r.Partition, r.Meta = info.Partition, info.Meta
		r.Offset = b.group.offset(r.Row)
	}
}

// Inherit makes b a child of p: of the same ack group and source. The child
// counts only once the sender has called p.Expect for it.
func (b *Batch) Inherit(p *Batch) {
	b.group = p.group
	b.Seq = p.Seq
	b.Value.Lines = p.Value.Lines
}

// Expect announces n more batches of b's ack group, each of which will call
// Done. Call it before the first of them is sent, while b is not Done.
func (b *Batch) Expect(n int) {
	if b.group != nil && n > 0 {
		b.group.add(int32(n))
	}
}

// Done says that everything that b caused is confirmed (Invariant 1).
func (b *Batch) Done() {
	if b.group != nil {
		g := b.group
		b.group = nil
		g.done()
	}
}

// Append stores what r has become as the next record. It returns false, and
// stores nothing, when r does not fit this batch, because the batch is full
// or r has another encoding: the caller goes on with a fresh batch. An error
// is an error of the record; nothing is stored then either.
func (b *Batch) Append(r *record.Record) (bool, error) {
	n := b.Len()
	if n > 0 && (len(b.Value.Data) >= 2*limits.BatchBytes || len(b.Key.Data) >= 2*limits.BatchBytes) {
		return false, nil
	}
	if !fits(&b.Value, r.Value) || !fits(&b.Key, r.Key) {
		return false, nil
	}
	if err := b.appendDoc(&b.Value, r.Value); err != nil {
		return false, err
	}
	if len(b.Key.Spans) > 0 || !r.Key.IsNull() {
		for len(b.Key.Spans) < n {
			b.Key.Spans = append(b.Key.Spans, NullSpan)
		}
		if err := b.appendDoc(&b.Key, r.Key); err != nil {
			b.Value.Spans = b.Value.Spans[:n]
			return false, err
		}
	}
	b.appendMeta(n, r)
	return true, nil
}

// fits reports whether d's encoding is the column's, which the first record
// that is not null decides.
func fits(c *Column, d *record.Doc) bool {
	if d.IsNull() {
		return true
	}
	enc := d.Encoding()
	if c.Encoding == nil {
		c.Encoding = enc
		if enc != record.JSON {
			c.Lines = false
		}
	}
	return c.Encoding == enc
}

func (b *Batch) appendDoc(c *Column, d *record.Doc) error {
	if d.IsNull() {
		c.Spans = append(c.Spans, NullSpan)
		return nil
	}
	start := len(c.Data)
	data, err := d.AppendTo(c.Data)
	if err != nil {
		c.Data = c.Data[:start]
		return err
	}
	c.Data = data
	c.close(start)
	return nil
}

// appendMeta stores headers, timestamp, topic and row of record n.
func (b *Batch) appendMeta(n int, r *record.Record) {
	b.Rows = append(b.Rows, r.Row)
	if hs := r.Headers(); len(hs) > 0 || len(b.Headers.Ends) > 0 {
		for len(b.Headers.Ends) < n {
			b.Headers.Ends = append(b.Headers.Ends, uint32(len(b.Headers.List)))
		}
		// Header values may be ranges of the source batch: they are copied.
		for _, h := range hs {
			b.Headers.List = append(b.Headers.List, record.Header{Key: h.Key, Value: append([]byte(nil), h.Value...)})
		}
		b.Headers.Ends = append(b.Headers.Ends, uint32(len(b.Headers.List)))
	}
	if r.HasTimestamp || len(b.Timestamps) > 0 {
		for len(b.Timestamps) < n {
			b.Timestamps = append(b.Timestamps, NoTimestamp)
		}
		ts := int64(NoTimestamp)
		if r.HasTimestamp {
			ts = r.Timestamp
		}
		b.Timestamps = append(b.Timestamps, ts)
	}
	source := ""
	if b.group != nil {
		source = b.group.source.info.Topic
	}
	if r.Topic != source || len(b.Topics) > 0 {
		for len(b.Topics) < n {
			b.Topics = append(b.Topics, source)
		}
		b.Topics = append(b.Topics, r.Topic)
	}
}

// Retain adds n references, for n more readers.
func (b *Batch) Retain(n int) { b.refs.Add(int32(n)) }

// Release gives up one reference; the last one returns the batch to its pool.
func (b *Batch) Release() {
	if b.refs.Add(-1) > 0 {
		return
	}
	if b.pool != nil {
		b.pool.put(b)
	}
}

// Reset empties the batch, keeping its memory.
func (b *Batch) Reset() {
	b.Value.reset()
	b.Key.reset()
	clear(b.Headers.List)
	b.Headers.List, b.Headers.Ends = b.Headers.List[:0], b.Headers.Ends[:0]
	b.Timestamps, b.Topics, b.Rows = b.Timestamps[:0], b.Topics[:0], b.Rows[:0]
	clear(b.Failures)
	b.Failures = b.Failures[:0]
	b.group, b.Seq = nil, 0
	b.refs.Store(1)
}

// NewBatch returns a batch outside any pool, for tests and tools.
func NewBatch() *Batch {
	b := &Batch{}
	b.Value.Data = make([]byte, 0, 4096)
	b.refs.Store(1)
	return b
}

// Pool is the free list of one producer of batches. It makes up to size
// batches and then blocks, which bounds memory and is the back-pressure
// (Invariant 5). Get and Release may be called by any goroutine.
type Pool struct {
	free chan *Batch
	made atomic.Int32
	size int32
}

// NewPool returns an empty pool of at most size batches.
func NewPool(size int) *Pool {
	return &Pool{free: make(chan *Batch, size), size: int32(size)}
}

// Get takes an empty batch, waiting for a Release when all are in use.
func (p *Pool) Get(ctx context.Context) (*Batch, error) {
	select {
	case b := <-p.free:
		return b, nil
	default:
	}
	if p.made.Add(1) <= p.size {
		b := &Batch{pool: p}
		b.Value.Data = make([]byte, 0, limits.BatchBytes+4096)
		b.refs.Store(1)
		return b, nil
	}
	p.made.Add(-1)
	select {
	case b := <-p.free:
		return b, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (p *Pool) put(b *Batch) {
	b.Reset()
	p.free <- b // never blocks: at most size batches exist
}
