package protobuf

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Wire types.
const (
	wireVarint = 0
	wire64     = 1
	wireBytes  = 2
	wireStart  = 3
	wireEnd    = 4
	wire32     = 5
)

func appendTag(dst []byte, num, wire int) []byte {
	return binary.AppendUvarint(dst, uint64(num)<<3|uint64(wire))
}

func appendVarintField(dst []byte, num int, v uint64) []byte {
	return binary.AppendUvarint(appendTag(dst, num, wireVarint), v)
}

func appendBytesField[T string | []byte](dst []byte, num int, v T) []byte {
	dst = binary.AppendUvarint(appendTag(dst, num, wireBytes), uint64(len(v)))
	return append(dst, v...)
}

// part is one field of a message as it stands.
type part struct {
	num, wire int
	v         uint64 // wireVarint, wire32, wire64
	data      []byte // wireBytes
	raw       []byte // with its tag
}

var errDamaged = errors.New("damaged Protobuf data")

// eachField calls yield for the fields of a small message such as options. Data
// of records goes through reader.
func eachField(b []byte, yield func(p part) error) error {
	for len(b) > 0 {
		p := part{}
		u, n := binary.Uvarint(b)
		if n <= 0 || u>>3 == 0 || u>>3 > maxNumber {
			return errDamaged
		}
		p.num, p.wire = int(u>>3), int(u&7)
		var size int
		switch p.wire {
		case wireVarint:
			if p.v, size = binary.Uvarint(b[n:]); size <= 0 {
				return errDamaged
			}
		case wire64:
			if size = 8; len(b)-n < size {
				return errDamaged
			}
			p.v = binary.LittleEndian.Uint64(b[n:])
		case wire32:
			if size = 4; len(b)-n < size {
				return errDamaged
			}
			p.v = uint64(binary.LittleEndian.Uint32(b[n:]))
		case wireBytes:
			l, k := binary.Uvarint(b[n:])
			if k <= 0 || l > uint64(len(b)-n-k) {
				return errDamaged
			}
			size = k + int(l)
			p.data = b[n+k : n+size : n+size]
		case wireStart:
			r := reader{b: b}
			_, end := r.group(p.num, n, len(b))
			if end < 0 {
				return errDamaged
			}
			size = end - n
		default:
			return errDamaged
		}
		p.raw = b[: n+size : n+size]
		b = b[n+size:]
		if err := yield(p); err != nil {
			return err
		}
	}
	return nil
}

// maxNesting bounds recursion in data.
const maxNesting = 512

// piece is a range of the bytes, and where the next one of the same value is
// told: reader.pieces, 0 for none.
type piece struct {
	start, end uint32
	next       int32
}

// found is where the occurrences of a field lie. end is 0 if there are none.
// For a scalar it is the last value, for a message the contents of all
// occurrences, which together are the value, for a list and a map all
// occurrences with their tags, side by side as far as they stand so.
type found struct {
	piece
	last int32 // the last of the further pieces, 0: none
}

// reader reads one value. Its methods return the index behind what they read,
// or -1 with err set.
type reader struct {
	b     []byte
	depth int
	// pieces are the further ones of values that stand in several; 0 is unused.
	pieces []piece
	// finds is a stack: of each message that is being read, where its fields
	// lie.
	finds []found
	start int // where the JSON text of the value begins
	err   error
	// at is where err happened, innermost first.
	at []string
}

// reset makes a used reader ready for b.
func (r *reader) reset(b []byte) {
	r.b, r.depth, r.start, r.err = b, 0, 0, nil
	r.pieces, r.finds, r.at = r.pieces[:0], r.finds[:0], r.at[:0]
}

// Scratch that a reader keeps for the next value; the rest goes with the value
// that needed it. Usual ones need some dozen of each.
const (
	keptPieces = 1024
	keptFinds  = 4096
)

// release makes a reader ready to be kept: it holds no data, and no more scratch
// than usual values need.
func (r *reader) release() {
	r.b, r.err = nil, nil
	if cap(r.pieces) > keptPieces {
		r.pieces = nil
	}
	if cap(r.finds) > keptFinds {
		r.finds = nil
	}
	clear(r.at)
}

// failure returns the error with its path.
func (r *reader) failure() error {
	if r.err == nil {
		return nil
	}
	path := ""
	for i := len(r.at) - 1; i >= 0; i-- {
		if path != "" {
			path += "."
		}
		path += r.at[i]
	}
	if path == "" {
		return fmt.Errorf("invalid Protobuf data: %w", r.err)
	}
	return fmt.Errorf("invalid Protobuf data: %s: %w", path, r.err)
}

func (r *reader) fail(i int, format string, args ...any) int {
	if r.err == nil {
		r.err = fmt.Errorf("byte %d: %s", i, fmt.Sprintf(format, args...))
	}
	return -1
}

// within notes that an error happened in a field.
func (r *reader) within(name string) int {
	r.at = append(r.at, name)
	return -1
}

func (r *reader) down(i int) bool {
	if r.depth++; r.depth > maxNesting {
		r.fail(i, "nested deeper than %d", maxNesting)
		return false
	}
	return true
}

// varint reads a number that ends before end.
func (r *reader) varint(i, end int) (uint64, int) {
	if i < end {
		if c := r.b[i]; c < 0x80 {
			return uint64(c), i + 1
		}
	}
	return r.longer(i, end)
}

func (r *reader) longer(i, end int) (uint64, int) {
	var u uint64
	start := i
	for shift := 0; shift < 64; shift += 7 {
		if i >= end {
			return 0, r.fail(start, "the number is cut short")
		}
		c := r.b[i]
		i++
		if shift == 63 && c > 1 {
			break
		}
		u |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return u, i
		}
	}
	return 0, r.fail(start, "the number does not fit 64 bits")
}

// tag reads the number and the wire type of a field.
func (r *reader) tag(i, end int) (num, wire, next int) {
	u, next := r.varint(i, end)
	if next < 0 {
		return 0, 0, -1
	}
	if u>>3 == 0 || u>>3 > maxNumber {
		return 0, 0, r.fail(i, "%d is no number of a field", u>>3)
	}
	if u&7 > wire32 {
		return 0, 0, r.fail(i, "field %d has the wire type %d, which there is not", u>>3, u&7)
	}
	return int(u >> 3), int(u & 7), next
}

// length reads the length of what follows, and returns where that begins and
// ends: both -1 after an error.
func (r *reader) length(i, end int) (from, to int) {
	u, next := r.varint(i, end)
	switch {
	case next < 0:
		return -1, -1
	case u > uint64(end-next):
		r.fail(i, "a length of %d, and %d bytes are left", u, end-next)
		return -1, -1
	}
	return next, next + int(u)
}

// fixed returns the index behind n bytes.
func (r *reader) fixed(i, end, n int) int {
	if n > end-i {
		return r.fail(i, "%d bytes are wanted and %d are left", n, end-i)
	}
	return i + n
}

// unknown skips the value of a field that is not known.
func (r *reader) unknown(num, wire, i, end int) int {
	switch wire {
	case wireVarint:
		_, i = r.varint(i, end)
		return i
	case wire64:
		return r.fixed(i, end, 8)
	case wire32:
		return r.fixed(i, end, 4)
	case wireBytes:
		_, i = r.length(i, end)
		return i
	case wireStart:
		_, i = r.group(num, i, end)
		return i
	}
	return r.fail(i, "the end of the group %d, which has not begun", num)
}

// group skips a group whose first tag ends at i. It returns where its last tag
// begins and ends. Groups within are counted on a stack of numbers, so that
// nesting costs no recursion.
func (r *reader) group(num, i, end int) (to, next int) {
	var few [16]int
	open := append(few[:0], num)
	for {
		n, wire, next := r.tag(i, end)
		switch {
		case next < 0:
			return 0, -1
		case wire == wireStart:
			if len(open) >= maxNesting {
				return 0, r.fail(i, "nested deeper than %d", maxNesting)
			}
			open = append(open, n)
		case wire == wireEnd:
			if n != open[len(open)-1] {
				return 0, r.fail(i, "the end of the group %d within the group %d", n, open[len(open)-1])
			}
			if open = open[:len(open)-1]; len(open) == 0 {
				return i, next
			}
		default:
			if next = r.unknown(n, wire, next, end); next < 0 {
				return 0, -1
			}
		}
		i = next
	}
}

func appendUvarint(dst []byte, v uint64) []byte { return binary.AppendUvarint(dst, v) }
