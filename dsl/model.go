package dsl

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/dsl/lint"
	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// lint adds what the config most likely does not mean.
func (l *loader) lint() {
	for _, d := range lint.Check(l.model()) {
		if l.known(d) {
			continue
		}
		l.add(d)
		switch rules.Of(d).Rule {
		case rules.PlainSecret, rules.SecretInURL:
			l.blots = append(l.blots, *d.Subject)
		}
	}
}

// model is the compiled config as lint sees it.
func (l *loader) model() *lint.Config {
	c := &lint.Config{Whole: l.errors() == 0, Sources: make(map[string][]byte)}
	for name, f := range l.files {
		c.Sources[name] = f.Bytes
	}
	l.modelDeclarations(c)
	uses := make(map[string]bool)
	for _, p := range l.pipelines {
		m := l.modelPipeline(p)
		m.Whole = c.Whole
		c.Pipelines = append(c.Pipelines, m)
		traversed(p.block.Body, uses)
		for _, t := range m.AllTexts() {
			mentions(t, uses)
		}
	}
	for _, v := range l.variables {
		for _, b := range v.block.Body.Blocks {
			own := make(map[string]bool)
			traversed(b.Body, own)
			delete(own, "var."+v.name)
			maps.Copy(uses, own)
		}
	}
	for _, address := range l.schemaUses {
		uses[address] = true
	}
	c.Uses = slices.Sorted(maps.Keys(uses))
	return c
}

func (l *loader) modelDeclarations(c *lint.Config) {
	add := func(d *lint.Declaration, body hclsyntax.Node) {
		uses := make(map[string]bool)
		if body != nil {
			traversed(body, uses)
		}
		if d.Text != nil {
			mentions(d.Text, uses)
		}
		if d.Part != nil {
			for _, t := range d.Part.Texts {
				mentions(t, uses)
			}
		}
		d.Uses = slices.Sorted(maps.Keys(uses))
		c.Declarations = append(c.Declarations, d)
	}
	for _, v := range l.variables {
		d := &lint.Declaration{Kind: "variable", Name: v.name, Address: "var." + v.name, At: v.block.LabelRanges[0], Range: v.block.Range(), Sensitive: v.sensitive}
		if a := v.block.Body.Attributes["default"]; a != nil {
			d.Default = a.Expr
		}
		add(d, nil)
	}
	for _, n := range l.localList {
		add(&lint.Declaration{Kind: "local", Name: n.name, Address: "local." + n.name, At: n.attr.NameRange, Range: n.attr.SrcRange, Default: n.attr.Expr}, n.attr.Expr)
	}
	for _, f := range l.funcList {
		d := &lint.Declaration{Kind: "function", Name: f.name, Address: f.name + "()", At: f.block.LabelRanges[0], Range: f.block.Range()}
		d.Params = f.params
		if a := f.block.Body.Attributes["params"]; a != nil {
			if list, ok := unwrapParens(a.Expr).(*hclsyntax.TupleConsExpr); ok && len(list.Exprs) == len(f.params) {
				for _, x := range list.Exprs {
					d.ParamRanges = append(d.ParamRanges, x.Range())
				}
			}
		}
		if f.body != nil {
			d.Text = &lint.Text{Option: "result", Spec: &engine.Option{Name: "result", Type: "expression"}, Range: f.body.all, Place: f.body.at}
			if s := l.env.Syntax(f.body.text); s != nil {
				d.Text.Syntax = []*expr.Syntax{s}
			}
		}
		add(d, nil)
	}
	for _, conn := range l.connList {
		d := &lint.Declaration{Kind: "connection", Name: conn.name, Address: conn.address(), At: conn.block.LabelRanges[1], Range: conn.block.Range()}
		if conn.value != nil {
			d.Part = l.part(conn.d, l.spec(engine.KindConnection, l.reg.Connections[conn.typ].Component), conn.config)
		}
		add(d, conn.block.Body)
	}
	for _, b := range l.schemaList {
		d := &lint.Declaration{Kind: "schema", Name: b.name, Address: b.address(), At: b.block.LabelRanges[0], Range: b.block.Range()}
		add(d, b.block.Body)
		for _, r := range b.refs {
			d.Uses = append(d.Uses, "schema."+r.Name)
		}
	}
	slices.SortStableFunc(c.Declarations, func(a, b *lint.Declaration) int {
		return cmp.Or(cmp.Compare(slices.Index(l.names, a.At.Filename), slices.Index(l.names, b.At.Filename)), cmp.Compare(a.At.Start.Byte, b.At.Start.Byte))
	})
}

func (l *loader) modelPipeline(p *pipeline) *lint.Pipeline {
	settings := &decoder{loader: l, whole: p.block.DefRange(), places: p.places, exprs: p.exprs}
	m := &lint.Pipeline{Name: p.name, Block: p.block, Settings: &p.settings, Part: *l.part(settings, settingsSpec(), &p.settings)}
	for _, e := range p.elements {
		x := &lint.Element{Element: &e.Element, Block: e.block, OK: e.ok, Places: e.from, Files: e.files}
		x.At = e.block.DefRange()
		if e.ok {
			x.Part = *e.described()
			for _, c := range e.converted {
				x.Converters = append(x.Converters, l.part(c.d, c.spec, c.config))
			}
			l.facts(x)
		}
		m.Elements = append(m.Elements, x)
	}
	return m
}

// facts are what the component says of itself.
func (l *loader) facts(x *lint.Element) {
	switch x.Kind {
	case engine.KindInput:
		f := l.reg.Inputs[x.Type]
		if f.Streams != nil {
			x.Streams = f.Streams(x.Config)
		}
		if f.Group != nil {
			x.Group = f.Group(x.Config)
		}
	case engine.KindOutput:
		f := l.reg.Outputs[x.Type]
		if f.Streams != nil {
			x.Streams = f.Streams(x.Config)
		}
		x.Promise, x.Fresh = f.Delivery, f.Defaults
	case engine.KindProcessor:
		f := l.reg.Processors[x.Type]
		x.FirstMatch = f.FirstMatch != nil && f.FirstMatch(x.Config)
		if f.Changes != nil {
			c := f.Changes(x.Config)
			x.Effect = &c
		}
		if f.Passes != nil {
			if src, ok := compiled(f.Passes(x.Config).Source); ok {
				if i := slices.IndexFunc(x.Texts, func(t *lint.Text) bool { return t.Source == src }); i >= 0 {
					x.Passes = x.Texts[i]
				}
			}
		}
	}
}

// described are the options of an element without mistakes, made once.
func (e *element) described() *lint.Part {
	if e.part == nil {
		e.part = e.d.loader.part(e.d, e.spec, e.Config)
	}
	return e.part
}

// part describes the options of a block that was decoded without a mistake.
func (l *loader) part(d *decoder, spec *engine.Spec, config any) *lint.Part {
	b := &partBuilder{decoder: d, part: &lint.Part{At: d.whole}}
	b.options(spec, reflect.ValueOf(config), "")
	return b.part
}

type partBuilder struct {
	*decoder
	part *lint.Part
}

func (b *partBuilder) options(spec *engine.Spec, config reflect.Value, prefix string) {
	for i := range spec.Options {
		o := &spec.Options[i]
		path := prefix + o.Name
		field := o.Field(config)
		if o.Block != nil {
			b.block(o, field, path)
			continue
		}
		opt := b.option(o, field, path)
		if opt.Given {
			b.texts(opt)
		}
	}
}

func (b *partBuilder) option(o *engine.Option, field reflect.Value, path string) *lint.Option {
	opt := &lint.Option{Option: o, Path: path, Value: field}
	opt.Range, opt.Given = b.places[path]
	opt.Expr = b.exprs[path]
	for i := 0; ; i++ {
		at, ok := b.places[fmt.Sprintf("%s[%d]", path, i)]
		if !ok {
			break
		}
		opt.Elements = append(opt.Elements, at)
	}
	b.part.Options = append(b.part.Options, opt)
	return opt
}

func (b *partBuilder) block(o *engine.Option, field reflect.Value, path string) {
	switch field.Kind() {
	case reflect.Struct:
		b.option(o, field, path)
		b.options(o.Block, field, path+".")
	case reflect.Pointer:
		b.option(o, field, path)
		if !field.IsNil() {
			b.options(o.Block, field, path+".")
		}
	case reflect.Slice:
		for i := range field.Len() {
			b.option(o, field.Index(i), fmt.Sprintf("%s[%d]", path, i))
			b.options(o.Block, field.Index(i), fmt.Sprintf("%s[%d].", path, i))
		}
	}
}

// texts adds the expressions and templates of an option.
func (b *partBuilder) texts(o *lint.Option) {
	switch v := o.Value.Interface().(type) {
	case engine.Expression:
		b.expressionOf(o, v, o.Expr)
	case engine.Template:
		b.templateOf(o, v)
	case engine.Assignments:
		for i, it := range b.items(o, len(v)) {
			if t := b.expressionOf(o, v[i].Expr, it.ValueExpr); t != nil {
				b.keyed(o, t, it, v[i].Path.String(), v[i].Path)
			}
		}
	case engine.NamedExpressions:
		for i, it := range b.items(o, len(v)) {
			if t := b.expressionOf(o, v[i].Expr, it.ValueExpr); t != nil {
				b.keyed(o, t, it, v[i].Name, nil)
			}
		}
	case engine.Renames:
		for _, it := range b.items(o, len(v)) {
			o.Keys = append(o.Keys, it.KeyExpr.Range())
		}
	}
}

func (b *partBuilder) keyed(o *lint.Option, t *lint.Text, it hclsyntax.ObjectConsItem, key string, target record.Path) {
	t.Key, t.KeyRange, t.Target = key, it.KeyExpr.Range(), target
	o.Keys = append(o.Keys, t.KeyRange)
}

// items are the pairs of a map option, which is written out.
func (b *partBuilder) items(o *lint.Option, want int) []hclsyntax.ObjectConsItem {
	obj, ok := unwrapParens(o.Expr).(*hclsyntax.ObjectConsExpr)
	if !ok || len(obj.Items) != want {
		return nil
	}
	return obj.Items
}

func (b *partBuilder) expressionOf(o *lint.Option, x engine.Expression, e hclsyntax.Expression) *lint.Text {
	if x.Source == nil || e == nil {
		return nil
	}
	t := &lint.Text{Option: o.Path, Spec: o.Option, Attr: o.Range, Range: e.Range(), Place: func(int, int) hcl.Range { return e.Range() }}
	t.Source, _ = compiled(x.Source)
	if m, _ := b.literal(e); m != nil {
		t.Written, t.Place = true, m.at
	}
	if s := b.env.Syntax(x.Source.Text()); s != nil {
		t.Syntax = []*expr.Syntax{s}
	}
	b.add(t, x.Source)
	return t
}

func (b *partBuilder) templateOf(o *lint.Option, x engine.Template) {
	if x.Source == nil {
		return
	}
	t := &lint.Text{Option: o.Path, Spec: o.Option, Attr: o.Range, Range: o.Expr.Range(), Place: func(int, int) hcl.Range { return o.Expr.Range() }}
	if m, _ := b.literal(o.Expr); m != nil {
		t.Written, t.Place = true, m.at
	}
	t.Template, _ = compiledTemplate(x.Source)
	t.Syntax = b.env.TemplateSyntax(x.Source.Text())
	b.add(t, x.Source)
}

func (b *partBuilder) add(t *lint.Text, source any) {
	if r, ok := source.(engine.Reader); ok {
		t.Reads = r.Reads()
	}
	b.part.Texts = append(b.part.Texts, t)
}

// traversed notes the variables, locals and connections that HCL refers to.
func traversed(n hclsyntax.Node, uses map[string]bool) {
	_ = hclsyntax.VisitAll(n, func(n hclsyntax.Node) hcl.Diagnostics {
		x, ok := n.(*hclsyntax.ScopeTraversalExpr)
		if !ok {
			return nil
		}
		root := x.Traversal.RootName()
		switch name := secondName(x.Traversal); {
		case root == "connection":
			uses[traversalText(x.Traversal)] = true
		case name != "":
			uses[root+"."+name] = true
		default:
			uses[root] = true
		}
		return nil
	})
}

// mentions notes the constants and functions that a text refers to.
func mentions(t *lint.Text, uses map[string]bool) {
	var look func(n ast.Node)
	look = func(n ast.Node) {
		switch n := n.(type) {
		case nil:
			return
		case *ast.IdentifierNode:
			if n.Value == "var" || n.Value == "local" {
				uses[n.Value] = true
			}
		case *ast.MemberNode:
			root, isRoot := n.Node.(*ast.IdentifierNode)
			if name, ok := n.Property.(*ast.StringNode); ok && isRoot && (root.Value == "var" || root.Value == "local") {
				uses[root.Value+"."+name.Value] = true
				return
			}
		case *ast.CallNode:
			if f, ok := n.Callee.(*ast.IdentifierNode); ok {
				uses[f.Value+"()"] = true
			}
		case *ast.BuiltinNode:
			uses[n.Name+"()"] = true
		}
		for _, c := range expr.Children(n) {
			look(c)
		}
	}
	for _, s := range t.Syntax {
		look(s.Root)
	}
}
