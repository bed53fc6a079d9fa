package record

import (
	"slices"

	"github.com/flowrecords/flow/engine/schema"
)

// planned reports whether the edits are kept as a plan for the encoding of the
// base.
func (d *Doc) planned() bool { return d.form != nil && d.form.plan != nil }

// unplan makes the base and what a plan says typed JSON text.
func (d *Doc) unplan() error {
	f := d.form
	text, err := d.Make(func(dst []byte) ([]byte, error) { return d.enc.AppendJSON(dst, d.base) })
	if err != nil {
		return err
	}
	out, err := d.applied(nil, text, f.plan.Root)
	if err != nil {
		return err
	}
	d.rebase(out, JSONOf(f.s))
	return d.index()
}

// applied appends the struct that text is with the edits of m.
func (d *Doc) applied(dst, text []byte, m *Members) ([]byte, error) {
	if text[0] != '{' {
		return nil, errNoObject
	}
	var fields [][]byte // of the base, in the order of its schema
	for it := rawIter(text); it.next(); {
		fields = append(fields, it.value())
	}
	dst = append(dst, '{')
	for i := range m.List {
		f := &m.List[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(AppendQuoted(dst, StringValue(f.Name).bytes()), ':')
		switch {
		case f.Value >= 0:
			value, _, err := d.encodeAs(f.Schema, d.values[f.Value])
			if err != nil {
				return nil, err
			}
			dst = append(dst, value...)
		case f.Sub != nil:
			var err error
			if dst, err = d.applied(dst, fields[f.Source], f.Sub); err != nil {
				return nil, err
			}
		default:
			dst = append(dst, fields[f.Source]...)
		}
	}
	return append(dst, '}'), nil
}

// inStructs reports whether all that is above the path are structs that are
// there, so that the edit can be kept in a plan.
func (d *Doc) inStructs(id PathID) (bool, error) {
	f, nodes := d.form, d.proj.nodes
	if *d.marks(id)&markAbove != 0 {
		return false, nil
	}
	for up := nodes[id].parent; up >= 0; up = nodes[up].parent {
		t := f.types[up]
		if t == nil || t.Type != schema.Struct || nodes[id].step.IsIndex || *d.marks(up)&markSet != 0 {
			return false, nil
		}
		if !t.Optional {
			continue
		}
		if d.there(id) {
			continue // what is below a null is not filled
		}
		if *d.marks(up)&markBelow != 0 {
			continue // the plan has an edit there, so that it is no null
		}
		if d.slots[up].gen != d.gen {
			return false, nil
		}
		if v, err := d.get(up); err != nil || v.kind == Null {
			return false, err
		}
	}
	return true, nil
}

// planSet is Set as part of a plan; false if that cannot be.
func (d *Doc) planSet(id PathID, v Value, want *schema.Schema) (bool, error) {
	if ok, err := d.inStructs(id); !ok || err != nil {
		return false, err
	}
	norm, t, err := d.plannedValue(id, v, want)
	if err != nil {
		return false, err
	}
	to, at := d.afterPlan(editSet, id, Root, t)
	if to == nil {
		return false, nil
	}
	d.form = to
	for len(d.values) < to.values {
		d.values = append(d.values, Value{})
	}
	d.values[at] = norm
	d.touched(id, markSet)
	s := &d.slots[id]
	*d.marks(id) &^= markBelow | markGone
	s.val, s.vgen, s.gen, s.dup = norm, d.gen, d.gen, false
	return true, nil
}

// plannedValue returns v as it is read back as a value of its type, in memory
// that lives until Reset.
func (d *Doc) plannedValue(id PathID, v Value, want *schema.Schema) (Value, *schema.Schema, error) {
	cur := d.form.types[id]
	t := want
	if v.kind != Array && v.kind != Object {
		if t == nil {
			t = choose(cur, v)
		}
		switch {
		case want != nil && !fits(want, v): // the error is made below
		case v.kind == String && (t.Type == schema.String || t.Type == schema.Enum || t.Type == schema.UUID):
			return TextValue(d.own(v.bytes())), t, nil
		case v.kind == Bytes && t.Type == schema.Bytes:
			return BytesValue(notNil(d.own(v.bytes()))), t, nil
		case v.kind == Null, v.kind == Bool && t.Type == schema.Bool, v.kind == Duration && t.Type != schema.Any:
			return v, t, nil
		case v.kind == Int && t.Type.IsInt():
			return IntValue(v.Int()), t, nil
		case v.kind == Time && t.Type != schema.Any:
			return instant(int64(v.num), int(v.n)), t, nil
		case v.flags&flagDigits == 0 && (t.Type == schema.Float32 || t.Type == schema.Float64) && !v.longInt():
			return FloatValue(v.Float()), t, nil
		}
	}
	_, norm, t, err := d.typedText(id, v, cur, want)
	return norm, t, err
}

// own copies b into memory that lives until Reset.
func (d *Doc) own(b []byte) []byte {
	start := len(d.arena)
	d.arena = append(d.arena, b...)
	return d.arena[start:len(d.arena):len(d.arena)]
}

// planDelete is Delete as part of a plan; false if that cannot be.
func (d *Doc) planDelete(id PathID) (bool, error) {
	if ok, err := d.inStructs(id); !ok || err != nil {
		return false, err
	}
	if d.form.types[id] == nil {
		return true, nil // nothing is there
	}
	to, _ := d.afterPlan(editDelete, id, Root, nil)
	if to == nil {
		return false, nil
	}
	d.form = to
	d.gone(id)
	return true, nil
}

// planRename is Rename as part of a plan; false if that cannot be.
func (d *Doc) planRename(from, to PathID) (bool, error) {
	nodes := d.proj.nodes
	f, t := &nodes[from], &nodes[to]
	if from == Root || to == Root || f.parent != t.parent || t.step.IsIndex {
		return false, nil
	}
	if ok, err := d.inStructs(from); !ok || err != nil {
		return false, err
	}
	if d.form.types[from] == nil {
		return true, nil
	}
	if (*d.marks(from)|*d.marks(to))&(markBelow|markAbove) != 0 {
		return false, nil
	}
	next, _ := d.afterPlan(editRename, from, to, nil)
	if next == nil {
		return false, nil
	}
	d.form = next
	old := d.slots[from]
	d.gone(from)
	d.touched(to, markKey)
	s := &d.slots[to]
	s.gen, s.start, s.end, s.key, s.val, s.dup = d.gen, old.start, old.end, old.key, old.val, false
	if s.vgen = 0; old.vgen == d.gen {
		s.vgen = d.gen
	}
	*d.marks(to) &^= markGone
	if len(f.below)+len(t.below) > 0 {
		d.moved() // what lies below is found again under its new path
	}
	return true, nil
}

// planRetype is Retype where only names and the like of the whole change.
func (d *Doc) planRetype(id PathID, t *schema.Schema) bool {
	f := d.form
	if f.splicer == nil || id != Root || t.Type != schema.Struct || t.Optional != f.s.Optional ||
		!slices.EqualFunc(t.Fields, f.s.Fields, func(a, b schema.Field) bool { return a.Name == b.Name && a.Schema == b.Schema }) {
		return false
	}
	to, _ := d.afterPlan(editRetype, id, Root, t)
	if to == nil {
		return false
	}
	d.form, d.edited = to, true
	return true
}

// afterPlan returns the form that an edit makes, and the number of the value
// that it sets; nil if the encoding cannot write what comes out.
func (d *Doc) afterPlan(kind editKind, a, b PathID, t *schema.Schema) (*form, int) {
	f := d.form
	for i := range f.steps {
		if s := &f.steps[i]; s.kind == kind && s.a == a && s.b == b && s.t == t {
			return s.to, s.value
		}
	}
	to, value := d.newPlan(f, kind, a, b, t)
	if len(f.steps) < maxSteps {
		f.steps = append(f.steps, step{kind: kind, a: a, b: b, t: t, outcome: outcome{to: to}, value: value})
	}
	return to, value
}

func (d *Doc) newPlan(f *form, kind editKind, a, b PathID, t *schema.Schema) (*form, int) {
	s := d.newSchema(f.s, kind, a, b, t)
	enc := f.splicer.With(s)
	if enc == nil || s.Type != schema.Struct {
		return nil, 0
	}
	to := &form{enc: enc, s: s, types: typesOf(d.proj, s), lazy: f.lazy, splicer: f.splicer, values: f.values, program: f.program}
	plan := &Plan{From: f.s, To: s}
	var old *Members
	if f.plan != nil {
		plan.From, old = f.plan.From, f.plan.Root
	}
	value := f.values
	edit := func(m *Members, name string) {
		i := slices.IndexFunc(m.List, func(x Member) bool { return x.Name == name })
		switch kind {
		case editSet:
			if i >= 0 && m.List[i].Value >= 0 {
				value = m.List[i].Value
			} else {
				to.values = f.values + 1
			}
			set := Member{Name: name, Source: -1, Value: value}
			if i < 0 {
				m.List = append(m.List, set)
			} else {
				m.List[i] = set
			}
		case editDelete:
			m.List = slices.Delete(m.List, i, i+1)
		case editRename:
			name := d.proj.nodes[b].step.Name
			j := slices.IndexFunc(m.List, func(x Member) bool { return x.Name == name })
			m.List[i].Name = name
			if j >= 0 {
				m.List = slices.Delete(m.List, j, j+1)
			}
		}
	}
	plan.Root = changed(old, f.s, d.proj.Path(a), edit)
	describeMembers(plan.Root, s)
	to.plan = plan
	return to, value
}

// changed returns a copy of the members of a struct of type s, nil being those
// that it came with, with the edit at path.
func changed(old *Members, s *schema.Schema, path Path, edit func(*Members, string)) *Members {
	m := &Members{}
	if old != nil {
		m.List = slices.Clone(old.List)
	} else {
		for i := range s.Fields {
			m.List = append(m.List, Member{Name: s.Fields[i].Name, Source: i, Value: -1})
		}
	}
	if len(path) == 0 {
		return m
	}
	if len(path) == 1 {
		edit(m, path[0].Name)
		return m
	}
	for i := range m.List {
		if x := &m.List[i]; x.Name == path[0].Name {
			x.Sub = changed(x.Sub, s.Field(x.Name).Schema, path[1:], edit)
		}
	}
	return m
}

// describeMembers gives members the types that they have in s.
func describeMembers(m *Members, s *schema.Schema) {
	for i := range m.List {
		x := &m.List[i]
		x.Schema = s.Fields[i].Schema
		if x.Sub != nil {
			sub := &Members{List: slices.Clone(x.Sub.List)}
			describeMembers(sub, x.Schema)
			x.Sub = sub
		}
	}
}
