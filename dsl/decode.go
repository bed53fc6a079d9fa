package dsl

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
)

// decoder fills one component's *Config from its block.
type decoder struct {
	*loader
	// what names the component in messages: "the kafka output".
	what string
	// extraAttrs and extraBlocks belong to the block without being options.
	extraAttrs, extraBlocks []string
	// whole is the block's header, for what has no better place.
	whole hcl.Range
	// places and exprs by path of the option: "linger", "case[1].when".
	places map[string]hcl.Range
	exprs  map[string]hclsyntax.Expression
	failed bool
	// broken are the paths of options that have a mistake or are missing;
	// strays are the paths of blocks, "" for the component's own, with an
	// option or block that the component does not have.
	broken []string
	strays []string
}

func (l *loader) newDecoder(what string, b *hclsyntax.Block) *decoder {
	return &decoder{loader: l, what: what, whole: b.DefRange(), places: make(map[string]hcl.Range), exprs: make(map[string]hclsyntax.Expression)}
}

func (d *decoder) fail(id rules.ID, at hcl.Range, summary, detail string, args ...any) {
	d.failed = true
	d.report(id, at, summary, detail, args...)
}

// spec describes a component's config. That it cannot is a bug of the
// component, not of the config.
func (l *loader) spec(kind engine.Kind, c engine.Component) *engine.Spec {
	key := string(kind) + "." + c.Type
	if s := l.specs[key]; s != nil {
		return s
	}
	s, err := engine.Describe(c.Defaults())
	if err != nil {
		panic(fmt.Sprintf("dsl: %s %q: %v", kind, c.Type, err))
	}
	l.specs[key] = s
	return s
}

// settingsSpec describes the options of a pipeline block.
func settingsSpec() *engine.Spec {
	settings := engine.DefaultSettings()
	s, err := engine.Describe(&settings)
	if err != nil {
		panic(fmt.Sprintf("dsl: pipeline: %v", err))
	}
	return s
}

// config decodes a block into a fresh *Config of the component and lets it
// validate itself. The result is complete only if not d.failed.
func (d *decoder) config(kind engine.Kind, c engine.Component, body *hclsyntax.Body) any {
	config := c.Defaults()
	d.body(body, d.spec(kind, c), reflect.ValueOf(config), "")
	if v, ok := config.(engine.Validator); ok {
		for _, p := range v.Validate() {
			if d.sure(p) {
				d.fail(rules.ComponentRule, d.place(p.Option), p.Summary, "%s", p.Detail)
			}
		}
	}
	return config
}

// sure reports whether a problem is one whatever the options with mistakes
// were meant to be. A component can only say so by words: a problem that
// speaks of such an option may be gone with the mistake.
func (d *decoder) sure(p engine.Problem) bool {
	// What is missed may stand there under a wrong name.
	if _, given := d.places[p.Option]; !given && len(d.strays) > 0 || slices.Contains(d.strays, p.Option) {
		return false
	}
	return !slices.ContainsFunc(d.broken, func(path string) bool {
		if rest, below := strings.CutPrefix(p.Option, path); below && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return true
		}
		name := path[strings.LastIndexByte(path, '.')+1:]
		name, _, _ = strings.Cut(name, "[")
		return speaksOf(p.Summary, name) || speaksOf(p.Detail, name)
	})
}

// speaksOf reports whether name is a word of text.
func speaksOf(text, name string) bool {
	return slices.Contains(strings.FieldsFunc(text, func(r rune) bool {
		return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}), name)
}

// errors counts the mistakes so far.
func (l *loader) errors() int {
	n := 0
	for _, d := range l.diags {
		if d.Severity == hcl.DiagError {
			n++
		}
	}
	return n
}

// place is where an option stands, or else what it is part of.
func (d *decoder) place(option string) hcl.Range {
	for option != "" {
		if at, ok := d.places[option]; ok {
			return at
		}
		cut := strings.LastIndexAny(option, ".[")
		if cut < 0 {
			break
		}
		option = option[:cut]
	}
	return d.whole
}

// body decodes attributes and blocks into the struct target.
func (d *decoder) body(body *hclsyntax.Body, spec *engine.Spec, target reflect.Value, prefix string) {
	for _, a := range sortedAttrs(body) {
		o := spec.Option(a.Name)
		switch {
		case prefix == "" && slices.Contains(d.extraAttrs, a.Name):
		case o == nil:
			d.unknownAttr(a, spec, prefix)
		case o.Block != nil:
			d.broken = append(d.broken, prefix+a.Name)
			d.fail(rules.BlockOrOption, a.NameRange, fmt.Sprintf("%q is a block", a.Name), "Write it without the equals sign: %s { ... }", a.Name)
			d.fix(d.optionToBlock(a, o)...)
		default:
			path := prefix + a.Name
			d.places[path], d.exprs[path] = a.SrcRange, a.Expr
			before := d.errors()
			failed := d.failed
			d.failed = false
			d.attr(o, o.Field(target), a.Expr, path)
			if d.failed || d.errors() > before {
				d.broken = append(d.broken, path)
			}
			d.failed = d.failed || failed
		}
	}
	counts := make(map[string]int)
	first := make(map[string]hcl.Range)
	for _, b := range body.Blocks {
		o := spec.Option(b.Type)
		switch {
		case prefix == "" && slices.Contains(d.extraBlocks, b.Type):
			continue
		case o == nil:
			d.unknownBlock(b, spec, prefix)
			continue
		case o.Block == nil:
			d.broken = append(d.broken, prefix+b.Type)
			d.fail(rules.BlockOrOption, b.TypeRange, fmt.Sprintf("%q is no block", b.Type), "Write it with an equals sign: %s = ...", b.Type)
			d.fix(d.blockToOption(b, o)...)
			continue
		}
		n := counts[b.Type]
		counts[b.Type]++
		if n > 0 && !o.Repeated {
			d.broken = append(d.broken, prefix+b.Type)
			d.fail(rules.GivenTwice, b.DefRange(), fmt.Sprintf("block %q is there twice", b.Type), "%s has at most one. The first stands at %s.", upperFirst(d.what), place(first[b.Type]))
			continue
		}
		first[b.Type] = b.DefRange()
		d.block(b, o, o.Field(target), prefix, n)
	}
	d.required(body, spec, prefix, counts)
}

func (d *decoder) required(body *hclsyntax.Body, spec *engine.Spec, prefix string, blocks map[string]int) {
	for i := range spec.Options {
		o := &spec.Options[i]
		if !o.Required || body.Attributes[o.Name] != nil || blocks[o.Name] > 0 {
			continue
		}
		d.broken = append(d.broken, prefix+o.Name)
		at := d.whole
		if prefix != "" {
			at = d.place(strings.TrimSuffix(prefix, "."))
		}
		d.fail(rules.MissingOption, at, fmt.Sprintf("option %q is missing", o.Name), "%s needs it. %s%s", upperFirst(d.part(prefix)), o.Doc, exampleOf(o))
	}
}

// exampleOf says what the option can be, or shows it.
func exampleOf(o *engine.Option) string {
	switch {
	case len(o.OneOf) > 0:
		return fmt.Sprintf(" It is %s.", anyOf(quoted(o.OneOf)))
	case o.Example == "":
		return ""
	}
	return fmt.Sprintf(" For example: %s = %s", o.Name, o.Example)
}

// block decodes a nested block: a struct, a pointer to one, or one more
// element of a slice.
func (d *decoder) block(b *hclsyntax.Block, o *engine.Option, field reflect.Value, prefix string, n int) {
	path := prefix + o.Name
	d.places[path] = b.DefRange()
	target := field
	switch field.Kind() {
	case reflect.Pointer:
		field.Set(reflect.New(field.Type().Elem()))
		target = field.Elem()
	case reflect.Slice:
		path = fmt.Sprintf("%s[%d]", path, n)
		d.places[path] = b.DefRange()
		target = reflect.New(field.Type().Elem()).Elem()
		defer func() { field.Set(reflect.Append(field, target)) }()
	}
	want := 0
	use := b.Type
	if o.Block.Label != nil {
		want, use = 1, b.Type+` "NAME"`
	}
	if len(b.Labels) != want {
		at := b.TypeRange
		if len(b.Labels) > want {
			at = b.LabelRanges[want]
		}
		d.broken = append(d.broken, path)
		d.fail(rules.WrongLabels, at, fmt.Sprintf("%s needs %s", b.Type, labelCount(want)), "Write it as: %s { ... }", use)
	} else if want == 1 {
		o.Block.Label.Field(target).SetString(b.Labels[0])
	}
	d.body(b.Body, o.Block, target, path+".")
}

// unknownAttr says what an attribute that is no option was meant to be.
func (d *decoder) unknownAttr(a *hclsyntax.Attribute, spec *engine.Spec, prefix string) {
	d.strays = append(d.strays, strings.TrimSuffix(prefix, "."))
	names := spec.Names()
	if prefix == "" {
		names = append(names, d.extraAttrs...)
		if slices.Contains(d.extraBlocks, a.Name) {
			d.fail(rules.BlockOrOption, a.NameRange, fmt.Sprintf("%q is a block", a.Name), "Write it without the equals sign: %s { ... }", blockExample(a.Name))
			return
		}
	}
	id := rules.UnknownOption
	detail := fmt.Sprintf("%s has no option of this name.", upperFirst(d.part(prefix)))
	switch {
	case nearest(a.Name, names) != "":
		detail += didYouMean(a.Name, names)
	case settingsSpec().Option(a.Name) != nil:
		id = rules.MisplacedOption
		detail += " It is an option of the pipeline block: move it there."
	case a.Name == "from":
		id = rules.MisplacedOption
		detail += " An input reads from its own source; processors and outputs have from."
	case len(names) == 0:
		detail += " It has none at all."
	case len(names) <= 12:
		detail += fmt.Sprintf(" It has %s.", list(names))
	}
	d.fail(id, a.NameRange, fmt.Sprintf("unknown option %q", a.Name), "%s", detail)
}

// part names the component, or its block that the prefix of a path leads to.
func (d *decoder) part(prefix string) string {
	if prefix == "" {
		return d.what
	}
	name, _, _ := strings.Cut(strings.TrimSuffix(prefix, "."), "[")
	return fmt.Sprintf("block %q of %s", name, d.what)
}

func blockExample(name string) string {
	if slices.Contains(converterBlocks(), name) {
		return name + ` "json"`
	}
	return name
}

func (d *decoder) unknownBlock(b *hclsyntax.Block, spec *engine.Spec, prefix string) {
	d.strays = append(d.strays, strings.TrimSuffix(prefix, "."))
	var names []string
	for i := range spec.Options {
		if spec.Options[i].Block != nil {
			names = append(names, spec.Options[i].Name)
		}
	}
	if prefix == "" {
		names = append(names, d.extraBlocks...)
	}
	id := rules.UnknownBlock
	detail := fmt.Sprintf("%s has no block of this type.", upperFirst(d.what))
	switch {
	case nearest(b.Type, names) != "":
		detail += didYouMean(b.Type, names)
	case b.Type == "input" || b.Type == "processor" || b.Type == "output":
		id = rules.MisplacedBlock
		detail += " Elements do not nest: close the block before it."
	case slices.Contains(converterBlocks(), b.Type):
		id = rules.MisplacedBlock
		detail += " Inputs and outputs convert; a processor sees values."
	case len(names) > 0:
		detail += fmt.Sprintf(" It has %s.", list(names))
	default:
		detail += " It has none at all."
	}
	d.fail(id, b.TypeRange, fmt.Sprintf("unknown block %q", b.Type), "%s", detail)
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
