package dsl

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/flowrecords/flow/dsl/rules"
)

// mark says of a value where it comes from.
type mark string

const (
	// sensitiveMark: never shown, and refused where the option would be shown.
	sensitiveMark mark = "sensitive"
	// outsideMark: from the environment or a file. It may be a password, so it
	// is not shown, but it may go anywhere.
	outsideMark mark = "outside"
)

// local is one name of a locals block.
type local struct {
	name  string
	attr  *hclsyntax.Attribute
	value cty.Value
	state int // 0 not begun, 1 being evaluated, 2 done
}

func (l *loader) declareLocals(b *hclsyntax.Block) {
	if !l.labels(b, "locals", 0) {
		return
	}
	for _, inner := range b.Body.Blocks {
		l.report(rules.UnknownBlock, inner.TypeRange, fmt.Sprintf("unknown block %q", inner.Type), "A locals block holds name = value pairs only.")
	}
	for _, a := range sortedAttrs(b.Body) {
		if !l.identifier(a.Name, a.NameRange) {
			continue
		}
		if first, dup := l.locals[a.Name]; dup {
			l.duplicate(fmt.Sprintf("local %q", a.Name), a.NameRange, first.attr.NameRange)
			continue
		}
		n := &local{name: a.Name, attr: a}
		l.locals[a.Name] = n
		l.localList = append(l.localList, n)
	}
}

// evalLocals evaluates the locals, each after those that it refers to.
func (l *loader) evalLocals() {
	for _, n := range l.localList {
		l.evalLocal(n, nil)
	}
	l.setContext()
}

func (l *loader) evalLocal(n *local, path []*local) {
	switch n.state {
	case 2:
		return
	case 1:
		i := slices.Index(path, n)
		names := make([]string, 0, len(path)-i+1)
		for _, p := range append(path[i:], n) {
			names = append(names, "local."+p.name)
		}
		l.report(rules.Circle, n.attr.NameRange, "locals refer to each other in a circle", "%s. Break the circle.", strings.Join(names, " -> "))
		l.failed["local."+n.name] = true
		return
	}
	n.state = 1
	for _, t := range sortedTraversals(n.attr.Expr) {
		if t.RootName() == "local" {
			if dep := l.locals[secondName(t)]; dep != nil {
				l.evalLocal(dep, append(path, n))
			}
		}
	}
	n.state = 2
	if l.failed["local."+n.name] {
		return
	}
	l.setContext()
	val, ok := l.eval(n.attr.Expr)
	if !ok || !val.IsWhollyKnown() {
		l.failed["local."+n.name] = true
		return
	}
	n.value = val
	if _, marks := val.UnmarkDeep(); isSecret(marks) {
		l.rememberSecrets(val)
	}
}

// setContext makes the values known so far visible. What failed is unknown,
// so that its users are not reported too.
func (l *loader) setContext() {
	vars, locals := make(map[string]cty.Value), make(map[string]cty.Value)
	for name, v := range l.variables {
		vars[name] = cty.DynamicVal
		if v.value != cty.NilVal {
			vars[name] = v.value
		}
	}
	for name, n := range l.locals {
		locals[name] = cty.DynamicVal
		if n.value != cty.NilVal {
			locals[name] = n.value
		}
	}
	l.ctx.Variables = map[string]cty.Value{"var": cty.ObjectVal(vars), "local": cty.ObjectVal(locals)}
}

// eval evaluates an HCL expression with variables, locals and functions. It
// reports all mistakes and returns false then.
func (l *loader) eval(e hclsyntax.Expression) (cty.Value, bool) {
	if !l.checkReferences(e) {
		return cty.NilVal, false
	}
	return l.value(e, l.ctx)
}

// constant evaluates an expression that may refer to nothing.
func (l *loader) constant(e hclsyntax.Expression, ctx *hcl.EvalContext) (cty.Value, bool) {
	if ts := sortedTraversals(e); len(ts) > 0 {
		l.report(rules.NotConstant, ts[0].SourceRange(), "value is not constant", "This value is needed before variables and locals have theirs, so it can refer to none.%s", l.loneHint(ts[0]))
		return cty.NilVal, false
	}
	return l.value(e, ctx)
}

func (l *loader) value(e hclsyntax.Expression, ctx *hcl.EvalContext) (cty.Value, bool) {
	l.blotSecretCalls(e)
	val, diags := e.Value(ctx)
	for _, d := range diags {
		l.add(plainEval(d))
	}
	return val, !diags.HasErrors()
}

// checkReferences reports references to what does not exist.
func (l *loader) checkReferences(e hclsyntax.Expression) bool {
	ok := true
	for _, t := range sortedTraversals(e) {
		if !l.checkReference(t) {
			ok = false
		}
	}
	return ok
}

// recordNames are what expressions see of a record.
var recordNames = []string{"value", "key", "headers", "topic", "partition", "offset", "timestamp", "meta"}

func (l *loader) checkReference(t hcl.Traversal) bool {
	root := t.RootName()
	switch {
	case root == "var":
		return l.checkMember(t, "variable", slices.Sorted(maps.Keys(l.variables)))
	case root == "local":
		return l.checkMember(t, "local", slices.Sorted(maps.Keys(l.locals)))
	case root == "connection":
		l.report(rules.MisplacedReference, t.SourceRange(), "connection in the wrong place", "A connection can only be given to the option that asks for one, by itself: connection = connection.TYPE.NAME")
	case root == "schema":
		l.report(rules.MisplacedReference, t.SourceRange(), "schema in the wrong place", "A schema can only be given to an option that asks for one, by itself: schema = schema.NAME")
	case root == "input" || root == "processor" || root == "output" || root == "errors":
		l.report(rules.MisplacedReference, t.SourceRange(), "element in the wrong place", "Elements are referred to in from only: from = [%s]", traversalText(t))
	case slices.Contains(recordNames, root):
		l.report(rules.MisplacedReference, t.SourceRange(), fmt.Sprintf("%q exists only while records flow", root),
			"Only fixed values can stand here. An option that takes an expression takes it as text in quotes, and a template holds it in {{ }}.")
	default:
		l.report(rules.UnknownName, t.SourceRange(), fmt.Sprintf("unknown name %q", root), "Values come from var.NAME, local.NAME and functions.%s", l.quotesHint(t))
	}
	return false
}

// loneHint is quotesHint for a name by itself.
func (l *loader) loneHint(t hcl.Traversal) string {
	if len(t) > 1 {
		return ""
	}
	return l.quotesHint(t)
}

// quotesHint suggests what a lone name was meant to be.
func (l *loader) quotesHint(t hcl.Traversal) string {
	root := t.RootName()
	if l.variables[root] != nil {
		return fmt.Sprintf(" Did you mean var.%s?", root)
	}
	if l.locals[root] != nil {
		return fmt.Sprintf(" Did you mean local.%s?", root)
	}
	if len(t) == 1 {
		return fmt.Sprintf(" A text needs quotes: %q", root)
	}
	if near := nearest(root, []string{"var", "local"}); near != "" {
		return fmt.Sprintf(" Did you mean %s.%s?", near, secondName(t))
	}
	return ""
}

// unknown is the rule for each kind of name.
var unknown = map[string]rules.ID{"variable": rules.UnknownVariable, "local": rules.UnknownLocal}

func (l *loader) checkMember(t hcl.Traversal, what string, names []string) bool {
	if len(t) < 2 {
		l.report(rules.UnknownName, t.SourceRange(), fmt.Sprintf("%s without a name", t.RootName()), "Write %s.NAME.", t.RootName())
		return false
	}
	name := secondName(t)
	if slices.Contains(names, name) {
		return true
	}
	detail := fmt.Sprintf("No %s block declares it.", what)
	if what == "local" {
		detail = "No locals block declares it."
	}
	if near := nearest(name, names); near != "" {
		detail += fmt.Sprintf(" Did you mean %s.%s?", t.RootName(), near)
	} else if len(names) > 0 && len(names) <= 8 {
		detail += fmt.Sprintf(" There is %s.", list(names))
	}
	l.report(unknown[what], t[:2].SourceRange(), fmt.Sprintf("unknown %s %q", what, name), "%s", detail)
	return false
}

func secondName(t hcl.Traversal) string {
	if len(t) < 2 {
		return ""
	}
	switch s := t[1].(type) {
	case hcl.TraverseAttr:
		return s.Name
	case hcl.TraverseIndex:
		if s.Key.Type() == cty.String && s.Key.IsKnown() && !s.Key.IsNull() {
			return s.Key.AsString()
		}
	}
	return ""
}

func traversalText(t hcl.Traversal) string {
	var b strings.Builder
	for _, s := range t {
		switch s := s.(type) {
		case hcl.TraverseRoot:
			b.WriteString(s.Name)
		case hcl.TraverseAttr:
			b.WriteString("." + s.Name)
		case hcl.TraverseIndex:
			b.WriteString("[...]")
		}
	}
	return b.String()
}

func sortedTraversals(e hclsyntax.Expression) []hcl.Traversal {
	ts := e.Variables()
	slices.SortStableFunc(ts, func(a, b hcl.Traversal) int {
		return cmp.Compare(a.SourceRange().Start.Byte, b.SourceRange().Start.Byte)
	})
	return ts
}

// goValue turns a value into what the expression compiler takes as a constant.
func goValue(v cty.Value) any {
	v, _ = v.UnmarkDeep()
	if !v.IsKnown() || v.IsNull() {
		return nil
	}
	t := v.Type()
	switch {
	case t == cty.String:
		return v.AsString()
	case t == cty.Bool:
		return v.True()
	case t == cty.Number:
		return goNumber(v.AsBigFloat())
	case t.IsListType() || t.IsSetType() || t.IsTupleType():
		out := make([]any, 0, v.LengthInt())
		for it := v.ElementIterator(); it.Next(); {
			_, e := it.Element()
			out = append(out, goValue(e))
		}
		return out
	case t.IsMapType() || t.IsObjectType():
		out := make(map[string]any, v.LengthInt())
		for it := v.ElementIterator(); it.Next(); {
			k, e := it.Element()
			out[k.AsString()] = goValue(e)
		}
		return out
	}
	return nil
}

func goNumber(f *big.Float) any {
	if i, acc := f.Int64(); acc == big.Exact {
		return int(i)
	}
	x, _ := f.Float64()
	return x
}

// only reports attributes and blocks of a fixed block that it does not have.
func (l *loader) only(body *hclsyntax.Body, what string, attrs, blocks []string) {
	all := append(slices.Clone(attrs), blocks...)
	for _, a := range sortedAttrs(body) {
		switch {
		case slices.Contains(attrs, a.Name):
		case slices.Contains(blocks, a.Name):
			l.report(rules.BlockOrOption, a.NameRange, fmt.Sprintf("%q is a block", a.Name), "Write it without the equals sign: %s { ... }", a.Name)
		default:
			l.report(rules.UnknownOption, a.NameRange, fmt.Sprintf("unknown option %q", a.Name), "A %s has %s.%s", what, list(all), didYouMean(a.Name, all))
		}
	}
	for _, b := range body.Blocks {
		switch {
		case slices.Contains(blocks, b.Type):
		case slices.Contains(attrs, b.Type):
			l.report(rules.BlockOrOption, b.TypeRange, fmt.Sprintf("%q is no block", b.Type), "Write it with an equals sign: %s = ...", b.Type)
		default:
			l.report(rules.UnknownBlock, b.TypeRange, fmt.Sprintf("unknown block %q", b.Type), "A %s has %s.%s", what, list(all), didYouMean(b.Type, all))
		}
	}
}

func isSecret(marks cty.ValueMarks) bool {
	_, ok := marks[sensitiveMark]
	return ok
}
