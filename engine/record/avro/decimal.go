package avro

import (
	"encoding/binary"
	"math/big"
	"strconv"
	"strings"

	"github.com/flowrecords/flow/engine/schema"
)

// digits is a decimal number: its digits with point places of them behind the
// point.
type digits struct {
	neg   bool
	text  []byte
	point int
}

// parseDigits reads a JSON number. It is false for one of too many digits.
func parseDigits(text []byte) (d digits, ok bool) {
	i := 0
	if text[0] == '-' {
		d.neg = true
		i = 1
	}
	behind := false
	for ; i < len(text); i++ {
		c := text[i]
		switch {
		case c >= '0' && c <= '9':
			d.text = append(d.text, c)
			if behind {
				d.point++
			}
		case c == '.':
			behind = true
		default: // an exponent
			exp, err := strconv.Atoi(string(text[i+1:]))
			if err != nil || exp > maxDigits || exp < -maxDigits {
				return d, false
			}
			d.point -= exp
			i = len(text)
		}
	}
	for len(d.text) > 1 && d.text[0] == '0' {
		d.text = d.text[1:]
	}
	return d, len(d.text) <= 2*maxDigits
}

// rescale makes point scale. It is false when that would lose digits.
func (d *digits) rescale(scale int) bool {
	for d.point > scale {
		last := len(d.text) - 1
		if last < 0 {
			d.point = scale
			break
		}
		if d.text[last] != '0' {
			return false
		}
		d.text = d.text[:last]
		d.point--
	}
	for d.point < scale {
		d.text = append(d.text, '0')
		d.point++
	}
	return true
}

// round makes point scale, to the nearest, halves away from zero.
func (d *digits) round(scale int) {
	up := false
	for d.point > scale && len(d.text) > 0 {
		up = d.text[len(d.text)-1] >= '5'
		d.text = d.text[:len(d.text)-1]
		d.point--
	}
	if d.point > scale {
		up = false
	}
	d.point = scale
	if !up {
		return
	}
	for i := len(d.text) - 1; i >= 0; i-- {
		if d.text[i]++; d.text[i] <= '9' {
			return
		}
		d.text[i] = '0'
	}
	d.text = append([]byte{'1'}, d.text...)
}

func (d *digits) int() *big.Int {
	n := new(big.Int)
	if len(d.text) > 0 {
		n.SetString(string(d.text), 10)
	}
	if d.neg {
		n.Neg(n)
	}
	return n
}

func (e *wstate) decimal(dst []byte, n *wnode, i, end int) ([]byte, bool) {
	text := e.b[i:end]
	if text[0] == '"' {
		if text = unquoted(e.b, i, end); len(text) == 0 || !isJSONNumber(text) {
			e.fail("%s is no number, and the Avro schema has decimal", excerpt(e.b[i:end]))
			return dst, false
		}
	} else if !isNumber(text[0]) {
		return dst, false
	}
	s := n.schema
	if v, ok := quickDecimal(text, s.Scale); ok && s.Precision >= 18 && (n.op == opDecimalBytes && !n.unsigned || s.Size >= 8) {
		return n.appendUnscaled(dst, big64(v)), true
	}
	d, ok := parseDigits(text)
	if !ok {
		e.fail("a number of too many digits")
		return dst, false
	}
	if !d.rescale(s.Scale) {
		if !e.lenient {
			e.fail("%s has more than the %d digits behind the point that the Avro schema keeps (lenient = true rounds)", excerpt(text), s.Scale)
			return dst, false
		}
		if d, ok = parseDigits(text); ok {
			d.round(s.Scale)
		}
	}
	for len(d.text) > 1 && d.text[0] == '0' {
		d.text = d.text[1:]
	}
	if len(d.text) > s.Precision {
		e.fail("%s has more than the %d digits of the Avro schema's decimal", excerpt(text), s.Precision)
		return dst, false
	}
	b := schema.AppendBigInt(nil, d.int())
	if n.op == opDecimalFixed && len(b) > s.Size {
		e.fail("%s does not fit the %d bytes of %s", excerpt(text), s.Size, s.Name)
		return dst, false
	}
	if n.unsigned && (d.neg && len(strings.Trim(string(d.text), "0")) > 0 || !d.int().IsUint64()) {
		e.fail("%s does not fit uint64", excerpt(text))
		return dst, false
	}
	return n.appendUnscaled(dst, b), true
}

// quickDecimal reads a plain number of few digits as one of so many units of
// 10^-scale.
func quickDecimal(text []byte, scale int) (v int64, ok bool) {
	if len(text) > 17 || scale > 9 {
		return 0, false
	}
	i, neg := 0, text[0] == '-'
	if neg {
		i = 1
	}
	behind := -1
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			v = v*10 + int64(c-'0')
			if behind >= 0 {
				behind++
			}
		case c == '.':
			behind = 0
		default:
			return 0, false
		}
	}
	behind = max(behind, 0)
	if behind > scale || len(text)+scale-behind > 18 {
		return 0, false
	}
	for ; behind < scale; behind++ {
		v *= 10
	}
	if neg {
		v = -v
	}
	return v, true
}

// big64 returns the shortest two's complement of v.
func big64(v int64) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(v))
	for len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
		b = b[1:]
	}
	return b
}

func (n *wnode) appendUnscaled(dst, b []byte) []byte {
	if n.op == opDecimalBytes {
		return appendBytes(dst, b)
	}
	fill := byte(0)
	if b[0] >= 0x80 {
		fill = 0xff
	}
	for k := len(b); k < n.schema.Size; k++ {
		dst = append(dst, fill)
	}
	return append(dst, b[max(0, len(b)-n.schema.Size):]...)
}
