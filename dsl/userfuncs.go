package dsl

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/dsl/rules"
)

// functionKey is a function's name in loader.failed.
func functionKey(name string) string { return "function " + name }

// userFunction is one function block.
type userFunction struct {
	name   string
	block  *hclsyntax.Block
	params []string
	body   *mapped
	state  int // 0 not begun, 1 being added, 2 done
}

func (l *loader) declareFunction(b *hclsyntax.Block) {
	if !l.labels(b, blockUse("function"), 1) || !l.identifier(b.Labels[0], b.LabelRanges[0]) {
		return
	}
	name := b.Labels[0]
	if first, dup := l.funcs[name]; dup {
		l.duplicate(fmt.Sprintf("function %q", name), b.LabelRanges[0], first.block.LabelRanges[0])
		return
	}
	f := &userFunction{name: name, block: b}
	l.funcs[name] = f
	l.funcList = append(l.funcList, f)
	l.only(b.Body, "function", []string{"params", "result", "description"}, nil)
}

// compileFunctions builds what expressions see: constants, then functions,
// each after those that it calls.
func (l *loader) compileFunctions() {
	l.env = expr.NewEnv()
	vars, locals := make(map[string]any), make(map[string]any)
	for name, v := range l.variables {
		vars[name] = nil
		if v.value != cty.NilVal {
			vars[name] = goValue(v.value)
		}
	}
	for name, n := range l.locals {
		locals[name] = nil
		if n.value != cty.NilVal {
			locals[name] = goValue(n.value)
		}
	}
	l.env.SetConst("var", vars)
	l.env.SetConst("local", locals)
	for _, f := range l.funcList {
		l.functionParts(f)
	}
	for _, f := range l.funcList {
		l.compileFunction(f, nil)
	}
}

// functionParts reads params and result.
func (l *loader) functionParts(f *userFunction) {
	d := l.newDecoder(fmt.Sprintf("function %q", f.name), f.block)
	l.failed[functionKey(f.name)] = true // until it is compiled
	if a := f.block.Body.Attributes["params"]; a != nil {
		f.params = d.params(a.Expr)
	}
	result := f.block.Body.Attributes["result"]
	if result == nil {
		l.report(rules.MissingOption, f.block.DefRange(), "option \"result\" is missing", "A function needs it: the expression that it gives. For example: result = \"lower(s)\"")
		return
	}
	if body, ok := d.expressionText(result.Expr); ok && !d.failed {
		f.body = body
	}
}

func (d *decoder) params(e hclsyntax.Expression) []string {
	t, ok := unwrapParens(e).(*hclsyntax.TupleConsExpr)
	if !ok {
		d.fail(rules.WrongParameter, e.Range(), "option \"params\" must be a list of names", "For example: params = [\"s\", \"n\"]")
		return nil
	}
	var names []string
	for _, p := range t.Exprs {
		m, _ := d.literal(p)
		switch {
		case m == nil:
			d.fail(rules.WrongParameter, p.Range(), "parameter is no name", "Write it in quotes: params = [\"s\"]")
		case !isIdentifier(m.text):
			d.fail(rules.WrongParameter, m.all, fmt.Sprintf("%q is no name", m.text), "A parameter begins with a letter or _ and goes on with letters, digits and _.")
		case slices.Contains(names, m.text):
			d.fail(rules.WrongParameter, m.all, fmt.Sprintf("parameter %q is there twice", m.text), "Choose another name.")
		default:
			names = append(names, m.text)
		}
	}
	return names
}

var call = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*\s*\(`)

func (l *loader) compileFunction(f *userFunction, path []*userFunction) {
	if f.state == 2 || f.body == nil {
		return
	}
	if f.state == 1 {
		i := slices.Index(path, f)
		var names []string
		for _, p := range append(path[i:], f) {
			names = append(names, p.name)
		}
		l.report(rules.Circle, f.block.DefRange(), "functions call each other in a circle", "%s. A function cannot lead back to itself.", strings.Join(names, " -> "))
		for _, p := range path[i:] {
			p.state = 2
		}
		return
	}
	f.state = 1
	for _, c := range call.FindAllString(f.body.text, -1) {
		if dep := l.funcs[calledName(c)]; dep != nil {
			l.compileFunction(dep, append(path, f))
		}
	}
	if f.state == 2 {
		return // part of a circle
	}
	f.state = 2
	d := l.newDecoder("the function", f.block)
	problems := l.env.AddFunction(f.name, f.params, f.body.text)
	if len(problems) == 0 {
		delete(l.failed, functionKey(f.name))
		return
	}
	for _, p := range problems {
		if p.Kind == expr.KindExists {
			l.report(rules.ReservedFunction, f.block.LabelRanges[0], fmt.Sprintf("function %q exists already", f.name), "It is one of the language's own. Choose another name.")
			return
		}
	}
	l.failed[functionKey(f.name)] = false // its own mistakes are to be seen
	d.problems(f.body, problems)
	l.failed[functionKey(f.name)] = true
}

// calledName is the name in a match of call.
func calledName(match string) string {
	return strings.TrimSpace(strings.TrimSuffix(match, "("))
}
