package record

import (
	"errors"
	"math"
	"strconv"
	"unsafe"
)

var (
	errNotFinite = errors.New("a number that is not finite cannot be written as JSON")
	errRange     = errors.New("number out of range")
)

// pow10 holds the powers of ten that float64 holds exactly.
var pow10 = [...]float64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// parseNumber reads a valid JSON number: an Int when it has neither point nor
// exponent and fits, a Float otherwise, both with their digits. A Float beyond
// float64 reads as an infinity.
func parseNumber(b []byte) Value {
	v := Value{head: head{kind: Int, flags: flagDigits, n: uint32(len(b))}, p: unsafe.Pointer(unsafe.SliceData(b))}
	i := 0
	if b[0] == '-' {
		i = 1
	}
	var mant uint64
	for ; i < len(b) && digit(b[i]); i++ {
		if mant > (math.MaxUint64-9)/10 {
			return parseSlowly(v, b)
		}
		mant = mant*10 + uint64(b[i]-'0')
	}
	if i == len(b) {
		switch {
		case b[0] != '-' && mant <= math.MaxInt64:
			v.num = mant
		case b[0] == '-' && mant <= -math.MinInt64:
			v.num = -mant
		default:
			return parseSlowly(v, b)
		}
		return v
	}
	// A mantissa below 2^53 over an exact power of ten is rounded once, so the
	// quotient is the nearest float64.
	if b[i] == '.' {
		places := len(b) - i - 1
		if len(b) <= 17 && places < len(pow10) {
			for i++; i < len(b) && digit(b[i]); i++ {
				mant = mant*10 + uint64(b[i]-'0')
			}
			if i == len(b) && mant < 1<<53 {
				f := float64(mant) / pow10[places]
				if b[0] == '-' {
					f = -f
				}
				v.kind, v.num = Float, math.Float64bits(f)
				return v
			}
		}
	}
	return parseSlowly(v, b)
}

func parseSlowly(v Value, b []byte) Value {
	f, _ := strconv.ParseFloat(unsafe.String(unsafe.SliceData(b), len(b)), 64) // out of range is an infinity
	v.kind, v.num = Float, math.Float64bits(f)
	return v
}

// AppendFloat appends f as JSON: in the shortest form that reads back as f,
// without an exponent where encoding/json writes none. A number that is not
// finite is an error, and nothing is appended.
func AppendFloat(dst []byte, f float64) ([]byte, error) {
	abs := math.Abs(f)
	if abs < 1e15 {
		// -0 keeps its sign through strconv.
		if i := int64(f); float64(i) == f && (i != 0 || !math.Signbit(f)) {
			return strconv.AppendInt(dst, i, 10), nil
		}
		if out, ok := appendShort(dst, f, abs); ok {
			return out, nil
		}
	}
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return dst, errNotFinite
	}
	if abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
		if n := len(dst); n >= 4 && dst[n-4] == 'e' && dst[n-3] == '-' && dst[n-2] == '0' {
			dst[n-2] = dst[n-1] // e-09 is written e-9
			dst = dst[:n-1]
		}
		return dst, nil
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 64), nil
}

// appendShort writes a number of few decimals, the usual amount of money. With
// at most 15 digits no two decimals share a float64, so one that reads back
// as f is the shortest.
func appendShort(dst []byte, f, abs float64) ([]byte, bool) {
	places := 2
	scaled := uint64(abs*1e2 + 0.5)
	if float64(scaled)/1e2 != abs {
		if abs >= 1e9 {
			return dst, false
		}
		places = 6
		scaled = uint64(abs*1e6 + 0.5)
		if float64(scaled)/1e6 != abs {
			return dst, false
		}
	}
	if scaled == 0 || scaled >= 1e15 {
		return dst, false
	}
	for scaled%10 == 0 {
		scaled /= 10
		places--
	}
	var buf [24]byte
	i := len(buf)
	for ; places > 0; places-- {
		i--
		buf[i] = byte('0' + scaled%10)
		scaled /= 10
	}
	i--
	buf[i] = '.'
	for {
		i--
		buf[i] = byte('0' + scaled%10)
		if scaled /= 10; scaled == 0 {
			break
		}
	}
	if f < 0 {
		i--
		buf[i] = '-'
	}
	return append(dst, buf[i:]...), true
}
