// Package scan walks JSON text that is known to be valid, for encodings that
// write data from it. Indexes are those of bytes in the text.
package scan

import (
	"bytes"

	"github.com/flowrecords/flow/engine/record"
)

// Space returns the index of the first byte from i on that is no white space.
func Space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// String returns the index behind the string whose opening quote is at i.
func String(b []byte, i int) int {
	for i++; ; {
		n := bytes.IndexByte(b[i:], '"')
		slash := bytes.IndexByte(b[i:i+n], '\\')
		if slash < 0 {
			return i + n + 1
		}
		i += slash + 2
	}
}

// Value returns the index behind the value at i.
func Value(b []byte, i int) int {
	depth := 0
	for {
		switch b[i] {
		case '"':
			i = String(b, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\n', '\t', '\r':
			i++
			continue
		default:
			for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ']' && b[i] > ' ' {
				i++
			}
		}
		if depth == 0 {
			return i
		}
	}
}

// Unquoted returns what the string b[i:end], quotes included, stands for. It
// is a range of b unless it holds escapes.
func Unquoted(b []byte, i, end int) []byte {
	inside := b[i+1 : end-1]
	if bytes.IndexByte(inside, '\\') < 0 {
		return inside
	}
	return record.AppendUnquoted(make([]byte, 0, end-i), b[i:end])
}

// Members walks the members of the object at i. It stops when yield is false.
func Members(b []byte, i int, yield func(name []byte, start, end int) bool) {
	i = Space(b, i+1)
	for b[i] != '}' {
		if b[i] == ',' {
			i = Space(b, i+1)
		}
		keyEnd := String(b, i)
		start := Space(b, Space(b, keyEnd)+1)
		end := Value(b, start)
		if !yield(Unquoted(b, i, keyEnd), start, end) {
			return
		}
		i = Space(b, end)
	}
}

// Elements walks the elements of the array at i. It stops when yield is false.
func Elements(b []byte, i int, yield func(start, end int) bool) {
	i = Space(b, i+1)
	for b[i] != ']' {
		if b[i] == ',' {
			i = Space(b, i+1)
		}
		end := Value(b, i)
		if !yield(i, end) {
			return
		}
		i = Space(b, end)
	}
}
