package protobuf

import (
	"errors"
	"fmt"
	"math"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// spliceProgram is that of a record.Plan.
type spliceProgram struct {
	e    *Encoding
	root *spliceMessage
	err  error
}

// spliceMessage says how a message with edits is written: in one walk what
// stays is copied as it stands, and what is new comes behind it. Protobuf does
// not mind the order. Fields that are not known stay, unless a field of the new
// message has their number.
type spliceMessage struct {
	from, to *node
	// does is what becomes of each field of from.
	does  []spliceOp
	steps []spliceStep
}

type spliceOp uint8

const (
	spliceDrop spliceOp = iota
	spliceKeep
	spliceNote // a step will write it
)

// spliceStep writes one field of the new message behind what was kept.
type spliceStep struct {
	name  string
	value int // number of the value; -1: from the base
	write wmember
	as    *schema.Schema // the type of the value

	base *memberNode    // whose JSON text is written as the new field
	sub  *spliceMessage // or whose content is, with edits
}

// Splice implements record.Splicer.
func (e *Encoding) Splice(dst, base []byte, p *record.Plan, values []record.Value) ([]byte, error) {
	prog, ok := p.Memo().(*spliceProgram)
	if !ok || prog.e != e {
		prog = e.compileSplice(p)
		p.SetMemo(prog)
	}
	if prog.err != nil {
		return dst, prog.err
	}
	r := e.readers.Get().(*reader)
	defer e.release(r)
	r.reset(base)
	out, ok := r.splice(dst, prog.root, piece{end: uint32(len(base))}, values)
	if !ok {
		return dst, r.failure()
	}
	return out, nil
}

func (e *Encoding) compileSplice(p *record.Plan) *spliceProgram {
	to, ok := e.With(p.To).(*Encoding)
	if !ok {
		return &spliceProgram{e: e, err: errors.New("writing Protobuf: the schema has no form in it")}
	}
	c := splicer{w: wcompiler{done: map[wpair]*wnode{}, lenient: true}}
	prog := &spliceProgram{e: e, root: c.message(p.Root, e.root, to.root, p.From)}
	if prog.err = c.err; prog.err == nil && c.w.err != nil {
		prog.err = fmt.Errorf("writing Protobuf: %w", c.w.err)
	}
	return prog
}

type splicer struct {
	w   wcompiler
	err error
}

func (c *splicer) message(m *record.Members, from, to *node, s *schema.Schema) *spliceMessage {
	out := &spliceMessage{from: from, to: to, does: make([]spliceOp, len(from.fields))}
	if from.op != opMessage || to.op != opMessage || len(to.members) != len(m.List) || len(from.members) != len(s.Fields) {
		c.err = errors.New("writing Protobuf: edits of what is no message")
		return out
	}
	for i := range m.List {
		x, t := &m.List[i], &to.members[i]
		if x.Source < 0 {
			out.steps = append(out.steps, spliceStep{name: t.name, value: x.Value, as: x.Schema, write: c.member(t, x.Schema)})
			continue
		}
		base := &from.members[x.Source]
		does := spliceNote
		switch {
		case x.Sub != nil:
			f := base.fields[0]
			out.steps = append(out.steps, spliceStep{name: t.name, value: -1, base: base, write: wmember{memberNode: t}, sub: c.message(x.Sub, f.value, t.fields[0].value, s.Fields[x.Source].Schema)})
		case sameMember(base, t):
			does = spliceKeep
		default:
			out.steps = append(out.steps, spliceStep{name: t.name, value: -1, base: base, write: c.member(t, s.Fields[x.Source].Schema)})
		}
		for _, f := range base.fields {
			out.does[f.index] = does
		}
	}
	return out
}

// member compiles how a member is written from text of a type.
func (c *splicer) member(t *memberNode, from *schema.Schema) wmember {
	n := &wnode{}
	c.w.member(n, t, from)
	c.w.missing(&n.members[0], nil)
	return n.members[0]
}

// sameMember reports whether the data of a is data of b.
func sameMember(a, b *memberNode) bool {
	if a.union != b.union || len(a.fields) != len(b.fields) || !a.union && string(a.absent) != string(b.absent) {
		return false
	}
	for i, f := range a.fields {
		if !sameField(f, b.fields[i], map[[2]*node]bool{}) {
			return false
		}
	}
	return true
}

func sameField(a, b *fieldNode, seen map[[2]*node]bool) bool {
	return a.num == b.num && a.wire == b.wire && a.list == b.list && a.presence == b.presence && a.required == b.required && sameNode(a.value, b.value, seen)
}

// sameNode reports whether data of a is data of b, whatever they are called.
func sameNode(a, b *node, seen map[[2]*node]bool) bool {
	pair := [2]*node{a, b}
	if a == b || seen[pair] {
		return true
	}
	if a.op != b.op || a.kind != b.kind || a.size != b.size || a.scale != b.scale || a.closed != b.closed || len(a.fields) != len(b.fields) || len(a.symbols) != len(b.symbols) {
		return false
	}
	for v := range a.symbols {
		if !b.known(v) {
			return false
		}
	}
	seen[pair] = true
	for _, f := range a.fields {
		g := b.lookup(f.num)
		if g == nil || !sameField(f, g, seen) {
			return false
		}
	}
	return true
}

// splice writes the content of a message with its edits.
func (r *reader) splice(dst []byte, s *spliceMessage, p piece, values []record.Value) ([]byte, bool) {
	if !r.down(int(p.start)) {
		return dst, false
	}
	base := len(r.finds)
	for range s.from.fields {
		r.finds = append(r.finds, found{})
	}
	for {
		kept := int(p.start) // from here on nothing is written yet
		for i, end := int(p.start), int(p.end); i < end; {
			num, wire, next := r.tag(i, end)
			if next < 0 {
				return dst, false
			}
			f := s.from.lookup(num)
			does := spliceKeep
			switch {
			case f != nil && f.accepts(wire):
				does = s.does[f.index]
			case f != nil || s.to.lookup(num) != nil:
				does = spliceDrop
			}
			if does == spliceNote {
				next = r.note(f, base+f.index, wire, i, next, end)
			} else {
				next = r.unknown(num, wire, next, end)
			}
			if next < 0 {
				return dst, false
			}
			if does != spliceKeep {
				dst = append(dst, r.b[kept:i]...)
				kept = next
			}
			i = next
		}
		dst = append(dst, r.b[kept:p.end]...)
		if p.next == 0 {
			break
		}
		p = r.pieces[p.next]
	}
	for i := range s.steps {
		var ok bool
		if dst, ok = r.spliceStep(dst, &s.steps[i], base, values); !ok {
			r.within(s.steps[i].name)
			return dst, false
		}
	}
	r.leave(base)
	return dst, true
}

func (r *reader) spliceStep(dst []byte, step *spliceStep, base int, values []record.Value) (_ []byte, ok bool) {
	switch {
	case step.value >= 0:
		return r.spliceValue(dst, step, values[step.value])
	case step.sub != nil:
		f, x := step.write.fields[0], r.finds[base+step.base.fields[0].index].piece
		dst = appendTag(dst, f.num, f.wire)
		if f.wire == wireStart {
			dst, ok = r.splice(dst, step.sub, x, values)
			return appendTag(dst, f.num, wireEnd), ok
		}
		at := len(dst)
		if dst, ok = r.splice(append(dst, 0), step.sub, x, values); ok {
			dst = insertLength(dst, at)
		}
		return dst, ok
	}
	r.start = 0
	text, ok := r.jsonMember(nil, step.base, base)
	if !ok {
		return dst, false
	}
	return r.written(dst, step, text)
}

// written writes JSON text as a field of the new message.
func (r *reader) written(dst []byte, step *spliceStep, text []byte) ([]byte, bool) {
	e := wstate{b: text, lenient: true}
	out, i := e.member(dst, &step.write, 0)
	if i < 0 {
		r.err = e.failure()
	}
	return out, i >= 0
}

// spliceValue writes a value of an edit.
func (r *reader) spliceValue(dst []byte, step *spliceStep, v record.Value) ([]byte, bool) {
	if m := &step.write; !m.union && v.Kind() <= record.String {
		f := m.fields[0]
		tagged := func(zero bool) bool {
			if zero && !f.presence {
				return false
			}
			dst = appendTag(dst, f.num, f.wire)
			return true
		}
		n := f.node
		switch k := v.Kind(); {
		case v.IsNil() && string(m.absent) == "null" && !m.memberNode.must:
			return dst, true
		case k == record.Int && n.op == opInt && inRange(n, v.Int() < 0, magnitude(v.Int())), k == record.Int && n.op == opUint && n.low == 0 && inRange(n, v.Int() < 0, magnitude(v.Int())):
			if tagged(v.Int() == 0) {
				dst = appendBits(dst, n.kind, uint64(v.Int()))
			}
			return dst, true
		case k == record.String && n.op == opString && validUTF8(v.Text()):
			if text := v.Text(); len(text) > 0 || f.presence {
				dst = appendBytesField(dst, f.num, text)
			}
			return dst, true
		case k == record.Float && n.op == opDouble:
			if tagged(math.Float64bits(v.Float()) == 0) {
				dst = appendDouble(dst, v.Float())
			}
			return dst, true
		case k == record.Bool && n.op == opBool:
			if tagged(!v.Bool()) {
				bit := byte(0)
				if v.Bool() {
					bit = 1
				}
				dst = append(dst, bit)
			}
			return dst, true
		}
	}
	text, err := v.AppendAs(nil, step.as)
	if err != nil {
		r.err = err
		return dst, false
	}
	return r.written(dst, step, text)
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}
