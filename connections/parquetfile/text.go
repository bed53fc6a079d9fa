package parquetfile

import (
	"bytes"
	"time"

	"github.com/flowrecords/flow/engine/record"
)

// These walk JSON text that is known to be valid.

func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// stringEnd returns the index behind the string whose opening quote is at i.
func stringEnd(b []byte, i int) int {
	for i++; ; {
		n := bytes.IndexByte(b[i:], '"')
		slash := bytes.IndexByte(b[i:i+n], '\\')
		if slash < 0 {
			return i + n + 1
		}
		i += slash + 2
	}
}

// valueEnd returns the index behind the value at i.
func valueEnd(b []byte, i int) int {
	for depth := 0; ; {
		switch b[i] {
		case '"':
			i = stringEnd(b, i)
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

// unquoted returns what the string at i stands for: until the next call, or a
// range of the text.
func (c *packing) unquoted(i, end int) []byte {
	if inside := c.b[i+1 : end-1]; bytes.IndexByte(inside, '\\') < 0 {
		return inside
	}
	c.text = record.AppendUnquoted(c.text[:0], c.b[i:end])
	return c.text
}

func parseDuration(text []byte) (time.Duration, error) { return time.ParseDuration(string(text)) }
