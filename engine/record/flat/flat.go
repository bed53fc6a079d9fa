// Package flat lays nested objects flat, for expressions and for the processor
// flatten alike: {a: {b: 1}} becomes {"a.b": 1}. Arrays, maps of a schema and
// empty objects stay whole.
package flat

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// Options say how objects are laid flat.
type Options struct {
	// Delimiter stands between the names.
	Delimiter string
	// Connect does as Kafka Connect's Flatten: an empty object within goes, of
	// two fields of one name the later one stays where there is no schema, and a
	// map of a schema is an error.
	Connect bool
}

// ErrObject says that what is no object cannot be flat.
var ErrObject = errors.New("it is not an object, so it cannot be flat")

// Schema lays a schema flat. The fields of an optional parent become optional,
// and defaults are pulled down. An error is one of all values of s.
func Schema(s *schema.Schema, o Options) (*schema.Schema, error) {
	if s.Type != schema.Struct {
		return nil, ErrObject
	}
	out := s.Clone()
	out.Fields, out.Default = nil, nil
	f := flattener{o: o, out: out, seen: make(map[string]bool), on: make(map[*schema.Schema]bool)}
	if err := f.fields(s, "", false, s.Default); err != nil {
		return nil, err // also of a schema within itself, whose values have no end
	}
	if len(s.Default) > 0 {
		w := Walker{Options: o}
		var err error
		if out.Default, err = w.Append(nil, record.RawJSON(s.Default), s); err != nil {
			return nil, fmt.Errorf("the default: %w", err)
		}
		if schema.Check(out, out.Default) != nil {
			out.Default = nil // it left out what its own parts had a default for
		}
	}
	return out, nil
}

// flattener makes the fields of a flat schema.
type flattener struct {
	o    Options
	out  *schema.Schema
	seen map[string]bool
	on   map[*schema.Schema]bool // schemas on the way: one that is within itself has no end
}

// fields adds those of a struct. def is the default of the struct, nil without
// one.
func (f *flattener) fields(s *schema.Schema, prefix string, optional bool, def []byte) error {
	if f.on[s] {
		return fmt.Errorf("%s is within itself, so it cannot be flat", name(s, prefix))
	}
	f.on[s] = true
	defer delete(f.on, s)
	for i := range s.Fields {
		x := s.Fields[i].Schema
		path := prefix + s.Fields[i].Name
		mayNull := optional || x.Optional
		own := x.Default
		if own == nil && len(def) > 0 {
			if v := record.RawJSON(def).Member(s.Fields[i].Name); v.Kind() != record.Missing {
				own, _ = v.AppendJSON(nil)
			}
		}
		switch {
		case x.Type == schema.Struct && (len(x.Fields) > 0 || f.o.Connect):
			if err := f.fields(x, path+f.o.Delimiter, mayNull, own); err != nil {
				return err
			}
			continue
		case x.Type == schema.Map && f.o.Connect:
			return fmt.Errorf("%s is a map, whose fields no schema names", path)
		}
		if f.seen[path] {
			return twice(path)
		}
		f.seen[path] = true
		field := s.Fields[i]
		field.Name, field.Schema = path, x
		if prefix != "" {
			field.Tag = 0 // it told the fields of its own parent apart
		}
		if mayNull != x.Optional || !bytes.Equal(own, x.Default) {
			field.Schema = x.Clone()
			field.Schema.Optional, field.Schema.Default = mayNull, own
		}
		f.out.Fields = append(f.out.Fields, field)
	}
	return nil
}

func name(s *schema.Schema, prefix string) string {
	if s.Name != "" {
		return s.Name
	}
	return prefix
}

func twice(path string) error {
	return fmt.Errorf("two fields would have the name %q", path)
}

// Walker writes objects flat. It belongs to one goroutine.
type Walker struct {
	Options

	dst  []byte
	from int    // where the object begins in dst
	name []byte // of the field at hand, with those above
	some bool   // a field was written

	siblings []byte // names of one object, each up to one of ends
	ends     []int

	fields []span
	names  []byte          // of fields
	seen   map[string]span // the last field of each name
}

// span is where a field lies in dst and its name in names.
type span struct{ from, to, name, end int }

// Append appends v, an object, laid flat as JSON text, of the type that Schema
// makes of s; nil: v has no schema.
func (w *Walker) Append(dst []byte, v record.Value, s *schema.Schema) ([]byte, error) {
	w.from = len(dst)
	w.dst, w.name, w.some = append(dst, '{'), w.name[:0], false
	w.fields, w.names = w.fields[:0], w.names[:0]
	if err := w.object(v, s, 0); err != nil {
		return dst, err
	}
	if s == nil {
		if err := w.unique(); err != nil {
			return dst, err
		}
	}
	return append(w.dst, '}'), nil
}

func (w *Walker) object(v record.Value, s *schema.Schema, depth int) error {
	if depth > limits.JSONDepth {
		return errors.New("nested too deep")
	}
	base := len(w.name)
	last, err := w.lasts(v)
	if err != nil {
		return err
	}
	if err := w.absent(v, s); err != nil {
		return err
	}
	at := 0
	return v.Members(func(name []byte, m record.Value) error {
		if at++; last != nil && last[string(name)] != at {
			return nil
		}
		w.name = append(w.name[:base], name...)
		var of *schema.Schema
		if s != nil && s.Type == schema.Struct {
			if i := s.FieldIndex(string(name)); i >= 0 {
				of = s.Fields[i].Schema
			}
		}
		nested := m.Kind() == record.Object && (of == nil && s == nil || of != nil && of.Type == schema.Struct && (len(of.Fields) > 0 || w.Connect))
		if nested && (w.Connect || m.Len() > 0) {
			w.name = append(w.name, w.Delimiter...)
			return w.object(m, of, depth+1)
		}
		if m.Kind() == record.Null && of != nil && of.Type == schema.Struct {
			return w.nulls(of)
		}
		if w.Connect && m.Kind() == record.Null && of != nil && len(of.Default) > 0 {
			m = record.RawJSON(of.Default) // Kafka Connect reads it so, whatever nulls are elsewhere
		}
		return w.field(m, of)
	})
}

// nulls writes the fields of a parent that is null. A field that is absent would
// read as its default, as it does in Kafka Connect.
func (w *Walker) nulls(s *schema.Schema) error {
	base := len(w.name)
	defer func() { w.name = w.name[:base] }()
	if w.Connect {
		return nil
	}
	if len(s.Fields) == 0 {
		return w.field(record.NullValue(), s)
	}
	w.name = append(w.name, w.Delimiter...)
	at := len(w.name)
	for i := range s.Fields {
		w.name = append(w.name[:at], s.Fields[i].Name...)
		of := s.Fields[i].Schema
		var err error
		if of.Type == schema.Struct {
			err = w.nulls(of)
		} else {
			err = w.field(record.NullValue(), of)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// absent writes the fields of parents that the text lacks and that read as null.
func (w *Walker) absent(v record.Value, s *schema.Schema) error {
	if s == nil || s.Type != schema.Struct || v.Len() >= len(s.Fields) {
		return nil
	}
	base := len(w.name)
	for i := range s.Fields {
		of := s.Fields[i].Schema
		if of.Type != schema.Struct || of.Default != nil || v.Member(s.Fields[i].Name).Kind() != record.Missing {
			continue
		}
		w.name = append(w.name[:base], s.Fields[i].Name...)
		if err := w.nulls(of); err != nil {
			return err
		}
	}
	w.name = w.name[:base]
	return nil
}

// manyMembers is from when on names are looked up by hash.
const manyMembers = 24

// lasts returns, for an object that has a name twice, which member of each name
// counts; nil if there is none.
func (w *Walker) lasts(v record.Value) (map[string]int, error) {
	w.siblings, w.ends = w.siblings[:0], w.ends[:0]
	twice, n := false, 0
	err := v.Members(func(name []byte, _ record.Value) error {
		n++
		from := 0
		for _, end := range w.ends {
			if twice || n > manyMembers {
				break
			}
			twice = end-from == len(name) && string(w.siblings[from:end]) == string(name)
			from = end
		}
		if n <= manyMembers {
			w.siblings = append(w.siblings, name...)
			w.ends = append(w.ends, len(w.siblings))
		}
		return nil
	})
	if err != nil || !twice && n <= manyMembers {
		return nil, err
	}
	last := make(map[string]int, n)
	at := 0
	err = v.Members(func(name []byte, _ record.Value) error {
		at++
		last[string(name)] = at
		return nil
	})
	if len(last) == n {
		return nil, err
	}
	return last, err
}

func (w *Walker) field(v record.Value, s *schema.Schema) error {
	if w.some {
		w.dst = append(w.dst, ',')
	}
	w.some = true
	f := span{from: len(w.dst), name: len(w.names)}
	w.names = append(w.names, w.name...)
	f.end = len(w.names)
	var err error
	if w.dst, err = v.AppendAs(append(record.AppendQuoted(w.dst, w.name), ':'), s); err != nil {
		return err
	}
	f.to = len(w.dst)
	w.fields = append(w.fields, f)
	return nil
}

// unique finds two fields of one name. Of these the last one stays, as Connect
// has it, or they are an error.
func (w *Walker) unique() error {
	if w.seen == nil {
		w.seen = make(map[string]span, len(w.fields))
	}
	clear(w.seen)
	clash := false
	for _, f := range w.fields {
		name := w.names[f.name:f.end]
		if _, there := w.seen[string(name)]; there {
			if !w.Connect {
				return twice(string(name))
			}
			clash = true
		}
		w.seen[string(name)] = f
	}
	if !clash {
		return nil
	}
	old := bytes.Clone(w.dst)
	w.dst = append(w.dst[:w.from], '{')
	for _, f := range w.fields {
		if w.seen[string(w.names[f.name:f.end])] != f {
			continue
		}
		if len(w.dst) > w.from+1 {
			w.dst = append(w.dst, ',')
		}
		w.dst = append(w.dst, old[f.from:f.to]...)
	}
	return nil
}
