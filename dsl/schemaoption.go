package dsl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/schema"
)

// schemaOption decodes schema.NAME, or text in one of the option's notations.
func (d *decoder) schemaOption(o *engine.Option, e hclsyntax.Expression) (out engine.SchemaOption) {
	before := d.errors()
	defer func() {
		if d.errors() > before {
			d.failed = true
		}
	}()
	if t, diags := hcl.AbsTraversalForExpr(unwrapParens(e)); !diags.HasErrors() && t.RootName() == "schema" {
		b := d.schemaAt(t, e.Range())
		if b == nil {
			return out
		}
		if b.schema == nil {
			d.failed = true // its own mistakes are reported
			return out
		}
		return engine.SchemaOption{Name: b.address(), Schema: b.schema, Notation: b.notation, Text: b.text}
	}
	m, ok := d.schemaText(o.Name, e)
	if !ok {
		d.failed = true
		return out
	}
	if name, found := strings.CutPrefix(m.text, "schema."); found && d.isSchema(name) {
		d.fail(rules.WrongSchema, e.Range(), "schema block in quotes", "Write %s = %s, without quotes.", o.Name, m.text)
		d.fix(rules.Edit{Range: e.Range(), Text: m.text})
		return out
	}
	out = engine.SchemaOption{Notation: engine.NotationOf(m.text, o.Notations), Text: m.text}
	if out.Notation == engine.NotationType {
		out.Schema = d.wholeType(m)
		return out
	}
	if !slices.Contains(engine.Notations(), out.Notation) {
		return out // the component reads it
	}
	s, err := engine.ParseSchema(out.Notation, m.text)
	if err != nil {
		d.fail(rules.WrongSchema, e.Range(), "schema cannot be read", "%s.", upperFirst(err.Error()))
		return engine.SchemaOption{}
	}
	out.Schema = s
	return out
}

// wholeType reads a type at an option; nil after a mistake.
func (d *decoder) wholeType(m *mapped) *schema.Schema {
	b := &schemaBlock{}
	s := d.parseType(b, m)
	for _, r := range b.refs {
		d.schemaUses = append(d.schemaUses, "schema."+r.Name)
		def := d.schemas[r.Name].schema
		if def == nil {
			d.failed = true // its own mistakes are reported
			return nil
		}
		r.Resolve(def)
	}
	if s == nil {
		return nil
	}
	if err := s.Validate(); err != nil {
		d.fail(rules.WrongSchema, m.all, "schema cannot be", "%s.", upperFirst(err.Error()))
		return nil
	}
	return s
}

// schemaAt is the block of schema.NAME; nil after a mistake.
func (l *loader) schemaAt(t hcl.Traversal, at hcl.Range) *schemaBlock {
	names := traversalNames(t)
	if len(names) != 2 {
		l.report(rules.UnknownSchema, at, "schema without a name", "Write it as schema.NAME, the label of a schema block.")
		return nil
	}
	if b := l.schemas[names[1]]; b != nil {
		return b
	}
	var known []string
	for _, b := range l.schemaList {
		known = append(known, b.name)
	}
	detail := "No schema block declares it."
	switch near := nearest(names[1], known); {
	case near != "":
		detail += fmt.Sprintf(" Did you mean schema.%s?", near)
	case len(known) > 0 && len(known) <= 8:
		detail += fmt.Sprintf(" There is %s.", list(known))
	default:
		detail += fmt.Sprintf(" Add one: schema %q { ... }", names[1])
	}
	l.report(rules.UnknownSchema, at, fmt.Sprintf("unknown schema %q", names[1]), "%s", detail)
	return nil
}

// schemaText returns the text of a schema, with the place of each character
// where it is written out.
func (l *loader) schemaText(option string, e hclsyntax.Expression) (*mapped, bool) {
	if m, _ := l.literal(e); m != nil {
		return m, true
	}
	val, ok := l.eval(e)
	if !ok {
		return nil, false
	}
	val, marks := val.UnmarkDeep()
	if isSecret(marks) {
		l.report(rules.SensitiveValue, e.Range(), fmt.Sprintf("sensitive value in option %q", option), "A schema is shown, so it cannot hold a secret.")
		return nil, false
	}
	if !val.IsWhollyKnown() {
		return nil, false
	}
	text, err := convert.Convert(val, cty.String)
	if err != nil || val.IsNull() {
		l.report(rules.WrongType, e.Range(), fmt.Sprintf("option %q must be a schema", option), "It is %s here. Write schema.NAME, or a text such as \"struct{id int64, name string}\" or file(\"order.avsc\").", article(typeText(val)))
		return nil, false
	}
	m := l.newMapped(e.Range())
	m.addOpaque(text.AsString(), e.Range())
	m.opaque = true
	return m, true
}
