package expr

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// reference is the type of something of the record.
func (t *typer) reference(n ast.Node, f *ref) typ {
	switch {
	case f.has:
		if f.document() {
			t.path(n, f)
		}
		return ofKinds(record.Bool)
	case f.document() && f.derived():
		return t.derived(n, f)
	case f.document():
		return t.path(n, f)
	}
	switch f.kind {
	case refNothing:
		return typ{} // there is no result
	case refTopic:
		return ofKinds(record.String)
	case refPartition, refOffset:
		return ofKinds(record.Int)
	case refTombstone:
		return ofKinds(record.Bool)
	case refTimestamp:
		return ofKinds(record.Time, record.Null)
	case refHeader, refMeta:
		return ofKinds(record.String, record.Bytes, record.Null)
	case refHeaders, refMetaAll:
		return ofKinds(record.Object)
	default:
		return unknown
	}
}

// path follows a path of the value or key through its schema. A path that does
// not exist is reported at the step where it ends.
func (t *typer) path(n ast.Node, f *ref) typ {
	s, root := t.in.Value, "value"
	if f.kind == refKey {
		s, root = t.in.Key, "key"
	}
	if s == nil {
		return unknown
	}
	at := declared(s)
	at.path, at.root = true, true
	skipped := false // a ?. may have found nil
	last := len(f.path)
	if f.got {
		last--
	}
	for i, step := range f.path[:last] {
		skipped = skipped || f.steps[i].opt && (at.maybeNil() || at.root)
		next, m := below(at, step)
		if m != nil {
			t.noStep(n, f, root, i, m)
			return unknown
		}
		at = next
		if at.decl == nil && at.kinds == allKinds {
			return unknown
		}
	}
	if skipped {
		at = at.chosen().orNil()
	}
	return at
}

// below is the type of a member or element of what lies at a path, or what is
// wrong with the step.
func below(at typ, step record.Step) (typ, *misstep) {
	if at.decl == nil {
		if at.known() { // a byte of a text
			return unknown, &misstep{kind: KindNoMember, of: at.words()}
		}
		return unknown, nil
	}
	s := at.decl
	found := func(e *schema.Schema, orNil bool) (typ, *misstep) {
		out := declared(e)
		out.path = true
		if orNil {
			out.kinds |= nilKind
		}
		return out, nil
	}
	switch s.Type {
	case schema.Any:
		return unknown, nil
	case schema.Struct:
		if step.IsIndex {
			break
		}
		if e := s.Field(step.Name); e != nil {
			return found(e.Schema, false)
		}
		return unknown, &misstep{kind: KindNoField, name: step.Name, what: "field", of: at.words(), names: fieldNames(s), now: renamed(s, step.Name)}
	case schema.Union:
		if step.IsIndex {
			break
		}
		if i := s.BranchIndex(step.Name); i >= 0 {
			return found(s.Branches[i].Schema, true)
		}
		return unknown, &misstep{kind: KindNoField, name: step.Name, what: "branch", of: at.words(), names: fieldNames(s)}
	case schema.Map:
		if s.Key.Type != schema.String {
			if step.IsIndex {
				return unknown, nil // a pair
			}
		} else if !step.IsIndex {
			return found(s.Elem, true)
		}
	case schema.Array:
		if step.IsIndex {
			return found(s.Elem, false)
		}
	case schema.String, schema.UUID, schema.Enum:
		if step.IsIndex {
			return ofKinds(record.Int), nil
		}
	default:
	}
	return unknown, &misstep{kind: KindNoMember, of: at.words(), index: step.IsIndex, list: slotKinds(s) == listKind, object: slotKinds(s) == kinds(record.Object)}
}

func fieldNames(s *schema.Schema) []string {
	var names []string
	for _, f := range s.Fields {
		names = append(names, f.Name)
	}
	for _, b := range s.Branches {
		names = append(names, b.Name)
	}
	return names
}

// renamed returns the field that was called name before, "" if none was.
func renamed(s *schema.Schema, name string) string {
	for _, f := range s.Fields {
		if slices.Contains(f.Aliases, name) {
			return f.Name
		}
	}
	return ""
}

// misstep says why a path does not go on.
type misstep struct {
	kind Kind
	// name is that of a field or branch that is not there, names those that are.
	name, what string
	names      []string
	// now is the field that had the name before.
	now string
	// of is the type that has no such part.
	of                  string
	index, list, object bool
}

func (m *misstep) text(from string) (summary, detail string) {
	if m.kind == KindNoField {
		hint := didYouMean(m.name, m.names, "")
		const most = 12
		switch more := len(m.names) - most; {
		case m.now != "":
			hint = fmt.Sprintf("It is called %q now.", m.now)
		case more > 0 && nearest(m.name, m.names) == "":
			hint = fmt.Sprintf("There are %s and %d more.", strings.Join(m.names[:most], ", "), more)
		}
		return fmt.Sprintf("Unknown %s %s", m.what, record.Path{{Name: m.name}}), fmt.Sprintf("%s is %s, which has no such %s. %s", from, m.of, m.what, hint)
	}
	switch {
	case m.list && !m.index:
		detail = fmt.Sprintf("%s is %s: take an element first, as in %s[0], or go through all with map or filter.", from, m.of, from)
	case m.object && m.index:
		detail = fmt.Sprintf("%s is %s, which has members and no elements: write %s.name.", from, m.of, from)
	default:
		detail = fmt.Sprintf("%s is %s.", from, m.of)
	}
	if m.index {
		return "No elements", detail
	}
	return "No such member", detail
}

// noStep reports step i of a reference.
func (t *typer) noStep(n ast.Node, f *ref, root string, i int, m *misstep) {
	from := (&slot{ref: f}).upTo(i)
	summary, detail := m.text(from)
	kind := m.kind
	if f.has {
		kind, summary = KindNeverThere, "Never there"
	}
	before := len(t.problems)
	if steps := t.r.steps[n]; i < len(steps) && steps[i].to > steps[i].from {
		t.problemAt(kind, steps[i], summary, "%s", detail)
	} else {
		t.problem(kind, n, summary, "%s", detail)
	}
	if len(t.problems) > before {
		t.problems[before].Root, t.problems[before].Path, t.problems[before].Whole = root, f.path[:i+1], f.path
	}
}

// member is an access that is no path of the record: below a name of let, of
// what a function returns, with a name that is computed.
func (t *typer) member(n *ast.MemberNode) typ {
	base, prop := t.node(n.Node), t.node(n.Property)
	if n.Optional && len(t.skips) > 0 && (base.maybeNil() || base.root) {
		t.skips[len(t.skips)-1] = true
	}
	const indexed = textKind | listKind | 1<<record.Bytes
	if !base.anyOf(indexed | kinds(record.Object)) {
		t.problem(KindNoMember, n, "No such member", "%s is %s.", t.label(n.Node), base.words())
		return unknown
	}
	if base.value()&^indexed == 0 && base.value() != 0 && !prop.anyOf(numKinds) {
		t.problem(KindNoMember, n.Property, "No such member", "%s is %s, whose elements have numbers, and this is %s.", t.label(n.Node), base.words(), prop.words())
		return unknown
	}
	if base.value() == kinds(record.Object) && !prop.anyOf(textKind) {
		t.problem(KindNoMember, n.Property, "No such member", "%s is %s, whose members have names, and this is %s.", t.label(n.Node), base.words(), prop.words())
		return unknown
	}
	return t.part(n, base, prop)
}

// part is the type of what was found in an array, object or text.
func (t *typer) part(n *ast.MemberNode, base, prop typ) typ {
	switch v := base.value(); {
	case v == textKind:
		return ofKinds(record.Int)
	case v != 0 && v&^(listKind|kinds(record.Bytes)) == 0:
		return elemOf(base)
	case v != kinds(record.Object):
		return unknown
	}
	name, isName := prop.lit.(string)
	if base.decl == nil {
		for _, m := range base.members {
			if isName && m.name == name {
				return m.typ.boxed()
			}
		}
		return unknown
	}
	if !isName {
		if base.decl.Type == schema.Map {
			return inText(base.decl.Elem).orNil()
		}
		return unknown
	}
	found, m := below(base, record.Step{Name: name})
	if m != nil {
		summary, detail := m.text(t.label(n.Node))
		t.problem(m.kind, n.Property, summary, "%s", detail)
		return unknown
	}
	if found.decl == nil {
		return found
	}
	out := inText(found.decl)
	if found.maybeNil() {
		out = out.orNil()
	}
	return out
}

func (t *typer) slice(n *ast.SliceNode) typ {
	of := t.node(n.Node)
	for _, bound := range []ast.Node{n.From, n.To} {
		if bound == nil {
			continue
		}
		if b := t.node(bound); !b.anyOf(numKinds) {
			t.problem(KindTypes, bound, "Wrong type", "The bounds of a slice are numbers, and this is %s.", b.words())
		}
	}
	if !of.anyOf(textKind | listKind | kinds(record.Bytes)) {
		t.problem(KindTypes, n, "Wrong type", "%s cannot be cut: only text, bytes and arrays can.", of.words())
		return unknown
	}
	out := of.boxed().withoutNil()
	out.kinds &= textKind | listKind | kinds(record.Bytes)
	if out.value()&listKind != 0 {
		e := elemOf(of)
		out.elem = &e
	}
	// A part of an enum or a uuid is text, of so many bytes there are fewer.
	out.decl = nil
	return out
}
