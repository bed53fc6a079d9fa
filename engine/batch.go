package engine

import (
	"math"
	"slices"
	"strconv"
	"sync/atomic"
)

// NoTimestamp stands for a record without timestamp in a batch that has some.
const NoTimestamp = math.MinInt64

// Batch is what crosses an edge: records of one source partition, in its
// order, in columns. Optional columns are empty when no record uses them.
//
// A batch has one owner at a time, or several readers that hold a reference
// each (Share) and must not change it. Whoever finishes with a batch calls
// Done once, when all that it caused is confirmed, and Release once, when its
// memory is no longer needed; after Done nothing but Release.
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
	// Failures says why, for each record. It is set on errors edges, and by
	// an input for bytes that are no record.
	Failures []Failure

	group  *AckGroup
	pool   *Pool
	parent *Batch       // whose memory the columns borrow; holds a reference
	refs   atomic.Int32 // readers of the memory
	owed   atomic.Int32 // Done calls that are still to come

	// decoded is what the batch was encoded from, see EncodedFrom.
	decoded     *Batch
	decodedRows []uint32
}

// NewBatch returns a batch outside any pool.
func NewBatch() *Batch {
	b := &Batch{}
	b.refs.Store(1)
	return b
}

// Len is the number of records.
func (b *Batch) Len() int { return len(b.Value.Spans) }

// Bytes is the size of the memory that keys and values take.
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

// Mark is a state of a batch that is being filled.
type Mark struct{ records, value, key, headers int }

// Mark returns the state for Rollback.
func (b *Batch) Mark() Mark {
	return Mark{b.Len(), len(b.Value.Data), len(b.Key.Data), len(b.Headers.List)}
}

// Rollback takes back what was appended since m.
func (b *Batch) Rollback(m Mark) {
	b.Value.Data, b.Key.Data = b.Value.Data[:m.value], b.Key.Data[:m.key]
	b.Headers.List = b.Headers.List[:m.headers]
	b.truncate(m.records)
}

func (b *Batch) truncate(n int) {
	b.Value.Spans = b.Value.Spans[:n]
	b.Key.Spans = b.Key.Spans[:min(n, len(b.Key.Spans))]
	b.Value.Encodings = b.Value.Encodings[:min(n, len(b.Value.Encodings))]
	b.Key.Encodings = b.Key.Encodings[:min(n, len(b.Key.Encodings))]
	b.Headers.Ends = b.Headers.Ends[:min(n, len(b.Headers.Ends))]
	b.Timestamps = b.Timestamps[:min(n, len(b.Timestamps))]
	b.Topics = b.Topics[:min(n, len(b.Topics))]
	b.Rows = b.Rows[:min(n, len(b.Rows))]
	b.Failures = b.Failures[:min(n, len(b.Failures))]
}

// Alone reports whether the caller, who holds a reference, holds the only
// one and so may change the batch.
func (b *Batch) Alone() bool { return b.refs.Load() == 1 }

// Compact removes all records but those numbered in kept, which ascends. The
// caller must be Alone. The bytes of the others stay as gaps.
func (b *Batch) Compact(kept []uint32) {
	if len(kept) == b.Len() {
		return
	}
	if len(b.Rows) == 0 {
		b.Rows = append(b.Rows, kept...)
	} else {
		pick(b.Rows, kept)
	}
	pick(b.Value.Spans, kept)
	pick(b.Key.Spans, kept)
	pick(b.Value.Encodings, kept)
	pick(b.Key.Encodings, kept)
	pick(b.Timestamps, kept)
	pick(b.Topics, kept)
	pick(b.Failures, kept)
	if len(b.Headers.Ends) > 0 {
		list := b.Headers.List[:0]
		for to, i := range kept {
			list = append(list, b.Headers.At(int(i))...)
			// At reads an end that was overwritten only while nothing has been
			// skipped yet, and then it is unchanged.
			b.Headers.Ends[to] = uint32(len(list))
		}
		b.Headers.List = list
	}
	b.truncate(len(kept))
}

func pick[T any](list []T, kept []uint32) {
	if len(list) == 0 {
		return
	}
	for to, i := range kept {
		list[to] = list[i]
	}
}

// Borrow makes the empty batch b show the records kept of p without copying
// their bytes: b holds a reference to p until it is released. b confirms
// nothing until Inherit.
func (b *Batch) Borrow(p *Batch, kept []uint32) {
	b.Attach(p)
	p.Retain(1)
	b.parent = p
	b.Value.borrow(&p.Value, kept)
	b.Key.borrow(&p.Key, kept)
	for _, i := range kept {
		b.Rows = append(b.Rows, p.row(int(i)))
	}
	b.Timestamps = gather(b.Timestamps, p.Timestamps, kept)
	b.Topics = gather(b.Topics, p.Topics, kept)
	b.Failures = gather(b.Failures, p.Failures, kept)
	if len(p.Headers.Ends) > 0 {
		for _, i := range kept {
			b.Headers.add(p.Headers.At(int(i)), false)
		}
	}
}

func gather[T any](dst, src []T, kept []uint32) []T {
	if len(src) == 0 {
		return dst
	}
	dst = slices.Grow(dst, len(kept))
	for _, i := range kept {
		dst = append(dst, src[i])
	}
	return dst
}

// Attach gives b the source of p, so that its records know where they come
// from. It is for working copies that never leave: b confirms nothing.
func (b *Batch) Attach(p *Batch) {
	b.group = p.group
	b.Value.Lines, b.Key.Lines = p.Value.Lines, p.Key.Lines
	b.Value.Encoding, b.Key.Encoding = p.Value.Encoding, p.Key.Encoding
}

// Inherit makes b a child of p: p's source partition is confirmed up to here
// only after b is Done, too. p must not be Done yet. Inherit changes no
// record of b.
func (b *Batch) Inherit(p *Batch) {
	b.group = p.group
	b.owed.Store(1)
	if b.group != nil {
		b.group.add(1)
	}
}

// Held keeps the source partition of a batch unconfirmed beyond the batch,
// whose records are gathered into one that comes later.
type Held struct {
	group *AckGroup
	last  int64 // offset of the record at which Hold was called
}

// Bytes is how many bytes of the source are in flight as long as it is held.
func (h Held) Bytes() int64 {
	if h.group == nil {
		return 0
	}
	return h.group.bytes
}

// Hold returns a handle for record i and all that came before it in b. b must
// not be Done yet. It must be given to Gather once.
func (b *Batch) Hold(i int) Held {
	if b.group == nil {
		return Held{last: b.Offset(i)}
	}
	b.group.add(1)
	return Held{group: b.group, last: b.Offset(i)}
}

// Gather makes b confirm all that is held, which is of one source partition
// and in its order: the watermark passes none of it before b is Done
// (Invariant 1). The records of b have the origin of the last one held. b
// must be empty or hold one record of row 0.
func (b *Batch) Gather(held []Held) {
	last := held[len(held)-1]
	g := &AckGroup{first: last.last}
	for _, h := range held {
		if h.group != nil {
			g.covers, g.source = append(g.covers, h.group), h.group.source
			g.bytes += h.group.bytes
		}
	}
	b.owed.Store(1)
	if g.covers == nil {
		b.group = nil
		return
	}
	g.pending.Store(1)
	b.group = g
}

// Share announces n more readers of b: each calls Done once and Release once.
func (b *Batch) Share(n int) {
	b.Retain(n)
	b.owed.Add(int32(n))
	if b.group != nil {
		b.group.add(int32(n))
	}
}

// Done says that everything that b caused at one reader is confirmed
// (Invariant 1). A Done too many is a bug that could confirm records that are
// not, so it panics.
func (b *Batch) Done() {
	if b.group == nil {
		return
	}
	if b.owed.Add(-1) < 0 {
		panic("engine: batch confirmed twice")
	}
	b.group.done()
}

// Retain adds n references to the memory of b.
func (b *Batch) Retain(n int) { b.refs.Add(int32(n)) }

// Release gives up one reference; the last one returns the batch to its pool.
func (b *Batch) Release() {
	switch n := b.refs.Add(-1); {
	case n > 0:
		return
	case n < 0:
		panic("engine: batch released twice")
	}
	parent := b.parent
	if b.pool != nil {
		b.pool.put(b)
	}
	if parent != nil {
		parent.Release()
	}
}

// Reset empties the batch, keeping its memory. It is for working copies;
// Release resets the batches of a pool.
func (b *Batch) Reset() {
	b.reset()
	b.refs.Store(1)
}

func (b *Batch) reset() {
	b.Value.reset()
	b.Key.reset()
	b.Headers.reset()
	clear(b.Topics)
	clear(b.Failures)
	b.Timestamps, b.Topics, b.Rows = b.Timestamps[:0], b.Topics[:0], b.Rows[:0]
	b.Failures = b.Failures[:0]
	b.group, b.parent = nil, nil
	b.decoded, b.decodedRows = nil, nil
	b.owed.Store(0)
}
