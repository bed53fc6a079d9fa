// Package row is flow's own encoding of records with a schema: what typed
// sources make, such as rows of a database or of CSV.
//
// A struct is a bitmap of its nulls, a slot of a fixed width for each field, and
// the variable part. The slot of a field of variable length holds where it ends
// in the variable part; it begins where the one before it ends. So any field is
// found without a look at the others:
//
//	bitmap  1 bit a field: it is null; never no byte, since no bytes at all
//	        are easily taken for no record
//	slots   bool, int8, uint8: 1 byte; int16, uint16: 2; int32, uint32,
//	        float32, enum: 4; int64, uint64, float64, time, duration (in
//	        nanoseconds), date (in days): 8; timestamps: 12 (seconds since
//	        1970, nanoseconds); uuid: 16; all else 4 (where it ends)
//	rest    string, bytes; decimals as text; any as JSON text; structs
//	        like this one; arrays as a count and then as a struct of so many
//	        fields; maps as the length of the keys, an array of keys and one of
//	        values; unions as the number of the branch and a struct of one field
//
// All numbers are little-endian. A value that is no struct is a struct of one
// field. The form stays within the process: it has no version.
package row

import (
	"encoding/binary"
	"errors"

	"github.com/flowrecords/flow/engine/schema"
)

// node is a type with its layout.
type node struct {
	s        *schema.Schema
	width    int // of a slot; 0: variable
	fields   []field
	head     int // bitmap and slots of a Struct
	elem     *node
	key      *node
	branches []*node // as structs of one field
}

// field is one of a struct.
type field struct {
	name string
	*node
	slot int // where its slot is
	prev int // where the slot of the variable field before it is, -1: none
}

const endSize = 4

// width is that of a slot; 0: variable.
func width(t schema.Type) int {
	switch t {
	case schema.Bool, schema.Int8, schema.Uint8:
		return 1
	case schema.Int16, schema.Uint16:
		return 2
	case schema.Int32, schema.Uint32, schema.Float32, schema.Enum:
		return 4
	case schema.Int64, schema.Uint64, schema.Float64, schema.Time, schema.Duration, schema.Date:
		return 8
	case schema.Timestamp, schema.LocalTimestamp:
		return 12
	case schema.UUID:
		return 16
	}
	return 0
}

// compiler makes nodes; a schema that holds itself gets a node that does.
type compiler struct{ done map[*schema.Schema]*node }

func (c *compiler) node(s *schema.Schema) *node {
	if n := c.done[s]; n != nil {
		return n
	}
	n := &node{s: s, width: width(s.Type)}
	c.done[s] = n
	switch s.Type {
	case schema.Struct:
		for i := range s.Fields {
			n.fields = append(n.fields, field{name: s.Fields[i].Name, node: c.node(s.Fields[i].Schema)})
		}
		n.place()
	case schema.Array:
		n.elem = c.node(s.Elem)
	case schema.Map:
		n.key, n.elem = c.node(s.Key), c.node(s.Elem)
	case schema.Union:
		for i := range s.Branches {
			n.branches = append(n.branches, c.single(s.Branches[i].Schema, s.Branches[i].Name))
		}
	}
	return n
}

// single is a struct of one field.
func (c *compiler) single(s *schema.Schema, name string) *node {
	n := &node{s: s, fields: []field{{name: name, node: c.node(s)}}}
	n.place()
	return n
}

// place gives the fields their slots. Widths of fields are known by their types
// alone, so a field's own fields may still be missing.
func (n *node) place() {
	at, prev := max((len(n.fields)+7)/8, 1), -1
	for i := range n.fields {
		f := &n.fields[i]
		f.slot, f.prev = at, prev
		if f.width > 0 {
			at += f.width
		} else {
			prev = at
			at += endSize
		}
	}
	n.head = at
}

var (
	errShort = errors.New("the row is shorter than its schema says")
	errRange = errors.New("a field of the row lies outside of it")
	errNull  = errors.New("a null in the row, whose type is not optional")
	errDeep  = errors.New("the row is nested too deeply")
)

func (n *node) mayBeNull() error {
	if n.s.Optional {
		return nil
	}
	return errNull
}

// span is a range of a row.
type span struct{ start, end int }

// find returns where field i of the struct at s lies.
func (n *node) find(b []byte, s span, i int) (at span, null bool, err error) {
	if s.end-s.start < n.head {
		return span{}, false, errShort
	}
	f := &n.fields[i]
	if b[s.start+i>>3]>>(i&7)&1 != 0 {
		return span{}, true, f.mayBeNull()
	}
	slot := s.start + f.slot
	if f.width > 0 {
		return span{slot, slot + f.width}, false, nil
	}
	from := uint32(0)
	if f.prev >= 0 {
		from = binary.LittleEndian.Uint32(b[s.start+f.prev:])
	}
	return within(from, binary.LittleEndian.Uint32(b[slot:]), s.start+n.head, s.end)
}

func within(from, to uint32, base, end int) (span, bool, error) {
	if from > to || int64(to) > int64(end-base) {
		return span{}, false, errRange
	}
	return span{base + int(from), base + int(to)}, false, nil
}

// list is an array within a row.
type list struct {
	elem  *node
	b     []byte
	count int
	bits  int // where the bitmap is
	slots int
	base  int // where the variable part begins
	end   int
}

func (n *node) list(b []byte, s span) (list, error) {
	if s.end-s.start < endSize {
		return list{}, errShort
	}
	l := list{elem: n, b: b, end: s.end}
	count, size := uint64(binary.LittleEndian.Uint32(b[s.start:])), uint64(n.width)
	if size == 0 {
		size = endSize
	}
	l.bits = s.start + endSize
	// Each element takes a slot, so a count cannot be larger than the bytes.
	head := (count+7)/8 + count*size
	if head > uint64(s.end-l.bits) {
		return list{}, errShort
	}
	l.count = int(count)
	l.slots = l.bits + (l.count+7)/8
	l.base = l.bits + int(head)
	return l, nil
}

func (l *list) at(i int) (at span, null bool, err error) {
	if l.b[l.bits+i>>3]>>(i&7)&1 != 0 {
		return span{}, true, l.elem.mayBeNull()
	}
	if w := l.elem.width; w > 0 {
		return span{l.slots + i*w, l.slots + (i+1)*w}, false, nil
	}
	from := uint32(0)
	if i > 0 {
		from = binary.LittleEndian.Uint32(l.b[l.slots+(i-1)*endSize:])
	}
	return within(from, binary.LittleEndian.Uint32(l.b[l.slots+i*endSize:]), l.base, l.end)
}

// entries are the keys and values of a map.
func (n *node) entries(b []byte, s span) (keys, values list, err error) {
	if s.end-s.start < endSize {
		return keys, values, errShort
	}
	size := int64(binary.LittleEndian.Uint32(b[s.start:]))
	if size > int64(s.end-s.start-endSize) {
		return keys, values, errRange
	}
	from := s.start + endSize
	if keys, err = n.key.list(b, span{from, from + int(size)}); err != nil {
		return keys, values, err
	}
	if values, err = n.elem.list(b, span{from + int(size), s.end}); err == nil && keys.count != values.count {
		err = errRange
	}
	return keys, values, err
}

// branch is which value a union has: the struct of one field that it is.
func (n *node) branch(b []byte, s span) (which *node, at span, err error) {
	if s.end-s.start < endSize {
		return nil, at, errShort
	}
	i := binary.LittleEndian.Uint32(b[s.start:])
	if uint64(i) >= uint64(len(n.branches)) {
		return nil, at, errRange
	}
	return n.branches[i], span{s.start + endSize, s.end}, nil
}
