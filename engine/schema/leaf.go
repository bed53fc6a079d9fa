package schema

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// CheckNumber fails unless num, a JSON number, is a value of s, which is one of
// the numbers. The error is an *Error.
func CheckNumber(s *Schema, num []byte) error {
	if why := checkNumber(s, num); why != "" {
		return wrong("%s is not %s: %s", excerpt(num), article(s), why)
	}
	return nil
}

// CheckText fails unless text, without its quotes, is a value of s, which is
// one of the types that are strings in typed JSON. The error is an *Error.
func CheckText(s *Schema, text []byte) error {
	if why := checkText(s, text); why != "" {
		return wrong("%q is not %s: %s", excerpt(text), article(s), why)
	}
	return nil
}

// checkNumber returns why a number is not one of s, empty if it is.
func checkNumber(s *Schema, num []byte) string {
	switch {
	case s.Type == Decimal:
		return checkDecimal(s, num)
	case s.Type.IsInt():
		return checkInt(s.Type, num)
	case s.Type == Float32:
		if _, err := strconv.ParseFloat(string(num), 32); err != nil {
			return "out of range"
		}
	case len(num) > 300 || hasExponent(num):
		if _, err := strconv.ParseFloat(string(num), 64); err != nil {
			return "out of range"
		}
	}
	return ""
}

func hasExponent(num []byte) bool {
	for _, c := range num {
		if c|0x20 == 'e' {
			return true
		}
	}
	return false
}

func checkInt(t Type, num []byte) string {
	for _, c := range num {
		if c == '.' || c|0x20 == 'e' {
			return "an integer has neither point nor exponent"
		}
	}
	bits, signed := t.bits()
	if _, ok := parseInt(num, bits, signed); !ok {
		return "out of range"
	}
	return ""
}

// parseInt reads the digits of an integer of so many bits. The result is that
// of an int64 or uint64.
func parseInt(num []byte, bits int, signed bool) (uint64, bool) {
	neg := len(num) > 0 && num[0] == '-'
	if neg {
		num = num[1:]
	}
	if len(num) > 20 {
		return 0, false
	}
	n := uint64(0)
	for _, c := range num {
		d := uint64(c - '0')
		if n > (math.MaxUint64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	most := uint64(math.MaxUint64) >> (64 - bits)
	switch {
	case signed && neg:
		return -n, n <= most/2+1
	case signed:
		return n, n <= most/2
	case neg:
		return 0, n == 0
	}
	return n, n <= most
}

// checkText returns why a text is not one of s, empty if it is.
func checkText(s *Schema, text []byte) string {
	switch s.Type {
	case Bytes:
		n, ok := base64Len(text)
		switch {
		case !ok:
			return "bytes are written in base64"
		case s.Size > 0 && n != s.Size:
			return fmt.Sprintf("these are %d bytes", n)
		}
	case Float32, Float64:
		if t := string(text); t != "NaN" && t != "Infinity" && t != "-Infinity" {
			return `as text there are only "NaN", "Infinity" and "-Infinity"`
		}
	case UUID:
		if !isUUID(text) {
			return "a uuid is written as f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
		}
	case Enum:
		if s.SymbolIndex(string(text)) < 0 {
			return "none of its symbols"
		}
	case Date:
		if _, ok := ParseDate(text); !ok {
			return "a date is written as 2006-01-02"
		}
	case Time:
		sec, nsec, ok := ParseTime(text)
		return checkClock(s, sec, nsec, ok, "15:04:05.999")
	case Timestamp:
		sec, nsec, ok := ParseTimestamp(text, false)
		return checkClock(s, sec, nsec, ok, "2006-01-02T15:04:05.999Z")
	case LocalTimestamp:
		sec, nsec, ok := ParseTimestamp(text, true)
		return checkClock(s, sec, nsec, ok, "2006-01-02T15:04:05.999, without a zone")
	case Duration:
		d, err := time.ParseDuration(string(text))
		return checkClock(s, 0, max(int(d%time.Second), -int(d%time.Second)), err == nil, "1h2m3.5s")
	default:
	}
	return ""
}

func checkClock(s *Schema, sec int64, nsec int, ok bool, form string) string {
	if !ok {
		return "it is written as " + form
	}
	if _, ok := s.Unit.Count(sec, nsec); !ok {
		if int64(nsec)%(int64(time.Second)/s.Unit.PerSecond()) != 0 {
			return "it has digits finer than its unit, " + s.Unit.String()
		}
		return "out of the range of 64 bits in the unit " + s.Unit.String()
	}
	return ""
}

// base64Len checks base64 with padding and returns how many bytes it is.
func base64Len(text []byte) (int, bool) {
	if len(text)%4 != 0 {
		return 0, false
	}
	n := len(text) / 4 * 3
	for pad := 0; pad < 2 && len(text) > 0 && text[len(text)-1] == '='; pad++ {
		text = text[:len(text)-1]
		n--
	}
	last := byte(0)
	for _, c := range text {
		v, ok := sextet(c)
		if !ok {
			return 0, false
		}
		last = v
	}
	// The bits that the padding leaves over are zero.
	switch n % 3 {
	case 1:
		return n, last&15 == 0
	case 2:
		return n, last&3 == 0
	}
	return n, true
}

func sextet(c byte) (byte, bool) {
	switch {
	case c >= 'A' && c <= 'Z':
		return c - 'A', true
	case c >= 'a' && c <= 'z':
		return c - 'a' + 26, true
	case c >= '0' && c <= '9':
		return c - '0' + 52, true
	case c == '+':
		return 62, true
	case c == '/':
		return 63, true
	}
	return 0, false
}

func isUUID(text []byte) bool {
	if len(text) != 36 {
		return false
	}
	for i, c := range text {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c-'0' <= 9 || c|0x20 >= 'a' && c|0x20 <= 'f':
		default:
			return false
		}
	}
	return true
}
