package parquetfile

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

type convertedType = deprecated.ConvertedType

var errLevels = errors.New("the levels of the columns do not agree: the file is damaged")

// append appends the value of n that stands next in its columns, which begins at
// the repetition level rep. A value that is bad is noted in r.bad, so that the
// columns stay together.
func (r *Reader) append(dst []byte, n *node, rep int) ([]byte, error) {
	if n.kind != group || n.optional {
		v, ok, err := r.chunks[n.first].peek()
		if err != nil {
			return dst, err
		}
		if !ok {
			return dst, r.chunks[n.first].wrap(errFew)
		}
		if n.optional && v.DefinitionLevel() < n.def {
			return append(dst, "null"...), r.drop(n, rep, n.def)
		}
		if n.kind == leaf {
			return r.leaf(dst, n, v, rep)
		}
		if n.kind != group && v.DefinitionLevel() <= n.def {
			empty := "[]"
			if n.kind == pairs && n.s.Key.Type == schema.String {
				empty = "{}"
			}
			return append(dst, empty...), r.drop(n, rep, n.def+1)
		}
	}
	var err error
	switch n.kind {
	case group:
		dst = append(dst, '{')
		for i, k := range n.kids {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, k.label...)
			if dst, err = r.append(dst, k, rep); err != nil {
				return dst, err
			}
		}
		return append(dst, '}'), nil
	case list:
		dst = append(dst, '[')
	default:
		return r.pairs(dst, n, rep)
	}
	for i := 0; ; i++ {
		if dst, err = r.append(dst, n.kids[0], rep); err != nil {
			return dst, err
		}
		more, err := r.more(n)
		if err != nil || !more {
			return append(dst, ']'), err
		}
		dst = append(dst, ',')
		rep = n.rep + 1
	}
}

// more reports whether the list n has another element.
func (r *Reader) more(n *node) (bool, error) {
	v, ok, err := r.chunks[n.first].peek()
	return ok && v.RepetitionLevel() == n.rep+1, err
}

func (r *Reader) pairs(dst []byte, n *node, rep int) ([]byte, error) {
	object := n.s.Key.Type == schema.String
	open, pair, middle, stop, end := "[", "[", ",", "]", byte(']')
	if object {
		open, pair, middle, stop, end = "{", "", ":", "", '}'
	}
	dst = append(dst, open...)
	for {
		dst = append(dst, pair...)
		at := len(dst)
		var err error
		if dst, err = r.append(dst, n.kids[0], rep); err != nil {
			return dst, err
		}
		if string(dst[at:]) == "null" {
			r.spoil(n, errors.New("a key is null"))
		}
		dst = append(dst, middle...)
		if dst, err = r.append(dst, n.kids[1], rep); err != nil {
			return dst, err
		}
		dst = append(dst, stop...)
		more, err := r.more(n)
		if err != nil || !more {
			return append(dst, end), err
		}
		dst = append(dst, ',')
		rep = n.rep + 1
	}
}

// drop takes a value, of a definition level below def, from each column under
// n: what says that nothing is there.
func (r *Reader) drop(n *node, rep, def int) error {
	for i := n.first; i < n.last; i++ {
		c := r.chunks[i]
		v, ok, err := c.peek()
		if err != nil {
			return err
		}
		if !ok {
			return c.wrap(errFew)
		}
		if v.RepetitionLevel() != rep || v.DefinitionLevel() >= def {
			return c.wrap(errLevels)
		}
		c.next++
	}
	return nil
}

// spoil notes what is wrong with a value.
func (r *Reader) spoil(n *node, err error) {
	if r.bad == nil {
		r.bad = fmt.Errorf("the column %s: %w", n.name, err)
	}
}

func (r *Reader) leaf(dst []byte, n *node, v *parquet.Value, rep int) ([]byte, error) {
	c := r.chunks[n.col]
	if v.RepetitionLevel() != rep || v.DefinitionLevel() != n.def || v.IsNull() {
		return dst, c.wrap(errLevels)
	}
	at := len(dst)
	dst, err := n.text(dst, v)
	if err != nil {
		r.spoil(n, err)
		dst = append(dst[:at], "null"...)
	}
	c.next++
	return dst, nil
}

// text appends a value as typed JSON text.
func (n *node) text(dst []byte, v *parquet.Value) ([]byte, error) {
	switch n.op {
	case opBool:
		return strconv.AppendBool(dst, v.Boolean()), nil
	case opInt32:
		return n.ranged(dst, int64(v.Int32()))
	case opUint32:
		return n.ranged(dst, int64(v.Uint32()))
	case opInt64:
		return strconv.AppendInt(dst, v.Int64(), 10), nil
	case opUint64:
		return strconv.AppendUint(dst, v.Uint64(), 10), nil
	case opFloat:
		return appendJSONFloat(dst, float64(v.Float()), 32), nil
	case opDouble:
		return appendJSONFloat(dst, v.Double(), 64), nil
	case opFloat16:
		return appendJSONFloat(dst, float64(half(binary.LittleEndian.Uint16(v.ByteArray()))), 32), nil
	case opString:
		return n.string(dst, v.ByteArray())
	case opBytes:
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), v.ByteArray()), '"'), nil
	case opUUID:
		return append(appendUUID(append(dst, '"'), v.ByteArray()), '"'), nil
	case opJSON:
		return n.json(dst, v.ByteArray())
	case opDecimal32:
		return n.decimal(dst, int64(v.Int32()))
	case opDecimal64:
		return n.decimal(dst, v.Int64())
	case opDecimalBytes:
		return n.checked(dst)(schema.AppendDecimal(dst, v.ByteArray(), n.s.Scale))
	case opInterval:
		return appendInterval(dst, v.ByteArray()), nil
	}
	return n.clock(dst, v)
}

var errType = errors.New("outside of its type")

func (n *node) ranged(dst []byte, v int64) ([]byte, error) {
	ok := true
	switch n.s.Type {
	case schema.Int8:
		ok = v == int64(int8(v))
	case schema.Int16:
		ok = v == int64(int16(v))
	case schema.Uint8:
		ok = v == int64(uint8(v))
	case schema.Uint16:
		ok = v == int64(uint16(v))
	}
	dst = strconv.AppendInt(dst, v, 10)
	if !ok {
		return dst, errType
	}
	return dst, nil
}

func (n *node) string(dst, p []byte) ([]byte, error) {
	if !utf8.Valid(p) {
		return dst, errUTF8
	}
	if n.s.Type == schema.Enum && n.s.SymbolIndex(string(p)) < 0 {
		return dst, fmt.Errorf("%q is no symbol of the enum", p)
	}
	return record.AppendQuoted(dst, p), nil
}

func (n *node) json(dst, p []byte) ([]byte, error) {
	if n.s.Type != schema.Any {
		if err := schema.Check(n.s, p); err != nil {
			return dst, err
		}
	}
	return record.Compact(dst, p)
}

// decimal appends a number of units of the scale.
func (n *node) decimal(dst []byte, v int64) ([]byte, error) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(v))
	return n.checked(dst)(schema.AppendDecimal(dst, b[:], n.s.Scale))
}

// checked returns what checks that a number which was appended is one of the
// type.
func (n *node) checked(before []byte) func([]byte, error) ([]byte, error) {
	return func(dst []byte, err error) ([]byte, error) {
		if err == nil {
			err = schema.CheckNumber(n.s, dst[len(before):])
		}
		return dst, err
	}
}

func (n *node) clock(dst []byte, v *parquet.Value) ([]byte, error) {
	dst = append(dst, '"')
	var err error
	switch n.op {
	case opDate:
		dst = schema.AppendDate(dst, int64(v.Int32()))
	case opDuration:
		per := int64(time.Second) / n.unit.PerSecond()
		if d := v.Int64() * per; d/per == v.Int64() {
			dst = append(dst, time.Duration(d).String()...)
		} else {
			err = errType
		}
	case opTime:
		count := v.Int64()
		if n.phys == parquet.Int32 {
			count = int64(v.Int32())
		}
		sec, nsec := n.unit.Split(count)
		if sec < 0 || sec > 86400 || sec == 86400 && nsec > 0 {
			return dst, errType
		}
		dst = schema.AppendTime(dst, sec, nsec)
	default:
		sec, nsec := n.instant(v)
		if !schema.InYears(sec) {
			return dst, errType
		}
		dst = schema.AppendTimestamp(dst, sec, nsec, n.s.Type == schema.LocalTimestamp)
	}
	return append(dst, '"'), err
}

// julian1970 is the Julian day of 1970-01-01.
const julian1970 = 2440588

// instant reads a timestamp; those of 96 bits are nanoseconds of a Julian day.
func (n *node) instant(v *parquet.Value) (sec int64, nsec int) {
	if n.op != opInt96 {
		return n.unit.Split(v.Int64())
	}
	w := v.Int96()
	nanos := int64(uint64(w[1])<<32 | uint64(w[0]))
	sec, nsec = schema.Nanosecond.Split(nanos)
	return (int64(w[2])-julian1970)*86400 + sec, nsec
}

func appendJSONFloat(dst []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	}
	if bits == 64 {
		dst, _ = record.AppendFloat(dst, f) // it is finite
		return dst
	}
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return strconv.AppendFloat(dst, f, 'e', -1, 32)
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 32)
}

// half returns what a float of 16 bits is.
func half(h uint16) float32 {
	sign := float32(1)
	if h>>15 != 0 {
		sign = -1
	}
	exp, frac := int(h>>10&31), float64(h&1023)
	switch exp {
	case 0:
		return sign * float32(math.Ldexp(frac, -24))
	case 31:
		if frac != 0 {
			return float32(math.NaN())
		}
		return sign * float32(math.Inf(1))
	}
	return sign * float32(math.Ldexp(1024+frac, exp-25))
}

func appendUUID(dst, p []byte) []byte {
	for i, part := range [][]byte{p[:4], p[4:6], p[6:8], p[8:10], p[10:16]} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, part)
	}
	return dst
}

// appendInterval appends months, days and milliseconds as ISO 8601 writes them.
func appendInterval(dst, p []byte) []byte {
	le := binary.LittleEndian
	millis := le.Uint32(p[8:])
	return fmt.Appendf(dst, `"P%dM%dDT%d.%03dS"`, le.Uint32(p), le.Uint32(p[4:]), millis/1000, millis%1000)
}
