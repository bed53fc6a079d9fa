package avro

import (
	"bytes"

	"github.com/flowrecords/flow/engine/record"
)

// These walk JSON text that is known to be valid.

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skipString returns the index behind the string whose opening quote is at i.
func skipString(b []byte, i int) int {
	for i++; ; {
		n := bytes.IndexByte(b[i:], '"')
		slash := bytes.IndexByte(b[i:i+n], '\\')
		if slash < 0 {
			return i + n + 1
		}
		i += slash + 2
	}
}

// skipValue returns the index behind the value at i.
func skipValue(b []byte, i int) int {
	depth := 0
	for {
		switch b[i] {
		case '"':
			i = skipString(b, i)
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

// unquoted returns what the string b[i:end], quotes included, stands for. It
// is a range of b unless it holds escapes.
func unquoted(b []byte, i, end int) []byte {
	inside := b[i+1 : end-1]
	if bytes.IndexByte(inside, '\\') < 0 {
		return inside
	}
	return record.AppendUnquoted(make([]byte, 0, end-i), b[i:end])
}

// members walks the members of the object at i. It stops when yield is false.
func members(b []byte, i int, yield func(name []byte, start, end int) bool) {
	i = skipSpace(b, i+1)
	for b[i] != '}' {
		if b[i] == ',' {
			i = skipSpace(b, i+1)
		}
		keyEnd := skipString(b, i)
		start := skipSpace(b, skipSpace(b, keyEnd)+1)
		end := skipValue(b, start)
		if !yield(unquoted(b, i, keyEnd), start, end) {
			return
		}
		i = skipSpace(b, end)
	}
}
