// Package format lays out config files: HCL as its own tools do, and the
// expressions in its strings and heredocs by dsl/expr/exprfmt. It reads no
// file and never changes what a config means: a part whose new text cannot be
// proved to be the old one stays as it was.
package format

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/dsl/expr/exprfmt"
	"github.com/flowrecords/flow/engine"
)

// maxPasses bounds how often a file is laid out until nothing moves. Two are
// what it takes: the second one finds nothing to do.
const maxPasses = 8

// Source lays out a config file, a test file or a variable file. The options
// that hold expressions and templates are those of the registry's components;
// what it does not know keeps its text. With diagnostics, which are mistakes
// of syntax only, the result is src.
func Source(src []byte, filename string, reg *engine.Registry) ([]byte, hcl.Diagnostics) {
	if reg == nil {
		reg = &engine.Registry{}
	}
	f := &formatter{name: filename, reg: reg, specs: make(map[specKey]*engine.Spec), print: exprfmt.New()}
	out := src
	for range maxPasses {
		next, diags := f.pass(out)
		if diags.HasErrors() {
			return src, diags
		}
		if bytes.Equal(next, out) {
			return out, nil
		}
		out = next
	}
	return out, nil
}

// formatter is used for one file.
type formatter struct {
	name  string
	reg   *engine.Registry
	specs map[specKey]*engine.Spec
	print *exprfmt.Printer
}

// pass lays out the strings, then the HCL around them, then the heredocs,
// whose indent depends on the line that they begin in.
func (f *formatter) pass(src []byte) ([]byte, hcl.Diagnostics) {
	out, diags := f.texts(src, (*literals).quoted)
	if diags.HasErrors() {
		return src, diags
	}
	return f.texts(layout(out, f.name), (*literals).indented)
}

// edit replaces a range of the file.
type edit struct {
	from, to int
	text     string
}

// texts applies what visit makes of each expression and template of a file.
func (f *formatter) texts(src []byte, visit func(*literals, *dsl.Literal, bool)) ([]byte, hcl.Diagnostics) {
	file, diags := dsl.ParseFile(f.name, src)
	if diags.HasErrors() {
		return src, diags
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok {
		return src, nil
	}
	l := &literals{formatter: f, src: src, visit: visit}
	l.file(body)
	if l.diags.HasErrors() {
		slices.SortStableFunc(l.diags, func(a, b *hcl.Diagnostic) int { return cmp.Compare(a.Subject.Start.Byte, b.Subject.Start.Byte) })
		return src, l.diags
	}
	slices.SortFunc(l.edits, func(a, b edit) int { return cmp.Compare(a.from, b.from) })
	var out bytes.Buffer
	end := 0
	for _, e := range l.edits {
		if e.from < end {
			continue // cannot be: literals do not overlap
		}
		out.Write(src[end:e.from])
		out.WriteString(e.text)
		end = e.to
	}
	out.Write(src[end:])
	return out.Bytes(), nil
}
