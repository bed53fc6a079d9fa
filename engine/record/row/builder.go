package row

import (
	"errors"
	"fmt"
	"time"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// Builder makes rows of a Struct, field by field. It belongs to one goroutine
// and keeps nothing of a row: the bytes are the caller's.
//
// Begin starts a row; then each field is given at most once, in the order of
// the schema; End finishes it. A field that is left out has its default, or is
// null. A value that does not fit its type is an error of the record, which End
// returns: the calls between need no check.
type Builder struct {
	e     *Encoding
	dst   []byte
	start int // of the row in dst
	next  int // field
	err   error
}

// NewBuilder returns a builder of rows of e, whose schema is a Struct.
func (e *Encoding) NewBuilder() (*Builder, error) {
	if !e.isStruct() {
		return nil, fmt.Errorf("rows are of structs, and the schema is of type %s", e.s.Type)
	}
	return &Builder{e: e}, nil
}

// Begin starts a row behind what dst holds.
func (b *Builder) Begin(dst []byte) {
	b.start, b.next, b.err = len(dst), 0, nil
	b.dst = b.e.root.open(dst)
}

// End returns dst with the row, or as it was after an error.
func (b *Builder) End() ([]byte, error) {
	b.skip(len(b.e.root.fields))
	dst := b.dst
	if b.dst = nil; b.err != nil {
		return dst[:b.start], b.err
	}
	return dst, nil
}

// skip gives the fields before i that were left out.
func (b *Builder) skip(i int) {
	for b.next < i && b.err == nil {
		f := &b.e.root.fields[b.next]
		v := record.NullValue()
		if f.s.Default != nil {
			if v, b.err = record.RawJSON(f.s.Default).As(f.s); b.err != nil {
				b.fail(b.err)
				return
			}
		}
		b.set(v)
	}
}

// at is whether field i comes now.
func (b *Builder) at(i int) bool {
	if b.err == nil && (i < b.next || i >= len(b.e.root.fields)) {
		b.err = fmt.Errorf("a bug: field %d is given twice, or out of order", i)
	}
	b.skip(i)
	return b.err == nil
}

func (b *Builder) fail(err error) {
	b.err = fmt.Errorf("field %q: %w", b.e.root.fields[b.next].name, err)
}

// set gives the next field.
func (b *Builder) set(v record.Value) {
	var err error
	if b.dst, err = b.e.root.setField(b.dst, b.start, b.next, v, 1); err != nil {
		b.fail(err)
		return
	}
	b.next++
}

// Null makes field i null.
func (b *Builder) Null(i int) { b.Value(i, record.NullValue()) }

// Bool gives a field of type Bool.
func (b *Builder) Bool(i int, v bool) { b.Value(i, record.BoolValue(v)) }

// Int gives a field of any type of whole numbers, of floats, or of decimals.
func (b *Builder) Int(i int, v int64) {
	if !b.at(i) {
		return
	}
	if t := b.e.root.fields[i].s.Type; t == schema.Float32 || t == schema.Float64 {
		b.set(record.FloatValue(float64(v)))
		return
	}
	b.set(record.IntValue(v))
}

// Float gives a field of type Float32 or Float64.
func (b *Builder) Float(i int, v float64) { b.Value(i, record.FloatValue(v)) }

// Bytes gives a field of type String, which must be UTF-8, Bytes, or an Enum or
// UUID by its text.
func (b *Builder) Bytes(i int, p []byte) {
	if b.at(i) {
		if b.e.root.fields[i].s.Type == schema.Bytes {
			b.set(record.BytesValue(p))
			return
		}
		b.set(record.TextValue(p))
	}
}

// Time gives a field of type Timestamp, LocalTimestamp or Date. Of the latter
// two the zone of t is left out: what a clock showed counts.
func (b *Builder) Time(i int, t time.Time) {
	if !b.at(i) {
		return
	}
	if b.e.root.fields[i].s.Type != schema.Timestamp {
		t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	}
	b.set(record.TimeValue(t))
}

// Duration gives a field of type Duration or Time.
func (b *Builder) Duration(i int, d time.Duration) { b.Value(i, record.DurationValue(d)) }

var errNumber = errors.New("no number")

// Number gives a field of a type of numbers by its JSON text, so that a decimal
// keeps its digits.
func (b *Builder) Number(i int, text []byte) {
	if !b.at(i) {
		return
	}
	if record.ValidateJSON(text) != nil {
		b.fail(errNumber)
		return
	}
	b.JSON(i, text)
}

// JSON gives a field by its typed JSON text, which must be valid.
func (b *Builder) JSON(i int, text []byte) {
	if !b.at(i) {
		return
	}
	v, err := record.RawJSON(text).As(b.e.root.fields[i].s)
	if err != nil {
		b.fail(err)
		return
	}
	b.set(v)
}

// Value gives field i, of the kind that its type reads as.
func (b *Builder) Value(i int, v record.Value) {
	if b.at(i) {
		b.set(v)
	}
}
