package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/hashicorp/hcl/v2"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// prefix reports whether p is q or leads to it, by names alone.
func prefix(p, q record.Path) bool {
	return len(p) > 0 && len(p) <= len(q) && slices.Equal(p, q[:len(p)]) && plain(p)
}

// plain: without places of arrays, which move when an element is removed.
func plain(p record.Path) bool {
	return !slices.ContainsFunc(p, func(s record.Step) bool { return s.IsIndex })
}

// meet reports whether two paths may lead to a common part.
func meet(p, q record.Path) bool {
	for i := range min(len(p), len(q)) {
		a, b := p[i], q[i]
		switch {
		case a.IsIndex != b.IsIndex, !a.IsIndex && a.Name != b.Name:
			return false
		case a.IsIndex && a.Index != b.Index && (a.Index < 0) == (b.Index < 0):
			return false
		}
	}
	return true
}

func meetsAny(p record.Path, list []record.Path) bool {
	return slices.ContainsFunc(list, func(q record.Path) bool { return meet(p, q) })
}

// writes are the paths that a processor gives a value.
func writes(c *engine.Changes) []record.Path {
	out := slices.Clone(c.Sets)
	for _, m := range c.Moves {
		out = append(out, m.To)
	}
	return out
}

// reads reports whether an element may look at a path of the value.
func (e *Element) reads(p record.Path) bool {
	for _, t := range e.Texts {
		if meetsAny(p, t.Reads.Value) {
			return true
		}
	}
	for _, o := range e.Options {
		if path, ok := o.Value.Interface().(engine.PathOption); ok && o.Given && meet(p, path.Path) {
			return true
		}
	}
	return e.Effect == nil || slices.ContainsFunc(e.Effect.Moves, func(m engine.Rename) bool { return meet(p, m.From) })
}

// conditionsOnly reports whether all that an element evaluates are conditions:
// what changes nothing and writes texts may show the whole record.
func (e *Element) conditionsOnly() bool {
	return !slices.ContainsFunc(e.Texts, func(t *Text) bool { return !t.Spec.Bool })
}

// overwritten finds members that are set and set again, or removed, before
// anything looks at them.
func (k *checker) overwritten(w *wiring) {
	for _, e := range w.processors() {
		if e.Effect == nil {
			continue
		}
		for _, t := range e.Texts {
			if len(t.Target) == 0 || !plain(t.Target) {
				continue
			}
			if by, how := w.killer(e, t.Target); by != nil {
				k.report(rules.OverwrittenSet, t.KeyRange, fmt.Sprintf("%s is set for nothing", t.Target),
					"%s at %s %s it before anything reads it. Remove it here.", by.short(), where(by.At), how)
			}
		}
	}
}

// killer returns the element behind e that ends the life of a path which
// nobody has read until then.
func (w *wiring) killer(e *Element, p record.Path) (*Element, string) {
	for range len(w.Elements) {
		e = w.next(e)
		if e == nil || e.Kind != engine.KindProcessor || !e.OK || e.reads(p) {
			return nil, ""
		}
		c := e.Effect
		changes := len(c.Sets)+len(c.Removes)+len(c.Moves) > 0 || c.Keeps != nil
		if c.WholeValue || !changes && !e.conditionsOnly() || len(e.Texts) == 0 && !changes {
			return nil, ""
		}
		if e.conditional() {
			continue
		}
		switch {
		case slices.ContainsFunc(c.Sets, func(q record.Path) bool { return prefix(q, p) }):
			return e, "overwrites"
		case slices.ContainsFunc(c.Removes, func(q record.Path) bool { return prefix(q, p) }), c.Keeps != nil && !meetsAny(p, c.Keeps):
			return e, "removes"
		case slices.ContainsFunc(c.Moves, func(m engine.Rename) bool { return prefix(m.To, p) }):
			return nil, "" // only where the old name is there
		}
	}
	return nil, ""
}

// loss is a path that is gone behind an element.
type loss struct {
	path record.Path
	why  string
}

// losses are the paths that no record has behind e.
func (e *Element) losses() []loss {
	c := e.Effect
	if c == nil || c.WholeValue || e.conditional() || e.Kind != engine.KindProcessor {
		return nil
	}
	var out []loss
	add := func(p record.Path, why string) {
		if len(p) > 0 && plain(p) && !meetsAny(p, writes(c)) {
			out = append(out, loss{p, why})
		}
	}
	for _, p := range c.Removes {
		if e.removal(p) {
			add(p, "removed")
		}
	}
	for _, m := range c.Moves {
		add(m.From, "renamed to "+m.To.String())
	}
	return out
}

// removal reports whether a path that an element says it removes stands in a
// list of paths: what is taken apart is a single one.
func (e *Element) removal(p record.Path) bool {
	return slices.ContainsFunc(e.Options, func(o *Option) bool {
		list, ok := o.Value.Interface().([]engine.PathOption)
		return ok && slices.ContainsFunc(list, func(q engine.PathOption) bool { return slices.Equal(q.Path, p) })
	})
}

// gone finds uses of members that an earlier processor has taken away.
func (k *checker) gone(w *wiring) {
	for _, e := range w.processors() {
		if !e.OK {
			continue
		}
		k.within(e)
		for _, l := range e.losses() {
			restores := func(x *Element) bool {
				return x.Kind == engine.KindProcessor && (x.Effect == nil || x.Effect.WholeValue || meetsAny(l.path, writes(x.Effect)))
			}
			for _, x := range w.behind(e, restores) {
				k.uses(e, x, l.why, func(p record.Path) bool { return prefix(l.path, p) })
			}
		}
		k.notKept(w, e)
	}
}

// notKept is gone for what a list of members to keep leaves out.
func (k *checker) notKept(w *wiring, e *Element) {
	c := e.Effect
	if c == nil || c.Keeps == nil || c.WholeValue || e.conditional() || slices.ContainsFunc(c.Keeps, func(p record.Path) bool { return !plain(p) }) {
		return
	}
	there := append(slices.Clone(c.Keeps), writes(c)...)
	unknown := func(x *Element) bool {
		return x.Kind == engine.KindProcessor && (x.Effect == nil || x.Effect.WholeValue)
	}
	readers := w.behind(e, unknown)
	for _, x := range readers {
		if x.Effect != nil {
			there = append(there, writes(x.Effect)...)
		}
	}
	for _, x := range readers {
		k.uses(e, x, "not kept", func(p record.Path) bool { return len(p) > 0 && !p[0].IsIndex && !meetsAny(p, there) })
	}
}

// uses reports what x reads, removes or renames although e took it away.
func (k *checker) uses(e, x *Element, why string, is func(record.Path) bool) {
	if !x.OK {
		return
	}
	for _, t := range x.Texts {
		if !slices.ContainsFunc(t.Reads.Value, is) {
			continue
		}
		at, text := t.find(is)
		k.report(rules.ReadsGone, at, text+" is not there any more", "%s at %s has it %s, so this is always missing. Read it before, or keep it until here.", e.short(), where(e.At), why)
	}
	k.removals(x, is, fmt.Sprintf("%s at %s has it %s already, so there is nothing to do here.", e.short(), where(e.At), why), nil)
}

// removals reports the removals and renames of what is not there.
func (k *checker) removals(x *Element, is func(record.Path) bool, detail string, skip func(*Option) bool) {
	if x.Effect == nil {
		return
	}
	for _, o := range x.Options {
		if !o.Given || skip != nil && skip(o) {
			continue
		}
		switch v := o.Value.Interface().(type) {
		case []engine.PathOption:
			for i, p := range v {
				if is(p.Path) && len(o.Elements) == len(v) && slices.ContainsFunc(x.Effect.Removes, func(q record.Path) bool { return slices.Equal(p.Path, q) }) {
					k.report(rules.RemovesGone, o.Elements[i], p.Path.String()+" is not there any more", "%s Remove it from the list.", detail)
				}
			}
		case engine.Renames:
			for i, m := range v {
				if is(m.From) && len(o.Keys) == len(v) {
					k.report(rules.RemovesGone, o.Keys[i], m.From.String()+" is not there any more", "%s Remove the line.", detail)
				}
			}
		}
	}
}

// within finds options of one processor that take the same thing away twice.
func (k *checker) within(e *Element) {
	c := e.Effect
	if c == nil || c.WholeValue {
		return
	}
	var removed []record.Path
	for _, p := range c.Removes {
		if plain(p) && e.removal(p) {
			removed = append(removed, p)
		}
	}
	gone := func(p record.Path) bool {
		return slices.ContainsFunc(removed, func(q record.Path) bool { return prefix(q, p) })
	}
	k.removals(e, gone, "remove of the same processor comes first and takes it away.", func(o *Option) bool { return strings.HasPrefix(o.Type, "list of") })
	if c.Keeps == nil || slices.ContainsFunc(c.Keeps, func(p record.Path) bool { return !plain(p) }) {
		return
	}
	const detail = "keep of the same processor comes first and does not name it."
	left := func(p record.Path) bool { return len(p) > 0 && plain(p) && !meetsAny(p, c.Keeps) }
	isRename := func(o *Option) bool { return !strings.HasPrefix(o.Type, "list of") }
	k.removals(e, left, detail, isRename)
	k.removals(e, func(p record.Path) bool { return left(p) && !gone(p) }, detail, func(o *Option) bool { return !isRename(o) })
}

// find returns the place of the first path of which is holds, and its text.
func (t *Text) find(is func(record.Path) bool) (hcl.Range, string) {
	for _, s := range t.Syntax {
		var found ast.Node
		w := &walker{}
		w.walk(s.Root, nil, func(n, _ ast.Node) {
			if doc, p, ok := pathOf(n); found == nil && ok && doc == "value" && len(p) > 0 && is(p) {
				found = n
			}
		})
		if found != nil {
			return t.place(s, found), quoted(s.Text(found))
		}
	}
	for _, p := range t.Reads.Value {
		if is(p) {
			return t.Range, "value." + p.String()
		}
	}
	return t.Range, "it"
}

// filters finds conditions that an earlier filter has decided already.
func (k *checker) filters(w *wiring) {
	for _, e := range w.processors() {
		passes := e.Passes
		if passes == nil || passes.Source == nil || !passes.Source.Deterministic() || len(passes.Syntax) != 1 {
			continue
		}
		if _, constant := passes.Source.Constant(); constant {
			continue
		}
		known := testsOf(passes.Syntax[0].Root)
		x := e
		for range len(w.Elements) {
			if x = w.next(x); x == nil || x.Kind != engine.KindProcessor || !x.OK {
				break
			}
			for _, t := range x.Texts {
				if t.Spec.Bool && t.Source != nil && t.Source.Deterministic() && len(t.Syntax) == 1 {
					k.decided(e, t, known)
				}
			}
			if x.Effect == nil || touchesReads(x.Effect, passes.Reads) {
				break
			}
		}
	}
}

// decided compares the conditions of a text with what is known to hold.
func (k *checker) decided(e *Element, t *Text, known []test) {
	s := t.Syntax[0]
	all := testsOf(s.Root)
	implied := 0
	for _, x := range all {
		for _, f := range known {
			if f.subject != x.subject {
				continue
			}
			if conflict(f, x) {
				k.report(rules.NeverHolds, t.place(s, x.node), "condition can never hold", "%s at %s lets only records through for which %s, and the two exclude each other.", e.short(), where(e.At), quoted(text(e.Passes.Syntax[0], f.node)))
				return
			}
			if implies(f, x) {
				implied++
				break
			}
		}
	}
	if implied == len(all) {
		k.report(rules.RedundantCondition, t.Place(0, 1<<30), "condition always holds here", "%s at %s lets no other records through. Remove this one.", e.short(), where(e.At))
	}
}

func text(s *expr.Syntax, n ast.Node) string { return s.Text(n) }

// touchesReads reports whether a change may alter what was read.
func touchesReads(c *engine.Changes, r engine.Reads) bool {
	if c.WholeValue && len(r.Value) > 0 || c.Key && len(r.Key) > 0 || c.Topic && r.Topic || c.Timestamp && r.Timestamp {
		return true
	}
	if (c.AllHeaders || len(c.Headers) > 0) && (r.AllHeaders || len(r.Headers) > 0) {
		return true
	}
	changed := append(writes(c), c.Removes...)
	for _, m := range c.Moves {
		changed = append(changed, m.From)
	}
	for _, p := range r.Value {
		if meetsAny(p, changed) || c.Keeps != nil && !meetsAny(p, c.Keeps) {
			return true
		}
	}
	return false
}
