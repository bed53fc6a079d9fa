package dedupe

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/flowrecords/flow/engine"
)

type key [16]byte

// session is one source partition as this process reads it. The same
// partition has another one after a restart, and after a rebalance.
type session struct {
	id   string
	refs int // slots that name it
}

// slot is a record that was seen first.
type slot struct {
	key     key
	offset  int64
	seen    int64 // milliseconds since 1970
	session *session
}

// memory remembers the last records that were seen first. Step runs in the
// stage's goroutine, Changes and Snapshot in that of the commits.
type memory struct {
	within time.Duration
	by     [16]byte // what keys are made of; entries of another one mean nothing

	mu    sync.Mutex // guards all below
	slots []slot     // a ring; its length is a power of two
	max   uint64
	head  uint64 // the oldest
	tail  uint64 // behind the newest
	saved uint64 // everything before was handed to the engine
	index map[key]uint64
	// sessions are those of this process; a stored slot has one that is not in
	// here.
	sessions map[*engine.Source]*session
	// stored are those of the entries that were replayed, by id; nil once
	// records come.
	stored map[string]*session
	// foreign: the last entry that was replayed is of another by.
	foreign bool
}

// minSlots is the size that a memory begins with.
const minSlots = 1024

func newMemory(keys int, within time.Duration, by [16]byte) *memory {
	return &memory{within: within, by: by, slots: make([]slot, minSlots), max: uint64(keys), index: make(map[key]uint64), sessions: make(map[*engine.Source]*session)}
}

// wasForeign reports once that what was stored last is not used.
func (m *memory) wasForeign() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	was := m.foreign
	m.foreign = false
	return was
}

func (m *memory) at(n uint64) *slot { return &m.slots[n&uint64(len(m.slots)-1)] }

// maxIdleSessions is how many sessions may be there that no slot names.
const maxIdleSessions = 1024

func (m *memory) sessionOf(s *engine.Source) *session {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stored = nil
	if x := m.sessions[s]; x != nil {
		return x
	}
	if len(m.sessions) >= maxIdleSessions {
		maps.DeleteFunc(m.sessions, func(_ *engine.Source, x *session) bool { return x.refs == 0 })
	}
	x := &session{}
	if s != nil {
		x.id = s.Info().ID
	}
	m.sessions[s] = x
	return x
}

// first reports whether the record is the first of its key, and remembers it.
// A record that is read again, by its origin, is still the first.
func (m *memory) first(k key, s *session, offset int64, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire(now)
	if n, ok := m.index[k]; ok {
		old := m.at(n)
		if old.session == s || s == nil || old.session == nil || old.session.id != s.id || old.offset != offset {
			return false
		}
		// It was read before the restart or the rebalance and perhaps never
		// confirmed (Invariant 1). From now on it counts as seen here.
		m.setSession(old, s)
		return true
	}
	m.add(slot{key: k, offset: offset, seen: now.UnixMilli(), session: s})
	return true
}

func (m *memory) setSession(x *slot, s *session) {
	if x.session != nil {
		x.session.refs--
	}
	if s != nil {
		s.refs++
	}
	x.session = s
}

// add needs mu.
func (m *memory) add(x slot) {
	for m.tail-m.head >= m.max {
		m.forget()
	}
	if m.tail-m.head == uint64(len(m.slots)) {
		grown := make([]slot, 2*len(m.slots))
		for n := m.head; n != m.tail; n++ {
			grown[n&uint64(len(grown)-1)] = *m.at(n)
		}
		m.slots = grown
	}
	if x.session != nil {
		x.session.refs++
	}
	*m.at(m.tail) = x
	m.index[x.key] = m.tail
	m.tail++
}

// forget drops the oldest slot. mu is held.
func (m *memory) forget() {
	x := m.at(m.head)
	if m.index[x.key] == m.head {
		delete(m.index, x.key)
	}
	m.setSession(x, nil)
	m.head++
}

// expire needs mu.
func (m *memory) expire(now time.Time) {
	if m.within <= 0 {
		return
	}
	for limit := now.UnixMilli() - m.within.Milliseconds(); m.head != m.tail && m.at(m.head).seen <= limit; {
		m.forget()
	}
}

// An entry is: its format, 16 bytes that stand for by, the number of sources, each with length and text,
// then for each record 16 bytes of key, the number of its source and, as
// varints, offset and time.
const format = 2

var errEntry = errors.New("an entry of a memory of duplicates is cut or of another version")

// Changes implements engine.State.
func (m *memory) Changes(dst []byte) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	from := max(m.saved, m.head)
	if from == m.tail {
		m.saved = m.tail
		return dst
	}
	return m.write(dst, from)
}

// Snapshot implements engine.State.
func (m *memory) Snapshot(dst []byte) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.write(dst, m.head)
}

// write needs mu.
func (m *memory) write(dst []byte, from uint64) []byte {
	numbers := make(map[string]uint64)
	var names []string
	for n := from; n != m.tail; n++ {
		id := m.at(n).id()
		if _, ok := numbers[id]; !ok {
			numbers[id] = uint64(len(names))
			names = append(names, id)
		}
	}
	dst = append(dst, format)
	dst = append(dst, m.by[:]...)
	dst = binary.AppendUvarint(dst, uint64(len(names)))
	for _, id := range names {
		dst = binary.AppendUvarint(dst, uint64(len(id)))
		dst = append(dst, id...)
	}
	for n := from; n != m.tail; n++ {
		x := m.at(n)
		dst = append(dst, x.key[:]...)
		dst = binary.AppendUvarint(dst, numbers[x.id()])
		dst = binary.AppendVarint(dst, x.offset)
		dst = binary.AppendVarint(dst, x.seen)
	}
	m.saved = m.tail
	return dst
}

func (x *slot) id() string {
	if x.session == nil {
		return ""
	}
	return x.session.id
}

// Replay implements engine.State.
func (m *memory) Replay(entry []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := reader{entry}
	if r.byte() != format {
		return errEntry
	}
	by := r.take(uint64(len(m.by)))
	if by == nil {
		return errEntry
	}
	// Compared with keys of another kind, new records would pass for old ones.
	if m.foreign = string(by) != string(m.by[:]); m.foreign {
		return nil
	}
	if m.stored == nil {
		m.stored = make(map[string]*session)
	}
	var sources []*session
	for n := r.uvarint(); n > 0 && r.data != nil; n-- {
		id := string(r.take(r.uvarint()))
		if m.stored[id] == nil {
			m.stored[id] = &session{id: id}
		}
		sources = append(sources, m.stored[id])
	}
	for len(r.data) > 0 {
		var x slot
		copy(x.key[:], r.take(uint64(len(x.key))))
		source := r.uvarint()
		x.offset, x.seen = r.varint(), r.varint()
		if r.data == nil || source >= uint64(len(sources)) {
			return errEntry
		}
		x.session = sources[source]
		m.add(x) // over an older one of the key, which was forgotten and seen anew
	}
	if r.data == nil {
		return errEntry
	}
	m.saved = m.tail
	return nil
}

// reader takes an entry apart; data is nil after what was not there.
type reader struct{ data []byte }

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.data)) {
		r.data = nil
		return nil
	}
	p := r.data[:n]
	r.data = slices.Clip(r.data[n:])
	return p
}

func (r *reader) byte() byte {
	if p := r.take(1); p != nil {
		return p[0]
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.data = nil
		return 0
	}
	r.take(uint64(n))
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.data)
	if n <= 0 {
		r.data = nil
		return 0
	}
	r.take(uint64(n))
	return v
}
