package avro

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine/record"
)

// Defaults stand in schemas in a JSON form of their own: bytes as the
// characters U+0000 to U+00FF, logical types as the type beneath, a union's as
// a value of one of its branches.

// maxTries bounds the work on one default: nested unions could be tried in
// exponentially many ways.
const maxTries = 100_000

// defaulter writes the binary form of one default.
type defaulter struct{ tries int }

// appendDefault appends the binary form of a default.
func appendDefault(dst []byte, s *Schema, text []byte) ([]byte, error) {
	d := defaulter{}
	return d.append(dst, s, bytes.TrimSpace(text), 0)
}

func (d *defaulter) append(dst []byte, s *Schema, text []byte, depth int) ([]byte, error) {
	if d.tries++; depth > maxDepth || d.tries > maxTries {
		return dst, errors.New("a default nested too deeply")
	}
	wrong := func() ([]byte, error) {
		return dst, fmt.Errorf("%s is no default of the type %s", excerpt(text), s.branchName())
	}
	switch s.Kind {
	case Null:
		if string(text) != "null" {
			return wrong()
		}
		return dst, nil
	case Boolean:
		switch string(text) {
		case "true":
			return append(dst, 1), nil
		case "false":
			return append(dst, 0), nil
		}
		return wrong()
	case Int, Long:
		bits := 64
		if s.Kind == Int {
			bits = 32
		}
		v, err := strconv.ParseInt(string(text), 10, bits)
		if err != nil {
			return wrong()
		}
		return binary.AppendVarint(dst, v), nil
	case Float, Double:
		return appendDefaultFloat(dst, s, text)
	case Bytes, Fixed:
		b, err := latin1(text)
		if err != nil || s.Kind == Fixed && len(b) != s.Size {
			return wrong()
		}
		if s.Kind == Bytes {
			dst = binary.AppendVarint(dst, int64(len(b)))
		}
		return append(dst, b...), nil
	case String:
		v, err := str(text)
		if err != nil {
			return wrong()
		}
		return append(binary.AppendVarint(dst, int64(len(v))), v...), nil
	case Enum:
		v, err := str(text)
		i := slices.Index(s.Symbols, v)
		if err != nil || i < 0 {
			return wrong()
		}
		return binary.AppendVarint(dst, int64(i)), nil
	case Union:
		// The first branch is meant; newer libraries take any that fits.
		for i, b := range s.Branches {
			if out, err := d.append(binary.AppendVarint(dst, int64(i)), b, text, depth+1); err == nil {
				return out, nil
			}
		}
		return wrong()
	}
	return d.many(dst, s, text, depth)
}

func appendDefaultFloat(dst []byte, s *Schema, text []byte) ([]byte, error) {
	var f float64
	if json.Unmarshal(text, &f) != nil {
		name, err := str(text)
		if err != nil || name != "NaN" && name != "Infinity" && name != "-Infinity" {
			return dst, fmt.Errorf("%s is no default of the type %s", excerpt(text), s.Kind)
		}
		f, _ = strconv.ParseFloat(name, 64)
	}
	if s.Kind == Float {
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(f))), nil
	}
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f)), nil
}

// many is append of what has elements.
func (d *defaulter) many(dst []byte, s *Schema, text []byte, depth int) ([]byte, error) {
	if s.Kind == Array {
		list, err := array(text)
		if err != nil {
			return dst, err
		}
		if len(list) > 0 {
			dst = binary.AppendVarint(dst, int64(len(list)))
			for _, e := range list {
				if dst, err = d.append(dst, s.Elem, e, depth+1); err != nil {
					return dst, err
				}
			}
		}
		return append(dst, 0), nil
	}
	o, err := object(text)
	if err != nil {
		return dst, err
	}
	if s.Kind == Map {
		if len(o) > 0 {
			dst = binary.AppendVarint(dst, int64(len(o)))
			for _, m := range o {
				dst = append(binary.AppendVarint(dst, int64(len(m.Name))), m.Name...)
				if dst, err = d.append(dst, s.Elem, m.Value, depth+1); err != nil {
					return dst, err
				}
			}
		}
		return append(dst, 0), nil
	}
	for i := range s.Fields {
		f := &s.Fields[i]
		v := o.get(f.Name)
		if v == nil {
			v = f.Default
		}
		if v == nil {
			return dst, fmt.Errorf("the default lacks the field %s", f.Name)
		}
		if dst, err = d.append(dst, f.Type, v, depth+1); err != nil {
			return dst, fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return dst, nil
}

// latin1 reads a JSON string each of whose characters is a byte.
func latin1(text []byte) ([]byte, error) {
	v, err := str(text)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, len(v))
	for _, r := range v {
		if r > math.MaxUint8 {
			return nil, fmt.Errorf("the character %q is no byte", r)
		}
		b = append(b, byte(r))
	}
	return b, nil
}

// defaultText is the reverse of appendDefault: the JSON form of the value at
// i.
func (r *reader) defaultText(dst []byte, n *node, i int) ([]byte, int) {
	s := n.schema
	switch s.Kind {
	case Int, Long:
		v, next := r.long(i)
		return strconv.AppendInt(dst, v, 10), next
	case Bytes:
		size, next := r.length(i)
		if next < 0 {
			return dst, -1
		}
		return appendLatin1(dst, r.b[next:next+size]), next + size
	case Fixed:
		next := r.fixed(i, s.Size)
		if next < 0 {
			return dst, -1
		}
		return appendLatin1(dst, r.b[i:next]), next
	case String:
		text, next := r.text(i)
		return record.AppendQuoted(dst, text), next
	case Union:
		which, next := r.branch(i, len(s.Branches))
		if next < 0 {
			return dst, -1
		}
		return r.defaultText(dst, compile(s.Branches[which]), next)
	case Record:
		dst = append(dst, '{')
		for f := range n.fields {
			if f > 0 {
				dst = append(dst, ',')
			}
			dst = append(record.AppendQuoted(dst, []byte(n.schema.Fields[f].Name)), ':')
			if dst, i = r.defaultText(dst, n.fields[f].node, i); i < 0 {
				return dst, r.within(n.fields[f].name)
			}
		}
		return append(dst, '}'), i
	case Array, Map:
		return r.defaultElements(dst, n, i)
	}
	return r.json(dst, n, i)
}

func (r *reader) defaultElements(dst []byte, n *node, i int) ([]byte, int) {
	isMap := n.schema.Kind == Map
	brackets, key := "[]", 0
	if isMap {
		brackets, key = "{}", 1
	}
	dst = append(dst, brackets[0])
	first := true
	for {
		count, _, next := r.block(n.elem, key, i)
		if next < 0 {
			return dst, -1
		}
		if i = next; count == 0 {
			return append(dst, brackets[1]), i
		}
		for ; count > 0; count-- {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			if isMap {
				var name []byte
				if name, i = r.text(i); i < 0 {
					return dst, -1
				}
				dst = append(record.AppendQuoted(dst, name), ':')
			}
			if dst, i = r.defaultText(dst, n.elem, i); i < 0 {
				return dst, -1
			}
		}
	}
}

func appendLatin1(dst, b []byte) []byte {
	text := make([]byte, 0, len(b))
	for _, c := range b {
		text = utf8.AppendRune(text, rune(c))
	}
	return record.AppendQuoted(dst, text)
}

// typedDefault returns the default of a field as typed JSON text.
func typedDefault(s *Schema, text []byte) ([]byte, error) {
	b, err := appendDefault(nil, s, text)
	if err != nil {
		return nil, err
	}
	r := reader{b: b}
	out, i := r.json(nil, compile(s), 0)
	if i < 0 {
		return nil, r.failure()
	}
	return out, nil
}
