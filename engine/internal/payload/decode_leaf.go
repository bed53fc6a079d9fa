package payload

import (
	"bytes"
	"encoding/base64"
	"math"
	"strconv"
	"time"

	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/schema"
)

func (d *decoder) leaf(dst []byte, c *jsontext.Cursor, s *schema.Schema) ([]byte, error) {
	if s.Type == schema.Any && d.Plain {
		raw, err := c.Raw()
		return jsontext.AppendCompact(dst, raw), err
	}
	switch first := c.Peek(); {
	case first == '"':
		return d.text(dst, c, s)
	case first == '-' || first-'0' <= 9:
		return d.number(dst, c, s)
	case first == 't' || first == 'f':
		at := *c
		v, err := c.Bool()
		switch {
		case err != nil:
			return dst, err
		case s.Type == schema.Bool:
			return strconv.AppendBool(dst, v), nil
		case s.Type == schema.String && d.Lenient:
			return jsontext.AppendQuoted(dst, strconv.FormatBool(v)), nil
		}
		return dst, d.unfit(&at, s)
	}
	return dst, d.unfit(c, s)
}

func (d *decoder) number(dst []byte, c *jsontext.Cursor, s *schema.Schema) ([]byte, error) {
	at := *c
	num, err := c.Number()
	if err != nil {
		return dst, err
	}
	switch {
	case s.Type == schema.Decimal:
		return d.decimal(dst, num, s)
	case s.Type == schema.Float32 || s.Type == schema.Float64:
		return append(dst, num...), schema.CheckNumber(s, num)
	case s.Type.IsInt():
		return d.integer(dst, num, s)
	case s.Type == schema.String && d.Lenient:
		return jsontext.AppendQuoted(dst, num), nil
	case d.Counted(s) || d.Lenient && s.Type.HasUnit():
		if num = d.whole(num); num == nil {
			return dst, d.unfit(&at, s)
		}
		n, err := strconv.ParseInt(string(num), 10, 64)
		if err != nil {
			return dst, d.unfit(&at, s)
		}
		return d.count(dst, n, s)
	}
	return dst, d.unfit(&at, s)
}

func (d *decoder) decimal(dst, num []byte, s *schema.Schema) ([]byte, error) {
	if err := schema.CheckNumber(s, num); err != nil {
		return dst, err
	}
	var err error
	if d.buf, err = schema.AppendUnscaled(d.buf[:0], num, s.Scale); err != nil {
		return dst, err
	}
	return schema.AppendDecimal(dst, d.buf, s.Scale)
}

func (d *decoder) integer(dst, num []byte, s *schema.Schema) ([]byte, error) {
	if w := d.whole(num); w != nil {
		num = w
	}
	return append(dst, num...), schema.CheckNumber(s, num)
}

// whole returns num if it is written as an integer; leniently also 1.0 and
// 1e3. Else nil.
func (d *decoder) whole(num []byte) []byte {
	if !bytes.ContainsAny(num, ".eE") {
		return num
	}
	if !d.Lenient {
		return nil
	}
	units, err := schema.AppendUnscaled(nil, num, 0)
	if err != nil || len(units) > 9 {
		return nil
	}
	w, err := schema.AppendDecimal(nil, units, 0)
	if err != nil {
		return nil
	}
	return w
}

// count appends n units of a date or time as its text.
func (d *decoder) count(dst []byte, n int64, s *schema.Schema) ([]byte, error) {
	dst = append(dst, '"')
	switch s.Type {
	case schema.Date:
		if n > math.MaxInt32 || n < math.MinInt32 {
			return dst, bad("%d days are not of type date: out of range", n)
		}
		dst = schema.AppendDate(dst, n)
	case schema.Time:
		sec, nsec := s.Unit.Split(n)
		if n < 0 || sec > 86400 || sec == 86400 && nsec > 0 {
			return dst, bad("%d %s are not of type time: a day has 24 hours", n, s.Unit)
		}
		dst = schema.AppendTime(dst, sec, nsec)
	case schema.Duration:
		each := int64(time.Second) / s.Unit.PerSecond()
		if n > math.MaxInt64/each || n < math.MinInt64/each {
			return dst, bad("%d %s are not of type duration: out of range", n, s.Unit)
		}
		dst = append(dst, time.Duration(n*each).String()...)
	default:
		sec, nsec := s.Unit.Split(n)
		if !schema.InYears(sec) {
			return dst, bad("%d %s are not of type %s: out of range", n, s.Unit, s.Type)
		}
		dst = schema.AppendTimestamp(dst, sec, nsec, s.Type == schema.LocalTimestamp)
	}
	return append(dst, '"'), nil
}

func (d *decoder) text(dst []byte, c *jsontext.Cursor, s *schema.Schema) ([]byte, error) {
	if s.Type == schema.String {
		raw, _, err := c.RawString()
		return append(dst, raw...), err
	}
	at := *c
	text, err := c.String(d.buf)
	if err != nil {
		return dst, err
	}
	switch s.Type {
	case schema.Any:
		if d.Plain {
			return jsontext.AppendQuoted(dst, text), nil
		}
		return appendAny(dst, text)
	case schema.Decimal, schema.Uint64:
		return d.unscaled(dst, text, s)
	case schema.Bytes:
		return d.bytes(dst, text, s)
	case schema.UUID, schema.Enum, schema.Float32, schema.Float64:
		if err = schema.CheckText(s, text); err == nil {
			return jsontext.AppendQuoted(dst, text), nil
		}
		if !d.Lenient || s.Type == schema.UUID || s.Type == schema.Enum {
			return dst, err
		}
	default:
	}
	if (s.Type == schema.Date || s.Type.HasUnit()) && !d.Counted(s) {
		return d.zoned(dst, text, s)
	}
	if !d.Lenient {
		return dst, d.unfit(&at, s)
	}
	return d.loose(dst, text, s, at)
}

// zoned reads a date or time that is text in the payload, too. Timestamps may
// have any zone there, and are in UTC in typed JSON.
func (d *decoder) zoned(dst, text []byte, s *schema.Schema) ([]byte, error) {
	if err := schema.CheckText(s, text); err != nil {
		return dst, err
	}
	if s.Type != schema.Timestamp {
		return jsontext.AppendQuoted(dst, text), nil
	}
	sec, nsec, _ := schema.ParseTimestamp(text, false)
	return append(schema.AppendTimestamp(append(dst, '"'), sec, nsec, false), '"'), nil
}

func appendAny(dst, text []byte) ([]byte, error) {
	c := jsontext.New(text)
	if err := c.Skip(); err != nil {
		return dst, bad("any is JSON text in a string: %s", err)
	}
	if err := c.End(); err != nil {
		return dst, bad("any is JSON text in a string: %s", err)
	}
	return jsontext.AppendCompact(dst, text), nil
}

// loose reads a text as what it can only mean.
func (d *decoder) loose(dst, text []byte, s *schema.Schema, at jsontext.Cursor) ([]byte, error) {
	if s.Type == schema.Bool {
		switch string(text) {
		case "true", "false":
			return append(dst, text...), nil
		}
		return dst, d.unfit(&at, s)
	}
	c := jsontext.New(bytes.Clone(text))
	if p := c.Peek(); p == '-' || p-'0' <= 9 {
		if _, err := c.Number(); err == nil && c.End() == nil {
			c = jsontext.New(bytes.TrimSpace(bytes.Clone(text)))
			return d.number(dst, &c, s)
		}
	}
	if s.Type == schema.Date || s.Type.HasUnit() {
		if err := schema.CheckText(s, text); err != nil {
			return dst, err
		}
		return jsontext.AppendQuoted(dst, text), nil
	}
	return dst, d.unfit(&at, s)
}

func (d *decoder) unscaled(dst, text []byte, s *schema.Schema) ([]byte, error) {
	raw, err := d.decode64(text)
	if err != nil {
		return dst, bad("%q is not of type %s: base64 is expected", text, s.Type)
	}
	if len(raw) == 0 {
		return dst, bad("an empty text is no %s", s.Type)
	}
	begin := len(dst)
	if dst, err = schema.AppendDecimal(dst, raw, s.Scale); err != nil {
		return dst, err
	}
	return dst, schema.CheckNumber(s, dst[begin:])
}

func (d *decoder) bytes(dst, text []byte, s *schema.Schema) ([]byte, error) {
	if err := schema.CheckText(s, text); err != nil {
		raw, e := d.decode64(text)
		if !d.Lenient || e != nil || s.Size > 0 && len(raw) != s.Size {
			return dst, err
		}
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, raw)
		return append(dst, '"'), nil
	}
	return jsontext.AppendQuoted(dst, text), nil
}

var strict64 = base64.StdEncoding.Strict()

// decode64 reads base64: leniently without padding and of both alphabets.
func (d *decoder) decode64(text []byte) ([]byte, error) {
	if !d.Lenient {
		return strict64.AppendDecode(nil, text)
	}
	plain := bytes.TrimRight(bytes.Map(func(r rune) rune {
		switch r {
		case '-':
			return '+'
		case '_':
			return '/'
		}
		return r
	}, text), "=")
	return base64.RawStdEncoding.AppendDecode(nil, plain)
}
