package record

import (
	"bytes"
	"math/bits"

	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/limits"
)

// slot is where a path of the projection lies in a document, and what was
// done to it. Its parts count only while their generation is the document's,
// so that nothing has to be cleared for the next record.
type slot struct {
	val  Value
	vgen uint32 // val is the value as it is now
	gen  uint32 // the path is there
	egen uint32 // marks, edit and emptied are in use

	// In the base: the opening quote of the key (members only), the value.
	key, start, end uint32

	head  uint32 // up to where children were removed, with markHead
	edit  int32  // the edit that holds the value, with markSet
	marks uint16
	dup   bool // the name stood here before, too
}

// scanner indexes one document.
type scanner struct {
	b      []byte
	gen    uint32
	slots  []slot
	nodes  []node
	shapes []shape
}

// document scans all of b. It is false when b is not valid.
func (s *scanner) document() bool {
	i := skipSpace(s.b, 0)
	start := i
	if i = s.value(Root, i, 0); i < 0 {
		return false
	}
	s.fill(Root, start, start, i)
	return i == len(s.b) || skipSpace(s.b, i) == len(s.b)
}

// fill stores where a path lies. When it has been found before, the last one
// counts, and what lay below the first is forgotten: the caller fills the
// children first and calls forget before that.
func (s *scanner) fill(id PathID, key, start, end int) {
	sl := &s.slots[id]
	sl.gen = s.gen
	sl.key, sl.start, sl.end = uint32(key), uint32(start), uint32(end)
}

// forget makes room for a second value of a name that stood before.
func (s *scanner) forget(id PathID) {
	s.slots[id].dup = true
	for _, c := range s.nodes[id].below {
		s.slots[c].gen = 0
	}
}

// value scans the value at i into the slots below id and returns the index
// behind it, -1 if it is not valid.
func (s *scanner) value(id PathID, i, depth int) int {
	if i < len(s.b) {
		n := &s.nodes[id]
		switch s.b[i] {
		case '{':
			if len(n.names) > 0 {
				return s.object(id, i+1, depth+1)
			}
		case '[':
			if len(n.elems) > 0 {
				return s.array(id, i+1, depth+1)
			}
		}
	}
	return skipValue(s.b, i, depth)
}

// object scans members from i, behind the opening brace.
func (s *scanner) object(id PathID, i, depth int) int {
	if depth > limits.JSONDepth {
		return -1
	}
	b := s.b
	if i = skipSpace(b, i); i < len(b) && b[i] == '}' {
		return i + 1
	}
	sh := &s.shapes[id]
	sh.earn()
	keys := sh.ways[sh.last]
	for pos := 0; ; pos++ {
		var end bool
		if i, pos, end = s.plain(i, pos, keys); end {
			return i
		}
		if i < len(b) && b[i] <= ' ' {
			i = skipSpace(b, i)
		}
		if i >= len(b) || b[i] != '"' {
			return -1
		}
		key := i
		var child PathID
		if k := keyAt(keys, pos); k != nil && i+17 <= len(b) && (load8(b, i+1)^k.w0)&k.m0 == 0 && (k.m1 == 0 || k.matchRest(b, i+1)) {
			child = k.child
			i += 1 + int(k.size)
		} else {
			if child, i = s.key(id, i, pos); i < 0 {
				return -1
			}
			keys = sh.ways[sh.last]
		}
		if i >= len(b) {
			return -1
		}
		if b[i] <= ' ' {
			if i = skipSpace(b, i); i >= len(b) {
				return -1
			}
		}
		start := i
		c := b[i]
		if child >= 0 {
			if sl := &s.slots[child]; sl.gen == s.gen {
				s.forget(child)
			} else {
				sl.dup = false
			}
		}
		switch {
		case c == '"':
			i = skipString(b, i+1)
		case c-'0' <= 9:
			i = skipNumber(b, i)
		case c != '{' && c != '[':
			i = skipScalar(b, i)
		case child < 0:
			i = skipValue(b, i, depth)
		default:
			i = s.value(child, i, depth)
		}
		if uint(i) >= uint(len(b)) {
			return -1
		}
		if child >= 0 {
			sl := &s.slots[child]
			sl.gen = s.gen
			sl.key, sl.start, sl.end = uint32(key), uint32(start), uint32(i)
		}
		if b[i] <= ' ' {
			if i = skipSpace(b, i); i >= len(b) {
				return -1
			}
		}
		if b[i] != ',' {
			if b[i] != '}' {
				return -1
			}
			return i + 1
		}
		if i++; i < len(b) && b[i] <= ' ' {
			i = skipSpace(b, i)
		}
	}
}

// plain scans the members from i on that are as usual: the name that stood here
// before, a plain string or number, no white space. It stops in front of the
// first that is not, or behind the object's end. It makes no call, so that all
// it needs stays in registers.
func (s *scanner) plain(i, pos int, keys []shapeKey) (int, int, bool) {
	b, slots, gen := s.b, s.slots, s.gen
	for ; pos < len(keys) && i+18 <= len(b) && b[i] == '"'; pos++ {
		k := &keys[pos]
		if (load8(b, i+1)^k.w0)&k.m0 != 0 || (load8(b, i+9)^k.w1)&k.m1 != 0 || uint32(k.size)-1 > 15 {
			break
		}
		start := i + 1 + int(k.size)
		j := start
		if b[j] == '"' {
			j++
		text:
			if j+8 > len(b) {
				break
			}
			m := odd(load8(b, j))
			if m == 0 {
				j += 8
				goto text
			}
			if j += bits.TrailingZeros64(m) >> 3; b[j] != '"' {
				break
			}
			j++
		} else {
			if b[j]-'1' > 8 {
				break
			}
			for j++; j < len(b) && b[j]-'0' <= 9; j++ {
			}
			if j+1 < len(b) && b[j] == '.' && b[j+1]-'0' <= 9 {
				for j += 2; j < len(b) && b[j]-'0' <= 9; j++ {
				}
			}
		}
		if j >= len(b) || b[j] != ',' && b[j] != '}' {
			break
		}
		if k.child >= 0 {
			sl := &slots[k.child]
			if sl.gen == gen {
				break
			}
			sl.dup, sl.gen = false, gen
			sl.key, sl.start, sl.end = uint32(i), uint32(start), uint32(j)
		}
		i = j + 1
		if b[j] == '}' {
			return i, pos, true
		}
	}
	return i, pos, false
}

// key reads the key whose opening quote is at i without the help of the last
// shape, and the colon behind it. It returns the child, -1 if the name is not
// wanted, and the index behind the colon, -1 if the text is not valid.
func (s *scanner) key(id PathID, i, pos int) (PathID, int) {
	b, sh, n := s.b, &s.shapes[id], &s.nodes[id]
	if k := sh.find(b, i+1, pos); k != nil {
		return k.child, i + 1 + int(k.size)
	}
	end := skipString(b, i+1)
	if end < 0 {
		return -1, -1
	}
	colon := skipSpace(b, end)
	if colon >= len(b) || b[colon] != ':' {
		return -1, -1
	}
	name := b[i+1 : end-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		var buf [64]byte
		return n.lookup(s.nodes, jsontext.AppendUnescaped(buf[:0], name)), colon + 1
	}
	child := n.lookup(s.nodes, name)
	if colon == end {
		sh.learn(b[i+1:colon+1], pos, child)
	}
	return child, colon + 1
}

// array scans elements from i, behind the opening bracket.
func (s *scanner) array(id PathID, i, depth int) int {
	if depth > limits.JSONDepth {
		return -1
	}
	b, n := s.b, &s.nodes[id]
	first := i
	if i = skipSpace(b, i); i < len(b) && b[i] == ']' {
		return i + 1
	}
	for pos := 0; ; pos++ {
		child := n.element(s.nodes, pos)
		if child < 0 {
			i = skipValue(b, i, depth)
		} else {
			i = s.element(child, i, depth)
		}
		if i < 0 {
			return -1
		}
		if i = skipSpace(b, i); i >= len(b) {
			return -1
		}
		switch b[i] {
		case ',':
			i = skipSpace(b, i+1)
		case ']':
			if n.negative {
				s.fromEnd(id, first, pos+1, depth)
			}
			return i + 1
		default:
			return -1
		}
	}
}

// element scans the element at i as that of a path.
func (s *scanner) element(id PathID, i, depth int) int {
	start := i
	s.slots[id].dup = false
	if i = s.value(id, i, depth); i >= 0 {
		s.fill(id, start, start, i)
	}
	return i
}

// fromEnd scans the elements that are counted from the end once their count is
// known. The array is valid; it is walked once more.
func (s *scanner) fromEnd(id PathID, i, count, depth int) {
	n := &s.nodes[id]
	i = skipSpace(s.b, i)
	for pos := 0; pos < count; pos++ {
		child := n.element(s.nodes, pos-count)
		if child >= 0 {
			s.element(child, i, depth)
		}
		i = skipSpace(s.b, skipValue(s.b, i, depth))
		if s.b[i] == ',' {
			i = skipSpace(s.b, i+1)
		}
	}
}
