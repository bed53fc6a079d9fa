package avro

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/flowrecords/flow/engine/record"
)

// program of a record.Plan.
type spliceProgram struct {
	e    *Encoding
	root *spliceRecord
	err  error
}

// spliceRecord says how a record with edits is written. Steps are in the order
// of the new record; runs of fields that stay side by side are one step.
type spliceRecord struct {
	node  *node // of the base; never an optional
	steps []spliceStep
	// need: the base is walked, to know where its fields lie.
	need bool
}

type spliceStep struct {
	op spliceOp
	// The base's fields from first to last (included), or the number of a value.
	first, last int
	// tag is the branch of a union that is written before a struct; -1: none.
	tag  int
	move *rnode // spliceMove
	sub  *spliceRecord
	// wrapped: the base's struct has a branch in front of it.
	wrapped bool
	value   *wnode
	name    string
}

type spliceOp uint8

const (
	spliceCopy  spliceOp = iota // bytes as they are, of a run of fields
	spliceMove                  // one field that gets another form
	spliceSub                   // a struct with edits of its own
	spliceValue                 // a new value
)

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
	r := reader{b: base, start: len(dst), checked: true}
	out, i := r.splice(dst, prog.root, 0, values)
	if i < 0 {
		return dst, r.failure()
	}
	return out, nil
}

func (e *Encoding) compileSplice(p *record.Plan) *spliceProgram {
	to, ok := e.With(p.To).(*Encoding)
	if !ok {
		return &spliceProgram{e: e, err: fmt.Errorf("writing Avro: the schema has no form in it")}
	}
	c := splicer{r: rcompiler{done: map[rpair]*rnode{}, program: compiler{done: map[*Schema]*node{}}}, w: wcompiler{done: map[wpair]*wnode{}, program: compiler{done: map[*Schema]*node{}}, lenient: true}}
	prog := &spliceProgram{e: e, root: c.record(p.Root, e.schema, to.schema)}
	if prog.err = c.err; prog.err == nil && c.w.err != nil {
		prog.err = fmt.Errorf("writing Avro: %w", c.w.err)
	}
	return prog
}

type splicer struct {
	r   rcompiler
	w   wcompiler
	err error
}

// record compiles the edits of one struct.
func (c *splicer) record(m *record.Members, from, to *Schema) *spliceRecord {
	s := &spliceRecord{}
	if _, other, ok := from.optional(); ok {
		from = other
	}
	if _, other, ok := to.optional(); ok {
		to = other
	}
	if from.Kind != Record || to.Kind != Record || len(to.Fields) != len(m.List) {
		c.err = fmt.Errorf("writing Avro: edits of what is no record")
		return s
	}
	s.node = c.r.program.node(from)
	for i := range m.List {
		x, f := &m.List[i], &to.Fields[i]
		step := spliceStep{name: f.Name, tag: -1}
		switch {
		case x.Source < 0:
			step.op, step.first, step.value = spliceValue, x.Value, c.w.node(f.Type, x.Schema)
		case x.Sub != nil:
			source := from.Fields[x.Source].Type
			step.op, step.first, step.sub = spliceSub, x.Source, c.record(x.Sub, source, f.Type)
			_, _, step.wrapped = source.optional()
			if null, _, ok := f.Type.optional(); ok {
				step.tag = 1 - null
			}
			s.need = true
		default:
			s.need = true
			step.op, step.first, step.last = spliceCopy, x.Source, x.Source
			if c.copies(from.Fields[x.Source].Type, f.Type, &step); step.op == spliceCopy && len(s.steps) > 0 {
				if prev := &s.steps[len(s.steps)-1]; prev.op == spliceCopy && prev.last+1 == x.Source {
					prev.last++
					continue
				}
			}
		}
		s.steps = append(s.steps, step)
	}
	return s
}

// copies says how a field of the base becomes one of the new record.
func (c *splicer) copies(from, to *Schema, step *spliceStep) {
	if sameBytes(from, to, map[rpair]bool{}) {
		return
	}
	step.op, step.move = spliceMove, c.r.node(from, to)
	if step.move.op == moveRefuse {
		c.err = fmt.Errorf("writing Avro: field %s: %s", step.name, step.move.why)
	}
}

// sameBytes is sameLayout whatever the types are called.
func sameBytes(a, b *Schema, seen map[rpair]bool) bool {
	if a == b || seen[rpair{a, b}] {
		return true
	}
	if a.Kind != b.Kind || a.Size != b.Size || len(a.Symbols) != len(b.Symbols) || len(a.Fields) != len(b.Fields) || len(a.Branches) != len(b.Branches) {
		return false
	}
	seen[rpair{a, b}] = true
	for i := range a.Fields {
		if !sameBytes(a.Fields[i].Type, b.Fields[i].Type, seen) {
			return false
		}
	}
	for i := range a.Branches {
		if !sameBytes(a.Branches[i], b.Branches[i], seen) {
			return false
		}
	}
	return a.Elem == nil || sameBytes(a.Elem, b.Elem, seen)
}

// splice writes the record at i with its edits and returns the index behind
// it in the base.
func (r *reader) splice(dst []byte, s *spliceRecord, i int, values []record.Value) ([]byte, int) {
	var few [48]uint32
	ends := few[:]
	if len(s.node.fields) >= len(few) {
		ends = make([]uint32, len(s.node.fields)+1)
	}
	ends[0] = uint32(i)
	for f := range s.node.fields {
		if i = r.skip(s.node.fields[f].node, i); i < 0 {
			return dst, r.within(s.node.fields[f].name)
		}
		ends[f+1] = uint32(i)
	}
	for k := range s.steps {
		step := &s.steps[k]
		ok := true
		switch step.op {
		case spliceCopy:
			dst = append(dst, r.b[ends[step.first]:ends[step.last+1]]...)
		case spliceValue:
			dst, ok = r.spliceValue(dst, step, values[step.first])
		case spliceMove:
			var next int
			dst, next = r.resolve(dst, step.move, int(ends[step.first]))
			ok = next >= 0
		case spliceSub:
			at := int(ends[step.first])
			if step.wrapped {
				at++ // a branch of a union of two is one byte
			}
			if step.tag >= 0 {
				dst = append(dst, byte(step.tag<<1))
			}
			dst, at = r.splice(dst, step.sub, at, values)
			ok = at >= 0
		}
		if !ok {
			return dst, r.within(step.name)
		}
	}
	return dst, i
}

// spliceValue writes a value of an edit.
func (r *reader) spliceValue(dst []byte, step *spliceStep, v record.Value) ([]byte, bool) {
	n := step.value
	if n.op == opOptional {
		if v.IsNil() {
			return append(dst, byte(n.null<<1)), true
		}
		dst = append(dst, byte((1-n.null)<<1))
		n = n.elem
	}
	switch k := v.Kind(); {
	case k == record.Int && n.op == opLong:
		return binary.AppendVarint(dst, v.Int()), true
	case k == record.String && n.op == opString:
		return appendBytes(dst, v.Text()), true
	case (k == record.Float || k == record.Int) && n.op == opDouble:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Float())), true
	case k == record.Bool && n.op == opBool:
		c := byte(0)
		if v.Bool() {
			c = 1
		}
		return append(dst, c), true
	case k == record.Bytes && n.op == opBytes:
		return appendBytes(dst, v.Text()), true
	}
	text, err := v.AppendAs(nil, n.from)
	if err != nil {
		r.err = err
		return dst, false
	}
	e := wstate{b: text, lenient: true}
	out, i := e.value(dst, n, 0)
	if i < 0 {
		r.err = e.err
		return dst, false
	}
	return out, true
}
