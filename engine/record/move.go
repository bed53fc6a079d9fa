package record

import (
	"fmt"

	"github.com/flowrecords/flow/engine/schema"
)

// Rename moves the value at from to to, in place when only the last name
// differs, so that the member keeps its position. It does nothing when from
// is missing; an existing member at to is replaced. After an error d is as it
// was.
func (d *Doc) Rename(from, to PathID) error {
	if from == to {
		return nil
	}
	if err := d.editable(); err != nil {
		return err
	}
	if d.form != nil {
		return d.renameTyped(from, to)
	}
	return d.renameText(from, to)
}

func (d *Doc) renameText(from, to PathID) error {
	f, t := &d.proj.nodes[from], &d.proj.nodes[to]
	if from == Root || to == Root || f.parent != t.parent || f.step.IsIndex || t.step.IsIndex {
		return d.move(from, to)
	}
	if *d.marks(from)&markGone != 0 {
		return nil
	}
	if (*d.marks(from)|*d.marks(to))&markOwn != 0 {
		if err := d.settle(); err != nil {
			return err
		}
	}
	if !d.there(from) {
		return nil
	}
	for _, id := range [2]PathID{from, to} {
		if d.there(id) && d.slots[id].dup {
			if err := d.unique(id); err != nil {
				return err
			}
		}
	}
	if d.there(to) {
		if err := d.remove(to); err != nil {
			return err
		}
		// The new name takes the place of the old one's edits.
		if err := d.settle(); err != nil {
			return err
		}
	}
	s := &d.slots[from]
	key := int(s.key)
	d.edits = append(d.edits, edit{start: int32(key), end: int32(skipString(d.base, key+1)), text: t.quoted[:len(t.quoted)-1]})
	old := *s
	d.gone(from)
	d.touched(to, markKey)
	target := &d.slots[to]
	target.val, target.vgen, target.gen = old.val, old.vgen, d.gen
	target.key, target.start, target.end, target.dup = old.key, old.start, old.end, false
	if len(f.below)+len(t.below) > 0 {
		d.moved() // what lies below is found again under its new path
	}
	return nil
}

// move takes the value out and puts it elsewhere. It works on settled bytes,
// which are the way back after an error.
func (d *Doc) move(from, to PathID) error {
	if err := d.settle(); err != nil {
		return err
	}
	base, enc, edited, form := d.base, d.enc, d.edited, d.form
	v, err := d.get(from)
	if err != nil || base == nil {
		return err
	}
	if v.kind == Missing {
		return d.moveNothing(from, to)
	}
	var t *schema.Schema
	if form != nil {
		if t = form.types[from]; t != nil && to != Root {
			t = t.Derived(optionalKey{}, t.AsOptional)
		}
	}
	if err = d.Delete(from); err == nil {
		err = d.SetAs(to, v, t)
	}
	if err != nil {
		d.rebase(base, enc)
		d.edited, d.form = edited, form
		return fmt.Errorf("renaming %s: %w", where(d.proj.Path(from)), err)
	}
	return nil
}

// moveNothing moves a declared field of a parent that is null, so that the schema
// is that of other records: only where there is no other that stays.
func (d *Doc) moveNothing(from, to PathID) error {
	was := d.form
	if was == nil || to == Root || was.types[from] == nil || was.types[to] != nil || many(was.types[Root], d.proj.Path(from)) || many(was.types[Root], d.proj.Path(to)) {
		return nil
	}
	t := was.types[from]
	t = t.Derived(optionalKey{}, t.AsOptional)
	none := func() error { return nil }
	if err := d.reshaped(was, d.after(editDelete, from, Root, nil), none); err != nil {
		return err
	}
	return d.reshaped(d.form, d.after(editSet, to, Root, t), none)
}

// many reports that a path does not lead through structs alone.
func many(s *schema.Schema, path Path) bool {
	for i := range path {
		if s != nil && s.Type != schema.Struct {
			return true
		}
		s = childType(s, &path[i])
	}
	return false
}

// What Keep keeps of a path.
const (
	keepPart = 1 + iota // it leads to a path that is kept
	keepAll
)

// Keep removes every member that is neither at or below one of ids, nor an
// object or array above one. What is above keeps its own kind, even if nothing
// in it is left; a string, number, bool or null that stands there goes, since
// it holds none of ids. Elements of an array are removed like members. On a
// value that is no object it is an error of the record; a null stays a null.
func (d *Doc) Keep(ids []PathID) error {
	if err := d.editable(); err != nil {
		return err
	}
	if d.form != nil && d.form.splicer != nil {
		if err := d.textual(); err != nil {
			return err
		}
	}
	if err := d.settle(); err != nil {
		return err
	}
	switch kind := d.kind(Root); {
	case kind == Null:
		return nil
	case kind != Object:
		return errNoObject
	}
	if !d.keepOnly(ids) {
		return nil
	}
	enc := d.textEncoding()
	if d.form != nil {
		enc = d.afterKeep(ids).enc
	}
	s := &d.slots[Root]
	start := len(d.arena)
	d.kept = append(d.kept[:0], Root)
	d.arena = d.keepIn(d.arena, d.base[s.start:s.end], 0)
	d.rebase(d.arena[start:len(d.arena):len(d.arena)], enc)
	return nil
}

// keepOnly notes what is kept; false: all.
func (d *Doc) keepOnly(ids []PathID) bool {
	clear(d.keeps)
	d.keeps[Root] = keepPart
	for _, id := range ids {
		d.keeps[id] = keepAll
		for up := d.proj.nodes[id].parent; up >= 0 && d.keeps[up] == 0; up = d.proj.nodes[up].parent {
			d.keeps[up] = keepPart
		}
	}
	return d.keeps[Root] != keepAll
}

// keepIn appends the part of text, an object or array, that is kept. The paths of text are
// d.kept[at:]: more than one where items[0] and items[-1] are the same.
func (d *Doc) keepIn(dst, text []byte, at int) []byte {
	count := 0
	if text[0] == '[' {
		count = jsonValue(Array, text).Len()
	}
	dst = append(dst, text[0])
	comma := false
	paths := len(d.kept)
	it := rawIter(text)
	for i := 0; it.next(); i++ {
		all := d.keepChild(&it, i, count, at, paths)
		if !all && (len(d.kept) == paths || !isContainer(it.value())) {
			d.kept = d.kept[:paths]
			continue
		}
		if comma {
			dst = append(dst, ',')
		}
		comma = true
		if it.object {
			dst = append(dst, it.b[it.key:it.start]...)
		}
		if all {
			dst = append(dst, it.value()...)
		} else {
			dst = d.keepIn(dst, it.value(), paths)
		}
		d.kept = d.kept[:paths]
	}
	if it.object {
		return append(dst, '}')
	}
	return append(dst, ']')
}

func isContainer(text []byte) bool { return text[0] == '{' || text[0] == '[' }

// keepChild appends to d.kept the paths of a child that are kept in part, and
// reports whether the child is kept as a whole.
func (d *Doc) keepChild(it *iter, i, count, at, end int) bool {
	all := false
	add := func(id PathID) {
		if id >= 0 && d.keeps[id] != 0 {
			all = all || d.keeps[id] == keepAll
			d.kept = append(d.kept, id)
		}
	}
	for k := at; k < end; k++ {
		n := &d.proj.nodes[d.kept[k]]
		if it.object {
			add(n.lookup(d.proj.nodes, decodeString(it.b[it.key+1:it.keyEnd-1], nil).bytes()))
			continue
		}
		add(n.element(d.proj.nodes, i))
		add(n.element(d.proj.nodes, i-count))
	}
	return all
}
