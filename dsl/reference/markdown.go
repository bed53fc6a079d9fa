package reference

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/flowrecords/flow/engine"
)

// Pages returns the documentation of all components by file name: one page
// each and README.md, the index.
func (ref *Reference) Pages() map[string]string {
	pages := map[string]string{"README.md": ref.index()}
	for i := range ref.Components {
		pages[Page(&ref.Components[i])] = Markdown(&ref.Components[i])
	}
	return pages
}

// Page is the file name of a component's page.
func Page(e *Entry) string { return e.Kind + "-" + e.Type + ".md" }

func title(kind engine.Kind) string {
	return strings.ToUpper(string(kind[:1])) + string(kind[1:]) + "s"
}

func (ref *Reference) index() string {
	var b strings.Builder
	b.WriteString(`# Components

What flow reads from, works with and writes to, one page each, made of what the components declare: ` + "`make docs`" + `. ` + "`flow list`" + ` and
` + "`flow show input kafka`" + ` say the same in a terminal. [The language](../language.md#options) describes the types of options, its section on
[converters](../language.md#converters) the blocks ` + "`key`, `value` and `header_values`" + `. [flow.schema.json](../flow.schema.json) describes all of it to editors.
`)
	for _, k := range Kinds() {
		fmt.Fprintf(&b, "\n## %s\n\n| | |\n| --- | --- |\n", title(k))
		for _, e := range ref.Of(string(k)) {
			fmt.Fprintf(&b, "| [%s](%s) | %s |\n", e.Type, Page(&e), cell(e.Summary))
		}
	}
	return b.String()
}

// Markdown describes an entry as a page of Markdown.
func Markdown(e *Entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s %s\n\n", e.Kind, e.Type)
	if e.Kind == KindFunction {
		fmt.Fprintf(&b, "`%s`\n", e.Syntax)
	} else {
		fmt.Fprintf(&b, "%s\n\n```hcl\n%s\n```\n\nSince version %s.\n", e.Summary, strings.Replace(e.Syntax, "{ ... }", "{\n}", 1), e.Since)
	}
	if d := strings.TrimSpace(e.Description); d != "" {
		fmt.Fprintf(&b, "\n%s\n", d)
	}
	if text := defaultConverters(e); text != "" {
		fmt.Fprintf(&b, "\n%s\n", text)
	}
	switch {
	case len(e.Params) > 0:
		b.WriteString("\n")
		for _, p := range e.Params {
			fmt.Fprintf(&b, "- `%s`: %s\n", p.Name, p.Doc)
		}
	case e.Kind == KindFunction:
	case len(e.Options) == 0:
		b.WriteString("\n## Options\n\nIt has none.\n")
	default:
		b.WriteString("\n## Options\n\n| option | type | default | |\n| --- | --- | --- | --- |\n")
		writeOptions(&b, e.Options, "", e.Since)
	}
	if len(e.Examples) > 0 {
		b.WriteString("\n## Examples\n")
	}
	for _, x := range e.Examples {
		switch {
		case x.HCL != "":
			fmt.Fprintf(&b, "\n%s:\n\n```hcl\n%s\n```\n", x.Title, strings.TrimSpace(x.HCL))
		default:
			value, result := "", x.Result
			if x.Value != "" {
				value = "value = " + x.Value + "\n"
			}
			if x.Error != "" {
				result = "error: " + x.Error
			}
			fmt.Fprintf(&b, "\n```\n%s%s\n  %s\n```\n", value, x.Expr, result)
		}
	}
	return b.String()
}

// defaultConverters says what an input or output does without the blocks.
func defaultConverters(e *Entry) string {
	if e.Kind != string(engine.KindInput) && e.Kind != string(engine.KindOutput) {
		return ""
	}
	what := map[string]string{"key": "as it is", "value": "as it is"}
	for i := range e.Common {
		if o := &e.Common[i]; o.Default != "" && what[o.Name] != "" {
			what[o.Name] = "`" + strings.Trim(strings.Fields(o.Default)[1], `"`) + "`"
		}
	}
	var parts []string
	for _, part := range slices.Sorted(maps.Keys(what)) {
		parts = append(parts, fmt.Sprintf("without a block `%s` the %[1]s is %s", part, what[part]))
	}
	text := strings.Join(parts, ", ") + "."
	return strings.ToUpper(text[:1]) + text[1:]
}

// writeOptions writes rows of a table; since is said where it differs from
// that of what the options belong to.
func writeOptions(b *strings.Builder, list []Option, block, since string) {
	for i := range list {
		o := &list[i]
		name := block + o.use()
		typ := TypeText(o)
		if len(o.OneOf) > 0 {
			typ = "`\"" + strings.Join(o.OneOf, "\"`, `\"") + "\"`"
		}
		def := ""
		switch {
		case o.Required:
			def = "required"
		case o.Default != "":
			def = "`" + o.Default + "`"
		}
		doc := o.Doc
		if t := bounds(o); t != "" {
			doc += " " + strings.ToUpper(t[:1]) + t[1:] + "."
		}
		if o.Example != "" {
			doc += " For example `" + o.Example + "`."
		}
		if o.Since != since {
			doc += " Since version " + o.Since + "."
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", cell(name), cell(typ), cell(def), cell(doc))
		writeOptions(b, o.Options, block+o.Name+".", o.Since)
	}
}

// cell keeps a text from ending its cell of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
