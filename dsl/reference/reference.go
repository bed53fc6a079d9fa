// Package reference is what flow says of its own language: components with
// their options, blocks, functions, as data for JSON, as Markdown for docs, as
// plain text for terminals and as a JSON schema for editors. All of it is made
// of the specs that the compiler decodes by, so none can disagree with it.
package reference

import (
	"fmt"

	"github.com/flowrecords/flow/dsl/expr/funcs"
	"github.com/flowrecords/flow/engine"
)

// The kinds of entries that are no components.
const (
	KindFunction = "function"
	KindBlock    = "block"
)

// Entry is a component, a block of the language or a function of expressions.
// Its JSON form is stable: fields are added, never renamed.
type Entry struct {
	Kind string `json:"kind"`
	// Type as it stands in a config: kafka, pipeline, upper.
	Type    string `json:"type"`
	Summary string `json:"summary"`
	// Description is Markdown.
	Description string `json:"description,omitempty"`
	Since       string `json:"since"`
	// Syntax is how it is written: output "kafka" "NAME" { ... }
	Syntax string `json:"syntax"`

	// Options of the component or block itself; empty, never nil.
	Options []Option `json:"options"`
	// Common are the options that every component of the kind has.
	Common []Option `json:"common_options,omitempty"`

	// Group, Params and Result are of functions.
	Group  string  `json:"group,omitempty"`
	Params []Param `json:"params,omitempty"`
	Result string  `json:"result,omitempty"`

	Examples []Example `json:"examples,omitempty"`
}

// Option is one option or nested block.
type Option struct {
	Name string `json:"name"`
	// Type for people; of a block "block".
	Type string `json:"type"`
	Doc  string `json:"doc"`
	// Default is HCL text, empty when absence means nothing.
	Default  string `json:"default,omitempty"`
	Required bool   `json:"required"`
	Secret   bool   `json:"secret"`
	Since    string `json:"since"`
	// Unit is what a number counts, or the units of a duration or size.
	Unit string `json:"unit,omitempty"`
	// Whole: a number without fractions.
	Whole bool     `json:"whole,omitempty"`
	OneOf []string `json:"one_of,omitempty"`
	Min   string   `json:"min,omitempty"`
	Max   string   `json:"max,omitempty"`
	// Result is what an expression must give: "bool".
	Result string `json:"result,omitempty"`
	// Destination: a text that decides where data goes, and so needs a fixed
	// beginning or the list of allowed results in the option Allow.
	Destination bool   `json:"destination,omitempty"`
	Allow       string `json:"allow,omitempty"`
	// Example is HCL text.
	Example string `json:"example,omitempty"`
	// Repeated and Label are of blocks: whether it may stand many times, and
	// what its label is.
	Repeated bool     `json:"repeated,omitempty"`
	Label    string   `json:"label,omitempty"`
	Options  []Option `json:"options,omitempty"`

	// labels are the labels of a block as they are written; empty: "NAME" if
	// it has one.
	labels string
	// anyLabel: the label may be any text. same is the JSON pointer to the
	// option that a block within itself repeats.
	anyLabel bool
	same     string
}

// use is how the option is named where it is explained.
func (o *Option) use() string {
	switch {
	case o.labels != "":
		return o.Name + " " + o.labels
	case o.Label != "":
		return o.Name + ` "NAME"`
	}
	return o.Name
}

// Param is a parameter of a function.
type Param struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Doc      string `json:"doc"`
	Optional bool   `json:"optional,omitempty"`
	// Variadic: it may be given any number of times.
	Variadic bool `json:"variadic,omitempty"`
}

// Example is HCL with a title, or an expression with what it gives.
type Example struct {
	Title string `json:"title,omitempty"`
	HCL   string `json:"hcl,omitempty"`

	Expr string `json:"expr,omitempty"`
	// Value is the record that the expression sees, as JSON.
	Value  string `json:"value,omitempty"`
	Result string `json:"result,omitempty"`
	Error  string `json:"error,omitempty"`
}

// Reference holds all entries.
type Reference struct {
	// Components in the order of kinds, then by type.
	Components []Entry
	// Blocks of the language, in the order in which one learns them.
	Blocks []Entry
	// Functions in the order of their groups.
	Functions []Entry
}

// New describes what the components of r, the language and its functions are.
// A component that cannot be described is a bug of it, as CheckRegistry says,
// and an error here.
func New(r *engine.Registry) (*Reference, error) {
	ref := &Reference{}
	for _, t := range engine.Types(r.Inputs) {
		f := r.Inputs[t]
		if err := ref.component(engine.KindInput, f.Component, converters(f.KeyConverter, f.ValueConverter)); err != nil {
			return nil, err
		}
	}
	for _, t := range engine.Types(r.Processors) {
		if err := ref.component(engine.KindProcessor, r.Processors[t].Component, []Option{fromOption()}); err != nil {
			return nil, err
		}
	}
	for _, t := range engine.Types(r.Outputs) {
		f := r.Outputs[t]
		common := append([]Option{fromOption()}, converters(f.KeyConverter, f.ValueConverter)...)
		if err := ref.component(engine.KindOutput, f.Component, common); err != nil {
			return nil, err
		}
	}
	for _, t := range engine.Types(r.Converters) {
		if err := ref.component(engine.KindConverter, r.Converters[t].Component, nil); err != nil {
			return nil, err
		}
	}
	for _, t := range engine.Types(r.Connections) {
		if err := ref.component(engine.KindConnection, r.Connections[t].Component, nil); err != nil {
			return nil, err
		}
	}
	var err error
	if ref.Blocks, err = blocks(); err != nil {
		return nil, err
	}
	for _, f := range funcs.All() {
		ref.Functions = append(ref.Functions, function(f))
	}
	return ref, nil
}

// Kinds are the kinds of components in the order in which they are shown.
func Kinds() []engine.Kind {
	return []engine.Kind{engine.KindInput, engine.KindProcessor, engine.KindOutput, engine.KindConverter, engine.KindConnection}
}

func (ref *Reference) component(kind engine.Kind, c engine.Component, common []Option) error {
	spec, err := engine.Describe(c.Defaults())
	if err != nil {
		return fmt.Errorf("%s %q: %w", kind, c.Type, err)
	}
	e := Entry{Kind: string(kind), Type: c.Type, Summary: c.Summary, Description: c.Description, Since: orFirst(c.Since), Syntax: syntax(kind, c.Type)}
	e.Options = options(spec, e.Since)
	for _, o := range common {
		o.Since = e.Since
		e.Common = append(e.Common, o)
	}
	for _, x := range c.Examples {
		e.Examples = append(e.Examples, Example{Title: x.Title, HCL: x.HCL})
	}
	ref.Components = append(ref.Components, e)
	return nil
}

func orFirst(since string) string {
	if since == "" {
		return engine.FirstRelease
	}
	return since
}

func syntax(kind engine.Kind, typ string) string {
	if kind == engine.KindConverter {
		return fmt.Sprintf("value %q { ... }", typ)
	}
	return fmt.Sprintf("%s %q \"NAME\" { ... }", kind, typ)
}

// options are those of a spec; since is the version of what they belong to.
func options(spec *engine.Spec, since string) []Option {
	out := []Option{}
	for i := range spec.Options {
		s := &spec.Options[i]
		o := Option{
			Name: s.Name, Type: s.Type, Doc: s.Doc, Default: s.Default, Required: s.Required, Secret: s.Secret, Since: since,
			Unit: s.Unit, Whole: s.Whole, OneOf: s.OneOf, Min: s.Min, Max: s.Max, Destination: s.Destination, Allow: s.Allow,
			Example: s.Example, Repeated: s.Repeated,
		}
		if s.Since != "" {
			o.Since = s.Since
		}
		if s.Bool {
			o.Result = "bool"
		}
		if o.Required {
			o.Default = "" // a zero that nobody can rely on
		}
		if s.Block != nil {
			o.Options = options(s.Block, o.Since)
			if s.Block.Label != nil {
				o.Label = s.Block.Label.Doc
				if o.Label == "" {
					o.Label = "Its name."
				}
			}
		}
		out = append(out, o)
	}
	return out
}

func function(f funcs.Func) Entry {
	e := Entry{Kind: KindFunction, Type: f.Name, Summary: firstSentence(f.Doc), Description: f.Doc, Since: engine.FirstRelease,
		Syntax: funcs.Signature(f), Options: []Option{}, Group: f.Group, Result: f.Result}
	for i, p := range f.Params {
		e.Params = append(e.Params, Param{Name: p.Name, Type: p.Type, Doc: p.Doc, Optional: p.Optional, Variadic: f.Variadic && i == len(f.Params)-1})
	}
	for _, x := range f.Examples {
		e.Examples = append(e.Examples, Example{Expr: x.Expr, Value: x.Input, Result: x.Want, Error: x.Err})
	}
	return e
}
