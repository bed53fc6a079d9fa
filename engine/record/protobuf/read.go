package protobuf

import (
	"encoding/binary"
	"unicode/utf8"
)

// accepts reports whether the value of a field may have the wire type. Data of
// another one is no value of the field: its bytes count as unknown.
func (f *fieldNode) accepts(wire int) bool {
	return wire == f.wire || f.packs && wire == wireBytes
}

// value finds where the single value at i lies, and checks what can be checked
// without looking into a message.
func (r *reader) value(f *fieldNode, i, end int) (from, to, next int) {
	switch f.wire {
	case wireVarint:
		if i < end && r.b[i] < 0x80 {
			return i, i + 1, i + 1
		}
		_, next = r.longer(i, end)
		return i, next, next
	case wire64:
		next = r.fixed(i, end, 8)
		return i, next, next
	case wire32:
		next = r.fixed(i, end, 4)
		return i, next, next
	case wireStart:
		to, next = r.group(f.num, i, end)
		return i, to, next
	}
	from, to = r.length(i, end)
	if from >= 0 && f.value.utf8 && !utf8.Valid(r.b[from:to]) {
		return 0, 0, r.fail(from, "the string is not UTF-8")
	}
	return from, to, to
}

// check checks the value of a known field fully. Wire types that the field
// accepts only.
func (r *reader) check(f *fieldNode, wire, i, end int) int {
	if wire != f.wire {
		return r.checkPacked(f, i, end)
	}
	from, to, next := r.value(f, i, end)
	if next >= 0 && f.value.isMessage() && !r.checkBody(f.value, piece{start: uint32(from), end: uint32(to)}) {
		return r.within(f.name)
	}
	if next < 0 {
		return r.within(f.name)
	}
	return next
}

func (r *reader) checkPacked(f *fieldNode, i, end int) int {
	from, to := r.length(i, end)
	if from < 0 {
		return r.within(f.name)
	}
	switch f.wire {
	case wire64:
		if (to-from)%8 != 0 {
			r.fail(from, "%d bytes, and elements have 8", to-from)
			return r.within(f.name)
		}
	case wire32:
		if (to-from)%4 != 0 {
			r.fail(from, "%d bytes, and elements have 4", to-from)
			return r.within(f.name)
		}
	default:
		for from < to {
			if r.b[from] < 0x80 {
				from++
			} else if _, from = r.longer(from, to); from < 0 {
				return r.within(f.name)
			}
		}
	}
	return to
}

// checkBody checks the content of a message. What is required in it is not
// looked for: see missing.
func (r *reader) checkBody(n *node, p piece) bool {
	if !r.down(int(p.start)) {
		return false
	}
	for {
		for i, end := int(p.start), int(p.end); i < end; {
			num, wire, next := r.tag(i, end)
			if next < 0 {
				return false
			}
			if f := n.lookup(num); f != nil && f.accepts(wire) {
				i = r.check(f, wire, next, end)
			} else {
				i = r.unknown(num, wire, next, end)
			}
			if i < 0 {
				return false
			}
		}
		if p.next == 0 {
			break
		}
		p = r.pieces[p.next]
	}
	r.depth--
	return true
}

// collect finds the fields of a message: r.finds from base on, in the order of
// n.fields. Contents of messages and elements are not looked at; who reads
// them checks them. leave gives the space back.
func (r *reader) collect(n *node, p piece) (base int, ok bool) {
	if !r.down(int(p.start)) {
		return 0, false
	}
	base = len(r.finds)
	for range n.fields {
		r.finds = append(r.finds, found{})
	}
	for {
		for i, end := int(p.start), int(p.end); i < end; {
			num, wire, next := r.tag(i, end)
			if next < 0 {
				return base, false
			}
			f := n.lookup(num)
			if f == nil || !f.accepts(wire) {
				next = r.unknown(num, wire, next, end)
			} else {
				next = r.note(f, base+f.index, wire, i, next, end)
			}
			if i = next; i < 0 {
				return base, false
			}
		}
		if p.next == 0 {
			return base, true
		}
		p = r.pieces[p.next]
	}
}

func (r *reader) leave(base int) {
	r.finds = r.finds[:base]
	r.depth--
}

// note adds the occurrence of f with its tag at i and its value at next to the
// find, and returns the index behind it.
func (r *reader) note(f *fieldNode, find, wire, i, next, end int) int {
	if f.list {
		if next = r.unknown(f.num, wire, next, end); next < 0 {
			return r.within(f.name)
		}
		r.extend(&r.finds[find], i, next)
		return next
	}
	from, to, next := r.value(f, next, end)
	if next < 0 {
		return r.within(f.name)
	}
	if f.value.closed {
		if u, _ := r.varint(from, to); !f.value.known(int32(u)) {
			return next // as if it were not there
		}
	}
	x := &r.finds[find]
	if f.others != nil && x.end == 0 && !r.replace(f, find-f.index) {
		return -1
	}
	if x.end == 0 || !f.value.isMessage() {
		*x = found{piece: piece{start: uint32(from), end: uint32(to)}}
		return next
	}
	r.append(x, from, to)
	return next
}

// replace forgets the field of the same oneof that stood before f: the last one
// counts. Nobody will read it, so that it is checked here.
func (r *reader) replace(f *fieldNode, base int) bool {
	for _, other := range f.others {
		old := r.finds[base+other.index]
		r.finds[base+other.index] = found{}
		if old.end != 0 && other.value.isMessage() && !r.checkBody(other.value, old.piece) {
			r.within(other.name)
			return false
		}
	}
	return true
}

// extend adds an occurrence with its tag.
func (r *reader) extend(x *found, from, to int) {
	switch {
	case x.end == 0:
		*x = found{piece: piece{start: uint32(from), end: uint32(to)}}
	case x.last == 0 && int(x.end) == from:
		x.end = uint32(to)
	case x.last != 0 && int(r.pieces[x.last].end) == from:
		r.pieces[x.last].end = uint32(to)
	default:
		r.append(x, from, to)
	}
}

// append adds a further piece.
func (r *reader) append(x *found, from, to int) {
	if len(r.pieces) == 0 {
		r.pieces = append(r.pieces, piece{}) // 0 is none
	}
	k := int32(len(r.pieces))
	r.pieces = append(r.pieces, piece{start: uint32(from), end: uint32(to)})
	if x.last == 0 {
		x.next = k
	} else {
		r.pieces[x.last].next = k
	}
	x.last = k
}

func (n *node) known(number int32) bool {
	_, ok := n.symbols[number]
	return ok
}

// elements calls each for the elements of a list in their order, until it
// returns false. It checks what value checks.
func (r *reader) elements(f *fieldNode, p piece, each func(p piece) bool) bool {
	one := func(from, to int) bool {
		if f.value.closed {
			if u, _ := r.varint(from, to); !f.value.known(int32(u)) {
				return true
			}
		}
		return each(piece{start: uint32(from), end: uint32(to)})
	}
	for {
		for i, end := int(p.start), int(p.end); i < end; {
			_, wire, next := r.tag(i, end)
			if next < 0 {
				return false
			}
			if wire == f.wire {
				from, to, next := r.value(f, next, end)
				if next < 0 || !one(from, to) {
					return false
				}
				i = next
				continue
			}
			i = r.checkPacked(f, next, end)
			if i < 0 {
				return false
			}
			for from, _ := r.length(next, end); from < i; {
				_, to, _ := r.value(f, from, i)
				if !one(from, to) {
					return false
				}
				from = to
			}
		}
		if p.next == 0 {
			return true
		}
		p = r.pieces[p.next]
	}
}

// missing looks for fields that must be there and are not.
func (r *reader) missing(n *node, p piece) bool {
	if !n.required {
		return true
	}
	base, ok := r.collect(n, p)
	for i := 0; ok && i < len(n.fields); i++ {
		f := n.fields[i]
		x := r.finds[base+i].piece
		switch {
		case f.required && x.end == 0:
			r.at = append(r.at, f.name)
			r.fail(int(p.start), "the field is required and not there")
			return false
		case x.end == 0 || !f.value.required:
		case f.list:
			ok = r.elements(f, x, func(p piece) bool { return r.missing(f.value, p) })
		default:
			ok = r.missing(f.value, x)
		}
		if !ok {
			r.within(f.name)
		}
	}
	r.leave(base)
	return ok
}

// number returns the bits of an integer, with its sign.
func (r *reader) number(k Kind, p piece) uint64 {
	switch k {
	case Fixed64Kind, Sfixed64Kind, DoubleKind:
		return binary.LittleEndian.Uint64(r.b[p.start:])
	case Fixed32Kind, FloatKind:
		return uint64(binary.LittleEndian.Uint32(r.b[p.start:]))
	case Sfixed32Kind:
		return uint64(int64(int32(binary.LittleEndian.Uint32(r.b[p.start:]))))
	}
	u, _ := r.varint(int(p.start), int(p.end))
	switch k {
	case Int32Kind, EnumKind:
		return uint64(int64(int32(u)))
	case Uint32Kind:
		return uint64(uint32(u))
	case Sint32Kind:
		v := uint32(u)
		return uint64(int64(int32(v>>1) ^ -int32(v&1)))
	case Sint64Kind:
		return uint64(int64(u>>1) ^ -int64(u&1))
	case BoolKind:
		if u != 0 {
			return 1
		}
	}
	return u
}
