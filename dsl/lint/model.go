// Package lint holds the rules about configs that compile and are most likely
// not meant: see dsl/rules for their pages. It is pure: it sees a Config, a
// model that package dsl builds of what it compiled, and answers with
// findings.
//
// Rules judge by what components say of themselves (their options, Delivery,
// Changes, Files), never by the name of a component, so that they hold for
// those that are not written yet. A rule that is not sure says nothing.
package lint

import (
	"reflect"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Config is what was compiled, with the place of everything.
type Config struct {
	Pipelines []*Pipeline
	// Declarations are the variables, locals, functions, connections and schemas
	// in the order of the files.
	Declarations []*Declaration
	// Uses are what the pipelines refer to, by Declaration.Address. "var" and
	// "local" alone stand for all below them.
	Uses []string
	// Whole: the config has no error, so what is not there is not meant.
	Whole bool
	// Sources are the texts of the files by name.
	Sources map[string][]byte
}

// Declaration is a variable, local, function, connection or schema.
type Declaration struct {
	// Kind is variable, local, function, connection or schema.
	Kind, Name string
	// Address is how it is referred to: var.x, local.y, connection.kafka.main,
	// schema.order, and for a function its name and ().
	Address string
	// At is the name, Range all of the declaration.
	At, Range hcl.Range
	// Uses are what it refers to itself.
	Uses []string
	// Default is the expression of a variable's default or of a local.
	Default hclsyntax.Expression
	// Sensitive: a variable whose value is a secret.
	Sensitive bool
	// Params are the parameters of a function, with their places.
	Params      []string
	ParamRanges []hcl.Range
	// Text is the result of a function, Part the options of a connection.
	Text *Text
	Part *Part
}

// Pipeline is one pipeline block.
type Pipeline struct {
	Name  string
	Block *hclsyntax.Block
	Part
	Settings *engine.Settings
	Elements []*Element
	// Whole: every element and from is right, so the wiring is known.
	Whole bool
}

// Element is an input, processor or output.
type Element struct {
	*engine.Element
	Block *hclsyntax.Block
	Part
	// OK: its options are right; else Part is empty.
	OK bool
	// Places are the ranges of From; nil with default wiring.
	Places []hcl.Range
	// Files are what it reads or writes, as far as known.
	Files []string
	// Converters are its blocks key, value and header_values.
	Converters []*Part
	// Effect is what a processor does to records; nil: not known.
	Effect *engine.Changes
	// Promise is the Delivery of an output with another config.
	Promise func(config any) engine.Delivery
	// Fresh returns a config of the element's type with its defaults.
	Fresh func() any
	// Passes is the condition that holds for all records which leave by the
	// main port; nil if there is none.
	Passes *Text
	// FirstMatch: records go to the first port whose condition holds.
	FirstMatch bool
	// Streams are what it reads or writes in other systems.
	Streams []string
	// Group is the name under which it shares its streams with others.
	Group string
}

// Part is the options of one block.
type Part struct {
	// At is the header of the block.
	At hcl.Range
	// Options are all that the spec has, nested ones behind their block.
	Options []*Option
	// Texts are the expressions and templates.
	Texts []*Text
}

// Option is one option of a block, given or not.
type Option struct {
	*engine.Option
	// Path as in diagnostics: tls.ca_file, case[1].when.
	Path  string
	Value reflect.Value
	// Given: it stands in the config, at Range; Expr is nil for a block.
	Given bool
	Range hcl.Range
	Expr  hclsyntax.Expression
	// Elements are the ranges of a list's elements that are written out.
	Elements []hcl.Range
	// Keys are the ranges of the names of a map option.
	Keys []hcl.Range
}

// Text is an expression or template.
type Text struct {
	// Option is the path of its option: where, set, case[1].when.
	Option string
	Spec   *engine.Option
	// Key is the name in front of it in a map option, at KeyRange; Target is
	// the key as a path where it is one.
	Key      string
	KeyRange hcl.Range
	Target   record.Path
	// Attr is the range of the whole attribute.
	Attr hcl.Range
	// Range is the HCL expression.
	Range hcl.Range
	// Syntax is what is written: one tree, or one for each hole.
	Syntax []*expr.Syntax
	// Source is what it became; nil for a template and a function. Template is
	// that of a template.
	Source   *expr.Source
	Template *expr.Template
	Reads    engine.Reads
	// Written: the text stands in the file itself, so parts of it have places.
	Written bool
	// Place is where a range of the text stands in the file.
	Place func(offset, length int) hcl.Range
}

// AllTexts are the texts of all elements.
func (p *Pipeline) AllTexts() []*Text {
	var all []*Text
	for _, e := range p.Elements {
		all = append(all, e.Texts...)
		for _, c := range e.Converters {
			all = append(all, c.Texts...)
		}
	}
	return all
}

// Option returns an option by its path; nil if there is none.
func (p *Part) Option(path string) *Option {
	for _, o := range p.Options {
		if o.Path == path {
			return o
		}
	}
	return nil
}

// Number returns the value of a number, duration or size that was given.
func (p *Part) Number(path string) (float64, bool) {
	o := p.Option(path)
	if o == nil {
		return 0, false
	}
	return engine.Number(o.Value)
}

// conditional reports whether a bool expression of the element is given: what
// it does to records, it may do to some only.
func (e *Element) conditional() bool {
	for _, t := range e.Texts {
		if t.Spec.Bool {
			return true
		}
	}
	return false
}

func (e *Element) short() string { return string(e.Kind) + "." + e.Name }
