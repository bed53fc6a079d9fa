// Package transform is what the processors have in common that do one change
// each and are known by the names of Kafka Connect's transforms: on which part
// of a record they work, for which records, and how they follow a schema.
package transform

import (
	"fmt"
	"time"
	_ "time/tzdata" // zones work on machines without a zone database

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Filtered has the option when.
type Filtered struct {
	When engine.Expression `flow:"when,bool" doc:"Changes only the records for which this holds; the others pass as they are." example:"\"topicMatches('orders-.*')\""`
}

// Common are the options of what works on the value or the key.
type Common struct {
	Filtered
	On string `flow:"on" oneof:"value key" doc:"The part of the record that is changed."`
}

// OnValue is what On means when it is not given.
const OnValue = "value"

// Key reports whether the key is changed.
func (c *Common) Key() bool { return c.On == "key" }

// Projection of the part.
func (c *Common) Projection(l *record.Layout) *record.Projection {
	if c.Key() {
		return l.Key
	}
	return l.Value
}

// Doc is the part of a record.
func (c *Common) Doc(r *record.Record) *record.Doc {
	if c.On == "key" {
		return r.Key
	}
	return r.Value
}

// Changes says what is read and written at paths of the part.
func (c *Common) Changes(reads, sets, removes []record.Path) engine.Changes {
	if c.Key() {
		return engine.Changes{Key: true}
	}
	return engine.Changes{Reads: reads, Sets: sets, Removes: removes}
}

// Replaces says that the part as a whole becomes another value.
func (c *Common) Replaces(reads ...record.Path) engine.Changes {
	if c.Key() {
		return engine.Changes{Key: true}
	}
	return engine.Changes{Reads: reads, WholeValue: true}
}

// Edit changes a record. After an error the record is as it was.
type Edit func(r *record.Record) error

// Bound binds when and returns a step that makes the edit.
func (f *Filtered) Bound(l *record.Layout, edit Edit) (engine.Bound, error) {
	if f.When.IsZero() {
		return engine.Bound{Step: func(r *record.Record) (bool, error) { return true, edit(r) }}, nil
	}
	when, err := f.When.Source.Bind(l)
	if err != nil {
		return engine.Bound{}, fmt.Errorf("when: %w", err)
	}
	return engine.Bound{Step: func(r *record.Record) (bool, error) {
		ok, err := when.Test(r)
		if err != nil {
			return false, fmt.Errorf("when: %w", err)
		}
		if ok {
			err = edit(r)
		}
		return true, err
	}}, nil
}

// Atomic makes several edits of one document one: if one fails, all are taken
// back.
func Atomic(d *record.Doc, edits func(d *record.Doc) error) error {
	d.Mark()
	err := edits(d)
	if err != nil {
		d.Rollback()
	}
	return err
}

// Paths are those of a list of options.
func Paths(options []engine.PathOption) []record.Path {
	out := make([]record.Path, len(options))
	for i, o := range options {
		out[i] = o.Path
	}
	return out
}

// IDs adds paths to a projection.
func IDs(p *record.Projection, paths []record.Path) []record.PathID {
	out := make([]record.PathID, len(paths))
	for i, path := range paths {
		out[i] = p.Add(path)
	}
	return out
}

// maxNames bounds what Interner remembers: names come from outside.
const maxNames = 1024

// Interner turns bytes into strings without allocating for those seen lately.
type Interner struct{ seen map[string]string }

// String returns b as a string.
func (in *Interner) String(b []byte) string {
	if s, ok := in.seen[string(b)]; ok {
		return s
	}
	if in.seen == nil || len(in.seen) >= maxNames {
		in.seen = make(map[string]string)
	}
	s := string(b)
	in.seen[s] = s
	return s
}

// IsNull reports a document that is null: a tombstone, or JSON text that reads
// null.
func IsNull(d *record.Doc) bool {
	if d.IsNull() {
		return true
	}
	if d.Edited() || len(d.Raw()) > len("null")+8 {
		return false
	}
	v, err := d.Get(record.Root)
	return err == nil && v.Kind() == record.Null
}

// Null sets a member of an object to null, as Kafka Connect does with one that
// is not there. A null has no members.
func Null(d *record.Doc, id record.PathID) error {
	if IsNull(d) {
		return nil
	}
	if err := Object(d); err != nil {
		return err
	}
	return d.Set(id, record.NullValue())
}

// Object is an error of the record if a document is neither an object nor null.
func Object(d *record.Doc) error {
	v, err := d.Get(record.Root)
	if err != nil {
		return err
	}
	if k := v.Kind(); k != record.Object && k != record.Null {
		return fmt.Errorf("it is a %s, not an object", k)
	}
	return nil
}

// Zone reads a time zone by its name. That of the machine is none: the same
// record would differ by machine.
func Zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("%q is no time zone: write UTC or a name such as Europe/Berlin", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is no time zone: write UTC or a name such as Europe/Berlin", name)
	}
	return loc, nil
}
