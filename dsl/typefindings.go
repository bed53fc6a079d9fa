package dsl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/dsl/lint"
	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// checkTexts asks the expressions and templates of a processor or output
// whether they work on the records that it reads: all of them see a record as
// it came in. Those of inputs make records and see none.
func (t *typing) checkTexts(e *element) {
	in := e.Types.In
	if in.Key == nil && in.Value == nil {
		return
	}
	for _, x := range e.described().Texts {
		var problems []expr.Problem
		switch {
		case x.Source != nil:
			problems = x.Source.Check(in)
		case x.Template != nil:
			problems = x.Template.Check(in)
		}
		for _, p := range problems {
			t.textProblem(e, x, p)
		}
	}
}

func (t *typing) textProblem(e *element, x *lint.Text, p expr.Problem) {
	if p.Kind == expr.KindNeverNil {
		return // a record without value is nil in every part, whatever the schema says
	}
	detail := strings.TrimSpace(p.Detail)
	if hidden := t.hidden(p.Constants); hidden != "" {
		detail = upperFirst(hidden) + "."
	} else if p.Path != nil {
		detail = t.missing(e, p)
	}
	t.typeFinding(exprRules[p.Kind], x.Place(p.Offset, p.Length), lowerFirst(p.Summary), detail)
}

// typeFinding reports what cannot work on the records, and remembers where:
// rules that do without schemas find some of it, too.
func (t *typing) typeFinding(id rules.ID, at hcl.Range, summary, detail string) {
	t.report(id, at, summary, "%s", detail)
	t.typed = append(t.typed, at)
}

// optionProblems reports what a processor says of its own options.
func (t *typing) optionProblems(e *element, problems []engine.Problem) {
	for _, p := range problems {
		t.typeFinding(rules.ComponentRule, e.d.place(p.Option), p.Summary, p.Detail)
	}
}

// takerProblems reports what the converter of an output cannot write.
func (t *typing) takerProblems(e *element, part string, problems []engine.Problem) {
	i := slices.IndexFunc(e.converted, func(c converted) bool { return c.part == part })
	for _, p := range problems {
		at := e.block.DefRange()
		if i >= 0 {
			at = e.converted[i].d.place(p.Option)
		}
		t.typeFinding(rules.ComponentRule, at, p.Summary, p.Detail)
	}
}

// missing words that a part is not there which an expression reads: who took
// it away, or what to do so that it is there.
func (t *typing) missing(e *element, p expr.Problem) string {
	name := p.Root + "." + p.Path.String()
	if p.Path[0].IsIndex || strings.HasPrefix(p.Path.String(), "[") {
		name = p.Root + p.Path.String()
	}
	if by := t.taker(e, p.Root, p.Path); by != nil {
		return fmt.Sprintf("%s was %s. Read it before, or keep it until here.", name, t.takenBy(e, by, p.Root, p.Path))
	}
	detail := strings.TrimSpace(p.Detail)
	if src := t.source(e, map[*element]bool{}); src != nil && !strings.HasSuffix(detail, "?") {
		conv := src.Value
		if p.Root == "key" {
			conv = src.Key
		}
		detail += fmt.Sprintf(" If records have it, add it to the schema of %s", src.Address())
		if conv != nil && record.IsJSON(conv.Decoded()) {
			detail += ", or leave the schema out there: without one every field may be read"
		}
		detail += "."
	}
	return detail
}

// taker returns the element before e behind which a part is gone; nil if it
// never was there.
func (t *typing) taker(e *element, root string, p record.Path) *element {
	seen := make(map[*element]bool)
	var look func(e *element) *element
	look = func(e *element) *element {
		for _, f := range e.From {
			u := t.index[f.Element]
			if u == nil || u.Kind != engine.KindProcessor || seen[u] {
				continue
			}
			seen[u] = true
			if in := side(u.Types.In, root); f.Name != engine.ErrorsPort && in != nil && hasPath(in, p) {
				return u
			}
			if by := look(u); by != nil {
				return by
			}
		}
		return nil
	}
	return look(e)
}

func side(s engine.Schemas, root string) *schema.Schema {
	if root == "key" {
		return s.Key
	}
	return s.Value
}

// takenBy says what became of a part, by whom, and under which name it is there
// now.
func (t *typing) takenBy(e, by *element, root string, p record.Path) string {
	who := fmt.Sprintf("%s (%s)", by.Address(), whereOf(e, by))
	if root == "value" && by.Changes != nil {
		for _, m := range by.Changes.Moves {
			if to, ok := moved(p, m); ok {
				now := fmt.Sprintf("renamed to %s by %s", to, who)
				if hasPath(side(e.Types.In, root), to) {
					now += fmt.Sprintf(": write %s.%s", root, to)
				}
				return now
			}
		}
		if by.Changes.WholeValue {
			return "left out by " + who + ", which makes a new value"
		}
	}
	return "removed by " + who
}

// moved is where a rename takes a path.
func moved(p record.Path, m engine.Rename) (record.Path, bool) {
	if len(m.From) == 0 || len(m.From) > len(p) || !slices.Equal(m.From, p[:len(m.From)]) {
		return nil, false
	}
	return slices.Concat(m.To, p[len(m.From):]), true
}

// whereOf is the line of an element, with its file if it is another one.
func whereOf(e, by *element) string {
	at := by.block.DefRange()
	if e.block.DefRange().Filename == at.Filename {
		return fmt.Sprintf("line %d", at.Start.Line)
	}
	return fmt.Sprintf("%s:%d", at.Filename, at.Start.Line)
}

// source is the first input that records of an element come from.
func (t *typing) source(e *element, seen map[*element]bool) *element {
	for _, f := range e.From {
		u := t.index[f.Element]
		if u == nil || seen[u] {
			continue
		}
		seen[u] = true
		if u.Kind == engine.KindInput {
			return u
		}
		if src := t.source(u, seen); src != nil {
			return src
		}
	}
	return nil
}

// known reports whether a finding is one that the types of records gave
// already, in better words.
func (l *loader) known(d *hcl.Diagnostic) bool {
	switch rules.Of(d).Rule {
	case rules.ReadsGone, rules.RemovesGone:
	default:
		return false
	}
	return d.Subject != nil && slices.ContainsFunc(l.typed, func(at hcl.Range) bool { return at.Filename == d.Subject.Filename && at.Overlaps(*d.Subject) })
}
