package avro

import (
	"unicode/utf8"

	"github.com/flowrecords/flow/engine/record"
)

// skip checks the value at i fully and returns the index behind it.
func (r *reader) skip(n *node, i int) int {
	switch n.op {
	case opNull:
		return i
	case opBool:
		_, i = r.bool(i)
		return i
	case opInt, opDate:
		if uint(i) < uint(len(r.b)) && r.b[i] < 0x80 {
			return i + 1
		}
		_, i = r.int(i)
		return i
	case opLong, opTimestamp, opLocal, opGoDuration:
		if i < len(r.b) && r.b[i] < 0x80 {
			return i + 1
		}
		_, i = r.longer(i)
		return i
	case opSmall:
		_, i = r.small(n, i)
		return i
	case opDecimalFixed:
		_, i = r.decimal(n, i)
		return i
	case opTime:
		if n.wide {
			_, i = r.long(i)
		} else {
			_, i = r.int(i)
		}
		return i
	case opFloat:
		return r.fixed(i, 4)
	case opDouble:
		return r.fixed(i, 8)
	case opFixed, opUUIDFixed, opDuration:
		return r.fixed(i, n.schema.Size)
	case opBytes:
		size, next := r.length(i)
		if next < 0 {
			return -1
		}
		return next + size
	case opString:
		// Most texts are shorter than 64 bytes: one byte says their length.
		if b := r.b; uint(i) < uint(len(b)) {
			if c := b[i]; c&0x81 == 0 {
				if end := i + 1 + int(c>>1); end <= len(b) && (r.checked || utf8.Valid(b[i+1:end])) {
					return end
				}
			}
		}
		_, i = r.text(i)
		return i
	case opEnum:
		_, i = r.symbol(n, i)
		return i
	case opOptional:
		null, next := r.either(n, i)
		if next < 0 || null {
			return next
		}
		return r.skip(n.elem, next)
	case opRecord:
		return r.skipRecord(n, i)
	case opArray, opEntries, opMap:
		return r.skipElements(n, i)
	case opUnion:
		which, next := r.branch(i, len(n.branches))
		if next < 0 {
			return -1
		}
		return r.skip(n.branches[which], next)
	case opDecimalBytes:
		_, i = r.decimal(n, i)
		return i
	case opJSON:
		_, i = r.jsonText(i)
		return i
	}
	return r.fail(i, "no way to read a %s", n.schema.Kind)
}

func (r *reader) skipRecord(n *node, i int) int {
	if n.none {
		return i
	}
	if !r.down(i) {
		return -1
	}
	for f := range n.fields {
		child := n.fields[f].node
		if child.none {
			continue
		}
		if i = r.skip(child, i); i < 0 {
			return r.within(n.fields[f].name)
		}
	}
	r.depth--
	return i
}

func (r *reader) skipElements(n *node, i int) int {
	if !r.down(i) {
		return -1
	}
	key := 0
	if n.op == opMap {
		key = 1
	}
	for {
		count, end, next := r.block(n.elem, key, i)
		if next < 0 {
			return -1
		}
		if i = next; count == 0 {
			r.depth--
			return i
		}
		if key == 0 && n.elem.none {
			count = 0
		}
		for ; count > 0; count-- {
			if key > 0 {
				if _, i = r.text(i); i < 0 {
					return -1
				}
			} else if n.named && r.notNull(n.elem, i) < 0 {
				return -1
			}
			if i = r.skip(n.elem, i); i < 0 {
				return -1
			}
		}
		if i = r.blockEnd(i, end); i < 0 {
			return -1
		}
	}
}

func (r *reader) bool(i int) (bool, int) {
	if i >= len(r.b) {
		return false, r.fail(i, "a boolean is cut short")
	}
	if r.b[i] > 1 {
		return false, r.fail(i, "%d is no boolean", r.b[i])
	}
	return r.b[i] == 1, i + 1
}

func (r *reader) text(i int) ([]byte, int) {
	n, next := r.length(i)
	if next < 0 {
		return nil, -1
	}
	end := next + n
	text := r.b[next:end:end]
	if !r.checked && !utf8.Valid(text) {
		return nil, r.fail(next, "the string is not UTF-8")
	}
	return text, end
}

// decimal returns the bytes of an unscaled number.
func (r *reader) decimal(n *node, i int) ([]byte, int) {
	size := n.schema.Size
	if n.op == opDecimalBytes {
		if size, i = r.length(i); i < 0 {
			return nil, -1
		}
		if size > maxDecimal {
			return nil, r.fail(i, "a decimal of %d bytes; %d is the most", size, maxDecimal)
		}
	}
	end := r.fixed(i, size)
	if end < 0 {
		return nil, -1
	}
	v := r.b[i:end:end]
	if n.unsigned && len(v) > 0 && (v[0] >= 0x80 || len(v) > 9 || len(v) == 9 && v[0] != 0) {
		return nil, r.fail(i, "the number is not from 0 to 2^64-1")
	}
	return v, end
}

// jsonText returns a string that holds JSON text.
func (r *reader) jsonText(i int) ([]byte, int) {
	text, next := r.text(i)
	if next < 0 {
		return nil, -1
	}
	if err := record.ValidateJSON(text); err != nil {
		return nil, r.fail(i, "the text of an untyped value: %v", err)
	}
	return text, next
}
