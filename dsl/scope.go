package dsl

import (
	"slices"

	"github.com/zclconf/go-cty/cty"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Scope is what the expressions of a config see beside the record: variables,
// locals and functions. It compiles further expressions, which stand in no
// file, as the config's own. It belongs to one goroutine.
type Scope struct{ l *loader }

// Scope returns what expressions see. It is of use only without errors.
func (r *Result) Scope() *Scope { return r.scope }

// Constant is a variable or local as expressions see it.
type Constant struct {
	// Name with its root: var.limit.
	Name string
	// Value is what encoding/json would give, with int for whole numbers; nil
	// for a secret (Invariant 7).
	Value  any
	Secret bool
}

// Constants returns all variables, then all locals, each sorted by name.
func (s *Scope) Constants() []Constant {
	var out []Constant
	add := func(name string, v cty.Value) {
		c := Constant{Name: name}
		switch {
		case v == cty.NilVal:
		case v.ContainsMarked():
			c.Secret = true
		default:
			c.Value = goValue(v)
		}
		out = append(out, c)
	}
	for _, name := range names(s.l.variables) {
		add("var."+name, s.l.variables[name].value)
	}
	for _, name := range names(s.l.locals) {
		add("local."+name, s.l.locals[name].value)
	}
	return out
}

// Function is a function that the config declares.
type Function struct {
	Name   string
	Params []string
	// Body is its expression, Description what the config says of it.
	Body, Description string
}

// Functions returns the config's functions in the order of the files.
func (s *Scope) Functions() []Function {
	var out []Function
	for _, f := range s.l.funcList {
		if f.body == nil {
			continue
		}
		d := Function{Name: f.name, Params: slices.Clone(f.params), Body: f.body.text}
		if a := f.block.Body.Attributes["description"]; a != nil {
			if m, _ := s.l.literal(a.Expr); m != nil {
				d.Description = m.text
			}
		}
		out = append(out, d)
	}
	return out
}

// Compiled is an expression of Scope.Compile.
type Compiled struct {
	// Source runs it, under the guard of the config's secrets.
	engine.ExpressionSource
	Mode expr.Mode
	// Deterministic as expr.Source.Deterministic.
	Deterministic bool
	// ValuePaths as expr.Source.ValuePaths.
	ValuePaths []record.Path
	// Secrets are the constants that the expression refers to and that may be
	// secrets. What it makes of them cannot be told from other text, so a
	// result must not be shown if there is one (Invariant 7).
	Secrets []string
}

// Compile checks an expression. With problems the result is nil.
func (s *Scope) Compile(text string) (*Compiled, []expr.Problem) {
	src, problems := s.l.env.Compile(text, expr.WantAny)
	if len(problems) > 0 {
		return nil, s.clean(problems)
	}
	c := &Compiled{ExpressionSource: s.l.guard(src, false)}
	if own, ok := compiled(src); ok {
		c.Mode, c.Deterministic, c.ValuePaths = own.Mode(), own.Deterministic(), own.ValuePaths()
		for _, name := range own.Constants() {
			if s.l.isSecretConstant(name) {
				c.Secrets = append(c.Secrets, name)
			}
		}
	}
	return c, nil
}

// Type returns the type of an expression's result in the words of the
// language, as far as it is known before a record is there: "any" if not.
func (s *Scope) Type(text string) (string, []expr.Problem) {
	word, problems := s.l.env.TypeOf(text)
	return word, s.clean(problems)
}

// clean takes secrets out of what is wrong with an expression.
func (s *Scope) clean(problems []expr.Problem) []expr.Problem {
	for i := range problems {
		p := &problems[i]
		if hidden := s.l.hidden(p.Constants); hidden != "" {
			p.Detail = upperFirst(hidden) + "."
		}
		p.Summary, p.Detail = s.l.scrub(p.Summary), s.l.scrub(p.Detail)
	}
	return problems
}

// Scrub takes secrets out of a message (Invariant 7).
func (s *Scope) Scrub(text string) string { return s.l.scrub(text) }

// Hide takes sensitive values out of a text that is shown, such as a record
// that a processor put one into; also where they stand in a JSON string.
func (s *Scope) Hide(text string) string { return s.l.hide(text) }
