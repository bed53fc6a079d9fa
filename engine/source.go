package engine

import (
	"sync"
	"sync/atomic"
)

// Position is where a source partition stands: everything before it has been
// read. Its fields mean what the input says; the engine stores and returns
// them.
type Position struct {
	// Offset of the next record: a Kafka offset, a byte position in a file.
	Offset int64 `json:"offset"`
	// Epoch is the leader epoch of a Kafka partition.
	Epoch int32 `json:"epoch,omitempty"`
	// State is what else the input needs to go on, opaque text.
	State string `json:"state,omitempty"`
}

// SourceInfo identifies a source partition: what has an order and a position
// of its own (a file, a topic's partition).
type SourceInfo struct {
	// ID is the identity under which the position is stored, unique within
	// the input: "orders/3", "in.jsonl".
	ID string
	// Topic and Partition are what expressions see; Topic is empty and
	// Partition 0 where the source has no such thing.
	Topic     string
	Partition int32
	// Meta is what expressions see as meta; never changed afterwards.
	Meta map[string]string
	// OffsetSeparator joins ID and offset in the origin of a record: "@" for
	// bytes of a file, "/" for a topic. Empty means "@".
	OffsetSeparator string
}

// Source follows one source partition: it hands out an ack group for each
// batch that is read and knows up to which position everything is confirmed.
// All methods may be called by any goroutine.
type Source struct {
	info     SourceInfo
	notify   func(*Source)     // a watermark moved; called without mu
	release  func(bytes int64) // a group ended; called without mu
	late     atomic.Uint64
	inFlight atomic.Int64 // records

	// mu guards all below. Nothing is called while it is held.
	mu        sync.Mutex
	ring      []ringSlot // power of two; slot of seq n is ring[n&(len-1)]
	head      uint64     // oldest group that is not confirmed
	tail      uint64     // next seq
	watermark Position
	moved     bool // watermark is valid
	held      bool // Confirmed tells safe, not watermark
	safe      Position
	isSafe    bool // safe is valid
	revoked   bool
	free      []*AckGroup
}

type ringSlot struct {
	end  Position
	done bool
}

// NewSource returns a source partition. notify is called whenever the
// watermark has moved, release with the bytes of each group that ended; both
// may be nil, must not block and must not call the Source.
func NewSource(info SourceInfo, notify func(*Source), release func(int64)) *Source {
	if info.OffsetSeparator == "" {
		info.OffsetSeparator = "@"
	}
	return &Source{info: info, notify: notify, release: release, ring: make([]ringSlot, 16)}
}

// Info returns what the source was made with.
func (s *Source) Info() SourceInfo { return s.info }

// Begin starts the ack group of a batch, which must be sealed in the order in
// which it was read. end is the position behind its last record, first the
// offset of its first record, and rows the distance of each record's offset
// from first; nil rows mean consecutive offsets. rows is copied.
func (s *Source) Begin(b *Batch, end Position, first int64, rows []uint32) {
	s.mu.Lock()
	var g *AckGroup
	if n := len(s.free); n > 0 {
		g, s.free = s.free[n-1], s.free[:n-1]
	} else {
		g = &AckGroup{source: s}
	}
	if s.tail-s.head == uint64(len(s.ring)) {
		s.grow()
	}
	g.seq = s.tail
	s.ring[g.seq&uint64(len(s.ring)-1)] = ringSlot{end: end}
	s.tail++
	s.mu.Unlock()

	g.first = first
	g.rows = append(g.rows[:0], rows...)
	g.bytes = b.Bytes()
	g.records = b.Len()
	g.pending.Store(1)
	s.inFlight.Add(int64(g.records))
	b.group = g
	b.owed.Store(1)
}

// Advance moves the source to end, behind all that has begun, without a record:
// a file has got another name, say. It takes nothing of the bytes in flight, as
// a batch that the input confirms by itself would seem to.
func (s *Source) Advance(end Position) {
	s.mu.Lock()
	if s.tail-s.head == uint64(len(s.ring)) {
		s.grow()
	}
	s.ring[s.tail&uint64(len(s.ring)-1)] = ringSlot{end: end, done: true}
	s.tail++
	moved := s.proceed()
	s.mu.Unlock()
	if moved && s.notify != nil {
		s.notify(s)
	}
}

// proceed moves the watermark to the end of the longest confirmed prefix
// (Invariant 2), not to the highest confirmed group, and reports whether it
// has moved. mu is held.
func (s *Source) proceed() (moved bool) {
	for s.head != s.tail && s.ring[s.head&uint64(len(s.ring)-1)].done {
		slot := &s.ring[s.head&uint64(len(s.ring)-1)]
		if !s.revoked {
			s.watermark, s.moved, moved = slot.end, true, true
		}
		*slot = ringSlot{}
		s.head++
	}
	return moved
}

// grow doubles the ring. mu is held.
func (s *Source) grow() {
	ring := make([]ringSlot, 2*len(s.ring))
	for n := s.head; n != s.tail; n++ {
		ring[n&uint64(len(ring)-1)] = s.ring[n&uint64(len(s.ring)-1)]
	}
	s.ring = ring
}

// Confirmed returns the position up to which everything is confirmed, and
// false while nothing is. It is what may be stored.
func (s *Source) Confirmed() (Position, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.storable()
}

// storable needs mu.
func (s *Source) storable() (Position, bool) {
	if s.held {
		return s.safe, s.isSafe
	}
	return s.watermark, s.moved
}

// Hold makes Confirmed and Revoke tell only what Durable has let through: an
// output (Syncer) must sync before a position may be stored.
func (s *Source) Hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = true
}

// Watermark returns the position up to which everything is confirmed, held
// back or not.
func (s *Source) Watermark() (Position, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watermark, s.moved
}

// Durable lets a watermark through that was taken before a sync that worked.
func (s *Source) Durable(p Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.safe, s.isSafe = p, true
}

// Revoke ends the source: what is confirmed from now on no longer moves the
// watermark, since another worker may own the partition (Invariant 2). It
// returns the last confirmed position, which the input may still commit.
func (s *Source) Revoke() (Position, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoked = true
	return s.storable()
}

// Revoked reports whether Revoke was called.
func (s *Source) Revoked() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revoked
}

// Idle reports whether no batch is in flight.
func (s *Source) Idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.head == s.tail
}

// InFlight is the number of records that are read and not confirmed.
func (s *Source) InFlight() int64 { return s.inFlight.Load() }

// Late is how many groups were confirmed after Revoke.
func (s *Source) Late() uint64 { return s.late.Load() }

// done confirms group g and recycles it.
func (s *Source) done(g *AckGroup) {
	bytes := g.bytes
	s.inFlight.Add(-int64(g.records))
	s.mu.Lock()
	if i := g.seq - s.head; i >= s.tail-s.head || s.ring[g.seq&uint64(len(s.ring)-1)].done {
		s.mu.Unlock()
		panic("engine: ack group confirmed twice")
	}
	s.ring[g.seq&uint64(len(s.ring)-1)].done = true
	moved := s.proceed()
	if s.revoked {
		s.late.Add(1)
	}
	s.free = append(s.free, g)
	s.mu.Unlock()
	if s.release != nil {
		s.release(bytes)
	}
	if moved && s.notify != nil {
		s.notify(s)
	}
}

// AckGroup counts what an input batch still waits for. Source.Begin makes it
// with 1; whoever hands out more batches of the group adds them first. The
// last Done reports to the source, once. Dropped records need no call.
type AckGroup struct {
	pending atomic.Int32
	source  *Source // never changed
	seq     uint64
	first   int64
	rows    []uint32
	bytes   int64
	records int
	// covers are the groups that a gathered record stands for; nil for the
	// group of an input batch.
	covers []*AckGroup
}

// add announces n more batches of the group. The caller still holds one.
func (g *AckGroup) add(n int32) {
	if g.pending.Add(n) <= n {
		panic("engine: ack group used after its end")
	}
}

func (g *AckGroup) done() {
	switch n := g.pending.Add(-1); {
	case n == 0 && g.covers != nil:
		for _, c := range g.covers {
			c.done()
		}
	case n == 0:
		g.source.done(g)
	case n < 0:
		panic("engine: ack group confirmed twice")
	}
}

// offset returns the source offset of a row of the input batch.
func (g *AckGroup) offset(row uint32) int64 {
	if len(g.rows) == 0 {
		return g.first + int64(row)
	}
	return g.first + int64(g.rows[row])
}
