package csvconv

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/csvrow"
	"github.com/flowrecords/flow/engine/record/row"
	"github.com/flowrecords/flow/engine/schema"
)

// reader makes rows of fields. It belongs to one working copy.
type reader struct {
	c       *converter
	s       *schema.Schema
	builder *row.Builder
	text    []byte
}

func (c *converter) newReader() *reader {
	if c.rows == nil {
		return nil
	}
	b, err := c.rows.NewBuilder()
	if err != nil {
		panic(err) // Validate and newConverter take structs only
	}
	return &reader{c: c, s: c.rows.Schema(), builder: b}
}

var errNull = errors.New("it stands for a null, and its type is not optional")

func (r *reader) append(dst []byte, fields []csvrow.Field) ([]byte, error) {
	if len(fields) != len(r.s.Fields) {
		return dst, &countError{len(fields), len(r.s.Fields)}
	}
	r.builder.Begin(dst)
	for i := range fields {
		if err := r.field(i, &fields[i]); err != nil {
			return dst, &csvrow.FieldError{Field: i + 1, Column: r.s.Fields[i].Name, Err: err}
		}
	}
	return r.builder.End()
}

// countError is csvrow.ErrFields with the numbers.
type countError struct{ got, want int }

func (e *countError) Error() string {
	return csvrow.ErrFields.Error() + ": " + strconv.Itoa(e.got) + ", the schema has " + strconv.Itoa(e.want)
}

func (e *countError) Unwrap() error { return csvrow.ErrFields }

func (r *reader) field(i int, f *csvrow.Field) error {
	t := r.s.Fields[i].Schema
	isText := t.Type == schema.String
	if r.c.columns.IsNull(f) {
		switch {
		case t.Optional:
			r.builder.Null(i)
			return nil
		case !isText || len(f.Text) > 0:
			return errNull
		}
	}
	text := f.Text
	if !isText {
		text = bytes.Trim(text, " \t")
	}
	v, err := r.value(t, text)
	if err == nil && !v.Fits(t) {
		err = csvrow.ErrType
	}
	if err != nil {
		return err
	}
	r.builder.Value(i, v)
	return nil
}

// value reads the text of a column.
func (r *reader) value(t *schema.Schema, text []byte) (record.Value, error) {
	switch {
	case t.Type == schema.Bool:
		out, err := csvrow.AppendBool(r.text[:0], text)
		if err != nil {
			return record.Value{}, err
		}
		r.text = out
		return record.RawJSON(out).As(t)
	case t.Type.IsNumber():
		r.text = appendNumber(r.text[:0], text)
		if record.ValidateJSON(r.text) != nil || r.text[0] != '-' && r.text[0]-'0' > 9 {
			return record.Value{}, csvrow.ErrType
		}
		return record.RawJSON(r.text).As(t)
	}
	return record.TextValue(text).As(t)
}

// appendNumber appends a number as JSON writes it: without a plus sign and
// leading zeros, and with digits on both sides of the point. What is no number
// stays none.
func appendNumber(dst, text []byte) []byte {
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		if text[0] == '-' {
			dst = append(dst, '-')
		}
		text = text[1:]
	}
	for len(text) > 1 && text[0] == '0' && text[1]-'0' <= 9 {
		text = text[1:]
	}
	if len(text) > 1 && text[0] == '.' {
		dst = append(dst, '0')
	}
	return append(dst, bytes.TrimSuffix(text, []byte("."))...)
}
