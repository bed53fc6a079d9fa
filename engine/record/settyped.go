package record

import (
	"fmt"
	"math"
	"slices"

	"github.com/flowrecords/flow/engine/schema"
)

// SetAs is Set of a value that is of type t from now on; it is an error of the
// record if v does not fit t. The same t, by pointer, gives all records the
// same schema. A nil t, or a record without a schema, makes it
// Set, but for the text of times and bytes, which is that of t. Missing
// deletes, whatever t is.
func (d *Doc) SetAs(id PathID, v Value, t *schema.Schema) error {
	if t == nil || v.kind == Missing {
		return d.Set(id, v)
	}
	if id == Root {
		return d.setRoot(v, t)
	}
	if err := d.editable(); err != nil {
		return err
	}
	if d.form != nil {
		return d.setTyped(id, v, t)
	}
	if err := d.unmarked(id, markBelow|markAbove|markGone); err != nil {
		return err
	}
	text, norm, _, err := d.typedText(id, v, nil, t)
	if err != nil {
		return err
	}
	if norm.kind != Array && norm.kind != Object {
		norm = decode(text, &d.arena) // there is no schema to read it by
	}
	return d.put(id, text, norm)
}

// Retype makes the value at a path of type t without a look at the value: the
// caller vouches that it fits. It is for what schemas have beside types: names,
// versions, defaults. A record without a schema stays as it is.
func (d *Doc) Retype(id PathID, t *schema.Schema) error {
	if err := d.settled(); err != nil {
		return err
	}
	if d.form == nil || t == nil {
		return nil
	}
	if d.planRetype(id, t) {
		return nil
	}
	if err := d.editable(); err != nil {
		return err
	}
	if d.form.splicer != nil {
		if err := d.textual(); err != nil {
			return err
		}
	}
	if len(d.edits) > 0 {
		if err := d.settle(); err != nil {
			return err
		}
	}
	return d.reshaped(d.form, d.after(editRetype, id, Root, t), func() error {
		d.retyped() // what was read is of the old type
		return nil
	})
}

// Schema returns the schema of the value as it is now, nil if it has none.
func (d *Doc) Schema() *schema.Schema { return SchemaOf(d.Encoding()) }

// TypeOf returns the type that is declared at a path as it is now; nil: none.
func (d *Doc) TypeOf(id PathID) (*schema.Schema, error) {
	if !d.ready {
		if err := d.settled(); err != nil {
			return nil, err
		}
	}
	if d.form == nil {
		return nil, nil
	}
	return d.form.types[id], nil
}

// getTyped reads a path of a record with a schema into its slot.
func (d *Doc) getTyped(id PathID) (Value, error) {
	s, marks := &d.slots[id], uint16(0)
	if s.egen == d.gen {
		if marks = s.marks; marks&markAbove != 0 {
			if err := d.settle(); err != nil {
				return Value{}, err
			}
			return d.getTyped(id)
		}
	}
	if s.vgen == d.gen {
		return s.val, nil
	}
	f := d.form
	if marks&markBelow != 0 && f.plan != nil {
		// The parts are in two encodings.
		if err := d.unplan(); err != nil {
			return Value{}, err
		}
		return d.get(id)
	}
	var v Value
	var err error
	switch {
	case s.gen != d.gen && f.lazy != nil:
		v, err = d.below(id)
	case s.gen != d.gen:
		v, err = d.absent(id)
	case marks&markBelow != 0:
		v = jsonValue(d.slotKind(s), d.spliced(int(s.start), int(s.end)))
	case f.lazy != nil:
		v, err = f.lazy.Read(d, d.base, Place{s.start, s.end, s.key})
	default:
		v, err = typed(f.types[id], decode(d.base[s.start:s.end:s.end], &d.arena), &d.arena)
		if err == nil && v.kind == Float && v.flags&flagDigits != 0 && math.IsInf(v.Float(), 0) && (f.types[id] == nil || f.types[id].Type != schema.Decimal) {
			err = &SyntaxError{Offset: int(s.start), Msg: "number out of range"}
		}
	}
	if err != nil {
		return Value{}, fmt.Errorf("reading %s: %w", where(d.proj.Path(id)), err)
	}
	s.val, s.vgen = v, d.gen
	return v, nil
}

// below is the value of a path that a Lazy has not filled: it may lie within a
// value of no declared type, or a map whose text is an array of pairs.
func (d *Doc) below(id PathID) (Value, error) {
	n := &d.proj.nodes[id]
	if n.parent < 0 {
		return Value{}, nil
	}
	if t := d.form.types[n.parent]; t != nil && t.Type != schema.Any && (t.Type != schema.Map || t.Key.Type == schema.String) {
		return Value{}, nil
	}
	parent, err := d.get(n.parent)
	if err != nil {
		return Value{}, err
	}
	if n.step.IsIndex {
		return parent.Index(n.step.Index), nil
	}
	return parent.Member(n.step.Name), nil
}

// absent is the value of a path that typed JSON text lacks: the default of a
// declared field, or null.
func (d *Doc) absent(id PathID) (Value, error) {
	n := &d.proj.nodes[id]
	if n.parent < 0 {
		return Value{}, nil
	}
	parent, err := d.get(n.parent)
	if err != nil || parent.kind != Object && parent.kind != Array {
		return Value{}, err
	}
	t := d.form.types[id]
	if d.there(n.parent) {
		p := d.form.types[n.parent]
		if t == nil || p == nil || p.Type != schema.Struct {
			return Value{}, nil
		}
		if t.Default == nil {
			return NullValue(), nil
		}
		return typed(t, RawJSON(t.Default), &d.arena)
	}
	// The parent is a default itself.
	v := parent.Member(n.step.Name)
	if n.step.IsIndex {
		v = parent.Index(n.step.Index)
	}
	if v.kind == Missing {
		return v, nil
	}
	return typed(t, v, &d.arena)
}

// typedText returns v as JSON text, as it will be read back, and its type: want,
// or what is chosen where cur is declared.
func (d *Doc) typedText(id PathID, v Value, cur, want *schema.Schema) (text []byte, norm Value, t *schema.Schema, err error) {
	path := func() string { return where(d.proj.Path(id)) }
	if v.kind == Array || v.kind == Object {
		// Whether it fits is said of its text.
		if text, v, err = d.encode(v); err == nil && skipValue(text, 0, d.proj.nodes[id].depth) != len(text) {
			err = errDeep
		}
		if err != nil {
			return nil, Value{}, nil, fmt.Errorf("setting %s: %w", path(), err)
		}
	}
	if t = want; t == nil {
		t = choose(cur, v)
	} else if !fits(t, v) && (v.kind != Null || !t.Optional) {
		return nil, Value{}, nil, fmt.Errorf("setting %s: %s does not fit its type %s", path(), describe(v), t.Type)
	}
	if v.kind == Array || v.kind == Object {
		return text, v, t, nil
	}
	if text, norm, err = d.encodeAs(t, v); err != nil {
		return nil, Value{}, nil, fmt.Errorf("setting %s: %w", path(), err)
	}
	return text, norm, t, nil
}

// setTyped is Set of typed JSON text.
func (d *Doc) setTyped(id PathID, v Value, want *schema.Schema) error {
	if d.form.splicer != nil {
		if done, err := d.planSet(id, v, want); done || err != nil {
			return err
		}
		if err := d.textual(); err != nil {
			return err
		}
	}
	if err := d.unmarked(id, markBelow|markAbove|markGone); err != nil {
		return err
	}
	was := d.form
	cur := was.types[id]
	text, norm, t, err := d.typedText(id, v, cur, want)
	if err != nil {
		return err
	}
	to := outcome{to: was}
	if *d.marks(id)&markSet == 0 && !d.there(id) {
		if def := d.defaultAbove(id); def >= 0 {
			// What is made there are all its members, not this one alone.
			t := was.types[def].Default
			if err := d.put(def, t, RawJSON(t)); err != nil {
				return err
			}
			return d.setTyped(id, v, want)
		}
		if union := d.unionAbove(id); union >= 0 {
			// It gets a second member, so it is no union any more.
			to = d.after(editSet, union, Root, anyType)
			to.moves = true
		} else if null := d.nullAbove(id); null >= 0 {
			to = d.after(editCreate, id, null, t)
		} else if t != cur {
			to = d.after(editSet, id, Root, t)
		}
	} else if t != cur {
		to = d.after(editSet, id, Root, t)
	}
	if now := to.to.types[id]; now != t && norm.kind != Array && norm.kind != Object {
		// One of many values, which have no type in common any more.
		if norm, err = typed(now, decode(text, &d.arena), &d.arena); err != nil {
			return fmt.Errorf("setting %s: %w", d.proj.Path(id), err)
		}
	}
	return d.reshaped(was, to, func() error { return d.put(id, text, norm) })
}

// nullAbove returns the highest path above id that is null, or that the text
// lacks, so that an edit makes a new value there; -1 if none is.
func (d *Doc) nullAbove(id PathID) PathID {
	null := PathID(-1)
	for up := d.proj.nodes[id].parent; up >= 0; up = d.proj.nodes[up].parent {
		if d.there(up) {
			if d.kind(up) == Null {
				null = up
			}
			break
		}
		if d.form.types[up] != nil {
			null = up
		}
	}
	return null
}

// defaultAbove returns the highest path above id that the text lacks, if it
// reads as a default that is a container; otherwise -1.
func (d *Doc) defaultAbove(id PathID) PathID {
	top := PathID(-1)
	for up := d.proj.nodes[id].parent; up >= 0 && !d.there(up); up = d.proj.nodes[up].parent {
		top = up
	}
	if top < 0 {
		return -1
	}
	t, of := d.form.types[top], d.form.types[d.proj.nodes[top].parent]
	if t == nil || of == nil || of.Type != schema.Struct || len(t.Default) == 0 || !isContainer(t.Default) || d.kind(d.proj.nodes[top].parent) != Object {
		return -1
	}
	return top
}

// unionAbove returns the path above id that is a union of which another branch
// is there, -1 if none is.
func (d *Doc) unionAbove(id PathID) PathID {
	for !d.there(id) && id != Root {
		id = d.proj.nodes[id].parent
		if t := d.form.types[id]; t != nil && t.Type == schema.Union && d.there(id) && d.kind(id) != Null {
			return id
		}
	}
	return -1
}

// reshaped makes an edit of the text and then the value of form to. After an
// error it is of form was again.
func (d *Doc) reshaped(was *form, next outcome, edit func() error) error {
	enc := d.enc
	if err := edit(); err != nil {
		d.form, d.enc = was, enc
		return err
	}
	d.form, d.enc = next.to, next.to.enc
	if next.to != was {
		d.edited = true
	}
	if next.moves {
		d.retyped()
	}
	return nil
}

// retyped makes values be read anew, by the types that they have now.
func (d *Doc) retyped() {
	if len(d.edits) > 0 {
		d.moved()
		return
	}
	d.fresh()
}

// deleteTyped is Delete of a record with a schema.
func (d *Doc) deleteTyped(id PathID) error {
	if d.form.splicer != nil {
		if done, err := d.planDelete(id); done || err != nil {
			return err
		}
		if err := d.textual(); err != nil {
			return err
		}
	}
	return d.reshaped(d.form, d.after(editDelete, id, Root, nil), func() error { return d.deleteText(id) })
}

// afterKeep is after for Keep.
func (d *Doc) afterKeep(ids []PathID) *form {
	k := &d.keeping
	if k.from != d.form || !slices.Equal(k.ids, ids) {
		k.from, k.ids = d.form, append(k.ids[:0], ids...)
		k.to = d.reform(d.form, editKeep, Root, Root, nil)
	}
	return k.to
}

// setTypedRoot makes v the whole of a record with a schema, or one of type t.
func (d *Doc) setTypedRoot(v Value, t *schema.Schema) error {
	var cur *schema.Schema
	if d.form != nil {
		cur = d.form.s
	}
	text, _, t, err := d.typedText(Root, v, cur, t)
	if err != nil {
		return err
	}
	if t.Type == schema.Any {
		d.rebase(text, JSON)
		return nil
	}
	d.rebase(text, JSONOf(t))
	return nil
}

// renameTyped is Rename of typed JSON text.
func (d *Doc) renameTyped(from, to PathID) error {
	if d.form.splicer != nil {
		if done, err := d.planRename(from, to); done || err != nil {
			return err
		}
		if err := d.textual(); err != nil {
			return err
		}
	}
	f, t := &d.proj.nodes[from], &d.proj.nodes[to]
	if from == Root || to == Root || f.parent != t.parent || f.step.IsIndex || t.step.IsIndex {
		return d.move(from, to)
	}
	was := d.form
	next := outcome{to: was}
	if was.types[from] != nil {
		next = d.after(editRename, from, to, nil)
	} else if *d.marks(from)&markGone == 0 && d.there(from) && was.types[to] != nil {
		// What takes the place is of no declared type.
		v, err := d.get(from)
		if err != nil {
			return err
		}
		next = d.after(editSet, to, Root, choose(was.types[to], v))
	}
	return d.reshaped(was, next, func() error {
		if was.types[from] != nil && *d.marks(from)&markSet == 0 && !d.there(from) {
			// A field that the text lacks takes the place of one that it has.
			return d.deleteText(to)
		}
		return d.renameText(from, to)
	})
}
