package record

import (
	"errors"
	"math"

	"github.com/flowrecords/flow/engine/limits"
)

// Doc is one value (or key) of a record: its bytes, the slots that a
// projection asks for, and the edits made so far, as an overlay. It is the
// scratch of one worker, Reset for each record, and allocates nothing once it
// has grown to the size of its records.
//
// A record with a schema keeps one: see Set.
//
// What is set is kept as JSON holds it, so that the next read sees what the
// next stage will: without a schema a time, a duration and bytes read back as
// strings, and a float that is whole as an integer.
type Doc struct {
	proj   *Projection
	slots  []slot
	shapes []shape
	gen    uint32
	look   uint32 // gen, or never while slots may be read only after settle

	raw     []byte   // given to Reset
	given   Encoding // given to Reset
	base    []byte   // what slots and edits refer to; nil is a null
	enc     Encoding // of base
	indexed bool     // base has been scanned
	ready   bool     // scanned, valid, not stale, without a schema
	stale   bool     // paths have moved: settle before the next look
	edited  bool
	err     error // of base, once scanned
	form    *form // see schematic

	edits []edit
	order []int32
	keeps []uint8  // what Keep keeps of each path
	kept  []PathID // scratch of Keep

	// arena holds everything that is made for this record. It only grows
	// until Reset, and a grown one leaves the old memory to the values that
	// lie in it.
	arena []byte

	mark mark
	schematic
}

// schematic is what a Doc has for values with a schema. Doc.form is what the
// value has become, once scanned or edited; nil: it has no schema. With a plan
// the base is still that of another encoding, and values are what the plan puts
// into it.
type schematic struct {
	forms  []*form
	values []Value
	// keeping is the last that Keep made of a form.
	keeping struct {
		from, to *form
		ids      []PathID
	}
}

// mark is a state to return to.
type mark struct {
	base   []byte
	enc    Encoding
	edits  []edit
	edited bool
	form   *form
	values []Value
}

var (
	noBytes  = []byte{}
	nullText = []byte("null")
)

// NewDoc returns a Doc over p, which it freezes. It stands for a null.
func NewDoc(p *Projection) *Doc {
	p.Freeze()
	return &Doc{
		proj:   p,
		slots:  make([]slot, len(p.nodes)),
		shapes: make([]shape, len(p.nodes)),
		keeps:  make([]uint8, len(p.nodes)),
		gen:    1,
		look:   1,
		given:  JSON,
		enc:    JSON,
	}
}

// Projection returns what the Doc looks for.
func (d *Doc) Projection() *Projection { return d.proj }

// Reset makes d stand for raw. raw == nil is a null (a tombstone). Nothing is
// read before the first Get or edit; raw must stay unchanged until the next
// Reset. raw needs no padding. A nil enc is JSON.
func (d *Doc) Reset(enc Encoding, raw []byte) {
	if enc == nil {
		enc = JSON
	}
	d.raw, d.given = raw, enc
	d.base, d.enc, d.form = raw, enc, nil
	d.edited = false
	d.edits = d.edits[:0]
	if cap(d.arena) > 4*limits.BatchBytes {
		// A giant record's memory is not kept.
		d.arena = nil
		clear(d.edits[:cap(d.edits)])
	}
	d.arena = d.arena[:0]
	d.fresh()
}

// never is no generation. Nor is 0, that of a slot that was never used.
const never = math.MaxUint32

// moved says that paths are no longer where the slots say.
func (d *Doc) moved() { d.stale, d.ready, d.look = true, false, never }

// fresh forgets all slots.
func (d *Doc) fresh() {
	d.indexed, d.ready, d.stale, d.err = false, false, false, nil
	if d.gen++; d.gen == never {
		clear(d.slots)
		d.gen = 1
	}
	d.look = d.gen
}

// Fill says that the path is there and holds v. Only Encoding.Index calls it.
func (d *Doc) Fill(id PathID, v Value) {
	s := &d.slots[id]
	s.gen, s.vgen, s.val = d.gen, d.gen, v
	s.dup = false
}

// Get returns the value at a path as it is now, edits included. A path that
// is not there, also below a missing or scalar parent, is Missing; ask for
// Parent to tell the cases apart. The first Get of a record validates all of
// it; the error then is an error of the record, and the same for every later
// call until Reset. A number beyond float64 is an error of the record, too,
// but only where it is read: as part of an array or object it is copied.
func (d *Doc) Get(id PathID) (Value, error) {
	if s := &d.slots[id]; s.vgen == d.look {
		return s.val, nil
	}
	return d.get(id)
}

func (d *Doc) get(id PathID) (Value, error) {
	if !d.ready {
		if err := d.settled(); err != nil {
			return Value{}, err
		}
		if d.form != nil {
			return d.getTyped(id)
		}
	}
	s := &d.slots[id]
	marks := uint16(0)
	if s.egen == d.gen {
		if marks = s.marks; marks&markAbove != 0 {
			if err := d.settle(); err != nil {
				return Value{}, err
			}
			marks = 0
		}
	}
	if s.vgen == d.gen {
		return s.val, nil
	}
	switch {
	case s.gen != d.gen:
		s.val = Value{}
	case marks&markBelow != 0:
		s.val = jsonValue(d.slotKind(s), d.spliced(int(s.start), int(s.end)))
	default:
		v := decode(d.base[s.start:s.end:s.end], &d.arena)
		if v.kind == Float && math.IsInf(v.Float(), 0) {
			return Value{}, &SyntaxError{Offset: int(s.start), Msg: "number out of range"}
		}
		s.val = v
	}
	s.vgen = d.gen
	return s.val, nil
}

func (d *Doc) slotKind(s *slot) Kind {
	switch d.base[s.start] {
	case '{':
		return Object
	case '[':
		return Array
	case 'n':
		return Null
	}
	return String // or any other scalar
}

// index scans the base once.
func (d *Doc) index() error {
	if d.indexed {
		d.ready = d.err == nil && !d.stale && d.form == nil
		return d.err
	}
	d.indexed = true
	if _, plain := d.enc.(jsonEncoding); !plain {
		d.formed()
	}
	if d.base == nil {
		d.Fill(Root, NullValue())
		d.ready = d.form == nil
		return nil
	}
	if err := d.enc.Index(d, d.base); err != nil {
		d.fresh() // what was found before the error does not count
		d.indexed, d.err = true, err
	}
	d.ready = d.err == nil && d.form == nil
	return d.err
}

// settled scans the base and writes out edits that moved paths.
func (d *Doc) settled() error {
	if d.stale {
		return d.settle()
	}
	return d.index()
}

// settle makes the edits part of a new base, so that every path is where the
// slots say and no mark is left.
func (d *Doc) settle() error {
	if len(d.edits) > 0 {
		d.rebase(d.spliced(0, len(d.base)), d.enc)
	} else if d.planned() {
		if err := d.unplan(); err != nil {
			return err
		}
	}
	d.stale, d.look = false, d.gen
	return d.index()
}

// spliced returns a range of the base with its edits, in the arena. A large
// one gets memory of its own, which the collector may take back before Reset.
func (d *Doc) spliced(start, end int) []byte {
	if end-start > limits.BatchBytes {
		return d.splice(make([]byte, 0, end-start+end/8), start, end)
	}
	from := len(d.arena)
	d.arena = d.splice(d.arena, start, end)
	return d.arena[from:len(d.arena):len(d.arena)]
}

// rebase puts base, which is valid, in the place of the old one and its edits.
func (d *Doc) rebase(base []byte, enc Encoding) {
	d.base, d.enc, d.form = base, enc, nil
	d.edits = d.edits[:0]
	d.edited = true
	d.fresh()
}

// Check validates the record without reading a path.
func (d *Doc) Check() error { return d.settled() }

// Edited reports whether any edit was made since Reset.
func (d *Doc) Edited() bool { return d.edited }

// IsNull reports whether the value is null as it is now: a tombstone, or set
// to null as a whole. JSON text that reads null and was not edited stays
// text and is none.
func (d *Doc) IsNull() bool { return d.base == nil }

// Raw returns the bytes given to Reset.
func (d *Doc) Raw() []byte { return d.raw }

// Encoding returns the encoding that AppendTo writes: that of Reset, or after
// the root was set, JSON (Text for a string and Opaque for bytes set as the
// whole of a Text or Opaque record). Of a record with a schema it is one whose
// schema the edits have kept true.
func (d *Doc) Encoding() Encoding {
	if d.form != nil {
		return d.form.enc
	}
	return d.enc
}

// errNull is a bug of the caller.
var errNull = errors.New("a null has no bytes")

// AppendTo appends the value with all edits. Without edits it appends the raw
// bytes as they are, unread. It must not be called on a null. It never adds a
// line break to JSON text that had none.
func (d *Doc) AppendTo(dst []byte) ([]byte, error) {
	if d.base == nil {
		return dst, errNull
	}
	if len(d.edits) == 0 {
		if d.planned() {
			return d.form.splicer.Splice(dst, d.base, d.form.plan, d.values[:d.form.values])
		}
		return append(dst, d.base...), nil
	}
	return d.splice(dst, 0, len(d.base)), nil
}

// Mark remembers the value as it is now, for Rollback. There is one mark, and
// Reset ends it.
func (d *Doc) Mark() {
	d.mark.base, d.mark.enc, d.mark.edited = d.base, d.enc, d.edited
	d.mark.edits = append(d.mark.edits[:0], d.edits...)
	d.mark.form = d.form
	d.mark.values = append(d.mark.values[:0], d.values...)
}

// Rollback takes back all edits since Mark.
func (d *Doc) Rollback() {
	m := &d.mark
	if !d.edited { // nothing to take back
		return
	}
	d.base, d.enc = m.base, m.enc
	d.edits = append(d.edits[:0], m.edits...)
	d.form, d.values = m.form, append(d.values[:0], m.values...)
	d.fresh()
	d.edited = m.edited
	if len(d.edits) > 0 || d.planned() {
		d.moved() // the slots know nothing of these edits
	}
}
