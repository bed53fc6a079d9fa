package record

import (
	"github.com/flowrecords/flow/engine/schema"
)

// maxForms bounds the forms that a Doc keeps, and maxSteps the edits that one
// of them knows the result of: schemas come from outside.
const (
	maxForms = 64
	maxSteps = 64
)

// form is what a Doc knows of an encoding with a schema: the type at each path,
// and what edits make of it.
type form struct {
	enc     Encoding // as it is written
	s       *schema.Schema
	types   []*schema.Schema // by path; nil: not declared
	lazy    Lazy             // nil: JSON text
	splicer Splicer          // nil: edits make it JSON text

	// plan says how the base of another form becomes this one; nil: there are
	// no edits.
	plan   *Plan
	values int // how many values the plan names

	steps []step
	// program is what Doc.Program keeps, shared with the forms that edits in a
	// plan make.
	program *any
}

// step is an edit whose result is known.
type step struct {
	kind editKind
	a, b PathID
	t    *schema.Schema
	outcome
	// value is the number of the value that a plan's edit sets.
	value int
}

type editKind uint8

const (
	editSet    editKind = iota // of type t at a
	editCreate                 // the same where a parent is null
	editDelete                 // a
	editRename                 // a to b
	editKeep                   // what keeps says; a and b are its hash
	editRetype                 // a is of type t, the bytes are not
)

// formOf returns the form of an encoding with a schema, nil of any other.
func (d *Doc) formOf(enc Encoding) *form {
	for _, f := range d.forms {
		if f.enc == enc {
			return f
		}
	}
	e, ok := enc.(Schemed)
	if !ok {
		return nil
	}
	f := &form{enc: enc, s: e.Schema()}
	f.types = typesOf(d.proj, f.s)
	f.program = new(any)
	f.lazy, _ = enc.(Lazy)
	f.splicer, _ = enc.(Splicer)
	if len(d.forms) == maxForms {
		clear(d.forms)
		d.forms = d.forms[:0]
	}
	d.forms = append(d.forms, f)
	return f
}

// typesOf returns the type at each path.
func typesOf(p *Projection, s *schema.Schema) []*schema.Schema {
	types := make([]*schema.Schema, len(p.nodes))
	types[Root] = s
	for id := 1; id < len(p.nodes); id++ {
		n := &p.nodes[id]
		types[id] = childType(types[n.parent], &n.step)
	}
	return types
}

// childType is the type of a member or element, nil where none is declared.
func childType(s *schema.Schema, step *Step) *schema.Schema {
	if s == nil {
		return nil
	}
	switch s.Type {
	case schema.Struct:
		if f := s.Field(step.Name); f != nil && !step.IsIndex {
			return f.Schema
		}
	case schema.Union:
		if i := s.BranchIndex(step.Name); i >= 0 && !step.IsIndex {
			return s.Branches[i].Schema
		}
	case schema.Map:
		if !step.IsIndex && s.Key.Type == schema.String {
			return s.Elem
		}
	case schema.Array:
		if step.IsIndex {
			return s.Elem
		}
	}
	return nil
}

// formed makes sure that the form of the base is known.
func (d *Doc) formed() {
	if _, plain := d.enc.(jsonEncoding); !plain && d.form == nil {
		d.form = d.formOf(d.enc)
	}
}

// outcome is what an edit makes of a form.
type outcome struct {
	to *form
	// moves: paths beside the edited one have other types now.
	moves bool
}

// after returns what an edit makes of d.form.
func (d *Doc) after(kind editKind, a, b PathID, t *schema.Schema) outcome {
	f := d.form
	for i := range f.steps {
		if s := &f.steps[i]; s.kind == kind && s.a == a && s.b == b && s.t == t {
			return s.outcome
		}
	}
	out := outcome{to: d.reform(f, kind, a, b, t)}
	for id := range f.types {
		if old, now := f.types[id], out.to.types[id]; old != now && !d.concerns(PathID(id), a) && (kind != editRename || !d.concerns(PathID(id), b)) {
			out.moves = out.moves || old == nil || now == nil || !schema.EqualTypes(old.AsRequired(), now.AsRequired())
		}
	}
	if len(f.steps) < maxSteps {
		f.steps = append(f.steps, step{kind: kind, a: a, b: b, t: t, outcome: out})
	}
	return out
}

// concerns reports whether a path is an edited one, or above or below it.
func (d *Doc) concerns(id, edited PathID) bool {
	nodes := d.proj.nodes
	up := func(from, to PathID) bool {
		for from > to {
			from = nodes[from].parent
		}
		return from == to
	}
	return up(id, edited) || up(edited, id)
}

// change is the edit of a schema that schema.Schema.Derived knows: it means the
// same in all Docs.
type change struct {
	kind editKind
	a, b string
	t    *schema.Schema
}

func (d *Doc) reform(f *form, kind editKind, a, b PathID, t *schema.Schema) *form {
	s := d.newSchema(f.s, kind, a, b, t)
	if s == f.s {
		return f
	}
	return d.formOf(JSONOf(s))
}

func (d *Doc) newSchema(s *schema.Schema, kind editKind, a, b PathID, t *schema.Schema) *schema.Schema {
	from, to := d.proj.Path(a), d.proj.Path(b)
	var apply func() *schema.Schema
	key := change{kind: kind, a: from.String(), t: t}
	switch kind {
	case editSet:
		apply = func() *schema.Schema { return schemaSet(s, from, t, false) }
	case editCreate:
		key.b = to.String() // what was null
		apply = func() *schema.Schema { return schemaCreate(s, from, len(to), t) }
	case editDelete:
		apply = func() *schema.Schema { return schemaDelete(s, from, false) }
	case editRename:
		key.b = to.String()
		apply = func() *schema.Schema { return schemaRename(s, from, to) }
	case editKeep:
		key.a = d.keepText()
		apply = func() *schema.Schema { return d.schemaKeep(s, []PathID{Root}) }
	case editRetype:
		apply = func() *schema.Schema { return schemaRetype(s, from, t) }
	}
	return s.Derived(key, apply)
}

// keepText names what is kept of each path.
func (d *Doc) keepText() string {
	b := make([]byte, 0, 4*len(d.keeps))
	for id, k := range d.keeps {
		if k != 0 {
			b = append(append(b, d.proj.Path(PathID(id)).String()...), '\n', '0'+k)
		}
	}
	return string(b)
}
