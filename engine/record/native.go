package record

import (
	"sync/atomic"

	"github.com/flowrecords/flow/engine/schema"
)

// Place is where a value lies in the bytes of a record, and what its encoding
// has to know of it: a number of its own, such as that of a node of a program.
type Place struct {
	Start, End uint32
	Note       uint32
}

// Lazy is an Encoding whose Index calls d.FillAt for values that cost something
// to make, such as a struct, which most readers of a path below it never want.
type Lazy interface {
	Schemed
	// Read returns the value at p in raw, for which Index has called
	// d.FillAt. Its kind is that of JSONOf: an array, map, struct or union is
	// typed JSON text (RawJSON of what Make has made). Text and bytes may be
	// ranges of raw. Index has checked all bytes, so an error is rare: a text
	// that is not UTF-8.
	Read(d *Doc, raw []byte, p Place) (Value, error)
}

// FillAt says that the path is there and lies at p; Read is asked for the value
// when somebody wants it. Only Encoding.Index of a Lazy calls it.
func (d *Doc) FillAt(id PathID, p Place) {
	s := &d.slots[id]
	s.gen, s.vgen = d.gen, 0
	s.start, s.end, s.key, s.dup = p.Start, p.End, p.Note, false
}

// Program returns what build has made for this Doc and the encoding at work, so
// that an encoding finds the paths of the projection once. The Doc belongs to
// one goroutine, so the result may hold scratch memory. Only Index and Read of
// an encoding with a schema call it.
func (d *Doc) Program(build func(p *Projection) any) any {
	if *d.form.program == nil {
		*d.form.program = build(d.proj)
	}
	return *d.form.program
}

// Make returns what f appends to memory that lives until Reset.
func (d *Doc) Make(f func(dst []byte) ([]byte, error)) ([]byte, error) {
	start := len(d.arena)
	out, err := f(d.arena)
	if err != nil {
		return nil, err
	}
	d.arena = out
	return out[start:len(out):len(out)], nil
}

// Splicer is an encoding with a schema that writes edits of struct members by
// itself, so that a record need not become JSON and back for one field.
//
// Index must fill every field of the projection whose struct is there, the null
// ones too (with NullValue or FillAt): a path that is not filled is one whose
// parent is null. What lies within a value of type any, or a
// map whose keys are no strings, need not be filled: it is found in what Read
// gives.
type Splicer interface {
	Lazy
	// With returns the same encoding of schema s, which came from Schema() by
	// edits: one that is == each time. Nil means that it cannot write s: the
	// record becomes typed JSON. It is asked once for each schema and Doc, not
	// for each record.
	With(s *schema.Schema) Encoding
	// Splice appends the value base with the edits of p as With(p.To) writes
	// it. values are those that Member.Value names. An error is one of the
	// record. base has gone through Index.
	Splice(dst, base []byte, p *Plan, values []Value) ([]byte, error)
}

// Plan says how values of one schema become those of another by edits of struct
// members. It is immutable and the same pointer for every record that sees the
// same edits, so that an encoding makes its own program of it once.
type Plan struct {
	From, To *schema.Schema
	// Root is of a Struct. Members are those of To.Fields, in order.
	Root *Members

	memo atomic.Pointer[any]
}

// Members are the fields that a struct has after the edits, in order.
type Members struct{ List []Member }

// Member is one field: exactly one of Source and Value is not negative.
type Member struct {
	// Name and Schema of the field as it will be.
	Name   string
	Schema *schema.Schema
	// Source is the number of the field in the struct of the base that it is a
	// copy of. Its type is the one that it had there, unless Sub is set.
	Source int
	// Value is which of the values it is. It fits Schema and has the kind that
	// JSONOf reads it as; what is an array, map, struct, union or of no known
	// type is typed JSON text.
	Value int
	// Sub says how the struct at Source was edited; nil: it is as it was. That
	// struct is not null in this record.
	Sub *Members
}

// Memo returns what an encoding has kept with SetMemo, nil if nothing. Any
// goroutine may call it.
func (p *Plan) Memo() any {
	if m := p.memo.Load(); m != nil {
		return *m
	}
	return nil
}

// SetMemo keeps what an encoding has made of the plan.
func (p *Plan) SetMemo(v any) { p.memo.Store(&v) }
