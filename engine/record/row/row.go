package row

import (
	"encoding/binary"
	"errors"
	"math"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

var (
	errUTF8    = errors.New("a text that is not valid UTF-8")
	errDecimal = errors.New("a decimal that is no number")
	errLarge   = errors.New("row larger than 2 GiB")
)

// maxKept bounds how many encodings one knows that came from it by edits.
const maxKept = 64

// Encoding is the row encoding of one schema. It implements record.Splicer and
// record.Inner: rows have no version, so they leave a pipeline as JSON text.
type Encoding struct {
	s    *schema.Schema
	root *node // a struct: of one field if s is none

	mu   sync.Mutex // guards with
	with map[*schema.Schema]*Encoding
}

var (
	_ record.Splicer = (*Encoding)(nil)
	_ record.Inner   = (*Encoding)(nil)
)

// Of returns a row encoding of s, a new one each time: a source makes one for
// all its rows.
func Of(s *schema.Schema) *Encoding {
	c := compiler{done: map[*schema.Schema]*node{}}
	e := &Encoding{s: s}
	if s.Type == schema.Struct {
		e.root = c.node(s)
	} else {
		e.root = c.single(s, "")
	}
	return e
}

// Name implements record.Encoding.
func (*Encoding) Name() string { return "row" }

// Inner implements record.Inner.
func (*Encoding) Inner() {}

// Schema implements record.Schemed.
func (e *Encoding) Schema() *schema.Schema { return e.s }

func (e *Encoding) isStruct() bool { return e.s.Type == schema.Struct }

// With implements record.Splicer.
func (e *Encoding) With(s *schema.Schema) record.Encoding {
	if s == e.s {
		return e
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	to := e.with[s]
	if to == nil {
		to = Of(s)
		if e.with == nil {
			e.with = map[*schema.Schema]*Encoding{}
		}
		if len(e.with) == maxKept {
			clear(e.with)
		}
		e.with[s] = to
	}
	return to
}

// AppendJSON implements record.Encoding.
func (e *Encoding) AppendJSON(dst, raw []byte) ([]byte, error) {
	all := span{0, len(raw)}
	if e.isStruct() {
		return e.root.appendStruct(dst, raw, all, 1)
	}
	at, null, err := e.root.find(raw, all, 0)
	if err != nil {
		return dst, err
	}
	return e.root.fields[0].appendOr(dst, raw, at, null, 0)
}

// access is how the paths of a projection are found, parents first. It belongs
// to one Doc.
type access struct {
	list []entry
}

// entry is one path.
type entry struct {
	id     record.PathID
	parent int // in the list; -1: the whole
	n      *node
	field  int // of the parent, a struct; of a union its branch
	step   record.Step
	at     span
	there  bool // and not null
}

func (e *Encoding) access(p *record.Projection) *access {
	a := &access{}
	whole := entry{id: record.Root, parent: -1, n: e.root}
	if !e.isStruct() {
		whole.n = e.root.fields[0].node
	}
	a.list = append(a.list, whole)
	for i := 0; i < len(a.list); i++ {
		n := a.list[i].n
		for _, id := range p.Children(a.list[i].id) {
			path := p.Path(id)
			c := entry{id: id, parent: i, step: path[len(path)-1], field: -1}
			switch {
			case n.s.Type == schema.Struct && !c.step.IsIndex:
				if c.field = n.s.FieldIndex(c.step.Name); c.field >= 0 {
					c.n = n.fields[c.field].node
				}
			case n.s.Type == schema.Union && !c.step.IsIndex:
				if c.field = n.s.BranchIndex(c.step.Name); c.field >= 0 {
					c.n = n.branches[c.field].fields[0].node
				}
			case n.s.Type == schema.Array && c.step.IsIndex, n.s.Type == schema.Map && !c.step.IsIndex && n.key.s.Type == schema.String:
				c.n = n.elem
			}
			if c.n != nil {
				a.list = append(a.list, c)
			}
		}
	}
	return a
}

// Index implements record.Encoding.
func (e *Encoding) Index(d *record.Doc, raw []byte) error {
	if len(raw) > math.MaxInt32 {
		return errLarge
	}
	a := d.Program(func(p *record.Projection) any { return e.access(p) }).(*access)
	if len(raw) < e.root.head {
		return errShort
	}
	for i := range a.list {
		x := &a.list[i]
		x.there = false
		null, found, err := e.locate(a, x, raw)
		switch {
		case err != nil:
			return err
		case !found:
		case null:
			d.Fill(x.id, record.NullValue())
		default:
			x.there = true
			if err := x.fill(d, raw, i); err != nil {
				return err
			}
		}
	}
	return nil
}

// locate finds the value of a path.
func (e *Encoding) locate(a *access, x *entry, raw []byte) (null, found bool, err error) {
	if x.parent < 0 {
		x.at = span{0, len(raw)}
		if !e.isStruct() {
			x.at, null, err = e.root.find(raw, x.at, 0)
		}
		return null, true, err
	}
	p := &a.list[x.parent]
	if !p.there {
		return false, false, nil
	}
	switch p.n.s.Type {
	case schema.Struct:
		x.at, null, err = p.n.find(raw, p.at, x.field)
		return null, true, err
	case schema.Union:
		which, at, err := p.n.branch(raw, p.at)
		if err != nil || which != p.n.branches[x.field] {
			return false, false, err
		}
		x.at, null, err = which.find(raw, at, 0)
		return null, true, err
	case schema.Array:
		l, err := p.n.elem.list(raw, p.at)
		i := x.step.Index
		if i < 0 {
			i += l.count
		}
		if err != nil || i < 0 || i >= l.count {
			return false, false, err
		}
		x.at, null, err = l.at(i)
		return null, true, err
	}
	keys, values, err := p.n.entries(raw, p.at)
	for i := keys.count - 1; err == nil && i >= 0; i-- {
		var k span
		if k, _, err = keys.at(i); err == nil && string(raw[k.start:k.end]) == x.step.Name {
			x.at, null, err = values.at(i)
			return null, true, err
		}
	}
	return false, false, err
}

// fill hands the value to d: now if that costs little.
func (x *entry) fill(d *record.Doc, raw []byte, note int) error {
	p, le := raw[x.at.start:x.at.end:x.at.end], binary.LittleEndian
	switch x.n.s.Type {
	case schema.Bool:
		d.Fill(x.id, record.BoolValue(p[0] != 0))
	case schema.Int8, schema.Int16, schema.Int32, schema.Int64, schema.Uint8, schema.Uint16, schema.Uint32:
		d.Fill(x.id, record.IntValue(x.n.int(p)))
	case schema.Float32, schema.Float64:
		d.Fill(x.id, record.FloatValue(x.n.float(p)))
	case schema.String:
		if !utf8.Valid(p) {
			return errUTF8
		}
		d.Fill(x.id, record.TextValue(p))
	case schema.Bytes:
		d.Fill(x.id, record.BytesValue(p))
	case schema.Timestamp, schema.LocalTimestamp:
		sec, nsec, err := instant(p)
		if err != nil {
			return err
		}
		d.Fill(x.id, record.TimeValue(time.Unix(sec, int64(nsec)).UTC()))
	case schema.Date:
		d.Fill(x.id, record.TimeValue(time.Unix(int64(le.Uint64(p))*24*60*60, 0).UTC()))
	case schema.Time, schema.Duration:
		d.Fill(x.id, record.DurationValue(time.Duration(le.Uint64(p))))
	case schema.Enum:
		symbol, err := x.n.symbol(p)
		if err != nil {
			return err
		}
		d.Fill(x.id, record.StringValue(symbol))
	default:
		d.FillAt(x.id, record.Place{Start: uint32(x.at.start), End: uint32(x.at.end), Note: uint32(note)})
	}
	return nil
}

// Read implements record.Lazy.
func (e *Encoding) Read(d *record.Doc, raw []byte, p record.Place) (record.Value, error) {
	a := d.Program(func(p *record.Projection) any { return e.access(p) }).(*access)
	n := a.list[p.Note].n
	text, err := d.Make(func(dst []byte) ([]byte, error) {
		if p.Note == 0 && e.isStruct() {
			return e.AppendJSON(dst, raw)
		}
		return n.appendJSON(dst, raw, span{int(p.Start), int(p.End)}, 0)
	})
	if err != nil {
		return record.Value{}, err
	}
	return record.RawJSON(text).As(n.s)
}
