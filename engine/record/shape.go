package record

import "math/bits"

const (
	// shapeWays is how many key orders an object's shape remembers.
	shapeWays = 4
	// shapeMembers and shapeText bound what is remembered of one order.
	shapeMembers = 128
	shapeText    = 64
	// shapeCredit is how often orders may be forgotten for new ones at first,
	// and shapeEarn how many objects pay for one more: input with ever new
	// orders is looked up by name instead of being learnt in vain.
	shapeCredit = 256
	shapeEarn   = 64
)

// shape remembers, for one object of the projection, which text stood at each
// member's position and which path that is. A record of a known shape then
// costs a comparison of one or two words a key instead of a scan and a lookup.
type shape struct {
	ways   [shapeWays][]shapeKey
	last   int // the way that matched last
	victim int
	credit int
	seen   int
}

// shapeKey is a name with its closing quote and the colon.
type shapeKey struct {
	w0, m0 uint64 // the first 8 bytes and which of them count
	w1, m1 uint64 // the next 8
	text   string
	size   int32
	child  PathID
}

// keyAt returns the key that a way remembers at a position, nil if none.
func keyAt(way []shapeKey, pos int) *shapeKey {
	if pos >= len(way) || way[pos].size == 0 {
		return nil
	}
	return &way[pos]
}

// matchRest reports whether b continues with the key at i, behind the opening
// quote, if its first word does. i+16 <= len(b).
func (k *shapeKey) matchRest(b []byte, i int) bool {
	if (load8(b, i+8)^k.w1)&k.m1 != 0 {
		return false
	}
	return k.size <= 16 || k.matchText(b, i)
}

// matchText reads no byte behind the key.
func (k *shapeKey) matchText(b []byte, i int) bool {
	return len(b)-i >= len(k.text) && string(b[i:i+len(k.text)]) == k.text
}

// find looks for the key at i in all ways.
func (s *shape) find(b []byte, i, pos int) *shapeKey {
	for w := range s.ways {
		if k := keyAt(s.ways[w], pos); k != nil && k.matchText(b, i) {
			s.last = w
			return k
		}
	}
	return nil
}

// learn remembers that text, a name with closing quote and colon, stands at
// pos. It takes the place of another one only while there is credit.
func (s *shape) learn(text []byte, pos int, child PathID) {
	if pos >= shapeMembers || len(text) > shapeText {
		return
	}
	way := -1
	for w := range s.ways {
		if pos >= len(s.ways[w]) || s.ways[w][pos].size == 0 {
			way = w
			break
		}
	}
	if way < 0 {
		if s.credit == 0 {
			return
		}
		s.credit--
		// The way in use stays together as one order.
		s.victim = (s.victim + 1) % shapeWays
		way = s.victim
	}
	for len(s.ways[way]) <= pos {
		s.ways[way] = append(s.ways[way], shapeKey{})
	}
	s.ways[way][pos] = newShapeKey(text, child)
	s.last = way
}

// earn counts an object.
func (s *shape) earn() {
	if s.seen++; s.seen%shapeEarn == 0 && s.credit < shapeCredit {
		s.credit++
	}
}

func newShapeKey(text []byte, child PathID) shapeKey {
	var buf [16]byte
	n := min(len(text), 16)
	copy(buf[:], text)
	k := shapeKey{size: int32(len(text)), child: child, text: string(text)}
	k.w0, k.w1 = load8(buf[:], 0), load8(buf[:], 8)
	k.m0, k.m1 = mask(min(n, 8)), mask(max(n-8, 0))
	return k
}

// mask covers the first n bytes of a word.
func mask(n int) uint64 {
	if n >= 8 {
		return ^uint64(0)
	}
	return bits.RotateLeft64(1, 8*n) - 1
}
