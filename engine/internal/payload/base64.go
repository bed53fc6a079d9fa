package payload

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"

	"github.com/flowrecords/flow/engine/schema"
)

// decimal reads a number that has the digits of s, as flow writes it.
func (w *Walker) decimal(s *schema.Schema, i int) (end, digits int) {
	end, digits, behind := w.number(i)
	if end < 0 || behind != s.Scale || s.Precision > 0 && digits > s.Precision {
		return -1, 0
	}
	if w.b[i] == '-' && !bytes.ContainsAny(w.b[i:end], "123456789") {
		return -1, 0 // there is no negative zero
	}
	return end, digits
}

// int64Digits is how many digits always fit.
const int64Digits = 18

// mostUnscaled is the most that a decimal of a precision holds without its
// point, or that 8 bytes do.
func mostUnscaled(precision int) int64 {
	if precision == 0 || precision > int64Digits {
		return math.MaxInt64
	}
	most := int64(1)
	for range precision {
		most *= 10
	}
	return most - 1
}

// encoded writes a decimal as base64 of its bytes.
func (w *Walker) encoded(s *schema.Schema, i int) int {
	if w.p.mode == check {
		return -1
	}
	end, digits := w.decimal(s, i)
	if end < 0 || digits > int64Digits {
		return -1
	}
	w.written(i, end)
	v := int64(0)
	for _, c := range w.b[i:end] {
		if c-'0' <= 9 {
			v = v*10 + int64(c-'0')
		}
	}
	if w.b[i] == '-' {
		v = -v
	}
	raw := binary.BigEndian.AppendUint64(w.small[:0], uint64(v))
	for len(raw) > 1 && (raw[0] == 0 && raw[1] < 0x80 || raw[0] == 0xff && raw[1] >= 0x80) {
		raw = raw[1:]
	}
	w.dst = base64.StdEncoding.AppendEncode(append(w.dst, '"'), raw)
	w.dst = append(w.dst, '"')
	return end
}

// encodedAlready reads a decimal that is and stays base64, in as few bytes as
// possible.
func (w *Walker) encodedAlready(n *Node, i int) int {
	v, size, end := w.unscaled(i)
	if end < 0 || v > n.most || -v > n.most || size > 1 && v>>(8*size-9) == v>>63 {
		return -1
	}
	return end
}

// unscaled reads base64 of at most 8 bytes, and returns how many they are.
func (w *Walker) unscaled(i int) (v int64, size, end int) {
	end, plain := w.str(i)
	if !plain {
		return 0, 0, -1
	}
	v, size = few64(w.b[i+1 : end-1])
	if size == 0 || v == math.MinInt64 {
		return 0, 0, -1
	}
	return v, size, end
}

// digits64 is what each character of base64 is worth; 64 and more is none.
var digits64 = func() (t [256]byte) {
	for i := range t {
		t[i] = 64
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = byte(i)
	}
	return t
}()

// few64 reads strict base64 of up to 8 bytes as a signed integer. size is how
// many they are; 0: it is no such text.
func few64(text []byte) (v int64, size int) {
	n := len(text)
	if n == 0 || n%4 != 0 || n > 12 {
		return 0, 0
	}
	pad := 0
	if text[n-1] == '=' {
		if pad = 1; text[n-2] == '=' {
			pad = 2
		}
	}
	if size = n/4*3 - pad; size > 8 {
		return 0, 0
	}
	chars := text[:n-pad]
	var bits uint64
	for _, c := range chars[:len(chars)-1] {
		d := digits64[c]
		if d >= 64 {
			return 0, 0
		}
		bits = bits<<6 | uint64(d)
	}
	// Of the last one 2 bits are too many for each =.
	d, over := digits64[chars[len(chars)-1]], 2*pad
	if d >= 64 || d&(1<<over-1) != 0 {
		return 0, 0
	}
	bits = bits<<(6-over) | uint64(d>>over)
	return int64(bits<<(64-8*size)) >> (64 - 8*size), size
}

// decoded reads a decimal from base64 of at most 8 bytes.
func (w *Walker) decoded(s *schema.Schema, i int) int {
	v, _, end := w.unscaled(i)
	if end < 0 || w.p.mode == check {
		return -1
	}
	w.written(i, end)
	if v < 0 {
		w.dst = append(w.dst, '-')
		v = -v
	}
	var buf [24]byte
	digits := strconv.AppendInt(buf[:0], v, 10)
	if s.Precision > 0 && len(digits) > s.Precision && v > 0 || s.Scale > int64Digits {
		return -1
	}
	if zeros := s.Scale + 1 - len(digits); zeros > 0 {
		w.dst = append(w.dst, "0000000000000000000"[:zeros]...)
	}
	w.dst = append(w.dst, digits...)
	if s.Scale > 0 {
		at := len(w.dst) - s.Scale
		w.dst = append(w.dst, 0)
		copy(w.dst[at+1:], w.dst[at:])
		w.dst[at] = '.'
	}
	return end
}
