package dsl

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/dsl/lint"
	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
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
		detail = t.missing(e, missing{p.Root, p.Path, p.Whole, detail, p.Kind != expr.KindNoMember, false})
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
		t.problem(rules.OptionMisfit, e, e.d.place(p.Option), p)
	}
}

// outputProblems reports what an output itself cannot write.
func (t *typing) outputProblems(e *element, problems []engine.Problem) {
	for _, p := range problems {
		t.problem(rules.OutputMisfit, e, e.d.place(p.Option), p)
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
		p.InKey = part == "key"
		t.problem(rules.OutputMisfit, e, at, p)
	}
}

// problem reports what an option does not go with; one that names a field which
// is not there has a rule of its own.
func (t *typing) problem(id rules.ID, e *element, at hcl.Range, p engine.Problem) {
	detail := p.Detail
	if p.Missing != nil {
		id, detail = rules.OptionNoField, t.unknownField(e, p)
	}
	t.typeFinding(id, at, p.Summary, detail)
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
