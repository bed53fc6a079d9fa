package payload

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/schema"
)

// str reads a string. plain: it has no escapes.
func (w *Walker) str(i int) (end int, plain bool) {
	b := w.b
	if uint(i) >= uint(len(b)) || b[i] != '"' {
		return -1, false
	}
	var high uint64
	j := i + 1
	for j+8 <= len(b) {
		x := binary.LittleEndian.Uint64(b[j:])
		m := jsontext.Special(x)
		if m == 0 {
			high |= x
			j += 8
			continue
		}
		high |= x & (m&-m - 1)
		if j += bits.TrailingZeros64(m) >> 3; b[j] != '"' {
			break
		}
		if high&jsontext.Wide != 0 && !utf8.Valid(b[i+1:j]) {
			return -1, false
		}
		return j + 1, true
	}
	return strEnd(b, i, j)
}

// strEnd is str for the last bytes of b, and for what is not plain. From i+1 to
// j there are no escapes.
func strEnd(b []byte, i, j int) (end int, plain bool) {
	for ; j < len(b); j++ {
		switch c := b[j]; {
		case c == '"':
			if !utf8.Valid(b[i+1 : j]) {
				return -1, false
			}
			return j + 1, true
		case c == '\\' || c < ' ':
			c := jsontext.New(b[i:])
			if _, _, err := c.RawString(); err != nil {
				return -1, false
			}
			return i + c.Offset(), false
		}
	}
	return -1, false
}

// integer reads an integer of at most 18 digits that ends there.
func (w *Walker) integer(i int) (end int, v int64) {
	b := w.b
	negative := b[i] == '-'
	if negative {
		i++
	}
	first := i
	for i < len(b) && b[i]-'0' <= 9 {
		v = v*10 + int64(b[i]-'0')
		i++
	}
	if n := i - first; n == 0 || n > 18 || b[first] == '0' && (n > 1 || negative) || i < len(b) && (b[i] == '.' || b[i]|0x20 == 'e') {
		return -1, 0
	}
	if negative {
		v = -v
	}
	return i, v
}

// maxDigits is how many digits a number may have that is neither beyond a
// float32 nor a decimal that is rare.
const maxDigits = 30

// number reads a number without exponent. behind is how many digits are behind
// the point.
func (w *Walker) number(i int) (end, digits, behind int) {
	b := w.b
	if b[i] == '-' {
		i++
	}
	first := i
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	if digits = i - first; digits == 0 || b[first] == '0' && digits > 1 {
		return -1, 0, 0
	}
	if i < len(b) && b[i] == '.' {
		i++
		point := i
		for i < len(b) && b[i]-'0' <= 9 {
			i++
		}
		if behind = i - point; behind == 0 {
			return -1, 0, 0
		}
	}
	if digits += behind; digits > maxDigits || i < len(b) && b[i]|0x20 == 'e' {
		return -1, 0, 0
	}
	return i, digits, behind
}

// unitsOf counts what a date or time is in units of s.
func unitsOf(text []byte, s *schema.Schema) (int64, bool) {
	var sec int64
	var nsec int
	ok := false
	switch s.Type {
	case schema.Date:
		return schema.ParseDate(text)
	case schema.Time:
		sec, nsec, ok = schema.ParseTime(text)
	case schema.Timestamp, schema.LocalTimestamp:
		sec, nsec, ok = schema.ParseTimestamp(text, s.Type == schema.LocalTimestamp)
	default:
	}
	if !ok {
		return 0, false
	}
	return s.Unit.Count(sec, nsec)
}
