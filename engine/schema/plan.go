package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flowrecords/flow/engine/limits"
)

// Rules say which differences between two schemas can be bridged.
type Rules uint8

const (
	// Resolution is what Avro calls so, for all our types: fields and types are
	// found by name or by an alias of the reader, integers and floats widen
	// (also 64 bits to a float), strings and bytes stand for each other, a
	// field that the writer does not have needs a default, a symbol too, and
	// unions choose the branch that fits. Times take a finer unit, decimals
	// more digits.
	Resolution Rules = iota
	// Projection is Connect's: numbers widen, names and parameters are equal,
	// a missing field is null or its default, and a null that is not allowed
	// becomes the default.
	Projection
)

// Action is what is done with a value.
type Action uint8

const (
	// Keep says that the typed text is the same.
	Keep Action = iota
	// Widen is for a number, decimal, text or time: the new type holds all
	// that the old one does.
	Widen
	// Recode goes from string to bytes or back.
	Recode
	// Symbols is for an enum, whose unknown symbols become the default.
	Symbols
	// Parts is for an array, map, struct or union: by its parts.
	Parts
	// Wrap makes it a branch of a union.
	Wrap
	// Unwrap makes the branch of a union the value.
	Unwrap
)

// Plan says how a value of From becomes one of To. It may be cyclic, as
// schemas may be.
type Plan struct {
	From, To *Schema
	Action   Action
	// Null is what a null becomes; nil: it stays null.
	Null []byte

	Elem, Key *Plan
	// Fields are what the fields of To are made of, in their order.
	Fields []FieldPlan
	// Branches are what becomes of the branches of From, in their order.
	Branches []BranchPlan
	// Branch is which of To's a Wrap makes, and Elem how.
	Branch int
}

// FieldPlan is how a field comes about.
type FieldPlan struct {
	From    int    // the field of the old struct, -1: none
	Default []byte // without one: typed JSON
	Plan    *Plan
}

// BranchPlan is what a branch becomes.
type BranchPlan struct {
	To   int // the branch of the new union, -1 for Unwrap
	Plan *Plan
}

// Project returns how a value of one schema is read as another by Connect's
// rules. The error joins every reason why it cannot be, each an *Error.
func Project(from, to *Schema) (*Plan, error) { return NewPlan(from, to, Projection) }

// NewPlan returns how a value of one schema is read as another. The error joins
// every reason why it cannot be, each an *Error with a path in to.
func NewPlan(from, to *Schema, rules Rules) (*Plan, error) {
	p := newPlanner(rules)
	plan := p.plan(from, to, "")
	return plan, joinErrors(p.errs)
}

// Compatible returns every reason why data of the writer cannot be read with
// the schema of the reader, by the rules of Resolution: none if it always can.
func Compatible(reader, writer *Schema) []Error {
	p := newPlanner(Resolution)
	p.plan(writer, reader, "")
	return p.errs
}

type planner struct {
	rules Rules
	done  map[pair]*Plan
	outer *planner // whose assumptions hold here, too
	errs  []Error
	lacks map[lack]int // which of errs tells of it
	left  *int         // of the pairs that may be looked at: branches are tried, which can multiply
}

func newPlanner(rules Rules) *planner {
	left := 10 * limits.SchemaNodes
	return &planner{rules: rules, done: make(map[pair]*Plan), left: &left}
}

func (p *planner) known(k pair) *Plan {
	for ; p != nil; p = p.outer {
		if plan := p.done[k]; plan != nil {
			return plan
		}
	}
	return nil
}

func joinErrors(list []Error) error {
	if len(list) == 0 {
		return nil
	}
	return &Errors{list}
}

// Errors are several that hold at once.
type Errors struct{ List []Error }

func (e *Errors) Error() string {
	lines := make([]string, len(e.List))
	for i := range e.List {
		lines[i] = e.List[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns each, for errors.As.
func (e *Errors) Unwrap() []error {
	all := make([]error, len(e.List))
	for i := range e.List {
		all[i] = &e.List[i]
	}
	return all
}

// planErrors bounds the reasons of one check.
const planErrors = 100

func (p *planner) fail(path, format string, args ...any) {
	if len(p.errs) < planErrors {
		p.errs = append(p.errs, Error{Path: path, Msg: fmt.Sprintf(format, args...)})
	}
}

// lack is a field of the new struct that the old one, known by its first field,
// does not have.
type lack struct{ from, to *Field }

// missing tells of a field once, at the shortest path: copies of a struct, such
// as one that may be null, are other schemas with the same fields.
func (p *planner) missing(from *Schema, f *Field, path, text string) {
	key := lack{to: f}
	if len(from.Fields) > 0 {
		key.from = &from.Fields[0]
	}
	if at, told := p.lacks[key]; told {
		if len(path) < len(p.errs[at].Path) {
			p.errs[at].Path = path
		}
		return
	}
	if p.fail(path, "%s", text); p.lacks == nil {
		p.lacks = make(map[lack]int)
	}
	p.lacks[key] = len(p.errs) - 1
}

// plan looks at a pair once: where it stands in several places, the first path
// is told.
func (p *planner) plan(from, to *Schema, path string) *Plan {
	if old := p.known(pair{from, to}); old != nil {
		return old
	}
	if *p.left--; *p.left < 0 {
		p.fail(path, "too many unions within unions to compare: name their branches alike in both schemas")
		return &Plan{From: from, To: to}
	}
	plan := &Plan{From: from, To: to}
	p.done[pair{from, to}] = plan
	p.null(plan, path)
	p.names(from, to, path)
	switch {
	case p.rules == Resolution && EqualTypes(from, to), p.rules == Projection && EqualTypes(from, to) && !p.parametersDiffer(from, to):
		return plan
	case to.Type == Any:
	case from.Type == Union || to.Type == Union:
		p.unions(plan, path)
	case from.Type != to.Type:
		p.widen(plan, path)
	default:
		p.same(plan, path)
	}
	return plan
}

// parametersDiffer: EqualTypes does not look at them, and Connect does, at
// those of every part.
func (p *planner) parametersDiffer(from, to *Schema) bool { return !Equal(from, to) }

// null decides what a null becomes.
func (p *planner) null(plan *Plan, path string) {
	from, to := plan.From, plan.To
	if !from.Optional && from.Type != Any || to.Optional || to.Type == Any {
		return
	}
	if p.rules == Projection && len(to.Default) > 0 {
		plan.Null = to.Default
		plan.Action = Parts
		if !to.Type.IsComplex() {
			plan.Action = Widen
		}
		return
	}
	if from.Type == Any {
		return // told as another type
	}
	if p.rules == Projection {
		p.fail(path, "it may be null, and is required in the new schema: make it optional there, or give it a default")
		return
	}
	p.fail(path, "the writer may write null, and the reader does not take it: make it optional in the reader")
}

func (p *planner) names(from, to *Schema, path string) {
	if p.rules == Projection {
		if from.Name != to.Name {
			p.fail(path, "the name is %q in one schema and %q in the other: it must be the same", from.Name, to.Name)
		}
		if !sameParameters(from, to) {
			p.fail(path, "the parameters differ: they must be the same in both schemas")
		}
		return
	}
	named := from.Type == to.Type && (to.Type == Struct || to.Type == Enum || to.Type == Bytes && to.Size > 0)
	if !named || from.Name == "" || to.Name == "" || nameMatches(from.Name, to) {
		return
	}
	p.fail(path, "the writer calls it %s, the reader %s: use one name, or add %q to the aliases of the reader's", from.Name, to.Name, from.Name)
}

// nameMatches: Avro compares names without what stands before the last point,
// and aliases in full.
func nameMatches(name string, to *Schema) bool {
	return unqualified(name) == unqualified(to.Name) || slices.Contains(to.Aliases, name)
}

func unqualified(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

func sameParameters(a, b *Schema) bool {
	if len(a.Parameters) != len(b.Parameters) {
		return false
	}
	for k, v := range a.Parameters {
		if w, there := b.Parameters[k]; !there || v != w {
			return false
		}
	}
	return true
}

// same plans for two of the same type.
func (p *planner) same(plan *Plan, path string) {
	from, to := plan.From, plan.To
	switch to.Type {
	case Array:
		plan.Action = Parts
		plan.Elem = p.plan(from.Elem, to.Elem, JoinPath(path, "[]"))
	case Map:
		plan.Action = Parts
		plan.Key = p.plan(from.Key, to.Key, JoinPath(path, "[key]"))
		plan.Elem = p.plan(from.Elem, to.Elem, JoinPath(path, "[value]"))
	case Struct:
		p.fields(plan, path)
	case Enum:
		p.symbols(plan, path)
	case Bytes:
		if from.Size != to.Size {
			p.fail(path, "%s cannot be read as %s: use the same size in both", leafText(from), leafText(to))
		}
	case Decimal:
		p.decimal(plan, path)
	default:
		if from.Unit == to.Unit {
			return
		}
		if p.rules == Projection {
			p.fail(path, "%s cannot be read as %s: Kafka Connect's rules want the same unit", from, to)
			return
		}
		plan.Action = Widen
		if from.Unit < to.Unit {
			p.fail(path, "%s cannot be read as %s without losing digits: keep the unit %s or a finer one", leafText(from), leafText(to), from.Unit)
		}
	}
}

// leafText is the type without what does not matter.
func leafText(s *Schema) string {
	if s.Type.IsComplex() {
		return title(s)
	}
	return (&Schema{Type: s.Type, Precision: s.Precision, Scale: s.Scale, Size: s.Size, Unit: s.Unit, Symbols: s.Symbols}).String()
}

func (p *planner) fields(plan *Plan, path string) {
	from, to := plan.From, plan.To
	plan.Action = Parts
	plan.Fields = make([]FieldPlan, len(to.Fields))
	for i := range to.Fields {
		f := &to.Fields[i]
		at := JoinPath(path, FieldStep(f.Name))
		fp := FieldPlan{From: p.find(from, f)}
		switch {
		case fp.From >= 0:
			fp.Plan = p.plan(from.Fields[fp.From].Schema, f.Schema, at)
		case len(f.Schema.Default) > 0:
			fp.Default = f.Schema.Default
		case p.rules == Projection && f.Schema.Optional:
			fp.Default = []byte("null")
		case p.rules == Projection:
			p.missing(from, f, at, "it is not in the old schema and is required: make it optional or give it a default")
		case f.Schema.Optional:
			p.missing(from, f, at, "the writer does not have it, and it has no default: give it the default null")
		default:
			p.missing(from, f, at, "the writer does not have it, and it has no default: give it one, or name its old name as an alias")
		}
		plan.Fields[i] = fp
	}
}

// find returns which field of from is f.
func (p *planner) find(from *Schema, f *Field) int {
	i := from.FieldIndex(f.Name)
	if i >= 0 || p.rules == Projection {
		return i
	}
	for _, a := range f.Aliases {
		if i = from.FieldIndex(a); i >= 0 {
			return i
		}
	}
	return -1
}
