package schema

import "fmt"

// Step is what a plan does at one place.
type Step struct {
	Path string // in the new schema, of what is dropped in the old
	Text string // dropped, default 5, int32 widened to int64
}

// Steps returns what is not kept as it is, in the order of the new schema, for
// people. What stands in several places is told once.
func (p *Plan) Steps() []Step {
	var list []Step
	seen := make(map[*Plan]bool)
	var walk func(p *Plan, path string)
	walk = func(p *Plan, path string) {
		if p == nil || seen[p] {
			return
		}
		seen[p] = true
		add := func(path, format string, args ...any) {
			list = append(list, Step{path, fmt.Sprintf(format, args...)})
		}
		if p.Null != nil {
			add(path, "null becomes %s", excerpt(p.Null))
		}
		switch p.Action {
		case Widen:
			if x, y := leafText(p.From), leafText(p.To); x != y {
				add(path, "%s widened to %s", x, y)
			}
		case Recode:
			add(path, "%s as %s", leafText(p.From), leafText(p.To))
		case Wrap:
			add(path, "%s as branch %q", leafText(p.From), p.To.Branches[p.Branch].Name)
		case Unwrap:
			add(path, "the value of the branch")
		default:
		}
		used := make([]bool, len(p.From.Fields))
		for i := range p.Fields {
			f := &p.Fields[i]
			at := JoinPath(path, FieldStep(p.To.Fields[i].Name))
			if f.From < 0 {
				add(at, "default %s", excerpt(f.Default))
				continue
			}
			used[f.From] = true
			if old := p.From.Fields[f.From].Name; old != p.To.Fields[i].Name {
				add(at, "from %s", FieldStep(old))
			}
			walk(f.Plan, at)
		}
		for i := range p.From.Fields {
			if p.Fields != nil && !used[i] {
				add(JoinPath(path, FieldStep(p.From.Fields[i].Name)), "dropped")
			}
		}
		step := "[]"
		if p.From.Type == Map {
			step = "[value]"
		} else if p.Action == Wrap {
			step = ""
		}
		walk(p.Key, JoinPath(path, "[key]"))
		walk(p.Elem, JoinPath(path, step))
		for i := range p.Branches {
			walk(p.Branches[i].Plan, JoinPath(path, branchStep(p.From.Branches[i].Name)))
		}
	}
	walk(p, "")
	return list
}
