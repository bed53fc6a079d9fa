package format_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	exprlang "github.com/expr-lang/expr"
	"github.com/hashicorp/hcl/v2"
	"golang.org/x/tools/txtar"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/dsl/expr/exprfmt"
	"github.com/flowrecords/flow/dsl/format"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

const root = "../.."

// hclBlock is a block of HCL in Markdown.
var hclBlock = regexp.MustCompile("(?s)```hcl\n(.*?)```")

// source is one piece of HCL of the repository.
type source struct {
	name string
	text []byte
	// ours: it is shown to users, so it is laid out.
	ours bool
}

// corpus collects all HCL of the repository.
func corpus(tb testing.TB) []source {
	tb.Helper()
	var out []source
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root:
			return filepath.SkipDir
		case d.IsDir():
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		switch filepath.Ext(path) {
		case ".hcl":
			out = append(out, source{path, data, true})
		case ".md":
			for i, m := range hclBlock.FindAllSubmatch(data, -1) {
				out = append(out, source{fmt.Sprintf("%s, block %d", path, i+1), m[1], true})
			}
		case ".txtar":
			for _, f := range txtar.Parse(data).Files {
				if strings.HasSuffix(f.Name, ".hcl") {
					out = append(out, source{path + ":" + f.Name, f.Data, false})
				}
			}
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return append(out, examples(tb)...)
}

// examples are those of the components.
func examples(tb testing.TB) []source {
	tb.Helper()
	r := registry(tb)
	var all []engine.Component
	for _, f := range r.Inputs {
		all = append(all, f.Component)
	}
	for _, f := range r.Processors {
		all = append(all, f.Component)
	}
	for _, f := range r.Outputs {
		all = append(all, f.Component)
	}
	for _, f := range r.Converters {
		all = append(all, f.Component)
	}
	for _, f := range r.Connections {
		all = append(all, f.Component)
	}
	var out []source
	for _, c := range all {
		for _, e := range c.Examples {
			out = append(out, source{c.Type + ", " + e.Title, []byte(e.HCL), true})
		}
	}
	return out
}

// TestExamplesAreLaidOut: what users see is laid out as fmt does it.
func TestExamplesAreLaidOut(t *testing.T) {
	t.Parallel()
	reg := registry(t)
	n := 0
	for _, s := range corpus(t) {
		if !s.ours {
			continue
		}
		n++
		got, diags := format.Source(s.text, "f.hcl", reg)
		switch {
		case diags.HasErrors() && strings.Contains(s.name, "docs/rules/"): // shows a mistake
		case diags.HasErrors():
			t.Errorf("%s: %v", s.name, diags)
		case strings.HasSuffix(s.name, ".hcl") && !bytes.Equal(got, s.text), ending(got) != ending(s.text):
			t.Errorf("%s is not laid out. Run: flow fmt --write\n got:\n%s\nwant:\n%s", s.name, s.text, got)
		}
	}
	if n < 50 {
		t.Errorf("only %d examples found", n)
	}
}

// ending leaves it to those who show an example how many newlines end it.
func ending(s []byte) string { return strings.TrimRight(string(s), "\n") }

// TestMeaning: over all HCL of the repository, right or wrong, a config means
// after fmt what it meant before, and fmt finds nothing more to do.
func TestMeaning(t *testing.T) {
	t.Parallel()
	reg := registry(t)
	compared, exprs := 0, 0
	all := corpus(t)
	for _, s := range all {
		got, diags := format.Source(s.text, "f.hcl", reg)
		if diags.HasErrors() {
			if !bytes.Equal(got, s.text) {
				t.Errorf("%s has mistakes and was touched", s.name)
			}
			continue
		}
		if again, _ := format.Source(got, "f.hcl", reg); !bytes.Equal(again, got) {
			t.Errorf("%s is not stable:\n%s\n%s", s.name, got, again)
		}
		c := comparison{t: t, name: s.name}
		c.configs(load(reg, s.text), load(reg, got))
		compared++
		exprs += c.exprs
	}
	t.Logf("%d of %d sources compared, with %d expressions", compared, len(all), exprs)
	if compared < 150 || exprs < 150 {
		t.Errorf("only %d sources with %d expressions compared", compared, exprs)
	}
}

var envCall = regexp.MustCompile(`env\("([A-Za-z0-9_]+)"`)

// load compiles a config, elements without a pipeline within one.
func load(reg *engine.Registry, src []byte) *dsl.Result {
	text := string(src)
	if !regexp.MustCompile(`pipeline\s*"`).MatchString(text) && regexp.MustCompile(`(?m)^\s*(input|processor|output)\s*"`).MatchString(text) {
		text = "pipeline \"p\" {\ninput \"stdin\" \"other_in\" {\n}\n" + text + "\noutput \"stdout\" \"other_out\" {\n}\n}\n"
	}
	o := dsl.Options{Registry: reg}
	for _, m := range envCall.FindAllStringSubmatch(text, -1) {
		o.Environ = append(o.Environ, m[1]+"=x")
	}
	for _, m := range regexp.MustCompile(`variable\s*"(\w+)"\s*{\s*}`).FindAllStringSubmatch(text, -1) {
		o.Vars = append(o.Vars, m[1]+"=localhost:9092")
	}
	return dsl.LoadSources(map[string][]byte{"f.hcl": []byte(text)}, o)
}

// comparison compares what two configs are compiled to.
type comparison struct {
	t     *testing.T
	name  string
	exprs int
	// mutated: of a config with mistakes, which ones are reported may change
	// with white space, since what follows from another one is found by words.
	mutated bool
}

func (c *comparison) fail(format string, args ...any) {
	c.t.Helper()
	c.t.Errorf(c.name+": "+format, args...)
}

func (c *comparison) configs(a, b *dsl.Result) {
	c.t.Helper()
	if c.mutated && a.Diags.HasErrors() && b.Diags.HasErrors() {
		return
	}
	if x, y := summaries(a.Diags), summaries(b.Diags); !slices.Equal(x, y) {
		c.fail("diagnostics %q became %q", x, y)
		return
	}
	if len(a.Plan.Pipelines) != len(b.Plan.Pipelines) {
		c.fail("%d pipelines became %d", len(a.Plan.Pipelines), len(b.Plan.Pipelines))
		return
	}
	for i, p := range a.Plan.Pipelines {
		q := b.Plan.Pipelines[i]
		c.values(p.Name+" settings", reflect.ValueOf(p.Settings), reflect.ValueOf(q.Settings))
		if p.Name != q.Name || len(p.Elements) != len(q.Elements) {
			c.fail("pipeline %+v became %+v", p, q)
			return
		}
		for j, e := range p.Elements {
			f := q.Elements[j]
			if e.Kind != f.Kind || e.Type != f.Type || e.Name != f.Name || !reflect.DeepEqual(e.From, f.From) || !slices.Equal(e.Ports, f.Ports) || e.Bounded != f.Bounded {
				c.fail("%s became %s", e.Address(), f.Address())
			}
			c.values(e.Address(), reflect.ValueOf(e.Config), reflect.ValueOf(f.Config))
		}
	}
}

// summaries are the mistakes without their places.
func summaries(diags hcl.Diagnostics) []string {
	var out []string
	for _, d := range diags {
		out = append(out, d.Summary)
	}
	slices.Sort(out)
	return out
}

// values compares configs field by field.
func (c *comparison) values(path string, a, b reflect.Value) {
	c.t.Helper()
	if !a.IsValid() || !b.IsValid() {
		if a.IsValid() != b.IsValid() {
			c.fail("%s is gone", path)
		}
		return
	}
	switch x := a.Interface().(type) {
	case engine.Expression:
		c.expressions(path, x, b.Interface().(engine.Expression))
		return
	case engine.Template:
		c.templates(path, x, b.Interface().(engine.Template))
		return
	case engine.ConnectionRef:
		if y := b.Interface().(engine.ConnectionRef); x.Name != y.Name {
			c.fail("%s: %s became %s", path, x.Name, y.Name)
		}
		return
	case engine.SchemaOption:
		if y := b.Interface().(engine.SchemaOption); x.Name != y.Name || x.Text != y.Text {
			c.fail("%s: %s%s became %s%s", path, x.Name, x.Text, y.Name, y.Text)
		}
		return
	case engine.Pattern, engine.Secret, engine.PathOption:
		if !reflect.DeepEqual(a.Interface(), b.Interface()) {
			c.fail("%s: %v became %v", path, a, b)
		}
		return
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		c.values(path, a.Elem(), b.Elem())
	case reflect.Slice:
		if a.Len() != b.Len() {
			c.fail("%s: %d became %d", path, a.Len(), b.Len())
			return
		}
		for i := range a.Len() {
			c.values(fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i))
		}
	case reflect.Struct:
		for i := range a.NumField() {
			if f := a.Type().Field(i); f.IsExported() {
				c.values(path+"."+f.Name, a.Field(i), b.Field(i))
			}
		}
	case reflect.Func:
	default:
		if !reflect.DeepEqual(a.Interface(), b.Interface()) {
			c.fail("%s: %v became %v", path, a, b)
		}
	}
}

// compiled is what a checked expression tells of itself.
type compiled interface {
	Text() string
	ValuePaths() []record.Path
	KeyPaths() []record.Path
	Functions() []string
	Constants() []string
	Mode() expr.Mode
	Deterministic() bool
}

func (c *comparison) expressions(path string, a, b engine.Expression) {
	c.t.Helper()
	if a.IsZero() || b.IsZero() {
		if a.IsZero() != b.IsZero() {
			c.fail("%s: an expression is gone", path)
		}
		return
	}
	x, y := a.Source.(compiled), b.Source.(compiled)
	c.exprs++
	c.programs(path, x.Text(), y.Text())
	for _, pair := range [][2]any{
		{x.ValuePaths(), y.ValuePaths()},
		{x.KeyPaths(), y.KeyPaths()},
		{x.Functions(), y.Functions()},
		{x.Constants(), y.Constants()},
		{x.Mode(), y.Mode()},
		{x.Deterministic(), y.Deterministic()},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			c.fail("%s: %s became %s: %v became %v", path, x.Text(), y.Text(), pair[0], pair[1])
		}
	}
}

// programs compares the trees, and the byte code that expr makes of both.
func (c *comparison) programs(path, a, b string) {
	c.t.Helper()
	if !exprfmt.New().Equal(a, b) {
		c.fail("%s: %s became %s", path, a, b)
	}
	options := []exprlang.Option{exprlang.Env(map[string]any{}), exprlang.AllowUndefinedVariables()}
	p, err := exprlang.Compile(a, options...)
	if err != nil {
		return // a function of ours that expr has, with other arguments
	}
	q, err := exprlang.Compile(b, options...)
	if err != nil {
		c.fail("%s: %s became %s: %v", path, a, b, err)
		return
	}
	if p.Disassemble() != q.Disassemble() {
		c.fail("%s: %s became %s:\n%s\n%s", path, a, b, p.Disassemble(), q.Disassemble())
	}
}

func (c *comparison) templates(path string, a, b engine.Template) {
	c.t.Helper()
	if a.IsZero() || b.IsZero() {
		if a.IsZero() != b.IsZero() {
			c.fail("%s: a template is gone", path)
		}
		return
	}
	x, y := a.Source.Text(), b.Source.Text()
	before, _ := expr.TemplateHoles(x)
	after, _ := expr.TemplateHoles(y)
	if len(before) != len(after) {
		c.fail("%s: %s became %s", path, x, y)
		return
	}
	endX, endY := 0, 0
	for i, h := range before {
		g := after[i]
		c.exprs++
		c.programs(path, x[h.From:h.To], y[g.From:g.To])
		if x[endX:h.From] != y[endY:g.From] {
			c.fail("%s: %s became %s", path, x, y)
		}
		endX, endY = h.To, g.To
	}
	if x[endX:] != y[endY:] {
		c.fail("%s: %s became %s", path, x, y)
	}
}
