package record

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/flowrecords/flow/engine/limits"
)

// AppendJSON appends the value as JSON: numbers with their own digits, floats
// in the shortest form, times in RFC 3339 with nanoseconds, durations as Go
// prints them, bytes as base64, object members of an untouched sub-tree in
// their order and of a boxed map sorted by name. Missing is written as null.
// It never writes a line break: a sub-tree that holds some is written compact.
// After an error dst is returned as it was.
func (v Value) AppendJSON(dst []byte) ([]byte, error) {
	out, err := v.appendJSON(dst, 0)
	if err != nil {
		return dst, err
	}
	return out, nil
}

func (v Value) appendJSON(dst []byte, depth int) ([]byte, error) {
	switch v.kind {
	case String:
		if v.flags&flagPlain != 0 {
			dst = append(dst, '"')
			dst = append(dst, v.bytes()...)
			return append(dst, '"'), nil
		}
		return AppendQuoted(dst, v.bytes()), nil
	case Bytes:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, v.bytes())
		return append(dst, '"'), nil
	case Time, Duration:
		dst = append(dst, '"')
		dst, err := v.AppendText(dst)
		return append(dst, '"'), err
	case Array, Object:
		if v.flags&flagJSON != 0 {
			return appendLine(dst, v.bytes()), nil
		}
		if v.kind == Array {
			return appendSlice(dst, v.slice(), depth)
		}
		return appendMap(dst, v.table(), depth)
	}
	return v.appendScalar(dst)
}

// appendLine appends JSON text, compact if it holds line breaks.
func appendLine(dst, text []byte) []byte {
	if hasBreak(text) {
		return appendCompact(dst, text)
	}
	return append(dst, text...)
}

func hasBreak(text []byte) bool {
	return bytes.IndexByte(text, '\n') >= 0 || bytes.IndexByte(text, '\r') >= 0
}

// appendScalar appends a Missing, Null, Bool, Int or Float.
func (v Value) appendScalar(dst []byte) ([]byte, error) {
	if v.flags&flagDigits != 0 {
		return append(dst, v.digits()...), nil
	}
	switch v.kind {
	case Bool:
		return strconv.AppendBool(dst, v.num != 0), nil
	case Int:
		return strconv.AppendInt(dst, int64(v.num), 10), nil
	case Float:
		return AppendFloat(dst, v.Float())
	}
	return append(dst, "null"...), nil
}

// AppendText appends the value as it stands in a template: strings and bytes
// plain, null and Missing as nothing, all else as JSON without quotes.
func (v Value) AppendText(dst []byte) ([]byte, error) {
	switch v.kind {
	case Missing, Null:
		return dst, nil
	case String, Bytes:
		return append(dst, v.bytes()...), nil
	case Time:
		return v.Time().AppendFormat(dst, time.RFC3339Nano), nil
	case Duration:
		return append(dst, v.Duration().String()...), nil
	}
	return v.AppendJSON(dst)
}

func appendSlice(dst []byte, s []any, depth int) ([]byte, error) {
	if depth++; depth > limits.JSONDepth {
		return dst, errDeep
	}
	dst = append(dst, '[')
	for i, e := range s {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendAny(dst, e, depth); err != nil {
			return dst, fmt.Errorf("element %d: %w", i, err)
		}
	}
	return append(dst, ']'), nil
}

func appendMap(dst []byte, m map[string]any, depth int) ([]byte, error) {
	if depth++; depth > limits.JSONDepth {
		return dst, errDeep
	}
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	dst = append(dst, '{')
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(AppendQuoted(dst, StringValue(name).bytes()), ':')
		var err error
		if dst, err = appendAny(dst, m[name], depth); err != nil {
			return dst, fmt.Errorf("member %q: %w", name, err)
		}
	}
	return append(dst, '}'), nil
}

// appendAny appends what a boxed array or object holds.
func appendAny(dst []byte, e any, depth int) ([]byte, error) {
	switch e := e.(type) {
	case string:
		return AppendQuoted(dst, StringValue(e).bytes()), nil
	case []any:
		return appendSlice(dst, e, depth)
	case map[string]any:
		return appendMap(dst, e, depth)
	}
	v, err := FromAny(e)
	if err != nil {
		return dst, err
	}
	return v.appendJSON(dst, depth)
}

// Compact appends the JSON text src to dst without the white space between
// its tokens. Numbers, escapes and the order of members stay as they are.
func Compact(dst, src []byte) ([]byte, error) {
	if err := ValidateJSON(src); err != nil {
		return dst, err
	}
	return appendCompact(dst, src), nil
}

// appendCompact is Compact of valid text.
func appendCompact(dst, src []byte) []byte {
	for i := 0; i < len(src); {
		switch src[i] {
		case ' ', '\t', '\n', '\r':
			i++
		case '"':
			end := skipString(src, i+1)
			dst = append(dst, src[i:end]...)
			i = end
		default:
			dst = append(dst, src[i])
			i++
		}
	}
	return dst
}

// checkNumber reports whether s is a number of JSON.
func checkNumber(s json.Number) bool {
	b := []byte(s)
	return len(b) > 0 && skipNumber(b, 0) == len(b)
}
