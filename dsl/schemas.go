package dsl

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/schema"
)

// schemaBlock is one schema block.
type schemaBlock struct {
	name  string
	block *hclsyntax.Block
	// schema is nil if the block, or one that it refers to, has a mistake.
	schema *schema.Schema
	// notation and text are what was written; empty for fields.
	notation, text string
	// refs are the places that stand for other blocks.
	refs []schemaRef
	// places are those of its parts, by path.
	places   map[string]hcl.Range
	defaults []schemaDefault
	state    int // of the circle of types: 0 not begun, 1 under way, 2 done
}

// schemaRef is a reference to another block, and where it stands.
type schemaRef struct {
	schema.Reference
	at hcl.Range
}

// schemaDefault is a default that can be checked when all types are known.
type schemaDefault struct {
	s    *schema.Schema
	text []byte
	at   hcl.Range
}

func (b *schemaBlock) address() string { return "schema." + b.name }

func (l *loader) declareSchema(b *hclsyntax.Block) {
	if !l.labels(b, blockUse("schema"), 1) || !l.identifier(b.Labels[0], b.LabelRanges[0]) {
		return
	}
	name := b.Labels[0]
	if first, dup := l.schemas[name]; dup {
		l.duplicate(fmt.Sprintf("schema %q", name), b.LabelRanges[0], first.block.LabelRanges[0])
		return
	}
	s := &schemaBlock{name: name, block: b, places: make(map[string]hcl.Range)}
	l.schemas[name] = s
	l.schemaList = append(l.schemaList, s)
	if slices.Contains(typeNames(), name) {
		l.report(rules.BadName, b.LabelRanges[0], fmt.Sprintf("%q is a type", name), "The texts of other types could not refer to this schema. Choose another name.")
	}
}

func typeNames() []string {
	var names []string
	for _, t := range schema.Types() {
		names = append(names, t.String())
	}
	return names
}

// buildSchemas reads the blocks, each by itself, and then what they say of
// each other: they may lead back to themselves.
func (l *loader) buildSchemas() {
	for _, b := range l.schemaList {
		before := l.errors()
		l.readSchema(b)
		if l.errors() > before {
			b.schema = nil
		}
	}
	for _, b := range l.schemaList {
		l.settleType(b, nil)
	}
	for grown := true; grown; { // a mistake is one of all that refer to it
		grown = false
		for _, b := range l.schemaList {
			if b.schema != nil && slices.ContainsFunc(b.refs, func(r schemaRef) bool { return l.schemas[r.Name].schema == nil }) {
				b.schema, grown = nil, true
			}
		}
	}
	for _, b := range l.schemaList {
		if b.schema != nil {
			b.resolve(l)
		}
	}
	for _, b := range l.schemaList {
		if b.schema != nil {
			l.checkSchema(b)
		}
	}
}

// settleType makes a block that is another one's type by itself what that is,
// which must come before anything refers to it.
func (l *loader) settleType(b *schemaBlock, path []*schemaBlock) {
	if b.state == 2 || b.schema == nil {
		return
	}
	if b.state == 1 {
		var names []string
		for _, p := range append(path[slices.Index(path, b):], b) {
			names = append(names, p.address())
			p.schema = nil
		}
		l.report(rules.Circle, b.block.DefRange(), "schemas refer to each other in a circle", "%s: none of them says what it is. Break the circle.", strings.Join(names, " -> "))
		return
	}
	b.state = 1
	for _, r := range b.refs {
		if def := l.schemas[r.Name]; r.Schema == b.schema {
			l.settleType(def, append(path, b))
			if b.schema == nil || def.schema == nil {
				break
			}
			r.Resolve(def.schema)
		}
	}
	b.state = 2
}

// resolve fills in the parts that are other blocks.
func (b *schemaBlock) resolve(l *loader) {
	for _, r := range b.refs {
		if r.Schema != b.schema {
			r.Resolve(l.schemas[r.Name].schema)
		}
	}
}

// readSchema reads a block as far as it stands by itself.
func (l *loader) readSchema(b *schemaBlock) {
	body := b.block.Body
	notations := engine.Notations()
	l.only(body, "schema", slices.Concat(notations, []string{"name", "aliases", "doc"}), []string{"field"})
	var given []string
	for _, a := range sortedAttrs(body) {
		if slices.Contains(notations, a.Name) {
			given = append(given, a.Name)
		}
	}
	fields := len(body.Blocks) > 0
	switch {
	case len(given) == 0 && !fields:
		l.report(rules.MissingOption, b.block.DefRange(), "schema says nothing", `List its fields, field "id" { type = "int64" }, or give one of %s.`, list(notations))
		return
	case len(given) > 1:
		l.report(rules.WrongSchema, body.Attributes[given[1]].NameRange, "schema is given twice", "It is %s already. Keep one of the two.", given[0])
		return
	case len(given) == 1 && fields:
		l.report(rules.WrongSchema, body.Blocks[0].DefRange(), "schema is given twice", "It is %s already. Keep that, or the fields.", given[0])
		return
	case fields:
		b.schema = schema.NewStruct(b.name, l.fields(b, body, "")...)
	default:
		b.notation = given[0]
		l.notation(b, body.Attributes[b.notation])
	}
	if b.schema != nil {
		l.describeSchema(b, fields)
	}
}

// describeSchema reads what a block says of the type as a whole.
func (l *loader) describeSchema(b *schemaBlock, fields bool) {
	d := l.newDecoder(fmt.Sprintf("the schema %q", b.name), b.block)
	for _, a := range sortedAttrs(b.block.Body) {
		switch {
		case a.Name == "doc":
			b.schema.Doc, _ = d.plainText(a)
		case a.Name != "name" && a.Name != "aliases":
		case !fields:
			l.report(rules.MisplacedOption, a.NameRange, fmt.Sprintf("%s is for a schema with fields", a.Name), "Here it belongs into the text of the schema itself: struct shop.Order{...}")
		case a.Name == "name":
			if name, ok := d.plainText(a); ok {
				b.schema.Name = name
			}
		default:
			b.schema.Aliases = d.plainTexts(a)
		}
	}
}

// notation reads a block that says its schema in one text.
func (l *loader) notation(b *schemaBlock, a *hclsyntax.Attribute) {
	if s := l.typeOfBlock(b, a.Expr); s != nil {
		b.schema = s
		return
	}
	m, ok := l.schemaText(a.Name, a.Expr)
	if !ok {
		return
	}
	b.text = m.text
	if b.notation == engine.NotationType {
		b.schema = l.parseType(b, m)
		return
	}
	s, err := engine.ParseSchema(b.notation, m.text)
	if err != nil {
		l.report(rules.WrongSchema, m.all, "schema cannot be read", "%s.", upperFirst(err.Error()))
		return
	}
	b.schema = s
}

// typeOfBlock reads schema.NAME without quotes; nil for all else.
func (l *loader) typeOfBlock(b *schemaBlock, e hclsyntax.Expression) *schema.Schema {
	t, diags := hcl.AbsTraversalForExpr(unwrapParens(e))
	if diags.HasErrors() || t.RootName() != "schema" {
		return nil
	}
	s := &schema.Schema{}
	if def := l.schemaAt(t, e.Range()); def != nil {
		b.refs = append(b.refs, schemaRef{schema.Reference{Name: def.name, Schema: s}, e.Range()})
	}
	return s
}

// parseType reads a type, whose text may name other blocks.
func (l *loader) parseType(b *schemaBlock, m *mapped) *schema.Schema {
	s, refs, err := schema.ParseOpen(m.text, l.isSchema)
	if err != nil {
		l.badType(m, err)
		return nil
	}
	for _, r := range refs {
		b.refs = append(b.refs, schemaRef{r, m.at(r.Offset, len(r.Name))})
	}
	return s
}

func (l *loader) isSchema(name string) bool { return l.schemas[name] != nil }

// badType reports where the text of a type is wrong.
func (l *loader) badType(m *mapped, err error) {
	var pe *schema.ParseError
	if !errors.As(err, &pe) {
		l.report(rules.WrongSchema, m.all, "schema cannot be read", "%s.", upperFirst(err.Error()))
		return
	}
	where := ""
	if lines := strings.Count(m.text[:min(pe.Offset, len(m.text))], "\n"); m.opaque && strings.Contains(m.text, "\n") {
		where = fmt.Sprintf(" It is in line %d of the text.", lines+1)
	}
	if pe.Unknown == "" {
		l.report(rules.WrongSchema, m.at(pe.Offset, 1), "schema cannot be read", "%s.%s", upperFirst(pe.Msg), where)
		return
	}
	names := typeNames()
	for _, b := range l.schemaList {
		names = append(names, b.name)
	}
	hint := didYouMean(pe.Unknown, names)
	if hint == "" {
		hint = fmt.Sprintf(" Types are %s, the names of schema blocks, and names that the text has given before.", list(typeNames()))
	}
	l.report(rules.WrongSchema, m.at(pe.Offset, len(pe.Unknown)), fmt.Sprintf("unknown type %q", pe.Unknown), "Neither flow nor a schema block has a type of this name.%s%s", hint, where)
}

// checkSchema reports what is wrong with a block as a whole.
func (l *loader) checkSchema(b *schemaBlock) {
	bad := false
	for _, x := range b.defaults {
		if err := schema.Check(x.s, x.text); err != nil {
			bad = true
			l.report(rules.WrongSchema, x.at, "default is not of the type", "%s.", upperFirst(err.Error()))
			continue
		}
		x.s.Default = x.text
	}
	err := b.schema.Validate()
	if !bad && err == nil {
		return
	}
	for _, e := range joined(err) {
		l.report(rules.WrongSchema, b.place(e.Path), "schema cannot be", "%s.", upperFirst(e.Error()))
	}
	b.schema = nil
}

// joined are the mistakes that Validate tells of.
func joined(err error) []*schema.Error {
	var out []*schema.Error
	list := []error{err}
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		list = j.Unwrap()
	}
	for _, x := range list {
		var e *schema.Error
		if errors.As(x, &e) {
			out = append(out, e)
		} else if x != nil {
			out = append(out, &schema.Error{Msg: x.Error()})
		}
	}
	return out
}

// place is where a part of the block stands, or else what it is part of.
func (b *schemaBlock) place(path string) hcl.Range {
	for path != "" {
		if at, ok := b.places[path]; ok {
			return at
		}
		cut := strings.LastIndexAny(path, ".[(")
		if cut < 0 {
			break
		}
		path = path[:cut]
	}
	return b.block.DefRange()
}
