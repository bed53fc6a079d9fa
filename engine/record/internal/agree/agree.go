// Package agree is a test for encodings: a random script of reads and edits finds
// and leaves the same in a record of the encoding as in one of typed JSON text.
package agree

import (
	"bytes"
	"fmt"
	"math"
	"time"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/row"
	"github.com/flowrecords/flow/engine/schema"
)

// paths are those that edits name.
var paths = []string{"a", "b", "c", "z", "y", "a.a", "a.b", "b.a", "b.z", "c.a.b", "c.b", "d[0]", "e", "a[0].b", "b.k1", "b.k1.a", "a[-1]"}

type pair struct {
	c    *Case
	p    *record.Projection
	ids  []record.PathID
	docs [2]*record.Doc
}

func newPair(c *Case) *pair {
	x := &pair{c: c, p: record.NewProjection()}
	for _, text := range paths {
		path, err := record.ParsePath(text)
		if err != nil {
			panic(err)
		}
		x.ids = append(x.ids, x.p.Add(path))
	}
	x.docs = [2]*record.Doc{record.NewDoc(x.p), record.NewDoc(x.p)}
	return x
}

var values = []record.Value{
	record.NullValue(), record.IntValue(1), record.IntValue(1 << 60), record.IntValue(-200), record.FloatValue(1.5), record.FloatValue(0.1),
	record.StringValue("text"), record.StringValue("B"), record.StringValue("\"é\n"), record.BoolValue(true), record.BytesValue([]byte{0, 255}),
	record.TimeValue(time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)), record.TimeValue(time.Date(2024, 2, 29, 1, 2, 3, 4, time.FixedZone("x", 3600))),
	record.DurationValue(90 * time.Minute), record.DurationValue(1), record.RawJSON([]byte(`{"a":1,"b":"x"}`)), record.RawJSON([]byte("[1,2]")),
	record.RawJSON([]byte("{}")), record.RawJSON([]byte("123456789012345678901234567890.5")), record.StringValue("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
}

// edit makes the same random edit of both; it returns what it was.
func (x *pair) edit(g Gen) (what string, errs [2]error) {
	id, other, v := x.ids[g.IntN(len(x.ids))], x.ids[g.IntN(len(x.ids))], values[g.IntN(len(values))]
	op := g.IntN(11)
	var t *schema.Schema
	if op == 7 {
		t = g.Schema(0)
	}
	for i, d := range x.docs {
		switch op {
		case 0, 1, 2, 3:
			what, errs[i] = fmt.Sprintf("set %s = %s", x.p.Path(id), v), d.Set(id, v)
		case 4, 5:
			what, errs[i] = fmt.Sprintf("delete %s", x.p.Path(id)), d.Delete(id)
		case 6:
			what, errs[i] = fmt.Sprintf("rename %s to %s", x.p.Path(id), x.p.Path(other)), d.Rename(id, other)
		case 7:
			what, errs[i] = fmt.Sprintf("set %s = %s as %s", x.p.Path(id), v, t), d.SetAs(id, v, t)
		case 8:
			what, errs[i] = fmt.Sprintf("keep %s and %s", x.p.Path(id), x.p.Path(other)), d.Keep([]record.PathID{id, other})
		default:
			// A copy from one place to another.
			w, err := d.Get(other)
			if err != nil {
				what, errs[i] = "get", err
				break
			}
			what, errs[i] = fmt.Sprintf("copy %s to %s", x.p.Path(other), x.p.Path(id)), d.Set(id, w)
		}
	}
	return what, errs
}

// said is what an error says; none is nothing.
func said(err error) string {
	if err == nil {
		return "no error"
	}
	return err.Error()
}

// agree checks that both read, and are written, the same.
func (x *pair) agree(g Gen, log string) error {
	for range 3 {
		id := x.ids[g.IntN(len(x.ids))]
		a, errA := x.docs[0].Get(id)
		b, errB := x.docs[1].Get(id)
		if (errA == nil) != (errB == nil) || errA == nil && (a.Kind() != b.Kind() || a.Kind() == record.Float && a.Float() != b.Float() && !math.IsNaN(a.Float()) || a.Kind() != record.Float && a.String() != b.String()) {
			return fmt.Errorf("%s: %s reads as %s %v, %s and as %s %v, %s", log, x.p.Path(id), a.Kind(), a, said(errA), b.Kind(), b, said(errB))
		}
	}
	var texts [2][]byte
	var typed []byte // of the second
	var schemas [2]*schema.Schema
	for i, d := range x.docs {
		if schemas[i] = d.Schema(); d.IsNull() {
			continue
		}
		out, err := d.AppendTo([]byte{})
		if err != nil {
			return fmt.Errorf("%s: writing %s: %w", log, d.Encoding().Name(), err)
		}
		text, err := d.Encoding().AppendJSON(nil, out)
		if err != nil {
			return fmt.Errorf("%s: %s %q: %w", log, d.Encoding().Name(), out, err)
		}
		typed = text
		if schemas[i] != nil {
			// The text is of the schema that the record says it has, and rows
			// have every field in its order.
			e := row.Of(schemas[i])
			if out, err = e.Append(nil, text); err != nil {
				return fmt.Errorf("%s: %s is not of its schema %s: %w", log, text, schemas[i], err)
			}
			if text, err = e.AppendJSON(nil, out); err == nil && x.c.Canonical != nil {
				text, err = x.c.Canonical(schemas[i], text)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", log, err)
			}
		}
		texts[i] = text
	}
	if err := x.written(typed); err != nil {
		return fmt.Errorf("%s: %w", log, err)
	}
	if !bytes.Equal(texts[0], texts[1]) {
		return fmt.Errorf("%s:\n%s and\n%s", log, texts[0], texts[1])
	}
	if (schemas[0] == nil) != (schemas[1] == nil) || schemas[0] != nil && !schema.Equal(schemas[0], schemas[1]) {
		return fmt.Errorf("%s: schemas %s and %s", log, schemas[0], schemas[1])
	}
	return nil
}

// written looks at the bytes of the first Doc.
func (x *pair) written(typed []byte) error {
	d := x.docs[0]
	if x.c.Written == nil || d.IsNull() || d.Schema() == nil {
		return nil
	}
	out, err := d.AppendTo([]byte{})
	if err != nil {
		return err
	}
	return x.c.Written(d.Encoding(), out, typed)
}

// Case is an encoding under test.
type Case struct {
	// New returns the encoding of a struct, and what makes typed JSON text a
	// record of it. Its schema may say more than s, not less.
	New func(s *schema.Schema) (record.Encoding, func(text []byte) ([]byte, error))
	// Written, if set, looks at a record after edits; typed is what it is as
	// typed JSON text.
	Written func(enc record.Encoding, out, typed []byte) error
	// Canonical, if set, makes typed JSON text of s the one of all that mean the
	// same, such as 1.5 and 1.50 for a decimal of two digits.
	Canonical func(s *schema.Schema, typed []byte) ([]byte, error)
}

// Differ runs a script of edits over a random record of the encoding and over
// the same value as typed JSON. An error says where they differ.
func (c *Case) Differ(seed, seed2 uint64) error {
	g := Generator(seed, seed2)
	s := g.Struct(3, false)
	enc, encode := c.New(s)
	x := newPair(c)
	for range 3 { // the same Docs again and again: what is remembered must be right
		text := g.Value(nil, s)
		raw, err := encode(text)
		if err != nil {
			return err
		}
		x.docs[0].Reset(enc, raw)
		x.docs[1].Reset(record.JSONOf(record.SchemaOf(enc)), text)
		log := fmt.Sprintf("%s\n%s", s, text)
		for range g.IntN(8) {
			mark := g.IntN(6) == 0
			if mark {
				x.docs[0].Mark()
				x.docs[1].Mark()
			}
			what, errs := x.edit(g)
			log += "\n" + what
			if (errs[0] == nil) != (errs[1] == nil) {
				return fmt.Errorf("%s: %s and %s", log, said(errs[0]), said(errs[1]))
			}
			if errs[0] != nil {
				log += fmt.Sprintf(" (%v)", errs[0])
			}
			if mark {
				log += " (taken back)"
				x.docs[0].Rollback()
				x.docs[1].Rollback()
			}
			if g.IntN(3) > 0 {
				continue
			}
			if err := x.agree(g, log); err != nil {
				return err
			}
		}
		if err := x.agree(g, log); err != nil {
			return err
		}
	}
	return nil
}

// Hostile reads, edits and writes raw, which may be anything, as a record of an
// encoding: nothing may panic.
func Hostile(g Gen, enc record.Encoding, raw []byte) {
	x := newPair(&Case{})
	d := x.docs[0]
	d.Reset(enc, raw)
	for _, id := range x.ids {
		_, _ = d.Get(id)
	}
	for range 4 {
		x.docs[1].Reset(record.JSON, []byte("{}"))
		_, _ = x.edit(g)
	}
	_, _ = d.AppendTo([]byte{})
}
