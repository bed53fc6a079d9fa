package dsl

import (
	"errors"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// guardedSource and guardedTemplate take secrets out of the errors of running
// expressions: an error may quote a value, and the value may be a sensitive
// variable or a password from the environment (Invariant 7). What an expression
// makes of a secret cannot be found in a text, so one that refers to a secret
// says nothing but that it failed. Only configs with secrets pay, and only on errors
// and where people see the result, which a record may have brought a secret into.
type guardedSource struct {
	*expr.Source
	scrub func(string) string
	shown func(string) string // cleans the result; nil: nobody sees it
}

type guardedTemplate struct {
	*expr.Template
	scrub func(string) string
	shown func(string) string
}

// scrubber returns what cleans the errors of an expression that refers to
// these constants.
func (l *loader) scrubber(constants []string) func(string) string {
	if hidden := l.hidden(constants); hidden != "" {
		return func(string) string { return hidden }
	}
	return l.scrub
}

// hidden is what stands in the place of an error that may hold what was made
// of a secret, "" if none of the constants is one.
func (l *loader) hidden(constants []string) string {
	var secret []string
	for _, name := range constants {
		if l.isSecretConstant(name) && !slices.Contains(secret, name) {
			secret = append(secret, name)
		}
	}
	if len(secret) == 0 {
		return ""
	}
	return "the expression failed; why is not shown, since it uses " + strings.Join(secret, " and ") + ", which may be a secret"
}

// isSecretConstant reports whether var.x or local.x, or anything below var or
// local, is marked.
func (l *loader) isSecretConstant(name string) bool {
	root, member, _ := strings.Cut(name, ".")
	if root == "var" {
		for _, v := range l.variables {
			if (member == "" || v.name == member) && v.value != cty.NilVal && v.value.ContainsMarked() {
				return true
			}
		}
		return false
	}
	for _, v := range l.locals {
		if (member == "" || v.name == member) && v.value != cty.NilVal && v.value.ContainsMarked() {
			return true
		}
	}
	return false
}

// guard wraps what the compiler made, if the config holds secrets. shown: people
// see the result.
func (l *loader) guard(src engine.ExpressionSource, shown bool) engine.ExpressionSource {
	if s, ok := src.(*expr.Source); ok && l.holdsSecrets() {
		return guardedSource{s, l.scrubber(s.Constants()), l.hider(shown)}
	}
	return src
}

// hider returns what cleans a result, nil if nobody sees it.
func (l *loader) hider(shown bool) func(string) string {
	if !shown {
		return nil
	}
	return l.hide
}

// hide takes sensitive values out of a text, also where they stand in a JSON
// string.
func (l *loader) hide(text string) string {
	for _, secret := range l.secrets {
		if len(secret) <= 2 {
			continue
		}
		text = strings.ReplaceAll(text, secret, "(secret)")
		quoted := string(record.AppendQuoted(nil, []byte(secret)))
		text = strings.ReplaceAll(text, quoted[1:len(quoted)-1], "(secret)")
	}
	return text
}

func (l *loader) guardTemplate(src engine.TemplateSource, shown bool) engine.TemplateSource {
	if t, ok := src.(*expr.Template); ok && l.holdsSecrets() {
		var constants []string
		for _, hole := range t.Holes() {
			constants = append(constants, hole.Constants()...)
		}
		return guardedTemplate{t, l.scrubber(constants), l.hider(shown)}
	}
	return src
}

// compiled returns the compiler's own type behind a guard.
func compiled(src engine.ExpressionSource) (*expr.Source, bool) {
	if g, ok := src.(guardedSource); ok {
		return g.Source, true
	}
	s, ok := src.(*expr.Source)
	return s, ok
}

func compiledTemplate(src engine.TemplateSource) (*expr.Template, bool) {
	if g, ok := src.(guardedTemplate); ok {
		return g.Template, true
	}
	t, ok := src.(*expr.Template)
	return t, ok
}

// Bind implements engine.ExpressionSource.
func (g guardedSource) Bind(l *record.Layout) (engine.Program, error) {
	p, err := g.Source.Bind(l)
	if err != nil {
		return nil, err
	}
	return guardedProgram{p, g.scrub, g.shown}, nil
}

// Bind implements engine.TemplateSource.
func (g guardedTemplate) Bind(l *record.Layout) (engine.TemplateProgram, error) {
	p, err := g.Template.Bind(l)
	if err != nil {
		return nil, err
	}
	return guardedTemplateProgram{p, g.scrub, g.shown}, nil
}

type guardedProgram struct {
	program engine.Program
	scrub   func(string) string
	shown   func(string) string
}

func (g guardedProgram) Eval(r *record.Record) (record.Value, error) {
	v, err := g.program.Eval(r)
	if err != nil || g.shown == nil {
		return v, g.clean(err)
	}
	text, err := v.AppendText(nil)
	if err != nil {
		return v, nil // the caller finds out what it is
	}
	if clean := g.shown(string(text)); clean != string(text) {
		return record.StringValue(clean), nil
	}
	return v, nil
}

func (g guardedProgram) Test(r *record.Record) (bool, error) {
	ok, err := g.program.Test(r)
	return ok, g.clean(err)
}

func (g guardedProgram) clean(err error) error { return cleaned(err, g.scrub) }

type guardedTemplateProgram struct {
	program engine.TemplateProgram
	scrub   func(string) string
	shown   func(string) string
}

func (g guardedTemplateProgram) Append(dst []byte, r *record.Record) ([]byte, error) {
	out, err := g.program.Append(dst, r)
	if err == nil && g.shown != nil {
		out = append(out[:len(dst)], g.shown(string(out[len(dst):]))...)
	}
	return out, cleaned(err, g.scrub)
}

// cleaned keeps an error that quotes no secret as it is.
func cleaned(err error, scrub func(string) string) error {
	if err == nil {
		return nil
	}
	if text := scrub(err.Error()); text != err.Error() {
		return errors.New(text)
	}
	return err
}
