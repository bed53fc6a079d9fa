package avro

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// Resolver turns data of one schema, the writer's, into data of another, the
// reader's, by the rules of the specification: fields by name or alias,
// defaults for what the writer did not know, promotion of numbers, branches and
// symbols by name. It is immutable.
type Resolver struct{ root *rnode }

// NewResolver returns a Resolver. An error says what of the writer's data can
// never be read, and where.
func NewResolver(writer, reader *Schema) (*Resolver, error) {
	c := rcompiler{done: map[rpair]*rnode{}, program: compiler{done: map[*Schema]*node{}}}
	root := c.node(writer, reader)
	if root.why != "" {
		return nil, fmt.Errorf("reading with another schema: %s", root.why)
	}
	return &Resolver{root: root}, nil
}

// Same reports whether every value comes out as it went in.
func (v *Resolver) Same() bool { return v.root.op == moveCopy }

// Append appends what src, data of the writer's schema, is as data of the
// reader's.
func (v *Resolver) Append(dst, src []byte) ([]byte, error) {
	r := reader{b: src, start: len(dst)}
	out, i := r.resolve(dst, v.root, 0)
	if i >= 0 && i != len(src) {
		i = r.fail(i, "%d bytes behind the value", len(src)-i)
	}
	if i < 0 {
		return dst, r.failure()
	}
	return out, nil
}

// move is what is done with a value.
type move uint8

const (
	moveCopy   move = iota // its bytes are the same
	moveRefuse             // it cannot be read
	moveUnion              // the writer has a union: by its branch
	moveBranch             // only the reader has one: which branch it becomes
	moveRecord
	moveArray
	moveMap
	moveEnum
	moveFloat  // int or long to float
	moveDouble // int or long to double
	moveWiden  // float to double
	moveText   // bytes to string: must be UTF-8
	moveScale  // a long of a finer unit of time
)

type rpair struct{ w, r *Schema }

type rnode struct {
	op   move
	why  string // why a value cannot be read
	from *node
	to   *node
	// moves of branches by the writer's number, or of fields in its order; a
	// nil field is skipped.
	list []*rnode
	// order are the reader's fields: which of the writer's, or a default.
	order   []rfield
	inOrder bool    // list is in the reader's order and order only adds defaults behind
	branch  int     // moveBranch
	symbols []int64 // moveEnum; -1 is refused
	elem    *rnode
	factor  int64
}

type rfield struct {
	name string
	from int    // -1: def
	def  []byte // binary
}

type rcompiler struct {
	done    map[rpair]*rnode
	program compiler
}

func (c *rcompiler) node(w, r *Schema) *rnode {
	k := rpair{w, r}
	if n := c.done[k]; n != nil {
		return n
	}
	n := &rnode{from: c.program.node(w), to: c.program.node(r)}
	c.done[k] = n
	switch {
	case sameLayout(w, r, map[rpair]bool{}):
		n.op = moveCopy
	case w.Kind == Union:
		n.op = moveUnion
		readable := false
		why := ""
		for _, b := range w.Branches {
			m := c.node(b, r)
			n.list = append(n.list, m)
			readable = readable || m.op != moveRefuse
			if m.op == moveRefuse && why == "" {
				why = m.why
			}
		}
		if !readable {
			n.refuse("%s", why)
		}
	case r.Kind == Union:
		n.op = moveBranch
		c.branch(n, w, r)
	default:
		c.plain(n, w, r)
	}
	return n
}

func (n *rnode) refuse(format string, args ...any) {
	n.op, n.why = moveRefuse, fmt.Sprintf(format, args...)
}

// branch finds the reader's branch for a type of the writer: the same type
// first, then one that it can be promoted to.
func (c *rcompiler) branch(n *rnode, w, r *Schema) {
	for i, b := range r.Branches {
		if b.Kind == w.Kind && (!w.named() || b.Name == w.Name || slices.Contains(b.Aliases, w.Name)) {
			if m := c.node(w, b); m.op != moveRefuse {
				n.branch, n.elem = i, m
				return
			}
		}
	}
	for i, b := range r.Branches {
		if m := c.node(w, b); m.op != moveRefuse {
			n.branch, n.elem = i, m
			return
		}
	}
	n.refuse("data has %s, and the reader's %s has no branch for it", typeName(w), typeName(r))
}

func (c *rcompiler) plain(n *rnode, w, r *Schema) {
	no := func() { n.refuse("data has %s, and the reader's schema has %s", typeName(w), typeName(r)) }
	switch {
	case w.Logical == Decimal && r.Logical == Decimal && w.Scale != r.Scale:
		n.refuse("data has decimals with %d digits behind the point, and the reader's schema has %d", w.Scale, r.Scale)
		return
	case (w.Kind == Bytes || w.Kind == String) && (r.Kind == Bytes || r.Kind == String):
		if n.op = moveCopy; w.Kind == Bytes && r.Kind == String {
			n.op = moveText
		}
		return
	case w.Kind == r.Kind:
	case (w.Kind == Int || w.Kind == Long) && r.Kind == Float:
		n.op = moveFloat
		return
	case (w.Kind == Int || w.Kind == Long) && r.Kind == Double:
		n.op = moveDouble
		return
	case w.Kind == Int && r.Kind == Long:
		n.op = moveCopy // both are the same variable-length numbers
		c.scale(n, w, r)
		return
	case w.Kind == Float && r.Kind == Double:
		n.op = moveWiden
		return
	default:
		no()
		return
	}
	switch w.Kind {
	case Fixed:
		if w.Size != r.Size || !sameName(w, r) {
			no()
		}
	case Enum:
		c.enum(n, w, r)
	case Record:
		c.record(n, w, r)
	case Array, Map:
		n.op = moveArray
		if w.Kind == Map {
			n.op = moveMap
		}
		if n.elem = c.node(w.Elem, r.Elem); n.elem.op == moveRefuse {
			n.refuse("elements: %s", n.elem.why)
		}
	case Int, Long:
		c.scale(n, w, r)
	}
}

// scale converts between units of time. Without it an instant of milliseconds
// would be read as one of microseconds.
func (c *rcompiler) scale(n *rnode, w, r *Schema) {
	from, to := n.from.unit, n.to.unit
	if from == 0 || to == 0 || from == to || n.from.op != n.to.op {
		return
	}
	if from < to {
		n.refuse("data has %s, and the reader's schema has the coarser %s", typeName(w), typeName(r))
		return
	}
	n.op, n.factor = moveScale, from/to
}

// sameName compares names as Avro's libraries do: without the namespace, or by
// the reader's aliases.
func sameName(w, r *Schema) bool {
	return simple(w.Name) == simple(r.Name) || slices.Contains(r.Aliases, w.Name)
}

func (c *rcompiler) enum(n *rnode, w, r *Schema) {
	if !sameName(w, r) {
		n.refuse("data has %s, and the reader's schema has %s", typeName(w), typeName(r))
		return
	}
	n.op = moveEnum
	for _, s := range w.Symbols {
		k := slices.Index(r.Symbols, s)
		if k < 0 && r.HasDefault {
			k = slices.Index(r.Symbols, r.Default)
		}
		n.symbols = append(n.symbols, int64(k))
	}
}

// record goes by the fields alone: as in Avro's own libraries the names of records
// may differ.
func (c *rcompiler) record(n *rnode, w, r *Schema) {
	n.op = moveRecord
	n.list = make([]*rnode, len(w.Fields))
	n.inOrder = true
	last := -1
	for i := range r.Fields {
		f := &r.Fields[i]
		from := writerField(w, f)
		if from < 0 {
			if f.Default == nil {
				n.refuse("the reader's field %s of %s has no default, and the data does not have it", f.Name, r.Name)
				return
			}
			def, err := appendDefault([]byte{}, f.Type, f.Default)
			if err != nil {
				n.refuse("field %s of %s: %v", f.Name, r.Name, err)
				return
			}
			n.order = append(n.order, rfield{name: f.Name, from: -1, def: def})
			continue
		}
		if n.list[from] != nil {
			n.refuse("two fields of %s read the field %s of the data", r.Name, w.Fields[from].Name)
			return
		}
		m := c.node(w.Fields[from].Type, f.Type)
		if m.op == moveRefuse {
			n.refuse("field %s of %s: %s", f.Name, r.Name, m.why)
			return
		}
		n.list[from] = m
		n.order = append(n.order, rfield{name: f.Name, from: from})
		n.inOrder = n.inOrder && from > last
		last = from
	}
}

// writerField returns which field of the data a reader's field reads.
func writerField(w *Schema, f *Field) int {
	for i := range w.Fields {
		if w.Fields[i].Name == f.Name {
			return i
		}
	}
	for i := range w.Fields {
		if slices.Contains(f.Aliases, w.Fields[i].Name) {
			return i
		}
	}
	return -1
}

// sameLayout reports whether the bytes of a's values stand for the same values
// of b. Names of records do not matter here, names of what they hold do.
func sameLayout(a, b *Schema, seen map[rpair]bool) bool {
	if a == b || seen[rpair{a, b}] {
		return true
	}
	if a.Kind != b.Kind || a.Logical != b.Logical || a.Scale != b.Scale || a.Size != b.Size || viewOf(a) != viewOf(b) ||
		!slices.Equal(a.Symbols, b.Symbols) || len(a.Fields) != len(b.Fields) || len(a.Branches) != len(b.Branches) {
		return false
	}
	if a.named() && !sameName(a, b) {
		return false
	}
	seen[rpair{a, b}] = true
	for i := range a.Fields {
		if a.Fields[i].Name != b.Fields[i].Name || !sameLayout(a.Fields[i].Type, b.Fields[i].Type, seen) {
			return false
		}
	}
	for i := range a.Branches {
		if !sameLayout(a.Branches[i], b.Branches[i], seen) {
			return false
		}
	}
	return a.Elem == nil || sameLayout(a.Elem, b.Elem, seen)
}

// resolve appends the value at i as the reader has it.
func (r *reader) resolve(dst []byte, n *rnode, i int) ([]byte, int) {
	switch n.op {
	case moveCopy:
		next := r.skip(n.from, i)
		if next < 0 {
			return dst, -1
		}
		return append(dst, r.b[i:next]...), next
	case moveRefuse:
		return dst, r.fail(i, "%s", n.why)
	case moveUnion:
		which, next := r.branch(i, len(n.list))
		if next < 0 {
			return dst, -1
		}
		return r.resolve(dst, n.list[which], next)
	case moveBranch:
		return r.resolve(binary.AppendVarint(dst, int64(n.branch)), n.elem, i)
	case moveRecord:
		return r.resolveRecord(dst, n, i)
	case moveArray, moveMap:
		return r.resolveElements(dst, n, i)
	case moveEnum:
		which, next := r.symbol(n.from, i)
		if next < 0 {
			return dst, -1
		}
		if n.symbols[which] < 0 {
			return dst, r.fail(i, "the reader's enum %s has no symbol %s", n.to.schema.Name, n.from.schema.Symbols[which])
		}
		return binary.AppendVarint(dst, n.symbols[which]), next
	case moveFloat, moveDouble, moveScale:
		v, next := r.long(i)
		switch {
		case next < 0:
			return dst, -1
		case n.op == moveFloat:
			return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(v))), next
		case n.op == moveDouble:
			return binary.LittleEndian.AppendUint64(dst, math.Float64bits(float64(v))), next
		case v > math.MaxInt64/n.factor || v < math.MinInt64/n.factor:
			return dst, r.fail(i, "%d does not fit %s", v, typeName(n.to.schema))
		}
		return binary.AppendVarint(dst, v*n.factor), next
	case moveWiden:
		next := r.fixed(i, 4)
		if next < 0 {
			return dst, -1
		}
		f := math.Float32frombits(binary.LittleEndian.Uint32(r.b[i:]))
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(float64(f))), next
	case moveText:
		size, next := r.length(i)
		if next < 0 {
			return dst, -1
		}
		if !utf8.Valid(r.b[next : next+size]) {
			return dst, r.fail(next, "bytes that are no UTF-8, and the reader's schema has string")
		}
		return append(dst, r.b[i:next+size]...), next + size
	}
	return dst, r.fail(i, "no way to read it")
}

func (r *reader) resolveRecord(dst []byte, n *rnode, i int) ([]byte, int) {
	if !r.down(i) {
		return dst, -1
	}
	if !n.inOrder {
		return r.resolveDisorder(dst, n, i)
	}
	k := 0
	for f, m := range n.list {
		if m == nil {
			if i = r.skip(n.from.fields[f].node, i); i < 0 {
				return dst, r.within(n.from.fields[f].name)
			}
			continue
		}
		for ; n.order[k].from < 0; k++ {
			dst = append(dst, n.order[k].def...)
		}
		if dst, i = r.resolve(dst, m, i); i < 0 {
			return dst, r.within(n.from.fields[f].name)
		}
		k++
	}
	for ; k < len(n.order); k++ {
		dst = append(dst, n.order[k].def...)
	}
	r.depth--
	return dst, i
}

// resolveDisorder is resolveRecord where the reader has the fields in another
// order.
func (r *reader) resolveDisorder(dst []byte, n *rnode, i int) ([]byte, int) {
	at := make([]int, len(n.list))
	for f := range n.list {
		at[f] = i
		if i = r.skip(n.from.fields[f].node, i); i < 0 {
			return dst, r.within(n.from.fields[f].name)
		}
	}
	empty := r.empty
	for _, o := range n.order {
		if o.from < 0 {
			dst = append(dst, o.def...)
			continue
		}
		var next int
		if dst, next = r.resolve(dst, n.list[o.from], at[o.from]); next < 0 {
			return dst, r.within(o.name)
		}
	}
	r.empty = empty
	r.depth--
	return dst, i
}

func (r *reader) resolveElements(dst []byte, n *rnode, i int) ([]byte, int) {
	if !r.down(i) {
		return dst, -1
	}
	key := 0
	if n.op == moveMap {
		key = 1
	}
	for {
		count, end, next := r.block(n.from.elem, key, i)
		if next < 0 {
			return dst, -1
		}
		dst = binary.AppendVarint(dst, int64(count))
		if i = next; count == 0 {
			r.depth--
			return dst, i
		}
		for ; count > 0; count-- {
			if key > 0 {
				from := i
				if _, i = r.text(i); i < 0 {
					return dst, -1
				}
				dst = append(dst, r.b[from:i]...)
			}
			if dst, i = r.resolve(dst, n.elem, i); i < 0 {
				return dst, -1
			}
			if len(dst)-r.start > maxJSON {
				return dst, r.fail(i, "the value becomes larger than %d bytes", maxJSON)
			}
		}
		if i = r.blockEnd(i, end); i < 0 {
			return dst, -1
		}
	}
}
