package avro

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"
	"time"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// json appends the value at i as typed JSON text (see package schema) and
// returns the index behind it, -1 with r.err set.
func (r *reader) json(dst []byte, n *node, i int) ([]byte, int) {
	switch n.op {
	case opNull:
		return append(dst, "null"...), i
	case opBool:
		v, next := r.bool(i)
		return strconv.AppendBool(dst, v), next
	case opInt, opDate:
		v, next := r.int(i)
		if n.op == opDate && next >= 0 {
			return append(schema.AppendDate(append(dst, '"'), int64(v)), '"'), next
		}
		return strconv.AppendInt(dst, int64(v), 10), next
	case opSmall:
		v, next := r.small(n, i)
		return strconv.AppendInt(dst, v, 10), next
	case opLong:
		v, next := r.long(i)
		return strconv.AppendInt(dst, v, 10), next
	case opFloat:
		next := r.fixed(i, 4)
		if next < 0 {
			return dst, -1
		}
		return appendFloat(dst, float64(math.Float32frombits(binary.LittleEndian.Uint32(r.b[i:]))), 32), next
	case opDouble:
		next := r.fixed(i, 8)
		if next < 0 {
			return dst, -1
		}
		return appendFloat(dst, math.Float64frombits(binary.LittleEndian.Uint64(r.b[i:])), 64), next
	case opString:
		text, next := r.text(i)
		return record.AppendQuoted(dst, text), next
	case opRecord:
		return r.jsonRecord(dst, n, i)
	case opOptional:
		null, next := r.either(n, i)
		switch {
		case next < 0:
			return dst, -1
		case null:
			return append(dst, "null"...), next
		}
		return r.json(dst, n.elem, next)
	case opEnum:
		which, next := r.symbol(n, i)
		if next < 0 {
			return dst, -1
		}
		return append(dst, n.symbols[which]...), next
	case opUnion:
		which, next := r.branch(i, len(n.branches))
		switch {
		case next < 0:
			return dst, -1
		case which == n.null:
			return append(dst, "null"...), next
		}
		dst = append(append(dst, '{'), n.tags[which]...)
		dst, next = r.json(dst, n.branches[which], next)
		return append(dst, '}'), next
	case opArray, opEntries:
		return r.jsonArray(dst, n, i)
	case opMap:
		return r.jsonMap(dst, n, i)
	}
	return r.jsonLogical(dst, n, i)
}

// jsonLogical appends what is not read as often.
func (r *reader) jsonLogical(dst []byte, n *node, i int) ([]byte, int) {
	switch n.op {
	case opBytes:
		size, next := r.length(i)
		if next < 0 {
			return dst, -1
		}
		return appendBase64(dst, r.b[next:next+size]), next + size
	case opFixed:
		next := r.fixed(i, n.size)
		if next < 0 {
			return dst, -1
		}
		return appendBase64(dst, r.b[i:next]), next
	case opDecimalBytes, opDecimalFixed:
		v, next := r.decimal(n, i)
		if next < 0 {
			return dst, -1
		}
		out, err := schema.AppendDecimal(dst, v, n.scale)
		if err != nil {
			return dst, r.fail(i, "%v", err)
		}
		return out, next
	case opUUIDFixed:
		next := r.fixed(i, 16)
		if next < 0 {
			return dst, -1
		}
		return append(appendUUID(append(dst, '"'), r.b[i:next]), '"'), next
	case opTime:
		v, next := r.time(n, i)
		return append(schema.AppendTime(append(dst, '"'), v/1e9, int(v%1e9)), '"'), next
	case opTimestamp, opLocal:
		v, next := r.long(i)
		sec, nsec := split(v, n.unit)
		return append(schema.AppendTimestamp(append(dst, '"'), sec, nsec, n.op == opLocal), '"'), next
	case opGoDuration:
		v, next := r.long(i)
		return append(append(append(dst, '"'), time.Duration(v).String()...), '"'), next
	case opDuration:
		next := r.fixed(i, 12)
		if next < 0 {
			return dst, -1
		}
		for k, name := range durationParts {
			dst = append(append(dst, name...), ':')
			dst = strconv.AppendUint(dst, uint64(binary.LittleEndian.Uint32(r.b[i+4*k:])), 10)
		}
		return append(dst, '}'), next
	case opJSON:
		text, next := r.jsonText(i)
		if next < 0 {
			return dst, -1
		}
		out, err := record.RawJSON(text).AppendJSON(dst)
		if err != nil {
			return dst, r.fail(i, "%v", err)
		}
		return out, next
	}
	return dst, r.fail(i, "no way to read a %s", n.schema.Kind)
}

// durationParts are the members of Avro's duration in JSON.
var durationParts = [...]string{`{"months"`, `,"days"`, `,"millis"`}

func (r *reader) jsonRecord(dst []byte, n *node, i int) ([]byte, int) {
	if !r.down(i) {
		return dst, -1
	}
	if len(n.fields) == 0 {
		dst = append(dst, '{')
	}
	for f := range n.fields {
		dst = append(dst, n.fields[f].text...)
		if dst, i = r.json(dst, n.fields[f].node, i); i < 0 {
			return dst, r.within(n.fields[f].name)
		}
	}
	r.depth--
	return append(dst, '}'), i
}

// jsonArray appends an array, or the pairs of a map that is an array of
// entries.
func (r *reader) jsonArray(dst []byte, n *node, i int) ([]byte, int) {
	if !r.down(i) {
		return dst, -1
	}
	open, shut := byte('['), byte(']')
	if n.named {
		open, shut = '{', '}'
	}
	dst = append(dst, open)
	comma := false
	for {
		count, end, next := r.block(n.elem, 0, i)
		if next < 0 {
			return dst, -1
		}
		if i = next; count == 0 {
			r.depth--
			return append(dst, shut), i
		}
		for ; count > 0; count-- {
			if comma {
				dst = append(dst, ',')
			}
			comma = true
			switch {
			case n.named:
				dst, i = r.jsonNamed(dst, n.elem, i)
			case n.op == opEntries:
				dst, i = r.jsonEntry(dst, n.elem, i)
			default:
				dst, i = r.json(dst, n.elem, i)
			}
			if i < 0 || r.large(dst, i) {
				return dst, -1
			}
		}
		if i = r.blockEnd(i, end); i < 0 {
			return dst, -1
		}
	}
}

func (r *reader) jsonEntry(dst []byte, n *node, i int) ([]byte, int) {
	for k, open := range [...]byte{'[', ','} {
		dst = append(dst, open)
		if dst, i = r.json(dst, n.fields[k].node, i); i < 0 {
			return dst, -1
		}
	}
	return append(dst, ']'), i
}

// jsonNamed appends an entry whose key is a text as a member of an object.
func (r *reader) jsonNamed(dst []byte, n *node, i int) ([]byte, int) {
	if i = r.notNull(n, i); i < 0 {
		return dst, -1
	}
	if dst, i = r.json(dst, n.fields[0].node.elem, i); i < 0 {
		return dst, -1
	}
	return r.json(append(dst, ':'), n.fields[1].node, i)
}

// notNull reads that the key of an entry, which may be null, is not.
func (r *reader) notNull(n *node, i int) int {
	null, next := r.either(n.fields[0].node, i)
	if next >= 0 && null {
		return r.fail(i, "a null as the key of a map, which has texts as keys")
	}
	return next
}

func (r *reader) jsonMap(dst []byte, n *node, i int) ([]byte, int) {
	if !r.down(i) {
		return dst, -1
	}
	dst = append(dst, '{')
	comma := false
	for {
		count, end, next := r.block(n.elem, 1, i)
		if next < 0 {
			return dst, -1
		}
		if i = next; count == 0 {
			r.depth--
			return append(dst, '}'), i
		}
		for ; count > 0; count-- {
			if comma {
				dst = append(dst, ',')
			}
			comma = true
			var key []byte
			if key, i = r.text(i); i < 0 {
				return dst, -1
			}
			dst = append(record.AppendQuoted(dst, key), ':')
			if dst, i = r.json(dst, n.elem, i); i < 0 || r.large(dst, i) {
				return dst, -1
			}
		}
		if i = r.blockEnd(i, end); i < 0 {
			return dst, -1
		}
	}
}

// large stops a few bytes from becoming a text without bounds.
func (r *reader) large(dst []byte, i int) bool {
	if len(dst)-r.start > maxJSON {
		r.fail(i, "the value's JSON text is over %d bytes", maxJSON)
		return true
	}
	return false
}

// time returns the time of the day in nanoseconds.
func (r *reader) time(n *node, i int) (int64, int) {
	v, next := r.long(i)
	if next < 0 {
		return 0, -1
	}
	if v < 0 || v > day/n.unit {
		return 0, r.fail(i, "%d is no time of the day", v)
	}
	return v * n.unit, next
}

const day = 24 * 3600 * 1e9

func appendBase64(dst, b []byte) []byte {
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, b)
	return append(dst, '"')
}

// appendFloat appends a float as typed JSON: NaN and infinities as strings.
func appendFloat(dst []byte, f float64, bits int) []byte {
	switch {
	case f != f:
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	}
	if bits == 32 {
		if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
			return strconv.AppendFloat(dst, f, 'e', -1, 32)
		}
		return strconv.AppendFloat(dst, f, 'f', -1, 32)
	}
	dst, _ = record.AppendFloat(dst, f) // it is finite
	return dst
}

// split returns the seconds, and the nanoseconds beyond them, of v units of so
// many nanoseconds.
func split(v, unit int64) (sec int64, nsec int) {
	perSecond := int64(1e9) / unit
	sec, rest := v/perSecond, v%perSecond
	if rest < 0 {
		rest += perSecond
		sec--
	}
	return sec, int(rest * unit)
}

const hexDigits = "0123456789abcdef"

func appendUUID(dst, b []byte) []byte {
	for k, c := range b {
		if k == 4 || k == 6 || k == 8 || k == 10 {
			dst = append(dst, '-')
		}
		dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
	}
	return dst
}
