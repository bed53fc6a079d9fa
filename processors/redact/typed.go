package redact

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// typed redacts typed JSON text by its schema, so that every value keeps its
// type: what is no text becomes a null, or the empty value of its type.
type typed struct {
	w       *worker
	changed bool
}

// append appends v, of type s, redacted. all: it is within a field that is
// redacted whole.
func (t *typed) append(dst []byte, v record.Value, s *schema.Schema, all bool) ([]byte, error) {
	switch {
	case v.Kind() == record.Null:
		return append(dst, "null"...), nil
	case s.Type == schema.Any:
		return t.untyped(dst, v, all)
	case s.Type == schema.Struct:
		return t.fields(dst, v, s, all)
	case s.Type == schema.Array || v.Kind() == record.Array:
		return t.elements(dst, v, s, all)
	case s.Type == schema.Union || s.Type == schema.Map:
		return t.members(dst, v, s, all)
	case s.Type == schema.String:
		return t.text(dst, v, all), nil
	case !all && (!s.Type.IsNumber() || len(t.w.kinds) == 0):
		return v.AppendJSON(dst)
	case !all:
		text, err := v.AppendJSON(nil)
		if err != nil {
			return dst, err
		}
		if _, found := t.w.redactText(nil, text); !found {
			return append(dst, text...), nil
		}
	}
	empty := emptyOf(s)
	if empty == "" {
		return dst, fmt.Errorf("an %s has no empty value and may not be null: redact cannot take it out", s.Type)
	}
	t.changed = true
	return append(dst, empty...), nil
}

func (t *typed) text(dst []byte, v record.Value, all bool) []byte {
	w := t.w
	if all {
		w.clean, t.changed = w.mask.append(w.clean[:0], v.Text()), true
		return record.AppendQuoted(dst, w.clean)
	}
	var found bool
	if w.clean, found = w.redactText(w.clean[:0], v.Text()); found {
		t.changed = true
		return record.AppendQuoted(dst, w.clean)
	}
	return record.AppendQuoted(dst, v.Text())
}

// untyped redacts a part of no known type as JSON without a schema.
func (t *typed) untyped(dst []byte, v record.Value, all bool) ([]byte, error) {
	text, err := v.AppendJSON(nil)
	if err != nil {
		return dst, err
	}
	s := scan{w: t.w, src: text}
	if all {
		s.redactField(0, len(text))
	} else {
		s.value()
	}
	t.changed = t.changed || s.changed
	return append(append(dst, s.dst...), s.src[s.copied:]...), nil
}

func (t *typed) fields(dst []byte, v record.Value, s *schema.Schema, all bool) ([]byte, error) {
	dst = append(dst, '{')
	some := false
	for i := range s.Fields {
		f := &s.Fields[i]
		m := v.Member(f.Name)
		if m.Kind() == record.Missing {
			if f.Schema.Default == nil {
				continue
			}
			m = record.RawJSON(f.Schema.Default) // what a reader sees there
		}
		this := all || t.w.matches([]byte(f.Name))
		if this && !all && t.w.config.Mode == "remove" {
			t.changed = true
			continue
		}
		if some {
			dst = append(dst, ',')
		}
		some = true
		var err error
		if dst, err = t.append(append(record.AppendQuoted(dst, []byte(f.Name)), ':'), m, f.Schema, this); err != nil {
			return dst, fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return append(dst, '}'), nil
}

// members are the entries of a map, or the branch of a union, whose name is no
// name of a field.
func (t *typed) members(dst []byte, v record.Value, s *schema.Schema, all bool) ([]byte, error) {
	dst = append(dst, '{')
	some := false
	err := v.Members(func(name []byte, m record.Value) error {
		this, of := all, s.Elem
		if s.Type == schema.Union {
			i := s.BranchIndex(string(name))
			if i < 0 {
				return fmt.Errorf("there is no branch %q", name)
			}
			of = s.Branches[i].Schema
		} else if this = all || t.w.matches(name); this && !all && t.w.config.Mode == "remove" {
			t.changed = true
			return nil
		}
		if some {
			dst = append(dst, ',')
		}
		some = true
		var err error
		dst, err = t.append(append(record.AppendQuoted(dst, name), ':'), m, of, this)
		return err
	})
	return append(dst, '}'), err
}

// elements are those of an array, or the pairs of a map whose keys are no
// strings.
func (t *typed) elements(dst []byte, v record.Value, s *schema.Schema, all bool) ([]byte, error) {
	dst = append(dst, '[')
	some := false
	err := v.Elements(func(e record.Value) (err error) {
		if some {
			dst = append(dst, ',')
		}
		some = true
		if s.Type == schema.Array {
			dst, err = t.append(dst, e, s.Elem, all)
			return err
		}
		if dst, err = t.append(append(dst, '['), e.Index(0), s.Key, false); err != nil {
			return err
		}
		dst, err = t.append(append(dst, ','), e.Index(1), s.Elem, all)
		dst = append(dst, ']')
		return err
	})
	return append(dst, ']'), err
}

// emptyOf is what stands for a value that is no text; "": nothing can.
func emptyOf(s *schema.Schema) string {
	switch {
	case s.Optional:
		return "null"
	case s.Type == schema.Bool:
		return "false"
	case s.Type.IsNumber():
		return "0"
	}
	switch s.Type {
	case schema.Bytes:
		text, _ := record.BytesValue(make([]byte, s.Size)).AppendJSON(nil)
		return string(text)
	case schema.Date:
		return `"1970-01-01"`
	case schema.Time:
		return `"00:00:00"`
	case schema.Timestamp:
		return `"1970-01-01T00:00:00Z"`
	case schema.LocalTimestamp:
		return `"1970-01-01T00:00:00"`
	case schema.Duration:
		return `"0s"`
	case schema.UUID:
		return `"00000000-0000-0000-0000-000000000000"`
	}
	return ""
}

// plan is the schema of what is redacted: without the fields that are removed.
func (p *redact) plan(s *schema.Schema) (*schema.Schema, error) {
	if p.config.Mode != "remove" || p.names == nil {
		return s, nil
	}
	q := pruning{w: p.worker(), made: make(map[*schema.Schema]*schema.Schema)}
	out, err := q.prune(s)
	if err != nil || !q.some {
		return s, err
	}
	return out, nil
}

// pruning copies a schema without fields; it may be within itself.
type pruning struct {
	w    *worker
	made map[*schema.Schema]*schema.Schema
	some bool // there was such a field
}

func (q *pruning) prune(s *schema.Schema) (c *schema.Schema, err error) {
	if s == nil || !s.Type.IsComplex() {
		return s, nil
	}
	if c := q.made[s]; c != nil {
		return c, nil
	}
	c = s.Clone()
	q.made[s] = c
	c.Fields, c.Branches = nil, nil
	for _, f := range s.Fields {
		if q.w.matches([]byte(f.Name)) {
			q.some = true
			continue
		}
		if f.Schema, err = q.prune(f.Schema); err != nil {
			return c, err
		}
		c.Fields = append(c.Fields, f)
	}
	for _, b := range s.Branches {
		if b.Schema, err = q.prune(b.Schema); err != nil {
			return c, err
		}
		c.Branches = append(c.Branches, b)
	}
	if c.Elem, err = q.prune(s.Elem); err == nil && len(s.Default) > 0 {
		t := typed{w: q.w}
		c.Default, err = t.append(nil, record.RawJSON(s.Default), s, false)
	}
	return c, err
}

// schemas says what is left of the parts that are looked at.
func (p *redact) schemas(in engine.Schemas) (engine.Schemas, []engine.Problem) {
	out := in
	var problems []engine.Problem
	for _, x := range []struct {
		part   **schema.Schema
		wanted bool
	}{{&out.Value, p.parts.value}, {&out.Key, p.parts.key}} {
		s := *x.part
		if s == nil || !x.wanted {
			continue
		}
		if p.config.Mode != "remove" {
			problems = append(problems, p.stuck(s)...)
		}
		*x.part, _ = p.plan(s)
	}
	return out, problems
}

// stuck finds fields that cannot be redacted, each of their types once.
func (p *redact) stuck(s *schema.Schema) []engine.Problem {
	var problems []engine.Problem
	w, seen := p.worker(), make(map[*schema.Schema]bool)
	var look func(s *schema.Schema, path record.Path)
	look = func(s *schema.Schema, path record.Path) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		for _, f := range s.Fields {
			at := append(append(record.Path{}, path...), record.Step{Name: f.Name})
			if w.matches([]byte(f.Name)) && transform.IsLeaf(f.Schema) && f.Schema.Type != schema.String && emptyOf(f.Schema) == "" {
				problems = append(problems, engine.Problem{Option: "fields", Summary: fmt.Sprintf("%s cannot be redacted", at),
					Detail: fmt.Sprintf("It is an %s that may not be null, so nothing can stand for it. Cast it to a string before, or take it out with mode = \"remove\".", f.Schema.Type)})
			}
			look(f.Schema, at)
		}
		for _, b := range s.Branches {
			look(b.Schema, append(append(record.Path{}, path...), record.Step{Name: b.Name}))
		}
		look(s.Elem, path)
	}
	look(s, nil)
	return problems
}
