package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/flowrecords/flow/connections"
	"github.com/flowrecords/flow/converters"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/inputs"
	"github.com/flowrecords/flow/outputs"
	"github.com/flowrecords/flow/processors"
)

const componentsPage = "../../docs/components.md"

// TestDocsComponents keeps the reference of the components equal to what they
// declare.
func TestDocsComponents(t *testing.T) {
	t.Parallel()
	registry, err := engine.NewRegistry(engine.Components{
		Inputs: inputs.All(), Processors: processors.All(), Outputs: outputs.All(),
		Converters: converters.All(), Connections: connections.All(),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := componentsDocs(t, registry)
	if *update {
		if err := os.WriteFile(componentsPage, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(componentsPage)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/components.md is not what the components say; make docs writes it anew")
	}
}

// documented is what the page says of one component.
type documented struct {
	engine.Component
	extra string
}

func componentsDocs(t *testing.T, r *engine.Registry) []byte {
	t.Helper()
	kinds := []struct {
		kind  engine.Kind
		title string
		all   []documented
	}{
		{kind: engine.KindInput, title: "Inputs"},
		{kind: engine.KindProcessor, title: "Processors"},
		{kind: engine.KindOutput, title: "Outputs"},
		{kind: engine.KindConverter, title: "Converters"},
		{kind: engine.KindConnection, title: "Connections"},
	}
	for _, name := range slices.Sorted(maps.Keys(r.Inputs)) {
		f := r.Inputs[name]
		kinds[0].all = append(kinds[0].all, documented{f.Component, blocksDoc(f.KeyConverter, f.ValueConverter)})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Processors)) {
		kinds[1].all = append(kinds[1].all, documented{Component: r.Processors[name].Component})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Outputs)) {
		f := r.Outputs[name]
		kinds[2].all = append(kinds[2].all, documented{f.Component, blocksDoc(f.KeyConverter, f.ValueConverter)})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Converters)) {
		kinds[3].all = append(kinds[3].all, documented{Component: r.Converters[name].Component})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Connections)) {
		kinds[4].all = append(kinds[4].all, documented{Component: r.Connections[name].Component})
	}

	var b bytes.Buffer
	b.WriteString("# Components\n\nThis page is made of what the components declare: `make docs`. [The language](language.md#options) describes the types of options, its section\n" +
		"on [converters](language.md#converters) the blocks `key` and `value`.\n\n")
	for _, k := range kinds {
		fmt.Fprintf(&b, "- [%s](#%s):", k.title, strings.ToLower(k.title))
		for i, c := range k.all {
			sep := ","
			if i == 0 {
				sep = ""
			}
			fmt.Fprintf(&b, "%s [%s](#%s-%s)", sep, c.Type, k.kind, c.Type)
		}
		b.WriteString("\n")
	}
	for _, k := range kinds {
		fmt.Fprintf(&b, "\n## %s\n", k.title)
		for _, c := range k.all {
			writeComponent(t, &b, k.kind, c)
		}
	}
	return b.Bytes()
}

func blocksDoc(key, value string) string {
	name := func(converter string) string {
		if converter == "" {
			return "as it is"
		}
		return "`" + converter + "`"
	}
	return fmt.Sprintf("Without a block `key` the key is %s, without a block `value` the value is %s.", name(key), name(value))
}

func writeComponent(t *testing.T, b *bytes.Buffer, kind engine.Kind, c documented) {
	t.Helper()
	spec, err := engine.Describe(c.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(b, "\n### %s %s\n\n%s\n", kind, c.Type, c.Summary)
	for _, text := range []string{c.Description, c.extra} {
		if text = strings.TrimSpace(text); text != "" {
			fmt.Fprintf(b, "\n%s\n", text)
		}
	}
	if len(spec.Options) == 0 {
		b.WriteString("\nIt has no options.\n")
	} else {
		b.WriteString("\n| option | type | default | |\n| --- | --- | --- | --- |\n")
		writeOptions(b, spec, "")
	}
	for _, e := range c.Examples {
		fmt.Fprintf(b, "\n%s:\n\n```hcl\n%s\n```\n", e.Title, strings.TrimSpace(e.HCL))
	}
}

func writeOptions(b *bytes.Buffer, spec *engine.Spec, block string) {
	for i := range spec.Options {
		o := &spec.Options[i]
		name := block + o.Name
		if o.Block != nil && o.Block.Label != nil {
			name += " \"NAME\""
		}
		typ := o.Type
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
		if o.Min != "" || o.Max != "" {
			doc += " " + bounds(o)
		}
		if o.Example != "" {
			doc += " For example `" + o.Example + "`."
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", cell(name), cell(typ), cell(def), cell(doc))
		if o.Block != nil {
			writeOptions(b, o.Block, block+o.Name+".")
		}
	}
}

func bounds(o *engine.Option) string {
	switch {
	case o.Max == "":
		return "At least " + o.Min + "."
	case o.Min == "":
		return "At most " + o.Max + "."
	}
	return o.Min + " to " + o.Max + "."
}

// cell keeps a text from ending its cell of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
