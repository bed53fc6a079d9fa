package record

import (
	"errors"
	"fmt"
	"math"

	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/schema"
)

// The marks of a slot say which edits its path has seen since the base was
// scanned. An edit that meets a mark it cannot work with settles the document
// first: the edits become bytes, the bytes are scanned again, no mark is left.
// So each kind of edit needs to be right on an unedited document only.
const (
	markSet    = 1 << iota // edit holds the value
	markKey                // the name was replaced
	markBelow              // something below was edited
	markAbove              // something above was set, removed or renamed
	markGone               // the path was removed or renamed away
	markInsert             // has new children
	markRemove             // children behind the first were removed
	markHead               // the first child was removed, up to slot.head
	markEmpty              // the only child was removed
)

// markOwn are the marks that concern the path itself, not its children.
const markOwn = markSet | markKey | markBelow | markAbove | markGone

// marks returns those of a slot, forgetting the ones of an earlier base.
func (d *Doc) marks(id PathID) *uint16 {
	s := &d.slots[id]
	if s.egen != d.gen {
		s.egen, s.marks = d.gen, 0
	}
	return &s.marks
}

func (d *Doc) there(id PathID) bool { return d.slots[id].gen == d.gen }

// unmarked settles the document if the path has one of the marks.
func (d *Doc) unmarked(id PathID, marks uint16) error {
	if *d.marks(id)&marks != 0 {
		return d.settle()
	}
	return nil
}

// editable scans the base and makes it JSON if it is of a foreign encoding that
// does not write edits itself.
func (d *Doc) editable() error {
	if !d.ready {
		if err := d.settled(); err != nil {
			return err
		}
	}
	if _, ok := d.enc.(jsonEncoding); ok {
		return nil // by far the most usual
	}
	return d.editableOf()
}

// editableOf is editable of all encodings but JSON.
func (d *Doc) editableOf() error {
	switch d.enc.(type) {
	case textEncoding, opaqueEncoding, typedJSON:
		return nil
	}
	switch {
	case d.base == nil && d.form != nil:
		d.rebase(nil, JSONOf(d.form.s))
		return d.index()
	case d.base == nil, d.form != nil && d.form.splicer != nil:
		return nil
	}
	return d.textual()
}

// textual makes the base, which is of a foreign encoding, JSON text, with the
// edits that a plan holds.
func (d *Doc) textual() error {
	if d.planned() {
		return d.unplan()
	}
	enc := JSONOf(SchemaOf(d.enc))
	text, err := d.Make(func(dst []byte) ([]byte, error) { return d.enc.AppendJSON(dst, d.base) })
	if err != nil {
		return fmt.Errorf("reading %s: %w", d.enc.Name(), err)
	}
	edited := d.edited
	d.rebase(text, enc)
	d.edited = edited
	return d.index()
}

// touched marks the paths above and below an edited one.
func (d *Doc) touched(id PathID, mark uint16) {
	*d.marks(id) |= mark
	nodes, slots, gen := d.proj.nodes, d.slots, d.gen
	n := &nodes[id]
	for up := n.parent; up >= 0; up = nodes[up].parent {
		s := &slots[up]
		if s.egen != gen {
			s.egen, s.marks = gen, 0
		}
		s.marks |= markBelow
		s.vgen = 0
	}
	for _, c := range n.below {
		*d.marks(c) |= markAbove
		d.slots[c].vgen = 0
	}
	d.edited = true
	if n.alias {
		d.moved()
	}
}

// Set puts v at a path and creates the objects on the way; a null on the way
// gives place to one, and an array is created for element 0. A parent that is
// there and neither object nor array is an error of the record, as is an
// index beyond the end (the index equal to the length appends), or a name
// below an array. After an error d is as it was. Setting Missing deletes. A
// new member is added behind the others. v may be a range of this Doc's own
// record.
//
// Of a record with a schema the schema is kept true. A declared type stays if v
// fits it without loss; a null makes it optional; otherwise it becomes that of
// v's kind: int64, float64, string, bool, bytes, a timestamp or duration in
// nanoseconds, and any for arrays and objects. New fields are optional and come
// last.
func (d *Doc) Set(id PathID, v Value) error {
	if v.kind == Missing {
		return d.Delete(id)
	}
	if id == Root {
		return d.setRoot(v, nil)
	}
	if err := d.editable(); err != nil {
		return err
	}
	if d.form != nil {
		return d.setTyped(id, v, nil)
	}
	if err := d.unmarked(id, markBelow|markAbove|markGone); err != nil {
		return err
	}
	text, norm, err := d.encode(v)
	if err == nil && (norm.kind == Array || norm.kind == Object) && skipValue(text, 0, d.proj.nodes[id].depth) != len(text) {
		err = errDeep
	}
	if err != nil {
		return fmt.Errorf("setting %s: %w", d.proj.Path(id), err)
	}
	s := &d.slots[id]
	if *d.marks(id)&markSet != 0 {
		d.edits[s.edit].text = text
		s.val, s.vgen = norm, d.gen
		d.touched(id, markSet)
		return nil
	}
	if d.there(id) {
		if s.dup {
			if err := d.unique(id); err != nil {
				return err
			}
		}
		d.replace(id, text, norm)
		return nil
	}
	return d.create(id, text, norm)
}

// put sets the text of a path that no edit but its own concerns. Set has its
// own copy of this: a call there costs the most usual edit some percents.
func (d *Doc) put(id PathID, text []byte, norm Value) error {
	s := &d.slots[id]
	if *d.marks(id)&markSet != 0 {
		d.edits[s.edit].text = text
		s.val, s.vgen = norm, d.gen
		d.touched(id, markSet)
		return nil
	}
	if d.there(id) {
		if s.dup {
			if err := d.unique(id); err != nil {
				return err
			}
		}
		d.replace(id, text, norm)
		return nil
	}
	return d.create(id, text, norm)
}

// replace puts text in the place of a value that is there.
func (d *Doc) replace(id PathID, text []byte, norm Value) {
	s := &d.slots[id]
	s.edit = int32(len(d.edits))
	d.edits = append(d.edits, edit{start: int32(s.start), end: int32(s.end), text: text})
	d.touched(id, markSet)
	s.val, s.vgen = norm, d.gen
}

// create inserts a member or element, and what is missing above it.
func (d *Doc) create(id PathID, text []byte, norm Value) error {
	nodes := d.proj.nodes
	new := id
	for {
		parent := nodes[new].parent
		if d.there(parent) {
			kind := d.kind(parent)
			if kind != Null {
				return d.insert(parent, new, text, norm, new == id)
			}
			if text = d.wrap(new, text); text == nil {
				return d.beyond(new)
			}
			if parent == Root {
				d.rebase(text, d.textEncoding())
				return nil
			}
			if d.slots[parent].dup {
				if err := d.unique(parent); err != nil {
					return err
				}
			}
			d.replace(parent, text, jsonValue(Object, text))
			d.moved()
			return nil
		}
		if text = d.wrap(new, text); text == nil {
			return d.beyond(new)
		}
		new = parent
	}
}

// kind of an unedited value that is there.
func (d *Doc) kind(id PathID) Kind {
	s := &d.slots[id]
	if d.base == nil {
		return Null
	}
	if s.vgen == d.gen {
		return s.val.kind
	}
	return d.slotKind(s)
}

// wrap returns text as the only member or element of a container, nil if the
// last step of the path asks for another element than the first.
func (d *Doc) wrap(id PathID, text []byte) []byte {
	n := &d.proj.nodes[id]
	start := len(d.arena)
	switch {
	case !n.step.IsIndex:
		d.arena = append(append(append(append(d.arena, '{'), n.quoted...), text...), '}')
	case n.step.Index == 0:
		d.arena = append(append(append(d.arena, '['), text...), ']')
	default:
		return nil
	}
	return d.arena[start:len(d.arena):len(d.arena)]
}

func (d *Doc) beyond(id PathID) error {
	return fmt.Errorf("setting %s: the array has no element %d", d.proj.Path(id), d.proj.nodes[id].step.Index)
}

// insert adds a child behind the others of parent, which is not null.
func (d *Doc) insert(parent, id PathID, text []byte, norm Value, whole bool) error {
	n := &d.proj.nodes[id]
	kind := d.kind(parent)
	path := d.proj.Path
	switch {
	case kind != Object && kind != Array:
		return fmt.Errorf("setting %s: %s is neither an object nor an array", path(id), where(path(parent)))
	case n.step.IsIndex && kind == Object:
		return fmt.Errorf("setting %s: %s is an object, not an array", path(id), where(path(parent)))
	case !n.step.IsIndex && kind == Array:
		return fmt.Errorf("setting %s: %s is an array, not an object", path(id), where(path(parent)))
	}
	p := &d.slots[parent]
	end := int(p.end) - 1
	if kind == Array && n.step.Index != jsonValue(Array, d.base[p.start:p.end]).Len() {
		return d.beyond(id)
	}
	marks := d.marks(parent)
	comma := *marks&markInsert != 0 || *marks&markEmpty == 0 && skipSpace(d.base, int(p.start)+1) != end
	name := id
	if kind == Array {
		name = Root
	}
	s := &d.slots[id]
	s.edit = int32(len(d.edits))
	d.edits = append(d.edits, edit{start: int32(end), end: int32(end), comma: comma, name: name, text: text})
	*marks |= markInsert
	d.touched(id, markSet)
	if kind == Array || !whole {
		d.moved()
	}
	s.val, s.vgen = norm, d.gen
	return nil
}

func where(p Path) string {
	if len(p) == 0 {
		return "the value"
	}
	return p.String()
}

// setRoot makes v the whole value, of type t if there is one. The old one is
// not even read.
func (d *Doc) setRoot(v Value, t *schema.Schema) error {
	switch {
	case v.kind <= Null:
		d.rebase(nil, d.given)
	case d.given != JSON && v.kind == String && (d.given == Text || d.given == Opaque):
		d.rebase(notNil(v.bytes()), Text)
	case d.given != JSON && v.kind == Bytes && (d.given == Text || d.given == Opaque):
		d.rebase(notNil(v.bytes()), Opaque)
	default:
		if d.formed(); d.form != nil || t != nil {
			return d.setTypedRoot(v, t)
		}
		text, _, err := d.encode(v)
		if err != nil {
			return fmt.Errorf("setting the value: %w", err)
		}
		d.rebase(text, JSON)
	}
	return nil
}

// textEncoding is that of the base once it is JSON text.
func (d *Doc) textEncoding() Encoding {
	if d.form != nil {
		return d.form.enc
	}
	return JSON
}

func notNil(b []byte) []byte {
	if b == nil {
		return noBytes
	}
	return b
}

// encode returns v as JSON text that lives until Reset, and as it will be read
// back.
func (d *Doc) encode(v Value) (text []byte, norm Value, err error) {
	switch {
	case v.kind == Null:
		return nullText, v, nil
	case v.flags&flagDigits != 0:
		if v.kind == Float && math.IsInf(v.Float(), 0) {
			return nil, Value{}, errRange // it could not be read back
		}
		return v.digits(), v, nil
	case v.flags&flagJSON != 0 && !hasBreak(v.bytes()):
		return v.bytes(), v, nil
	}
	start := len(d.arena)
	if v.kind == String && (v.flags&flagPlain != 0 || jsontext.PlainLen(v.bytes()) == len(v.bytes())) {
		d.arena = append(append(append(d.arena, '"'), v.bytes()...), '"')
		text = d.arena[start:len(d.arena):len(d.arena)]
		return text, plainText(text[1 : len(text)-1]), nil
	}
	if v.kind == Float {
		d.arena, err = AppendFloat(d.arena, v.Float())
	} else {
		d.arena, err = v.AppendJSON(d.arena)
	}
	if err != nil {
		return nil, Value{}, err
	}
	text = d.arena[start:len(d.arena):len(d.arena)]
	if f := v.Float(); v.kind == Int || v.kind == Float && f != math.Trunc(f) {
		return text, v, nil
	}
	return text, decode(text, &d.arena), nil
}

var errNoObject = errors.New("the value is not an object")

// Delete removes a member or element if it is there, and the field of that
// name from the schema if there is one. Deleting the root makes the value a
// null.
func (d *Doc) Delete(id PathID) error {
	if id == Root {
		return d.setRoot(NullValue(), nil)
	}
	if err := d.editable(); err != nil {
		return err
	}
	if d.form != nil {
		return d.deleteTyped(id)
	}
	return d.deleteText(id)
}

func (d *Doc) deleteText(id PathID) error {
	if *d.marks(id)&markGone != 0 {
		return nil
	}
	if err := d.unmarked(id, markOwn); err != nil {
		return err
	}
	if !d.there(id) {
		return nil
	}
	if d.slots[id].dup {
		if err := d.unique(id); err != nil {
			return err
		}
	}
	return d.remove(id)
}

// remove takes an unedited child that is there out of its container, with the
// comma that belongs to it.
func (d *Doc) remove(id PathID) error {
	s, n := &d.slots[id], &d.proj.nodes[id]
	p, marks := &d.slots[n.parent], d.marks(n.parent)
	before := d.before(int(s.key))
	e := edit{start: int32(before), end: int32(s.end)}
	next := skipSpace(d.base, int(s.end))
	first := d.base[before] != ',' || *marks&markHead != 0 && before < int(p.head)
	only := first && d.base[next] != ','
	if first && *marks&markRemove != 0 || only && *marks&markInsert != 0 {
		// Which comma goes depends on the neighbours' edits.
		if err := d.settle(); err != nil {
			return err
		}
		return d.remove(id)
	}
	switch {
	case only:
		e.start = int32(s.key)
		*marks |= markEmpty
	case first:
		e.start, e.end = int32(s.key), int32(skipSpace(d.base, next+1))
		p.head = uint32(e.end)
		*marks |= markHead
	default:
		*marks |= markRemove
	}
	d.edits = append(d.edits, e)
	d.gone(id)
	if n.step.IsIndex {
		d.moved()
	}
	return nil
}

// gone makes a path and all below it missing.
func (d *Doc) gone(id PathID) {
	d.touched(id, markGone)
	d.vanish(id)
	for _, c := range d.proj.nodes[id].below {
		d.vanish(c)
	}
}

func (d *Doc) vanish(id PathID) {
	s := &d.slots[id]
	s.gen, s.val, s.vgen = 0, Value{}, d.gen
}

// before returns the index of the last byte before i that is no white space:
// a comma or the opening bracket of the container.
func (d *Doc) before(i int) int {
	for i--; d.base[i] == ' ' || d.base[i] == '\n' || d.base[i] == '\t' || d.base[i] == '\r'; i-- {
	}
	return i
}

// unique settles the document and removes all but the last of the members
// that share the path's name.
func (d *Doc) unique(id PathID) error {
	if err := d.settle(); err != nil {
		return err
	}
	if !d.there(id) || !d.slots[id].dup {
		return nil
	}
	n := &d.proj.nodes[id]
	p := &d.slots[n.parent]
	last := int(d.slots[id].key - p.start)
	start := len(d.arena)
	d.arena = append(d.arena, d.base[:p.start]...)
	d.arena = append(d.arena, '{')
	comma := false
	for it := rawIter(d.base[p.start:p.end]); it.next(); {
		if it.key != last && it.named(n.step.Name) {
			continue
		}
		if comma {
			d.arena = append(d.arena, ',')
		}
		comma = true
		d.arena = append(d.arena, it.b[it.key:it.i]...)
	}
	d.arena = append(d.arena, '}')
	d.arena = append(d.arena, d.base[p.end:]...)
	d.rebase(d.arena[start:len(d.arena):len(d.arena)], d.textEncoding())
	return d.index()
}
