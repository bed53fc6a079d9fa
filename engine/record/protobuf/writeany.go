package protobuf

import (
	"encoding/binary"
	"strconv"

	"github.com/flowrecords/flow/engine/record/internal/scan"
)

// anyValue writes any JSON text as google.protobuf.Value.
func (e *wstate) anyValue(dst []byte, n *node, i int) ([]byte, int) {
	if !e.down() {
		return dst, -1
	}
	end := scan.Value(e.b, i)
	switch c := e.b[i]; c {
	case 'n':
		dst = append(dst, 1<<3, 0)
	case 't':
		dst = append(dst, 4<<3, 1)
	case 'f':
		dst = append(dst, 4<<3, 0)
	case '"':
		dst = appendBytesField(dst, 3, scan.Unquoted(e.b, i, end))
	case '{', '[':
		num := 5
		if c == '[' {
			num = 6
		}
		dst = append(appendTag(dst, num, wireBytes), 0)
		at := len(dst) - 1
		var next int
		if dst, next = e.anyElements(dst, n, i); next < 0 {
			return dst, -1
		}
		dst = insertLength(dst, at)
	default:
		text := e.b[i:end]
		f, err := strconv.ParseFloat(alias(text), 64)
		if err != nil || !e.lenient && !exactDouble(text, f) {
			return dst, e.fail("%s: google.protobuf.Value keeps numbers as doubles, which have not all its digits (lenient = true rounds)", excerpt(text))
		}
		dst = appendDouble(append(dst, 2<<3|wire64), f)
	}
	e.depth--
	return dst, end
}

// anyElements writes the content of a google.protobuf.Struct or ListValue.
func (e *wstate) anyElements(dst []byte, n *node, i int) ([]byte, int) {
	closing := e.b[i] + 2 // of { and [
	i = scan.Space(e.b, i+1)
	for e.b[i] != closing {
		if e.b[i] == ',' {
			i = scan.Space(e.b, i+1)
		}
		dst = append(dst, 1<<3|wireBytes, 0)
		at := len(dst) - 1
		inner := -1
		if closing == '}' {
			end := scan.String(e.b, i)
			dst = appendBytesField(dst, 1, scan.Unquoted(e.b, i, end))
			dst = append(dst, 2<<3|wireBytes, 0)
			inner = len(dst) - 1
			i = scan.Space(e.b, scan.Space(e.b, end)+1)
		}
		var next int
		if dst, next = e.anyValue(dst, n, i); next < 0 {
			return dst, -1
		}
		if inner >= 0 {
			dst = insertLength(dst, inner)
		}
		dst = insertLength(dst, at)
		i = scan.Space(e.b, next)
	}
	return dst, i + 1
}

func appendDouble(dst []byte, f float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, floatBits(f))
}
