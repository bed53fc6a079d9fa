package avro

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/flowrecords/flow/engine/record"
)

// plan is a projection laid over a program: which fields are wanted, and which
// are only checked.
type plan struct {
	projection *record.Projection
	root       *wanted
}

// wanted is a path of the projection and the node of its values.
type wanted struct {
	id   record.PathID
	node *node
	// fields of a record; nil for one that is only checked.
	fields []*wanted
	// names are the children that are members of what is no record: keys of a
	// map, branches of a union.
	names []named
	// elems are the children that are elements of an array.
	elems []element
	// negative: some elements are counted from the end.
	negative bool
	// below: the projection has paths below this one.
	below bool
}

type named struct {
	name string
	to   *wanted // nil node: the type is known only from the data
}

type element struct {
	index int
	to    *wanted
}

// plan returns that of a projection.
func (e *Encoding) plan(p *record.Projection) *wanted {
	list := e.plans.Load()
	if list != nil {
		for _, x := range *list {
			if x.projection == p {
				return x.root
			}
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var old []*plan
	if list = e.plans.Load(); list != nil {
		old = *list
	}
	n := &plan{projection: p, root: newWanted(p, record.Root, e.root)}
	now := append([]*plan{n}, old[:min(len(old), maxPlans-1)]...)
	e.plans.Store(&now)
	return n.root
}

func newWanted(p *record.Projection, id record.PathID, n *node) *wanted {
	for n.op == opOptional {
		n = n.elem
	}
	w := &wanted{id: id, node: n}
	children := p.Children(id)
	w.below = len(children) > 0
	if !w.below {
		return w
	}
	if n.op == opRecord {
		w.fields = make([]*wanted, len(n.fields))
	}
	for _, c := range children {
		path := p.Path(c)
		step := path[len(path)-1]
		switch {
		case step.IsIndex && n.op == opArray:
			w.elems = append(w.elems, element{step.Index, newWanted(p, c, n.elem)})
			w.negative = w.negative || step.Index < 0
		case step.IsIndex:
		case n.op == opRecord:
			if f := slices.IndexFunc(n.fields, func(f fieldNode) bool { return f.name == step.Name }); f >= 0 {
				w.fields[f] = newWanted(p, c, n.fields[f].node)
			}
		case n.op == opMap:
			w.names = append(w.names, named{step.Name, newWanted(p, c, n.elem)})
		case n.op == opUnion:
			tags := n.schema.tags()
			for i, b := range n.branches {
				if tags[i] == step.Name && b.op != opNull {
					w.names = append(w.names, named{step.Name, newWanted(p, c, b)})
				}
			}
		}
	}
	return w
}

// Index implements record.Encoding.
func (e *Encoding) Index(d *record.Doc, raw []byte) error {
	if len(raw) > math.MaxInt32 {
		return errLarge
	}
	r := reader{b: raw}
	i := r.index(d, e.plan(d.Projection()), e.root, 0)
	if i >= 0 && i != len(raw) {
		i = r.fail(i, "%d bytes behind the value", len(raw)-i)
	}
	if i < 0 {
		return r.failure()
	}
	return nil
}

// index checks the value of n at i and fills the path of w, and those below
// it.
func (r *reader) index(d *record.Doc, w *wanted, n *node, i int) int {
	if n.op == opOptional {
		null, next := r.either(n, i)
		if next < 0 {
			return -1
		}
		if null {
			d.Fill(w.id, record.NullValue())
			return next
		}
		n, i = n.elem, next
	}
	switch n.op {
	case opRecord:
		if w.fields != nil {
			return r.indexRecord(d, w, n, i)
		}
	case opInt:
		v, next := r.int(i)
		d.Fill(w.id, record.IntValue(int64(v)))
		return next
	case opSmall:
		v, next := r.small(n, i)
		d.Fill(w.id, record.IntValue(v))
		return next
	case opLong:
		v, next := r.long(i)
		d.Fill(w.id, record.IntValue(v))
		return next
	case opString:
		v, next := r.text(i)
		d.Fill(w.id, record.TextValue(v))
		return next
	case opDouble:
		next := r.fixed(i, 8)
		if next >= 0 {
			d.Fill(w.id, record.FloatValue(math.Float64frombits(binary.LittleEndian.Uint64(r.b[i:]))))
		}
		return next
	case opBool:
		v, next := r.bool(i)
		d.Fill(w.id, record.BoolValue(v))
		return next
	case opTimestamp, opLocal:
		v, next := r.long(i)
		d.Fill(w.id, record.TimeValue(instant(v, n.unit)))
		return next
	case opNull:
		d.Fill(w.id, record.NullValue())
		return i
	case opUnion:
		return r.indexUnion(d, w, n, i)
	case opArray:
		if w.elems != nil {
			return r.indexArray(d, w, n, i)
		}
	case opMap:
		if w.names != nil {
			return r.indexMap(d, w, n, i)
		}
	}
	next := r.skip(n, i)
	if next >= 0 {
		d.FillAt(w.id, record.Place{Start: uint32(i), End: uint32(next), Note: n.number})
		if w.below {
			return r.indexBelow(d, w, n, i, next)
		}
	}
	return next
}

func (r *reader) indexRecord(d *record.Doc, w *wanted, n *node, i int) int {
	start := i
	if !r.down(i) {
		return -1
	}
	for f := range n.fields {
		child := n.fields[f].node
		if sub := w.fields[f]; sub != nil {
			i = r.index(d, sub, child, i)
		} else {
			i = r.skip(child, i)
		}
		if i < 0 {
			return r.within(n.fields[f].name)
		}
	}
	r.depth--
	d.FillAt(w.id, record.Place{Start: uint32(start), End: uint32(i), Note: n.number})
	return i
}

func (r *reader) indexUnion(d *record.Doc, w *wanted, n *node, i int) int {
	start := i
	which, next := r.branch(i, len(n.branches))
	switch {
	case next < 0:
		return -1
	case which == n.null:
		d.Fill(w.id, record.NullValue())
		return next
	}
	b := n.branches[which]
	var sub *wanted
	for _, x := range w.names {
		if x.to.node == b {
			sub = x.to
		}
	}
	if sub != nil {
		i = r.index(d, sub, b, next)
	} else {
		i = r.skip(b, next)
	}
	if i >= 0 {
		d.FillAt(w.id, record.Place{Start: uint32(start), End: uint32(i), Note: n.number})
	}
	return i
}

func (r *reader) indexArray(d *record.Doc, w *wanted, n *node, i int) int {
	start := i
	if w.negative {
		return r.indexFromEnd(d, w, n, i)
	}
	return r.elements(n, i, func(pos, i int) int {
		for _, x := range w.elems {
			if x.index == pos {
				return r.index(d, x.to, n.elem, i)
			}
		}
		return r.skip(n.elem, i)
	}, func(end int) {
		d.FillAt(w.id, record.Place{Start: uint32(start), End: uint32(end), Note: n.number})
	})
}

// indexFromEnd is indexArray where the number of elements must be known first.
func (r *reader) indexFromEnd(d *record.Doc, w *wanted, n *node, i int) int {
	count, empty := 0, r.empty
	end := r.elements(n, i, func(_, i int) int {
		count++
		return r.skip(n.elem, i)
	}, func(int) {})
	if end < 0 {
		return -1
	}
	r.empty = empty
	d.FillAt(w.id, record.Place{Start: uint32(i), End: uint32(end), Note: n.number})
	return r.elements(n, i, func(pos, i int) int {
		next := -2
		for _, x := range w.elems {
			if x.index == pos || x.index == pos-count {
				// Two paths may name one element.
				if next = r.index(d, x.to, n.elem, i); next < 0 {
					return -1
				}
			}
		}
		if next == -2 {
			next = r.skip(n.elem, i)
		}
		return next
	}, func(int) {})
}

// elements calls each for the elements of an array, which returns the index
// behind its element, and done with the index behind the array.
func (r *reader) elements(n *node, i int, each func(pos, i int) int, done func(end int)) int {
	if !r.down(i) {
		return -1
	}
	pos := 0
	for {
		count, end, next := r.block(n.elem, 0, i)
		if next < 0 {
			return -1
		}
		if i = next; count == 0 {
			r.depth--
			done(i)
			return i
		}
		for ; count > 0; count-- {
			if i = each(pos, i); i < 0 {
				return -1
			}
			pos++
		}
		if i = r.blockEnd(i, end); i < 0 {
			return -1
		}
	}
}

// indexMap looks for the last entry of each key that is wanted: of duplicates
// the last counts.
func (r *reader) indexMap(d *record.Doc, w *wanted, n *node, i int) int {
	start := i
	var few [8]int
	at := few[:min(len(w.names), len(few))]
	if len(w.names) > len(few) {
		at = make([]int, len(w.names))
	}
	if !r.down(i) {
		return -1
	}
	for {
		count, end, next := r.block(n.elem, 1, i)
		if next < 0 {
			return -1
		}
		if i = next; count == 0 {
			break
		}
		for ; count > 0; count-- {
			var key []byte
			if key, i = r.text(i); i < 0 {
				return -1
			}
			for k := range w.names {
				if w.names[k].name == string(key) {
					at[k] = i
				}
			}
			if i = r.skip(n.elem, i); i < 0 {
				return -1
			}
		}
		if i = r.blockEnd(i, end); i < 0 {
			return -1
		}
	}
	empty := r.empty
	for k, p := range at {
		if p > 0 && r.index(d, w.names[k].to, n.elem, p) < 0 {
			return -1
		}
	}
	r.empty = empty
	r.depth--
	d.FillAt(w.id, record.Place{Start: uint32(start), End: uint32(i), Note: n.number})
	return i
}

// indexBelow fills the paths below a value that is seen as JSON: an untyped
// one, a map with keys that are no strings, Avro's duration.
func (r *reader) indexBelow(d *record.Doc, w *wanted, n *node, i, end int) int {
	switch n.op {
	case opJSON, opEntries, opDuration:
	default:
		return end // a scalar has nothing below
	}
	text, err := d.Make(func(dst []byte) ([]byte, error) {
		in := reader{b: r.b, start: len(dst)}
		out, next := in.json(dst, n, i)
		if next < 0 {
			return dst, in.failure()
		}
		return out, nil
	})
	if err != nil {
		return r.fail(i, "%v", err)
	}
	fillBelow(d, w.id, record.RawJSON(text))
	return end
}

func fillBelow(d *record.Doc, id record.PathID, v record.Value) {
	p := d.Projection()
	for _, c := range p.Children(id) {
		path := p.Path(c)
		step := path[len(path)-1]
		child := v.Member(step.Name)
		if step.IsIndex {
			child = v.Index(step.Index)
		}
		if child.Kind() != record.Missing {
			d.Fill(c, child)
			fillBelow(d, c, child)
		}
	}
}

// Read implements record.Lazy.
func (e *Encoding) Read(d *record.Doc, raw []byte, p record.Place) (record.Value, error) {
	n := e.nodes[p.Note]
	r := reader{b: raw[:p.End]}
	i := int(p.Start)
	switch n.op {
	case opBytes:
		size, next := r.length(i)
		if next >= 0 {
			return record.BytesValue(raw[next : next+size : next+size]), nil
		}
	case opFixed:
		return record.BytesValue(raw[i:p.End:p.End]), nil
	case opEnum:
		which, next := r.symbol(n, i)
		if next >= 0 {
			return record.StringValue(n.schema.Symbols[which]), nil
		}
	case opDate:
		v, next := r.int(i)
		if next >= 0 {
			return record.TimeValue(time.Unix(int64(v)*86400, 0).UTC()), nil
		}
	case opTime:
		v, next := r.time(n, i)
		if next >= 0 {
			return record.DurationValue(time.Duration(v)), nil
		}
	case opGoDuration:
		v, next := r.long(i)
		if next >= 0 {
			return record.DurationValue(time.Duration(v)), nil
		}
	case opFloat:
		return float32Value(math.Float32frombits(binary.LittleEndian.Uint32(raw[i:]))), nil
	default:
		text, err := d.Make(func(dst []byte) ([]byte, error) {
			r.start = len(dst)
			out, next := r.json(dst, n, i)
			if next < 0 {
				return dst, r.failure()
			}
			return out, nil
		})
		if err != nil {
			return record.Value{}, err
		}
		return record.RawJSON(text), nil
	}
	return record.Value{}, r.failure()
}

// float32Value reads f by its own text: 0.1 is not 0.10000000149011612.
func float32Value(f float32) record.Value {
	if w := float64(f); w == math.Trunc(w) || f != f {
		return record.FloatValue(w)
	}
	var buf [32]byte
	w, _ := strconv.ParseFloat(string(strconv.AppendFloat(buf[:0], float64(f), 'g', -1, 32)), 64)
	return record.FloatValue(w)
}

// instant returns the time that lies v units of so many nanoseconds after
// 1970.
func instant(v, unit int64) time.Time {
	sec, nsec := split(v, unit)
	return time.Unix(sec, int64(nsec)).UTC()
}
