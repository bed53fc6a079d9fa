package dsl

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine/schema"
)

// fields reads the field blocks of a schema, or of a field that is a struct
// itself. path leads to it.
func (l *loader) fields(b *schemaBlock, body *hclsyntax.Body, path string) []schema.Field {
	var out []schema.Field
	first := make(map[string]hcl.Range)
	for _, f := range body.Blocks {
		if f.Type != "field" {
			continue // reported
		}
		if len(f.Labels) != 1 {
			l.report(rules.WrongLabels, f.TypeRange, "field needs one label", `It is the name of the field: field "id" { type = "int64" }`)
			continue
		}
		name := f.Labels[0]
		if at, dup := first[name]; dup {
			l.duplicate(fmt.Sprintf("field %q", name), f.LabelRanges[0], at)
			continue
		}
		first[name] = f.LabelRanges[0]
		if field := l.field(b, f, schema.JoinPath(path, schema.FieldStep(name))); field != nil {
			out = append(out, *field)
		}
	}
	return out
}

// field reads one field block; nil after a mistake in its type.
func (l *loader) field(b *schemaBlock, f *hclsyntax.Block, path string) *schema.Field {
	d := l.newDecoder(fmt.Sprintf("the field %q", f.Labels[0]), f)
	b.places[path] = f.DefRange()
	before := l.errors()
	l.only(f.Body, "field", []string{"type", "optional", "default", "doc", "aliases"}, []string{"field"})
	out := &schema.Field{Name: f.Labels[0], Schema: l.fieldType(b, f, path, before)}
	if out.Schema == nil {
		return nil
	}
	for _, a := range sortedAttrs(f.Body) {
		switch a.Name {
		case "optional":
			if yes, ok := d.plainValue(a, cty.Bool); ok && yes.True() {
				out.Schema.Optional = true
			}
		case "doc":
			out.Doc, _ = d.plainText(a)
		case "aliases":
			out.Aliases = d.plainTexts(a)
		case "default":
			if text, ok := d.jsonValue(a); ok {
				b.defaults = append(b.defaults, schemaDefault{out.Schema, text, a.Expr.Range()})
			}
		}
	}
	return out
}

// fieldType reads the type of a field: a text, a schema block, or fields.
// before is the number of mistakes before the field.
func (l *loader) fieldType(b *schemaBlock, f *hclsyntax.Block, path string, before int) *schema.Schema {
	a := f.Body.Attributes["type"]
	switch {
	case a == nil && len(f.Body.Blocks) == 0 && l.errors() > before:
		return nil // it may be the option with the wrong name
	case a == nil && len(f.Body.Blocks) == 0:
		l.report(rules.MissingOption, f.DefRange(), "option \"type\" is missing", `A field needs it, or fields of its own. For example: type = "decimal(10,2)"`)
		return nil
	case a == nil:
		return schema.NewStruct("", l.fields(b, f.Body, path)...)
	case len(f.Body.Blocks) > 0:
		l.report(rules.WrongSchema, f.Body.Blocks[0].DefRange(), "field has a type and fields", "Keep one of the two: a field with fields of its own is a struct.")
		return nil
	}
	b.places[path] = a.Expr.Range()
	if s := l.typeOfBlock(b, a.Expr); s != nil {
		return s
	}
	m, ok := l.schemaText(a.Name, a.Expr)
	if !ok {
		return nil
	}
	return l.parseType(b, m)
}

// plainValue evaluates an attribute of a fixed block to a value of that type.
// It is not ok after a mistake, and for a null.
func (d *decoder) plainValue(a *hclsyntax.Attribute, typ cty.Type) (cty.Value, bool) {
	val, ok := d.eval(a.Expr)
	if !ok {
		return val, false
	}
	val, marks := val.UnmarkDeep()
	if isSecret(marks) {
		d.fail(rules.SensitiveValue, a.Expr.Range(), fmt.Sprintf("sensitive value in option %q", a.Name), "A schema is shown, so it cannot hold a secret.")
		return val, false
	}
	if !val.IsWhollyKnown() || val.IsNull() && typ != cty.DynamicPseudoType {
		return val, false
	}
	out, err := convert.Convert(val, typ)
	if err != nil {
		d.fail(rules.WrongType, a.Expr.Range(), fmt.Sprintf("option %q must be %s", a.Name, article(typ.FriendlyName())), "It is %s here.", article(typeText(val)))
		return val, false
	}
	return out, true
}

func (d *decoder) plainText(a *hclsyntax.Attribute) (string, bool) {
	v, ok := d.plainValue(a, cty.String)
	if !ok {
		return "", false
	}
	return v.AsString(), true
}

func (d *decoder) plainTexts(a *hclsyntax.Attribute) []string {
	v, ok := d.plainValue(a, cty.List(cty.String))
	if !ok {
		return nil
	}
	var out []string
	for it := v.ElementIterator(); it.Next(); {
		if _, x := it.Element(); !x.IsNull() {
			out = append(out, x.AsString())
		}
	}
	return out
}

// jsonValue writes the value of an attribute as JSON.
func (d *decoder) jsonValue(a *hclsyntax.Attribute) ([]byte, bool) {
	v, ok := d.plainValue(a, cty.DynamicPseudoType)
	if !ok {
		return nil, false
	}
	text, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		d.fail(rules.WrongType, a.Expr.Range(), "default cannot be written", "It is %s: %s.", article(typeText(v)), err)
		return nil, false
	}
	return text, true
}
