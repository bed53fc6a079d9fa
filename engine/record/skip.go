package record

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
	"unsafe"

	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/limits"
)

// load8 loads b[i:i+8]. The caller has checked i+8 <= len(b): the bounds check
// of the compiler would be a second one on the hottest path.
func load8(b []byte, i int) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i))[:])
}

// special marks the bytes of w that plain text in a JSON string cannot hold:
// quote, backslash, control characters. Only the lowest mark is exact, a
// borrow may set marks above it.
func special(w uint64) uint64 { return jsontext.Special(w) }

// odd marks the bytes of w at which plain ASCII in a JSON string ends: those of
// special, and any byte beyond ASCII. Only the lowest mark is exact.
func odd(w uint64) uint64 { return jsontext.Odd(w) }

// skipString returns the index behind the closing quote of the string whose
// opening quote is just before i, -1 if it is not valid.
//
// Those who walk many strings take the plain ones, which are most, in a loop
// over odd of their own: a call spills all that they hold in registers.
func skipString(b []byte, i int) int {
	start := i
	var high uint64
	for i+8 <= len(b) {
		w := load8(b, i)
		m := special(w)
		if m == 0 {
			high |= w
			i += 8
			continue
		}
		high |= w & (m&-m - 1)
		i += bits.TrailingZeros64(m) >> 3
		switch b[i] {
		case '"':
			if high&jsontext.Wide != 0 && !utf8.Valid(b[start:i]) {
				return -1
			}
			return i + 1
		case '\\':
			if i = skipEscape(b, i); i < 0 {
				return -1
			}
		default:
			return -1
		}
	}
	return skipStringEnd(b, start, i, high&jsontext.Wide)
}

// skipStringEnd is skipString for the last bytes of b. high is not 0 if there
// were bytes beyond ASCII.
func skipStringEnd(b []byte, start, i int, high uint64) int {
	for i < len(b) {
		switch c := b[i]; {
		case c == '"':
			if high != 0 && !utf8.Valid(b[start:i]) {
				return -1
			}
			return i + 1
		case c == '\\':
			if i = skipEscape(b, i); i < 0 {
				return -1
			}
		case c < ' ':
			return -1
		default:
			high |= uint64(c & utf8.RuneSelf)
			i++
		}
	}
	return -1
}

// skipEscape returns the index behind the escape sequence at i.
func skipEscape(b []byte, i int) int {
	if n := jsontext.EscapeLen(b[i:]); n >= 0 {
		return i + n
	}
	return -1
}

func digit(c byte) bool { return c-'0' <= 9 }

// skipNumber returns the index behind the number at i, -1 if it is not valid.
func skipNumber(b []byte, i int) int {
	if b[i] == '-' {
		i++
	}
	if i >= len(b) {
		return -1
	}
	switch c := b[i]; {
	case c == '0':
		i++
	case digit(c):
		for i++; i < len(b) && digit(b[i]); i++ {
		}
	default:
		return -1
	}
	if i >= len(b) {
		return i
	}
	if b[i] == '.' {
		start := i + 1
		for i++; i < len(b) && digit(b[i]); i++ {
		}
		if i == start {
			return -1
		}
		if i >= len(b) {
			return i
		}
	}
	if b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		start := i
		for ; i < len(b) && digit(b[i]); i++ {
		}
		if i == start {
			return -1
		}
	}
	return i
}

// skipSpace returns the index of the first byte from i on that is no white
// space, len(b) if there is none.
func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skipWord returns the index behind the word at i.
func skipWord(b []byte, i int, word string) int {
	if len(b)-i < len(word) || string(b[i:i+len(word)]) != word {
		return -1
	}
	return i + len(word)
}

// skipScalar returns the index behind the string, number or word at i, -1 if
// there is none that is valid. i < len(b).
func skipScalar(b []byte, i int) int {
	switch c := b[i]; c {
	case '"':
		return skipString(b, i+1)
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return skipNumber(b, i)
	case 't':
		return skipWord(b, i, "true")
	case 'f':
		return skipWord(b, i, "false")
	case 'n':
		return skipWord(b, i, "null")
	}
	return -1
}

// depthWords hold a bit for each depth: a power of two, which spares a division.
const depthWords = 16

var _ [depthWords*64 - 1 - limits.JSONDepth]struct{} // all depths fit

// skipValue returns the index behind the value at i, validating all of it; -1
// if it is not valid or deeper than limits.JSONDepth with the depth containers
// that it stands in. It keeps the containers on a stack of bits, so that deep
// input costs no stack.
func skipValue(b []byte, i, depth int) int {
	if i >= len(b) {
		return -1
	}
	if c := b[i]; c != '{' && c != '[' {
		return skipScalar(b, i)
	}
	var stack [depthWords]uint64 // a set bit is an object
	outer := depth
	object := false

value:
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '{':
		if depth++; depth > limits.JSONDepth {
			return -1
		}
		object = true
		stack[uint(depth)/64%depthWords] |= 1 << (uint(depth) % 64)
		if i = skipSpace(b, i+1); i < len(b) && b[i] == '}' {
			i++
			goto end
		}
		goto key
	case '[':
		if depth++; depth > limits.JSONDepth {
			return -1
		}
		object = false
		stack[uint(depth)/64%depthWords] &^= 1 << (uint(depth) % 64)
		if i = skipSpace(b, i+1); i < len(b) && b[i] == ']' {
			i++
			goto end
		}
		goto value
	case '"':
		for j := i + 1; ; j += 8 {
			if j+8 <= len(b) {
				m := odd(load8(b, j))
				if m == 0 {
					continue
				}
				if j += bits.TrailingZeros64(m) >> 3; b[j] == '"' {
					i = j + 1
					goto next
				}
			}
			i = skipString(b, i+1)
			break
		}
	default:
		i = skipScalar(b, i)
	}
	if i < 0 {
		return -1
	}

next:
	if i >= len(b) {
		return -1
	}
	if b[i] <= ' ' {
		if i = skipSpace(b, i); i >= len(b) {
			return -1
		}
	}
	switch b[i] {
	case ',':
		if i++; i < len(b) && b[i] <= ' ' {
			i = skipSpace(b, i)
		}
		if !object {
			goto value
		}
		goto key
	case '}':
		if !object {
			return -1
		}
	case ']':
		if object {
			return -1
		}
	default:
		return -1
	}
	i++

end:
	if depth--; depth == outer {
		return i
	}
	object = stack[uint(depth)/64%depthWords]>>(uint(depth)%64)&1 != 0
	goto next

key:
	if i >= len(b) || b[i] != '"' {
		return -1
	}
	for j := i + 1; ; j += 8 {
		if j+8 <= len(b) {
			m := odd(load8(b, j))
			if m == 0 {
				continue
			}
			if j += bits.TrailingZeros64(m) >> 3; b[j] == '"' {
				i = j + 1
				break
			}
		}
		i = skipString(b, i+1)
		break
	}
	if uint(i) >= uint(len(b)) {
		return -1
	}
	if b[i] != ':' {
		if i = skipSpace(b, i); i >= len(b) || b[i] != ':' {
			return -1
		}
	}
	if i++; i < len(b) && b[i] <= ' ' {
		i = skipSpace(b, i)
	}
	goto value
}
