package dsl

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
)

// template decodes text with {{ }} holes. HCL's own ${ } may stand in it; what
// it gives is literal text, never part of a hole.
func (d *decoder) template(o *engine.Option, e hclsyntax.Expression) engine.Template {
	d.blotURLs(e)
	t := templateText{decoder: d, option: o, mapped: d.newMapped(e.Range())}
	if !t.read(unwrapParens(e)) {
		return engine.Template{}
	}
	m := t.mapped
	if o.Destination && m.heredoc() {
		for strings.HasSuffix(m.text, "\n") { // the end of the heredoc, not of the name
			m.text = m.text[:len(m.text)-1]
		}
	}
	src, problems := d.env.CompileTemplate(m.text)
	if at, ok := t.pasted(problems); ok {
		d.fail(rules.Interpolation, at, "interpolation in a hole", "Write %s in the hole itself, without ${ }: expressions see var.* and local.* as typed values, and nothing is pasted into their text.", d.source(at))
		return engine.Template{}
	}
	d.problems(m, problems)
	if len(problems) > 0 {
		return engine.Template{}
	}
	if t, ok := src.(*expr.Template); ok && !d.mayShow(o, m.all, t.Constants()) {
		return engine.Template{}
	}
	if t, ok := src.(*expr.Template); ok && o.URL {
		src = t.ForURL()
	}
	return engine.Template{Source: d.guardTemplate(src, o.Shown)}
}

// templateText collects the text of a template.
type templateText struct {
	*decoder
	option *engine.Option
	mapped *mapped
	// suspects are values in front of which the template does not compile:
	// they stand in a hole, or behind a hole with a mistake.
	suspects []hcl.Range
}

// read returns false after a mistake, and for a null.
func (t *templateText) read(e hclsyntax.Expression) bool {
	if m, _ := t.literal(e); m != nil {
		t.mapped = m
		return true
	}
	text, ok := e.(*hclsyntax.TemplateExpr)
	if !ok {
		return t.value(e, true)
	}
	for _, p := range text.Parts {
		if lit, ok := p.(*hclsyntax.LiteralValueExpr); ok && lit.Val.Type() == cty.String {
			t.mapped.addLiteral(lit)
		} else if !t.value(p, false) {
			return false
		}
	}
	return true
}

// value appends what an HCL expression gives as literal text. whole: it is all
// of the option, so that a null stands for its absence.
func (t *templateText) value(e hclsyntax.Expression, whole bool) bool {
	name := t.option.Name
	val, ok := t.eval(e)
	if !ok {
		t.failed = true
		return false
	}
	val, marks := val.UnmarkDeep()
	if isSecret(marks) {
		t.fail(rules.SensitiveValue, e.Range(), fmt.Sprintf("sensitive value in option %q", name), "This option is shown in logs and by explain, so it cannot hold a secret.")
		return false
	}
	text, err := convert.Convert(val, cty.String)
	switch {
	case !val.IsWhollyKnown():
		t.failed = true
		return false
	case whole && val.IsNull():
		if t.option.Required {
			t.fail(rules.NullOption, e.Range(), fmt.Sprintf("option %q is null", name), "Give it %s.%s", article(t.option.Type), exampleOf(t.option))
		}
		return false
	case err != nil || text.IsNull():
		t.fail(rules.WrongType, e.Range(), fmt.Sprintf("option %q must be a template", name), "Text is needed here, and this is %s.%s", article(typeText(val)), exampleOf(t.option))
		return false
	}
	s := text.AsString()
	if strings.Contains(s, "{{") || strings.HasPrefix(s, "{") || strings.HasSuffix(s, "{") {
		t.fail(rules.HoleOutside, e.Range(), "hole outside the template", "A hole {{ }} must stand in the string of the option itself; what var, local and functions give is literal text.")
		return false
	}
	if strings.Contains(t.mapped.text, "{{") {
		if _, problems := t.env.CompileTemplate(t.mapped.text); len(problems) > 0 {
			t.suspects = append(t.suspects, e.Range())
		}
	}
	t.mapped.addOpaque(s, e.Range())
	return true
}

// pasted returns the value that stands in a hole, where its text would become
// part of an expression.
func (t *templateText) pasted(problems []expr.Problem) (hcl.Range, bool) {
	for _, at := range t.suspects {
		if len(problems) == 0 {
			return at, true
		}
		for _, p := range problems {
			if t.mapped.at(p.Offset, p.Length).Overlaps(at) {
				return at, true
			}
		}
	}
	return hcl.Range{}, false
}
