package expr

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/flowrecords/flow/dsl/expr/funcs"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// machine is the scratch of one program of one worker.
//
// Closures do not return errors: the first one is kept in err, what follows
// computes with zero values, and the program looks at err at its end. Nothing
// that a closure does has an effect outside, so computing on is harmless; a
// library function is not called once err is set.
type machine struct {
	rec   *record.Record
	err   error
	slots []slot

	// buf holds what results are made of. It begins anew with each record,
	// not with each evaluation: a result stays valid as long as its record.
	buf []byte
	gen uint64

	// args is a stack of the arguments of library calls.
	args    []record.Value
	locals  []record.Value
	islands []*vmProgram
	// nothing: the result is that of nothing().
	nothing bool
}

// bufBytes is the most that a machine keeps between records. Beyond it a new
// buffer is begun and the old one lives as long as what points into it.
const bufBytes = 64 << 10

func (m *machine) begin(r *record.Record) {
	m.rec, m.err, m.nothing = r, nil, false
	m.args = m.args[:0]
	if g := r.Generation(); g != m.gen {
		m.gen = g
		if cap(m.buf) > bufBytes {
			m.buf = nil
		}
		m.buf = m.buf[:0]
	} else if len(m.buf) > bufBytes {
		m.buf = nil
	}
}

// fail keeps the first error.
func (m *machine) fail(err error) {
	if m.err == nil {
		m.err = err
	}
}

func (m *machine) failf(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf(format, args...)
	}
}

// since returns what was appended to buf from start on.
func (m *machine) since(start int) []byte { return m.buf[start:len(m.buf):len(m.buf)] }

// slot is a reference bound to the projections of a worker.
type slot struct {
	// id is the path, prefix holds the ids from the root to it.
	id     record.PathID
	prefix []record.PathID
	*ref
	// parent is what get looks into, if the last step is that of one.
	parent *slot
	// run are the calls.
	run []funcs.PathFunc
	// as is the type in which a time is written of which values of type of are.
	of, as *schema.Schema
}

func bindRef(f *ref, l *record.Layout) (slot, error) {
	s := slot{ref: f}
	if !f.document() {
		return s, nil
	}
	for _, c := range f.calls {
		run, err := c.f.OfPath(c.args)
		if err != nil {
			return s, err
		}
		s.run = append(s.run, run)
	}
	if f.got {
		above := *f
		above.got, above.calls = false, nil
		above.path, above.steps = f.path[:len(f.path)-1], f.steps[:len(f.path)-1]
		parent, err := bindRef(&above, l)
		if err != nil {
			return s, err
		}
		s.parent = &parent
	}
	p := l.Value
	if f.kind == refKey {
		p = l.Key
	}
	for i := 0; i <= len(f.path); i++ {
		s.prefix = append(s.prefix, p.Add(f.path[:i]))
	}
	s.id = s.prefix[len(f.path)]
	return s, nil
}

// read returns what a slot holds now.
func (m *machine) read(i int) record.Value {
	s := &m.slots[i]
	switch {
	case s.has:
		return record.BoolValue(m.exists(s))
	case s.derived():
		return m.derived(s)
	}
	return m.path(s)
}

// path is what a path of the record holds, or another part of it.
func (m *machine) path(s *slot) record.Value {
	switch s.kind {
	case refValue:
		v, err := m.rec.Value.Get(s.id)
		if v.Kind() != record.Missing && err == nil {
			return v
		}
		return m.missing(m.rec.Value, s, err)
	case refKey:
		v, err := m.rec.Key.Get(s.id)
		if v.Kind() != record.Missing && err == nil {
			return v
		}
		return m.missing(m.rec.Key, s, err)
	}
	return m.other(s)
}

func (m *machine) other(s *slot) record.Value {
	switch s.kind {
	case refHeader:
		if b, ok := m.rec.Header(s.name); ok {
			return textOrBytes(b)
		}
	case refMeta:
		if v, ok := m.rec.Meta[s.name]; ok {
			if !utf8.ValidString(v) {
				return record.BytesValue([]byte(v))
			}
			return record.StringValue(v)
		}
	case refTopic:
		return record.StringValue(m.rec.Topic)
	case refPartition:
		return record.IntValue(int64(m.rec.Partition))
	case refOffset:
		return record.IntValue(m.rec.Offset)
	case refTimestamp:
		if m.rec.HasTimestamp {
			return record.TimeValue(m.rec.Time())
		}
	case refTombstone:
		return record.BoolValue(m.tombstone())
	case refNothing:
		m.nothing = true
	case refHeaders, refMetaAll:
		v, err := record.FromAny(m.readAny(s))
		if err != nil {
			m.fail(err)
		}
		return v
	}
	return record.NullValue()
}

// boxed is read for the VM.
func (m *machine) boxed(i int) (any, error) {
	s := &m.slots[i]
	switch {
	case s.has:
		return m.exists(s), nil
	case s.kind == refHeaders || s.kind == refMetaAll:
		return m.readAny(s), nil
	}
	v := m.read(i)
	if m.err != nil {
		return nil, m.err
	}
	return v.Any(), nil
}

func (m *machine) readAny(s *slot) any {
	out := map[string]any{}
	if s.kind == refHeaders {
		for _, h := range m.rec.Headers() {
			out[h.Key] = textOrBytes(h.Value).Any()
		}
		return out
	}
	for k, v := range m.rec.Meta {
		out[k] = textOrBytes([]byte(v)).Any()
	}
	return out
}

// textOrBytes is what a header or a file's name holds: a String is always
// valid UTF-8.
func textOrBytes(b []byte) record.Value {
	if utf8.Valid(b) {
		return record.TextValue(b)
	}
	return record.BytesValue(b)
}

// tombstone reports a value that is null, without reading one that is not.
func (m *machine) tombstone() bool {
	d := m.rec.Value
	if d.IsNull() {
		return true
	}
	// JSON text that reads null is one, too.
	return d.Encoding() == record.JSON && !d.Edited() && len(d.Raw()) < 16 && string(bytes.TrimSpace(d.Raw())) == "null"
}

func (m *machine) exists(s *slot) bool {
	switch s.kind {
	case refHeader:
		_, ok := m.rec.Header(s.name)
		return ok
	case refMeta:
		_, ok := m.rec.Meta[s.name]
		return ok
	case refTimestamp:
		return m.rec.HasTimestamp
	}
	return m.at(s).Kind() != record.Missing
}

// missing decides what a path is that leads nowhere: null if only its last
// member is not there, an error if a parent is missing or cannot have such a
// member, unless ?. allows it.
func (m *machine) missing(d *record.Doc, s *slot, err error) record.Value {
	if err != nil {
		m.fail(err)
		return record.NullValue()
	}
	at, err := d.Get(s.prefix[0])
	if err != nil {
		m.fail(err)
		return record.NullValue()
	}
	for i := 0; i < len(s.path); {
		step := s.path[i]
		if at.IsNil() {
			if s.steps[i].opt {
				at, i = record.NullValue(), max(s.steps[i].end, i+1)
				continue
			}
			m.fail(fmt.Errorf("%s is nil, so it has no %s", s.upTo(i), stepName(step)))
			return record.NullValue()
		}
		if at.Kind() == record.String && step.IsIndex {
			text := at.Text()
			n := step.Index
			if n < 0 {
				n += len(text)
			}
			if n < 0 || n >= len(text) {
				m.fail(fmt.Errorf("index %d is out of range: %s has %d bytes", step.Index, s.upTo(i), len(text)))
				return record.NullValue()
			}
			at = record.IntValue(int64(text[n]))
			i++
			continue
		}
		if at.Kind() == record.Array != step.IsIndex || at.Kind() != record.Array && at.Kind() != record.Object {
			m.fail(fmt.Errorf("%s is %s, so it has no %s", s.upTo(i), kindName(at.Kind()), stepName(step)))
			return record.NullValue()
		}
		next, err := d.Get(s.prefix[i+1])
		if err != nil {
			m.fail(err)
			return record.NullValue()
		}
		if next.Kind() == record.Missing {
			if step.IsIndex {
				m.fail(fmt.Errorf("index %d is out of range: %s", step.Index, s.upTo(i+1)))
				return record.NullValue()
			}
			next = record.NullValue()
		}
		at = next
		i++
	}
	return at
}

// upTo writes the path up to step n.
func (s *slot) upTo(n int) string {
	root := "value"
	if s.kind == refKey {
		root = "key"
	}
	if n == 0 {
		return root
	}
	rest := s.path[:n].String()
	if rest[0] != '[' {
		root += "."
	}
	return root + rest
}

func stepName(s record.Step) string {
	if s.IsIndex {
		return fmt.Sprintf("element %d", s.Index)
	}
	return "member " + s.Name
}

// kindName names a kind in the words of the language.
func kindName(k record.Kind) string {
	if k <= record.Null {
		return "nil"
	}
	return k.String()
}

// recovered turns a panic of a function into an error.
func recovered(p any) error {
	return errors.New(runtimeMessage(fmt.Sprint(p)))
}
