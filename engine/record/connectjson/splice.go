package connectjson

import (
	"fmt"
	"math"
	"strconv"

	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/internal/payload"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/connect"
)

// program is what has been made of a record.Plan.
type program struct {
	e    *Encoding
	root *object
}

// object says how a struct with edits is written.
type object struct {
	n     *payload.Node // of the base
	walk  int           // so many of its fields are of interest
	steps []step
}

// step is one field, or fields side by side that stay as they are.
type step struct {
	name []byte // with the colon; nil: that of the base
	// The fields of the base from first to last, or -1.
	first, last int
	sub         *object // of first, if it has edits of its own
	value       int     // which of the values it is, if first is -1
	s           *schema.Schema
	writer      *connect.Writer
}

func (e *Encoding) program(p *record.Plan) *program {
	prog, ok := p.Memo().(*program)
	if !ok || prog.e != e {
		prog = &program{e: e, root: e.object(p.Root, e.checker().Root())}
		p.SetMemo(prog)
	}
	return prog
}

func (e *Encoding) object(m *record.Members, n *payload.Node) *object {
	o := &object{n: n}
	for i := range m.List {
		x := &m.List[i]
		st := step{first: x.Source, last: x.Source, value: x.Value, s: x.Schema}
		if x.Source < 0 || x.Name != n.Schema.Fields[x.Source].Name || x.Sub != nil {
			st.name = append(jsontext.AppendQuoted(nil, x.Name), ':')
		}
		switch {
		case x.Source < 0:
			st.writer = connect.NewWriter(x.Schema, e.options())
		case x.Sub != nil:
			st.sub = e.object(x.Sub, n.Members[x.Source].Node)
		}
		o.walk = max(o.walk, x.Source+1)
		if k := len(o.steps) - 1; k >= 0 && st.name == nil && o.steps[k].name == nil && o.steps[k].last+1 == x.Source {
			o.steps[k].last++
			continue
		}
		o.steps = append(o.steps, st)
	}
	return o
}

// Splice implements record.Splicer.
func (e *Encoding) Splice(dst, base []byte, p *record.Plan, values []record.Value) ([]byte, error) {
	prog := e.program(p)
	s := splicer{b: base, w: e.checker().Walk(base), values: values}
	return s.object(dst, prog.root, 0, 0)
}

type splicer struct {
	b      []byte
	w      payload.Walker
	values []record.Value
}

// bounds are where a field of the base lies: its name without the comma, its
// value, and what is behind it.
type bounds struct{ name, value, end uint32 }

// object writes the struct at i with its edits.
func (x *splicer) object(dst []byte, o *object, i, depth int) ([]byte, error) {
	var few [32]bounds
	at := few[:]
	if o.walk > len(few) {
		at = make([]bounds, o.walk)
	}
	i++
	for k := range o.walk {
		m := &o.n.Members[k]
		f := &at[k]
		f.name = uint32(i)
		if k > 0 {
			f.name++
		}
		if i = x.w.Member(m, i); i < 0 {
			return dst, errForm
		}
		f.value = uint32(i)
		if i = x.w.Value(m.Node, i, depth+1); i < 0 {
			return dst, errForm
		}
		f.end = uint32(i)
	}
	dst = append(dst, '{')
	for k := range o.steps {
		st := &o.steps[k]
		if k > 0 {
			dst = append(dst, ',')
		}
		if st.name == nil {
			dst = append(dst, x.b[at[st.first].name:at[st.last].end]...)
			continue
		}
		dst = append(dst, st.name...)
		var err error
		switch {
		case st.first < 0:
			if dst, err = st.write(dst, x.values[st.value]); err != nil {
				err = fmt.Errorf("writing %s: %w", st.name[:len(st.name)-1], err)
			}
		case st.sub != nil:
			dst, err = x.object(dst, st.sub, int(at[st.first].value), depth+1)
		default:
			dst = append(dst, x.b[at[st.first].value:at[st.first].end]...)
		}
		if err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// write appends the value of an edit.
func (st *step) write(dst []byte, v record.Value) ([]byte, error) {
	switch k := v.Kind(); {
	case k == record.Null && st.s.Optional && st.s.Type != schema.Any:
		return append(dst, "null"...), nil
	case k == record.Int && st.s.Type.IsInt() && st.s.Type != schema.Uint64,
		k == record.String && st.s.Type == schema.String,
		k == record.Bool && st.s.Type == schema.Bool,
		k == record.Float && st.s.Type == schema.Float64 && v.Float()-v.Float() == 0:
		return v.AppendJSON(dst)
	case k == record.Time:
		if n, ok := units(st.s, v); ok {
			return strconv.AppendInt(dst, n, 10), nil
		}
	}
	text, err := v.AppendAs(nil, st.s)
	if err != nil {
		return dst, err
	}
	return st.writer.Append(dst, text)
}

// units counts an instant in the units of s.
func units(s *schema.Schema, v record.Value) (int64, bool) {
	t := v.Time()
	sec := t.Unix()
	switch s.Type {
	case schema.Date:
		days := sec / (24 * 60 * 60)
		return days, days*24*60*60 == sec && days >= math.MinInt32 && days <= math.MaxInt32
	case schema.Timestamp, schema.LocalTimestamp:
		n, ok := s.Unit.Count(sec, t.Nanosecond())
		return n, ok && schema.InYears(sec)
	}
	return 0, false
}
