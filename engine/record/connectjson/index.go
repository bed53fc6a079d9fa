package connectjson

import (
	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/internal/payload"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/connect"
)

// access is a projection laid over a schema. It belongs to one Doc.
type access struct {
	root *wanted
	// list holds all that is wanted; the Note of a place is the number in it.
	list []*wanted
}

// wanted is a path of the projection and the node of its values.
type wanted struct {
	id   record.PathID
	note uint32
	n    *payload.Node
	// members are those of a struct or union; nil for one that is only checked.
	members []*wanted
	names   []named   // of a map
	elems   []element // of an array
	// negative: some elements are counted from the end.
	negative bool

	reader *connect.Reader // see typed
}

type named struct {
	name []byte // as it lies between its quotes
	to   *wanted
}

type element struct {
	index int
	to    *wanted
}

func (e *Encoding) access(d *record.Doc) *access {
	return d.Program(func(p *record.Projection) any {
		a := &access{}
		a.root = a.wanted(p, record.Root, e.checker().Root())
		return a
	}).(*access)
}

func (a *access) wanted(p *record.Projection, id record.PathID, n *payload.Node) *wanted {
	w := &wanted{id: id, note: uint32(len(a.list)), n: n}
	a.list = append(a.list, w)
	for _, c := range p.Children(id) {
		path := p.Path(c)
		step := path[len(path)-1]
		at := -1
		switch s := n.Schema; {
		case step.IsIndex && s.Type == schema.Array:
			w.elems = append(w.elems, element{step.Index, a.wanted(p, c, n.Elem)})
			w.negative = w.negative || step.Index < 0
		case step.IsIndex:
		case s.Type == schema.Struct:
			at = s.FieldIndex(step.Name)
		case s.Type == schema.Union:
			at = s.BranchIndex(step.Name)
		case s.Type == schema.Map && n.Elem != nil:
			quoted := jsontext.AppendQuoted(nil, step.Name)
			w.names = append(w.names, named{quoted[1 : len(quoted)-1], a.wanted(p, c, n.Elem)})
		}
		if at >= 0 {
			if w.members == nil {
				w.members = make([]*wanted, len(n.Members))
			}
			w.members[at] = a.wanted(p, c, n.Members[at].Node)
		}
	}
	return w
}

// indexer fills the paths of a projection in one pass that checks all bytes. Its
// methods take and return a position; -1 stands for no payload.
type indexer struct {
	d *record.Doc
	b []byte
	w payload.Walker
}

func (x *indexer) value(t *wanted, i, depth int) int {
	var end int
	switch s := t.n.Schema; {
	case s.Type != schema.Any && x.w.Null(i):
		if end = x.w.Value(t.n, i, depth); end >= 0 {
			x.d.Fill(t.id, record.NullValue())
		}
		return end
	case t.members != nil:
		end = x.object(t, i, depth, s.Type == schema.Union)
	case t.elems != nil:
		end = x.array(t, i, depth)
	case t.names != nil:
		end = x.mapping(t, i, depth)
	default:
		end = x.w.Value(t.n, i, depth)
	}
	if end >= 0 {
		x.d.FillAt(t.id, record.Place{Start: uint32(i), End: uint32(end), Note: t.note})
	}
	return end
}

// opens reports whether an array or object begins at i.
func (x *indexer) opens(i, depth int, c byte) bool {
	return depth < limits.JSONDepth && x.is(i, c)
}

func (x *indexer) is(i int, c byte) bool { return uint(i) < uint(len(x.b)) && x.b[i] == c }

// object reads a struct, or a union: of its branches the one that is not null
// is there.
func (x *indexer) object(t *wanted, i, depth int, union bool) int {
	if !x.opens(i, depth, '{') {
		return -1
	}
	i++
	found := 0
	for k := range t.n.Members {
		m := &t.n.Members[k]
		if i = x.w.Member(m, i); i < 0 {
			return -1
		}
		if union && x.w.Null(i) {
			i += len("null")
			continue
		}
		found++
		if to := t.members[k]; to != nil {
			i = x.value(to, i, depth+1)
		} else {
			i = x.w.Value(m.Node, i, depth+1)
		}
		if i < 0 {
			return -1
		}
	}
	if !x.is(i, '}') || union && found != 1 {
		return -1
	}
	return i + 1
}

func (x *indexer) array(t *wanted, i, depth int) int {
	count := 0
	if t.negative {
		end := x.elements(i, depth, func(_, i int) int {
			count++
			return x.w.Value(t.n.Elem, i, depth+1)
		})
		if end < 0 {
			return -1
		}
	}
	return x.elements(i, depth, func(pos, i int) int {
		end := -2
		for _, e := range t.elems {
			if e.index == pos || e.index == pos-count {
				end = x.value(e.to, i, depth+1) // two paths may name one element
			}
		}
		if end == -2 {
			end = x.w.Value(t.n.Elem, i, depth+1)
		}
		return end
	})
}

// elements calls each for the elements of the array at i; it returns the
// position behind its element.
func (x *indexer) elements(i, depth int, each func(pos, i int) int) int {
	if !x.opens(i, depth, '[') {
		return -1
	}
	if i++; x.is(i, ']') {
		return i + 1
	}
	for pos := 0; ; pos++ {
		i = each(pos, i)
		switch {
		case i < 0:
			return -1
		case x.is(i, ']'):
			return i + 1
		case !x.is(i, ','):
			return -1
		}
		i++
	}
}

// mapping finds the last entry of each name that is wanted: of those of one name
// the last counts.
func (x *indexer) mapping(t *wanted, i, depth int) int {
	var few [8]int
	at := few[:min(len(t.names), len(few))]
	if len(t.names) > len(few) {
		at = make([]int, len(t.names))
	}
	if !x.opens(i, depth, '{') {
		return -1
	}
	if i++; x.is(i, '}') {
		return i + 1
	}
	for {
		name, value := x.w.Name(i)
		if value < 0 {
			return -1
		}
		for k := range t.names {
			if string(t.names[k].name) == string(name) {
				at[k] = value
			}
		}
		if i = x.w.Value(t.n.Elem, value, depth+1); i < 0 {
			return -1
		}
		if x.is(i, '}') {
			break
		}
		if !x.is(i, ',') {
			return -1
		}
		i++
	}
	for k, p := range at {
		if p > 0 && x.value(t.names[k].to, p, depth+1) < 0 {
			return -1
		}
	}
	return i + 1
}
