package dsl

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// expression decodes an option whose value is the text of an expression.
func (d *decoder) expression(o *engine.Option, e hclsyntax.Expression) engine.Expression {
	want := expr.WantAny
	if o.Bool {
		want = expr.WantBool
	}
	m, ok := d.expressionText(e)
	if !ok {
		return engine.Expression{}
	}
	src, problems := d.env.Compile(m.text, want)
	d.problems(m, problems)
	if len(problems) > 0 || !d.mayShow(o, m.all, constantsOf(src)) {
		return engine.Expression{}
	}
	return engine.Expression{Source: d.guard(src, o.Shown)}
}

func constantsOf(src engine.ExpressionSource) []string {
	if s, ok := compiled(src); ok {
		return s.Constants()
	}
	return nil
}

// mayShow refuses a secret where people see the result (Invariant 7).
func (d *decoder) mayShow(o *engine.Option, at hcl.Range, constants []string) bool {
	if !o.Shown {
		return true
	}
	for _, name := range constants {
		if d.isSecretConstant(name) {
			d.fail(rules.SensitiveValue, at, fmt.Sprintf("%s would show a secret", o.Name), "People see what option %q gives, and %s is sensitive or comes from outside (env, file). Leave it out.", o.Name, name)
			return false
		}
	}
	return true
}

// expressionText returns the text of an expression: a literal string or
// heredoc, or a literal number, bool or null, which is a constant.
func (d *decoder) expressionText(e hclsyntax.Expression) (*mapped, bool) {
	m, part := d.literal(e)
	switch {
	case m != nil:
		return m, true
	case part != nil:
		d.interpolated(e, part)
		return nil, false
	}
	if text, ok := constantText(unwrapParens(e)); ok {
		m = d.newMapped(e.Range())
		m.addOpaque(text, e.Range())
		return m, true
	}
	d.fail(rules.UnquotedExpression, e.Range(), "expression is not in quotes", "Write the expression as text: \"%s\". It sees var.* and local.* itself.", strings.ReplaceAll(d.source(e.Range()), "\"", "'"))
	d.fix(d.quoteExpression(e.Range())...)
	return nil, false
}

// interpolated explains ${...} within an expression.
func (d *decoder) interpolated(whole, part hclsyntax.Expression) {
	inner := part
	if w, ok := part.(*hclsyntax.TemplateWrapExpr); ok {
		inner = w.Wrapped
	}
	d.fail(rules.Interpolation, inner.Range(), "interpolation in an expression",
		"Write %s in the expression itself, without ${ }: expressions see var.* and local.* as typed values, and nothing is pasted into their text.", d.source(inner.Range()))
	d.fix(d.unwrapInterpolation(whole, inner)...)
}

// constantText is the expression that a literal number, bool or null means.
func constantText(e hclsyntax.Expression) (string, bool) {
	switch e := e.(type) {
	case *hclsyntax.LiteralValueExpr:
		return literalText(e.Val)
	case *hclsyntax.UnaryOpExpr:
		if lit, ok := e.Val.(*hclsyntax.LiteralValueExpr); ok && e.Op == hclsyntax.OpNegate {
			text, ok := literalText(lit.Val)
			return "-" + text, ok && lit.Val.Type() == cty.Number
		}
	}
	return "", false
}

func literalText(v cty.Value) (string, bool) {
	switch {
	case v.IsNull():
		return "nil", true
	case v.Type() == cty.Bool:
		return fmt.Sprint(v.True()), true
	case v.Type() == cty.Number:
		return v.AsBigFloat().Text('f', -1), true
	}
	return "", false
}

var (
	loneName  = regexp.MustCompile(`^\s*[\pL_][\pL\pN_-]*\s*$`)
	constName = regexp.MustCompile(`\b(var|local)\.[A-Za-z_][A-Za-z0-9_]*`)
)

// problems reports what is wrong with the text of an expression or template,
// each at its place in the file.
func (d *decoder) problems(m *mapped, problems []expr.Problem) {
	if len(problems) > 0 {
		d.failed = true
	}
	if d.followsFailure(m.text) {
		return
	}
	for _, p := range problems {
		if hidden := d.hidden(p.Constants); hidden != "" {
			p.Detail = upperFirst(hidden) + "."
		}
		if loneName.MatchString(m.text) && strings.Contains(p.Summary, "nknown name") && !strings.Contains(p.Detail, "'"+strings.TrimSpace(m.text)+"'") {
			p.Detail += fmt.Sprintf(" A constant text needs quotes of its own: \"'%s'\".", strings.TrimSpace(m.text))
		}
		at := m.at(p.Offset, p.Length)
		d.fail(exprRules[p.Kind], at, lowerFirst(p.Summary), "%s%s", strings.TrimSpace(p.Detail), d.constantsIn(m.text, p))
		d.fix(d.respell(m, p)...)
	}
}

// constantsIn says what the variables and locals within a mistake are.
func (d *decoder) constantsIn(text string, p expr.Problem) string {
	from := min(max(p.Offset, 0), len(text))
	part := text[from:min(from+max(p.Length, 0), len(text))]
	var ts []hcl.Traversal
	for _, name := range constName.FindAllString(part, -1) {
		root, member, _ := strings.Cut(name, ".")
		if root == "var" && d.variables[member] != nil || root == "local" && d.locals[member] != nil {
			ts = append(ts, hcl.Traversal{hcl.TraverseRoot{Name: root}, hcl.TraverseAttr{Name: member}})
		}
	}
	return d.valuesAt(ts)
}

// followsFailure reports whether a text uses a variable, local or function
// that has a mistake of its own, which is reported already.
func (d *decoder) followsFailure(text string) bool {
	for _, name := range constName.FindAllString(text, -1) {
		if d.loader.failed[name] {
			return true
		}
	}
	for _, c := range call.FindAllString(text, -1) {
		if d.loader.failed[functionKey(calledName(c))] {
			return true
		}
	}
	return false
}

// pair is one item of an object that is written out.
type pair struct {
	key  *mapped
	expr hclsyntax.Expression
}

// pairs returns the items of an object in the order of the file.
func (d *decoder) pairs(o *engine.Option, e hclsyntax.Expression, path, form string) []pair {
	obj, ok := unwrapParens(e).(*hclsyntax.ObjectConsExpr)
	if !ok {
		d.fail(rules.NotWrittenOut, e.Range(), fmt.Sprintf("option %q must be written out", o.Name), "Write it as %s = { %s }, so that its order and its places are known.", o.Name, form)
		return nil
	}
	var out []pair
	seen := make(map[string]hcl.Range)
	for _, item := range obj.Items {
		key, ok := d.key(item.KeyExpr, form)
		if !ok {
			continue
		}
		if first, dup := seen[key.text]; dup {
			d.fail(rules.GivenTwice, key.all, fmt.Sprintf("%s is there twice", shown(key.text)), "The first stands at %s. Remove one of the two.", place(first))
			continue
		}
		seen[key.text] = key.all
		d.places[entryPath(path, key.text)] = key.all
		out = append(out, pair{key, item.ValueExpr})
	}
	return out
}

// key returns the text of an object's key: a bare name or a literal string.
func (d *decoder) key(e hclsyntax.Expression, form string) (*mapped, bool) {
	if k, ok := e.(*hclsyntax.ObjectConsKeyExpr); ok {
		if name := hcl.ExprAsKeyword(k.Wrapped); name != "" && !k.ForceNonLiteral {
			m := d.newMapped(e.Range())
			for i := range len(name) {
				m.start, m.end = append(m.start, m.all.Start.Byte+i), append(m.end, m.all.Start.Byte+i+1)
			}
			m.text = name
			return m, true
		}
		e = k.Wrapped
	}
	if m, _ := d.literal(e); m != nil {
		return m, true
	}
	d.fail(rules.NotWrittenOut, e.Range(), "key is no plain name", "Write a name or a text in quotes: { %s }. A path with a dot needs the quotes.", form)
	return nil, false
}

func (d *decoder) assignments(o *engine.Option, e hclsyntax.Expression, path string) engine.Assignments {
	var out engine.Assignments
	for _, p := range d.pairs(o, e, path, `"customer.email" = "lower(value.mail)"`) {
		target := d.keyPath(p.key)
		x := d.expression(o, p.expr)
		out = append(out, engine.Assignment{Path: target, Expr: x})
	}
	return out
}

func (d *decoder) namedExpressions(o *engine.Option, e hclsyntax.Expression, path string) engine.NamedExpressions {
	var out engine.NamedExpressions
	for _, p := range d.pairs(o, e, path, `source = "'orders'"`) {
		x := d.expression(o, p.expr)
		out = append(out, engine.NamedExpression{Name: p.key.text, Expr: x})
	}
	return out
}

func (d *decoder) renames(o *engine.Option, e hclsyntax.Expression, path string) engine.Renames {
	var out engine.Renames
	for _, p := range d.pairs(o, e, path, `old = "new"`) {
		from := d.keyPath(p.key)
		var to engine.PathOption
		val, ok := d.eval(p.expr)
		if !ok {
			d.failed = true
			continue
		}
		if val, _ = val.UnmarkDeep(); !val.IsWhollyKnown() {
			d.failed = true
			continue
		}
		if val.IsNull() {
			d.fail(rules.NullOption, p.expr.Range(), "new name is null", "Write the new path as text. To remove a member, use remove.")
			continue
		}
		if s, ok := d.text(&engine.Option{Name: o.Name, Type: "path"}, val, p.expr); ok {
			to.Path = d.path(s, p.expr)
		}
		out = append(out, engine.Rename{From: from, To: to.Path})
	}
	return out
}

func (d *decoder) keyPath(m *mapped) record.Path {
	p, err := record.ParsePath(m.text)
	if err != nil {
		d.badPath(err, m.text, m.at)
		return nil
	}
	return p
}
