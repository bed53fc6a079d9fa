package schema

import (
	"fmt"
	"math/big"
	"strconv"

	"github.com/flowrecords/flow/engine/limits"
)

// extent says which powers of ten the digits of a JSON number take: the first
// and the last that are not zero. A zero has no extent: ok, and last > lead.
func extent(num []byte) (lead, last int, ok bool) {
	exp, end := 0, len(num)
	for i, c := range num {
		if c|0x20 == 'e' {
			end = i
			if exp, ok = exponent(num[i+1:]); !ok {
				return 0, 0, false
			}
			break
		}
	}
	point := end
	for i, c := range num[:end] {
		if c == '.' {
			point = i
		}
	}
	lead, last = -1, 0
	found := false
	for i, c := range num[:end] {
		if c < '1' || c > '9' {
			continue
		}
		power := point - i - 1
		if i > point {
			power = point - i
		}
		if !found {
			lead = power + exp
			found = true
		}
		last = power + exp
	}
	return lead, last, true
}

// exponent reads what stands behind an e. It is not ok where no decimal that
// flow takes can have it.
func exponent(b []byte) (int, bool) {
	neg := false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		neg = b[0] == '-'
		b = b[1:]
	}
	n := 0
	for _, c := range b {
		if n = n*10 + int(c-'0'); n > 2*limits.DecimalDigits {
			return 0, false
		}
	}
	if neg {
		n = -n
	}
	return n, true
}

func checkDecimal(s *Schema, num []byte) string {
	lead, last, ok := extent(num)
	switch {
	case !ok || lead >= limits.DecimalDigits:
		return fmt.Sprintf("more than %d digits", limits.DecimalDigits)
	case last > lead: // zero
		return ""
	case last < -s.Scale && s.Scale < 0:
		return fmt.Sprintf("it is counted in %d zeros", -s.Scale)
	case last < -s.Scale:
		return fmt.Sprintf("more than %d digits behind the point", s.Scale)
	case s.Precision > 0 && lead+1+s.Scale > s.Precision:
		return fmt.Sprintf("more than %d digits", s.Precision)
	}
	return ""
}

// AppendUnscaled appends the decimal num, a JSON number, as its formats keep
// it: the number of units of 10^-scale, in two's complement, big-endian, as
// few bytes as it needs. It fails if num has finer digits.
func AppendUnscaled(dst, num []byte, scale int) ([]byte, error) {
	s := Schema{Type: Decimal, Scale: scale}
	if why := checkDecimal(&s, num); why != "" {
		return dst, wrong("%s is not %s: %s", excerpt(num), article(&s), why)
	}
	digits := appendUnits(make([]byte, 0, 64), num, scale)
	if len(digits) <= 18 {
		n := int64(0)
		for _, c := range digits {
			n = n*10 + int64(c-'0')
		}
		if num[0] == '-' {
			n = -n
		}
		return appendInt(dst, n), nil
	}
	n, _ := new(big.Int).SetString(string(digits), 10)
	if num[0] == '-' {
		n.Neg(n)
	}
	return AppendBigInt(dst, n), nil
}

// appendUnits appends the digits of num times 10^scale, without a sign. num
// must fit.
func appendUnits(dst, num []byte, scale int) []byte {
	lead, last, _ := extent(num)
	if last > lead {
		return append(dst, '0')
	}
	started := false
	count := 0
	for _, c := range num {
		if c|0x20 == 'e' {
			break
		}
		if c-'0' > 9 || !started && c == '0' {
			continue
		}
		started = true
		if count <= lead-last {
			dst = append(dst, c)
			count++
		}
	}
	for range last + scale {
		dst = append(dst, '0')
	}
	return dst
}

// appendInt appends n in two's complement, big-endian.
func appendInt(dst []byte, n int64) []byte {
	size := 1
	for size < 8 && (n>>(8*size-1) != 0 && n>>(8*size-1) != -1) {
		size++
	}
	for i := size - 1; i >= 0; i-- {
		dst = append(dst, byte(n>>(8*i)))
	}
	return dst
}

// AppendBigInt appends n in two's complement, big-endian, as few bytes as it
// needs.
func AppendBigInt(dst []byte, n *big.Int) []byte {
	if n.Sign() >= 0 {
		b := n.Bytes()
		if len(b) == 0 || b[0]&0x80 != 0 {
			dst = append(dst, 0)
		}
		return append(dst, b...)
	}
	// -n-1 has the bits of n turned around.
	b := new(big.Int).Not(n).Bytes()
	if len(b) == 0 || b[0]&0x80 != 0 {
		dst = append(dst, 0xff)
	}
	for _, c := range b {
		dst = append(dst, ^c)
	}
	return dst
}

// AppendDecimal appends what AppendUnscaled made of a number, with all scale
// digits behind the point. It fails for more digits than flow takes.
func AppendDecimal(dst, unscaled []byte, scale int) ([]byte, error) {
	if len(unscaled) <= 8 {
		n := int64(0)
		if len(unscaled) > 0 && unscaled[0]&0x80 != 0 {
			n = -1
		}
		for _, c := range unscaled {
			n = n<<8 | int64(c)
		}
		neg := n < 0
		u := uint64(n)
		if neg {
			u = -u
		}
		if neg {
			dst = append(dst, '-')
		}
		var buf [20]byte
		return placePoint(dst, strconv.AppendUint(buf[:0], u, 10), scale), nil
	}
	if len(unscaled) > limits.DecimalDigits*5/12 { // log(10)/log(256)
		return dst, wrong("a decimal of %d bytes: at most %d digits are taken", len(unscaled), limits.DecimalDigits)
	}
	n := new(big.Int)
	if neg := unscaled[0]&0x80 != 0; neg {
		inverted := make([]byte, len(unscaled))
		for i, c := range unscaled {
			inverted[i] = ^c
		}
		n.Not(n.SetBytes(inverted))
	} else {
		n.SetBytes(unscaled)
	}
	text := n.Append(make([]byte, 0, len(unscaled)*5/2+2), 10)
	if text[0] == '-' {
		return placePoint(append(dst, '-'), text[1:], scale), nil
	}
	return placePoint(dst, text, scale), nil
}

// placePoint appends digits with a point before the last scale of them, or
// with zeros behind them for a negative scale.
func placePoint(dst, digits []byte, scale int) []byte {
	switch {
	case scale <= 0:
		dst = append(dst, digits...)
		if string(digits) == "0" {
			return dst
		}
		for range -scale {
			dst = append(dst, '0')
		}
	case len(digits) > scale:
		dst = append(append(dst, digits[:len(digits)-scale]...), '.')
		dst = append(dst, digits[len(digits)-scale:]...)
	default:
		dst = append(dst, '0', '.')
		for range scale - len(digits) {
			dst = append(dst, '0')
		}
		dst = append(dst, digits...)
	}
	return dst
}
