package schema

import (
	"maps"
	"strings"

	"github.com/flowrecords/flow/engine/internal/jsontext"
)

// widen plans for two types that differ.
func (p *planner) widen(plan *Plan, path string) {
	from, to := plan.From, plan.To
	text := func(t Type) bool { return t == String || t == Bytes }
	plan.Action = Widen
	switch {
	case widens(from.Type, to.Type, p.rules):
	case p.rules == Resolution && text(from.Type) && text(to.Type) && from.Size == 0 && to.Size == 0:
		plan.Action = Recode
	case p.rules == Resolution && from.Type == UUID && to.Type == String:
	case from.Type == Any:
		p.fail(path, "the writer says no type, the reader %s: say the type in the writer's schema", leafText(to))
	case p.rules == Projection:
		p.fail(path, "%s cannot be read as %s: numbers widen from int8 over int16, int32, int64 and float32 to float64, all else keeps its type", leafText(from), leafText(to))
	default:
		p.fail(path, "%s cannot be read as %s%s", leafText(from), leafText(to), remedy(from.Type, to.Type))
	}
}

func remedy(from, to Type) string {
	if widens(to, from, Resolution) {
		return ": it would lose values; keep " + from.String()
	}
	return ": keep the type, or add a field of another name with a default"
}

// widens reports whether a number of type from may be read as one of type to.
func widens(from, to Type, rules Rules) bool {
	if rules == Projection && (from >= Uint8 && from <= Uint64 || to >= Uint8 && to <= Uint64) {
		return false
	}
	switch {
	case from == Float32:
		return to == Float64
	case !from.IsInt():
		return false
	case to == Float32 || to == Float64:
		return true
	case !to.IsInt():
		return false
	}
	a, signedA := from.bits()
	b, signedB := to.bits()
	if signedA == signedB {
		return a < b
	}
	return signedB && a < b
}

// unions plans where one side or both are unions.
func (p *planner) unions(plan *Plan, path string) {
	from, to := plan.From, plan.To
	if from.Type != Union {
		plan.Action = Wrap
		plan.Branch, plan.Elem = p.choose(from, "", to)
		if plan.Elem == nil {
			p.fail(path, "no branch of the reader's union takes %s: add one", leafText(from))
		}
		return
	}
	plan.Branches = make([]BranchPlan, len(from.Branches))
	plan.Action = Unwrap
	if to.Type == Union {
		plan.Action = Parts
	}
	for i := range from.Branches {
		b := &from.Branches[i]
		at := JoinPath(path, branchStep(b.Name))
		if to.Type != Union {
			plan.Branches[i] = BranchPlan{To: -1, Plan: p.plan(b.Schema, to.AsOptional(), at)}
			continue
		}
		n, bp := p.choose(b.Schema, b.Name, to)
		if bp == nil {
			p.fail(at, "no branch of the reader's union takes it: add one")
		}
		plan.Branches[i] = BranchPlan{To: n, Plan: bp}
	}
}

// choose finds the branch of to that takes s: the one of the same name and
// type, else the first of the same type, else the first that can.
func (p *planner) choose(s *Schema, name string, to *Schema) (int, *Plan) {
	try := func(fits func(b *Branch) bool) (int, *Plan) {
		for i := range to.Branches {
			b := &to.Branches[i]
			if !fits(b) {
				continue
			}
			inner := planner{rules: p.rules, done: make(map[pair]*Plan), outer: p, left: p.left}
			if plan := inner.plan(s.AsRequired(), b.Schema, ""); len(inner.errs) == 0 {
				maps.Copy(p.done, inner.done)
				return i, plan
			}
		}
		return -1, nil
	}
	for _, fits := range []func(b *Branch) bool{
		func(b *Branch) bool { return b.Name == name && b.Schema.Type == s.Type },
		func(b *Branch) bool { return b.Schema.Type == s.Type },
		func(*Branch) bool { return true },
	} {
		if i, plan := try(fits); plan != nil {
			return i, plan
		}
	}
	return -1, nil
}

func (p *planner) decimal(plan *Plan, path string) {
	from, to := plan.From, plan.To
	if from.Precision == to.Precision && from.Scale == to.Scale {
		return
	}
	plan.Action = Widen
	switch {
	case p.rules == Projection && from.Scale != to.Scale:
		p.fail(path, "%s cannot be read as %s: Kafka Connect's rules want the same scale", leafText(from), leafText(to))
	case from.Scale > to.Scale:
		p.fail(path, "%s cannot be read as %s without losing digits behind the point: the scale must be at least %d", leafText(from), leafText(to), from.Scale)
	case to.Precision > 0 && (from.Precision == 0 || from.Precision-from.Scale > to.Precision-to.Scale):
		p.fail(path, "%s cannot be read as %s: too few digits before the point, raise the precision", leafText(from), leafText(to))
	}
}

func (p *planner) symbols(plan *Plan, path string) {
	plan.Action = Symbols
	var missing []string
	for _, sym := range plan.From.Symbols {
		if plan.To.SymbolIndex(sym) < 0 {
			missing = append(missing, sym)
		}
	}
	if len(missing) > 0 && enumDefault(plan.To) == nil {
		p.fail(path, "the reader's enum does not have %s: add what is missing, or a default to the enum", strings.Join(missing, ", "))
	}
}

// enumDefault is the symbol that unknown ones become.
func enumDefault(s *Schema) []byte {
	if d := s.Parameters[EnumDefault]; s.SymbolIndex(d) >= 0 {
		return jsontext.AppendQuoted(nil, d)
	}
	return nil
}

// EnumDefault is the parameter of an enum that holds the symbol which unknown
// symbols become. Avro tells it from the default of a field, which Default is.
const EnumDefault = "avro.enum.default"
