package protobuf

import (
	"errors"
	"math"
	"slices"
	"unicode/utf8"
	"unsafe"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

var errLarge = errors.New("a record of more than 2 GiB")

func validUTF8(b []byte) bool { return utf8.Valid(b) }

// alias is b as a string, for calls that keep nothing of it.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// program is a projection laid over a message, with the reader of its Doc.
type program struct {
	root *wanted
	r    reader
}

// wanted is a path of the projection and what its values are.
type wanted struct {
	id     record.PathID
	node   *node
	schema *schema.Schema
	// below: the projection has paths below this one.
	below bool
	// fields says of each field of a message whether it is looked for.
	fields  []bool
	members []wantedMember
	// names are the children that are keys of a map.
	names []named
	// elems are the children that are elements of a list.
	elems    []element
	negative bool // some of them are counted from the end
}

// wantedMember is a field of a message with its path.
type wantedMember struct {
	of *memberNode
	to *wanted
	// branches are the paths of a union's branches, by the number of the field
	// in the member; nil where the projection has none.
	branches []*wanted
}

type named struct {
	name string
	to   *wanted
}

type element struct {
	index int
	to    *wanted
}

func newWanted(p *record.Projection, id record.PathID, n *node, s *schema.Schema) *wanted {
	w := &wanted{id: id, node: n, schema: s}
	children := p.Children(id)
	if w.below = len(children) > 0; !w.below {
		return w
	}
	for n.op == opWrapped && !n.members[0].union {
		n = n.members[0].fields[0].node // paths lead into what is wrapped
	}
	w.node = n
	if n.op == opMessage {
		w.fields = make([]bool, len(n.fields))
	}
	for _, c := range children {
		path := p.Path(c)
		step := path[len(path)-1]
		switch {
		case step.IsIndex && n.op == opList && s.Type == schema.Array:
			w.elems = append(w.elems, element{step.Index, newWanted(p, c, n.elem, s.Elem)})
			w.negative = w.negative || step.Index < 0
		case step.IsIndex:
		case n.op == opMessage:
			w.member(p, c, step.Name)
		case n.op == opMap:
			w.names = append(w.names, named{step.Name, newWanted(p, c, n.elem, s.Elem)})
		}
	}
	return w
}

// member adds a child of a message.
func (w *wanted) member(p *record.Projection, id record.PathID, name string) {
	k := slices.IndexFunc(w.node.members, func(t memberNode) bool { return t.name == name })
	if k < 0 || k >= len(w.schema.Fields) {
		return
	}
	t, s := &w.node.members[k], w.schema.Fields[k].Schema
	m := wantedMember{of: t}
	for _, f := range t.fields {
		w.fields[f.index] = true
	}
	if !t.union {
		m.to = newWanted(p, id, t.fields[0].node, s)
		w.members = append(w.members, m)
		return
	}
	m.to = &wanted{id: id, node: &node{}, schema: s}
	m.branches = make([]*wanted, len(t.fields))
	for _, c := range p.Children(id) {
		path := p.Path(c)
		i := slices.IndexFunc(t.fields, func(f *fieldNode) bool { return fieldName(f.field) == path[len(path)-1].Name })
		if i >= 0 && !path[len(path)-1].IsIndex {
			m.branches[i] = newWanted(p, c, t.fields[i].value, s.Branches[i].Schema)
		}
	}
	w.members = append(w.members, m)
}

// Index implements record.Encoding.
func (e *Encoding) Index(d *record.Doc, raw []byte) error {
	if len(raw) > math.MaxInt32 {
		return errLarge
	}
	p := d.Program(func(p *record.Projection) any {
		return &program{root: newWanted(p, record.Root, e.root, e.typed)}
	}).(*program)
	r := &p.r
	r.reset(raw)
	all := piece{end: uint32(len(raw))}
	if !r.index(d, p.root, e.root, all) || !r.missing(e.root, all) {
		return r.failure()
	}
	return nil
}

// index checks the value of n at p and fills the path of w, and those below
// it.
func (r *reader) index(d *record.Doc, w *wanted, n *node, p piece) bool {
	switch n.op {
	case opBool:
		d.Fill(w.id, record.BoolValue(r.number(n.kind, p) != 0))
	case opInt:
		v := int64(r.number(n.kind, p))
		d.Fill(w.id, record.IntValue(v))
		return r.small(n, v, p)
	case opUint:
		u := r.number(n.kind, p)
		if u > math.MaxInt64 {
			return r.eager(d, w, n, p) // a number with all its digits
		}
		d.Fill(w.id, record.IntValue(int64(u)))
		return n.high == 0 || r.small(n, int64(u), p)
	case opFloat:
		d.Fill(w.id, float32Value(r.number(n.kind, p)))
	case opDouble:
		d.Fill(w.id, float64Value(r.number(n.kind, p)))
	case opString:
		if !n.utf8 {
			d.FillAt(w.id, record.Place{Start: p.start, End: p.end, Note: n.number})
			return true
		}
		d.Fill(w.id, record.TextValue(r.b[p.start:p.end:p.end]))
	case opBytes:
		d.Fill(w.id, record.BytesValue(r.b[p.start:p.end:p.end]))
	case opEnum:
		v := int32(r.number(n.kind, p))
		k, ok := n.symbols[v]
		if !ok {
			return r.eager(d, w, n, p)
		}
		d.Fill(w.id, record.StringValue(n.names[k]))
	case opMessage:
		return r.indexMessage(d, w, n, p)
	case opList:
		return r.indexList(d, w, n, p)
	case opMap, opEntries:
		return r.indexMap(d, w, n, p)
	case opWrapped:
		return r.indexWrapped(d, w, n, p)
	case opTimestamp, opDuration, opDate, opTime, opDecimal, opValue:
		return r.checkBody(n, p) && r.later(d, w, n, p)
	default:
		return r.later(d, w, n, p)
	}
	return true
}

// later leaves the value to Read, unless it is in several pieces or something
// below it is wanted.
func (r *reader) later(d *record.Doc, w *wanted, n *node, p piece) bool {
	if w.below || p.next != 0 {
		return r.eager(d, w, n, p)
	}
	d.FillAt(w.id, record.Place{Start: p.start, End: p.end, Note: n.number})
	return true
}

// eager fills a path, and those below it, with what the JSON text of the value
// says.
func (r *reader) eager(d *record.Doc, w *wanted, n *node, p piece) bool {
	text, err := d.Make(func(dst []byte) ([]byte, error) {
		r.start = len(dst)
		out, ok := r.json(dst, n, p)
		if !ok {
			return dst, r.err
		}
		return out, nil
	})
	if err == nil {
		err = fillTyped(d, w.id, record.RawJSON(text), w.schema)
	}
	if err != nil {
		return r.refuse(p, "%v", err)
	}
	return true
}

// fillTyped fills a path and those below it from typed JSON text.
func fillTyped(d *record.Doc, id record.PathID, v record.Value, s *schema.Schema) error {
	v, err := v.As(s)
	if err != nil {
		return err
	}
	d.Fill(id, v)
	p := d.Projection()
	for _, c := range p.Children(id) {
		path := p.Path(c)
		step := path[len(path)-1]
		var child record.Value
		var of *schema.Schema
		if step.IsIndex {
			child = v.Index(step.Index)
			of = elemOf(s)
		} else {
			child = v.Member(step.Name)
			of = memberOf(s, step.Name)
		}
		if child.Kind() != record.Missing {
			if err := fillTyped(d, c, child, of); err != nil {
				return err
			}
		}
	}
	return nil
}

func elemOf(s *schema.Schema) *schema.Schema {
	if s != nil && s.Type == schema.Array {
		return s.Elem
	}
	return nil
}

func memberOf(s *schema.Schema, name string) *schema.Schema {
	switch {
	case s == nil:
	case s.Type == schema.Map:
		return s.Elem
	case s.Type == schema.Struct:
		if f := s.Field(name); f != nil {
			return f.Schema
		}
	case s.Type == schema.Union:
		if i := s.BranchIndex(name); i >= 0 {
			return s.Branches[i].Schema
		}
	}
	return nil
}

func (r *reader) indexMessage(d *record.Doc, w *wanted, n *node, p piece) bool {
	switch {
	case p.next != 0:
		return r.checkBody(n, p) && r.eager(d, w, n, p)
	case !w.below:
		if !r.checkBody(n, p) {
			return false
		}
	case !r.indexFields(d, w, n, p):
		return false
	}
	d.FillAt(w.id, record.Place{Start: p.start, End: p.end, Note: n.number})
	return true
}

// indexFields walks the content of a message: notes what is wanted, checks all
// else, and then looks at what was noted.
func (r *reader) indexFields(d *record.Doc, w *wanted, n *node, p piece) bool {
	if !r.down(int(p.start)) {
		return false
	}
	base := len(r.finds)
	r.finds = slices.Grow(r.finds, len(n.fields))[:base+len(n.fields)]
	clear(r.finds[base:])
	for i, end := int(p.start), int(p.end); i < end; {
		num, wire, next := r.tag(i, end)
		if next < 0 {
			return false
		}
		switch f := n.lookup(num); {
		case f == nil || !f.accepts(wire):
			i = r.unknown(num, wire, next, end)
		case w.fields[f.index]:
			i = r.note(f, base+f.index, wire, i, next, end)
		default:
			i = r.check(f, wire, next, end)
		}
		if i < 0 {
			return false
		}
	}
	for i := range w.members {
		if !r.indexMember(d, &w.members[i], base) {
			r.within(w.members[i].of.name)
			return false
		}
	}
	r.leave(base)
	return true
}

func (r *reader) indexMember(d *record.Doc, m *wantedMember, base int) bool {
	t := m.of
	if !t.union {
		f := t.fields[0]
		if x := r.finds[base+f.index].piece; x.end != 0 {
			return r.index(d, m.to, f.node, x)
		}
		return r.indexAbsent(d, m.to, t)
	}
	for i, f := range t.fields {
		x := r.finds[base+f.index].piece
		if x.end == 0 {
			continue
		}
		if to := m.branches[i]; to != nil {
			if !r.index(d, to, f.value, x) {
				return false
			}
		} else if f.value.isMessage() && !r.checkBody(f.value, x) {
			return false
		}
		if x.next != 0 {
			return r.eager(d, &wanted{id: m.to.id, schema: m.to.schema}, f.branch, x)
		}
		d.FillAt(m.to.id, record.Place{Start: x.start, End: x.end, Note: f.branch.number})
		return true
	}
	d.Fill(m.to.id, t.value)
	return true
}

// indexAbsent fills the path of a field that is not there.
func (r *reader) indexAbsent(d *record.Doc, w *wanted, t *memberNode) bool {
	switch {
	case t.value.Kind() != record.Missing && (t.value.Kind() < record.Array || !w.below):
		d.Fill(w.id, t.value)
		return true
	case t.must:
		return true // the search for missing fields will say so
	case t.absent == nil:
		return r.eager(d, w, t.fields[0].node, piece{})
	}
	if err := fillTyped(d, w.id, record.RawJSON(t.absent), w.schema); err != nil {
		return r.refuse(piece{}, "%v", err)
	}
	return true
}

func (r *reader) indexWrapped(d *record.Doc, w *wanted, n *node, p piece) bool {
	t := &n.members[0]
	if t.union || p.next != 0 {
		return r.checkBody(n, p) && r.later(d, w, n, p)
	}
	base, ok := r.collect(n, p)
	if !ok {
		return false
	}
	if x := r.finds[base+t.fields[0].index].piece; x.end != 0 {
		ok = r.index(d, w, t.fields[0].node, x)
	} else {
		ok = r.indexAbsent(d, w, t)
	}
	r.leave(base)
	return ok
}

// indexList looks at all elements once, to check and to count them.
func (r *reader) indexList(d *record.Doc, w *wanted, n *node, p piece) bool {
	if p.next != 0 {
		return r.checkRuns(n, p) && r.eager(d, w, n, p)
	}
	if w.elems == nil {
		if !r.checkRuns(n, p) {
			return false
		}
		d.FillAt(w.id, record.Place{Start: p.start, End: p.end, Note: n.number})
		return true
	}
	count := 0
	if w.negative {
		if !r.elements(n.field, p, func(piece) bool { count++; return true }) {
			return false
		}
	}
	pos := 0
	ok := r.elements(n.field, p, func(p piece) bool {
		seen := false
		for _, x := range w.elems {
			if x.index == pos || w.negative && x.index == pos-count {
				if seen = true; !r.index(d, x.to, n.elem, p) {
					return false
				}
			}
		}
		pos++
		return seen || !n.elem.isMessage() || r.checkBody(n.elem, p)
	})
	d.FillAt(w.id, record.Place{Start: p.start, End: p.end, Note: n.number})
	return ok
}

// checkRuns checks the occurrences of a list or map.
func (r *reader) checkRuns(n *node, p piece) bool {
	if !n.field.value.isMessage() {
		return r.elements(n.field, p, func(piece) bool { return true })
	}
	return r.elements(n.field, p, func(p piece) bool { return r.checkBody(n.field.value, p) })
}

func (r *reader) indexMap(d *record.Doc, w *wanted, n *node, p piece) bool {
	if !r.checkRuns(n, p) {
		return false
	}
	if p.next != 0 || w.below && w.names == nil {
		return r.eager(d, w, n, p)
	}
	d.FillAt(w.id, record.Place{Start: p.start, End: p.end, Note: n.number})
	if w.names == nil {
		return true
	}
	list, ok := r.entries(n, p)
	if !ok || !r.down(int(p.start)) {
		return false
	}
	of := n.field.value.members
	for i := range list {
		e := &list[i]
		for _, x := range w.names {
			if x.name != string(e.text) {
				continue
			}
			if e.value.end != 0 {
				ok = r.index(d, x.to, n.elem, e.value)
			} else {
				ok = r.indexAbsent(d, x.to, &of[1])
			}
			if !ok {
				return false
			}
		}
	}
	r.depth--
	return true
}

// Read implements record.Lazy.
func (e *Encoding) Read(d *record.Doc, raw []byte, p record.Place) (record.Value, error) {
	n := e.nodes[p.Note]
	prog := d.Program(func(p *record.Projection) any {
		return &program{root: newWanted(p, record.Root, e.root, e.typed)}
	}).(*program)
	r := &prog.r
	r.reset(raw)
	at := piece{start: p.Start, end: p.End}
	switch n.op {
	case opString:
		if text, ok := r.text(n, at); ok {
			return record.TextValue(text), nil
		}
		return record.Value{}, r.failure()
	case opTimestamp, opLocal:
		sec, nsec, ok := r.instant(n, at)
		if !ok {
			return record.Value{}, r.failure()
		}
		return record.TimeValue(unixTime(sec, nsec)), nil
	case opDate:
		days, ok := r.date(n, at)
		if !ok {
			return record.Value{}, r.failure()
		}
		return record.TimeValue(unixTime(days*86400, 0)), nil
	case opDuration:
		v, ok := r.duration(n, at)
		if !ok {
			return record.Value{}, r.failure()
		}
		return record.DurationValue(v), nil
	case opTime:
		v, ok := r.timeOfDay(n, at)
		if !ok {
			return record.Value{}, r.failure()
		}
		return record.DurationValue(v), nil
	case opSized:
		if int(at.end-at.start) == n.size {
			return record.BytesValue(raw[at.start:at.end:at.end]), nil
		}
	}
	text, err := d.Make(func(dst []byte) ([]byte, error) {
		r.start = len(dst)
		out, ok := r.json(dst, n, at)
		if !ok {
			return dst, r.failure()
		}
		return out, nil
	})
	if err != nil {
		return record.Value{}, err
	}
	v := record.RawJSON(text)
	if n.op == opDecimal {
		return v.As(anyDecimal) // 5 is a decimal as well
	}
	return v, nil
}

// anyDecimal is a decimal of any size, for values whose digits are checked.
var anyDecimal = schema.NewDecimal(0, 0)
