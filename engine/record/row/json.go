package row

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// appendStruct appends the struct at s as typed JSON text.
func (n *node) appendStruct(dst, b []byte, s span, depth int) ([]byte, error) {
	dst = append(dst, '{')
	for i := range n.fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		f := &n.fields[i]
		dst = append(record.AppendQuoted(dst, []byte(f.name)), ':')
		at, null, err := n.find(b, s, i)
		if err == nil {
			dst, err = f.appendOr(dst, b, at, null, depth)
		}
		if err != nil {
			return dst, fmt.Errorf("field %q: %w", f.name, err)
		}
	}
	return append(dst, '}'), nil
}

func (n *node) appendOr(dst, b []byte, at span, null bool, depth int) ([]byte, error) {
	if null {
		return append(dst, "null"...), nil
	}
	return n.appendJSON(dst, b, at, depth)
}

// appendJSON appends the value at s as typed JSON text.
func (n *node) appendJSON(dst, b []byte, s span, depth int) ([]byte, error) {
	if n.s.Type.IsComplex() {
		if depth++; depth > limits.JSONDepth {
			return dst, errDeep
		}
	}
	p := b[s.start:s.end]
	le := binary.LittleEndian
	switch n.s.Type {
	case schema.Struct:
		return n.appendStruct(dst, b, s, depth)
	case schema.Array:
		return n.appendArray(dst, b, s, depth)
	case schema.Map:
		return n.appendMap(dst, b, s, depth)
	case schema.Union:
		which, at, err := n.branch(b, s)
		if err != nil {
			return dst, err
		}
		return which.appendStruct(dst, b, at, depth)
	case schema.Any:
		return record.Compact(dst, p)
	case schema.Bool:
		return strconv.AppendBool(dst, p[0] != 0), nil
	case schema.Float32, schema.Float64:
		return appendFloat(dst, n.float(p), n.width*8), nil
	case schema.Uint64:
		return strconv.AppendUint(dst, le.Uint64(p), 10), nil
	case schema.String:
		if !utf8.Valid(p) {
			return dst, errUTF8
		}
		return record.AppendQuoted(dst, p), nil
	case schema.Bytes:
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), p), '"'), nil
	case schema.Decimal:
		if record.ValidateJSON(p) != nil || p[0] != '-' && p[0]-'0' > 9 {
			return dst, errDecimal
		}
		return append(dst, p...), nil
	case schema.Date:
		return append(schema.AppendDate(append(dst, '"'), int64(le.Uint64(p))), '"'), nil
	case schema.Time:
		nanos := int64(le.Uint64(p))
		if nanos < 0 || nanos > int64(24*time.Hour) {
			return dst, errRange
		}
		return append(schema.AppendTime(append(dst, '"'), nanos/1e9, int(nanos%1e9)), '"'), nil
	case schema.Timestamp, schema.LocalTimestamp:
		sec, nsec, err := instant(p)
		if err != nil {
			return dst, err
		}
		return append(schema.AppendTimestamp(append(dst, '"'), sec, nsec, n.s.Type == schema.LocalTimestamp), '"'), nil
	case schema.Duration:
		return append(append(append(dst, '"'), time.Duration(le.Uint64(p)).String()...), '"'), nil
	case schema.UUID:
		return append(appendUUID(append(dst, '"'), p), '"'), nil
	case schema.Enum:
		symbol, err := n.symbol(p)
		if err != nil {
			return dst, err
		}
		return record.AppendQuoted(dst, []byte(symbol)), nil
	}
	return strconv.AppendInt(dst, n.int(p), 10), nil
}

func (n *node) appendArray(dst, b []byte, s span, depth int) ([]byte, error) {
	l, err := n.elem.list(b, s)
	if err != nil {
		return dst, err
	}
	dst = append(dst, '[')
	for i := range l.count {
		if i > 0 {
			dst = append(dst, ',')
		}
		at, null, err := l.at(i)
		if err == nil {
			dst, err = n.elem.appendOr(dst, b, at, null, depth)
		}
		if err != nil {
			return dst, fmt.Errorf("element %d: %w", i, err)
		}
	}
	return append(dst, ']'), nil
}

func (n *node) appendMap(dst, b []byte, s span, depth int) ([]byte, error) {
	keys, values, err := n.entries(b, s)
	if err != nil {
		return dst, err
	}
	object := n.key.s.Type == schema.String
	open, pair, middle, stop, end := "[", "[", ",", "]", byte(']')
	if object {
		open, pair, middle, stop, end = "{", "", ":", "", '}'
	}
	dst = append(dst, open...)
	for i := range keys.count {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, pair...)
		k, null, err := keys.at(i)
		if err == nil && null && object {
			err = errRange
		}
		if err == nil {
			dst, err = n.key.appendOr(dst, b, k, null, depth)
		}
		if err != nil {
			return dst, fmt.Errorf("key %d: %w", i, err)
		}
		dst = append(dst, middle...)
		v, null, err := values.at(i)
		if err == nil {
			dst, err = n.elem.appendOr(dst, b, v, null, depth)
		}
		if err != nil {
			return dst, fmt.Errorf("value %d: %w", i, err)
		}
		dst = append(dst, stop...)
	}
	return append(dst, end), nil
}

// int reads a slot that holds a whole number that fits int64.
func (n *node) int(p []byte) int64 {
	le := binary.LittleEndian
	switch n.s.Type {
	case schema.Int8:
		return int64(int8(p[0]))
	case schema.Uint8:
		return int64(p[0])
	case schema.Int16:
		return int64(int16(le.Uint16(p)))
	case schema.Uint16:
		return int64(le.Uint16(p))
	case schema.Int32:
		return int64(int32(le.Uint32(p)))
	case schema.Uint32:
		return int64(le.Uint32(p))
	}
	return int64(le.Uint64(p))
}

func (n *node) float(p []byte) float64 {
	if n.width == 4 {
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(p)))
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(p))
}

// appendFloat appends a number in the shortest form that reads back as the same
// number of so many bits.
func appendFloat(dst []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	case bits == 32:
		return strconv.AppendFloat(dst, f, 'g', -1, 32)
	}
	dst, _ = record.AppendFloat(dst, f) // it is finite
	return dst
}

func instant(p []byte) (sec int64, nsec int, err error) {
	nanos := binary.LittleEndian.Uint32(p[8:])
	if nanos >= 1e9 {
		return 0, 0, errRange
	}
	return int64(binary.LittleEndian.Uint64(p)), int(nanos), nil
}

func (n *node) symbol(p []byte) (string, error) {
	i := binary.LittleEndian.Uint32(p)
	if uint64(i) >= uint64(len(n.s.Symbols)) {
		return "", errRange
	}
	return n.s.Symbols[i], nil
}

func appendUUID(dst, p []byte) []byte {
	for i, c := range p {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, []byte{c})
	}
	return dst
}
