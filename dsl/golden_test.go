package dsl_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/tools/txtar"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/dsl/diag"
	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/schema"
)

var update = flag.Bool("update", false, "rewrite the expectations of the txtar suites")

// golden runs a txtar suite. The files *.hcl of a case are the config; "want"
// is what render makes of it. Lines of the comment set options: "var: n=v",
// "env: N=V", "var-file: NAME", which is one more file of the case.
// "hidden: TEXT" must not occur in what is printed.
func golden(t *testing.T, dir string, render func(*testing.T, *dsl.Result) string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "testdata", dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s: %v", dir, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			goldenCase(t, file, render)
		})
	}
}

func goldenCase(t *testing.T, file string, render func(*testing.T, *dsl.Result) string) {
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	result, dir := loadCase(t, ar)
	got := strings.ReplaceAll(render(t, result), dir+string(filepath.Separator), "")
	for line := range strings.SplitSeq(string(ar.Comment), "\n") {
		if text, ok := strings.CutPrefix(line, "hidden: "); ok && strings.Contains(got, text) {
			t.Errorf("%q is shown:\n%s", text, got)
		}
	}
	i := slices.IndexFunc(ar.Files, func(f txtar.File) bool { return f.Name == "want" })
	if *update {
		if i < 0 {
			ar.Files = append(ar.Files, txtar.File{Name: "want"})
			i = len(ar.Files) - 1
		}
		ar.Files[i].Data = []byte(got)
		if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if i < 0 {
		t.Fatal("the case has no file want")
	}
	if want := string(ar.Files[i].Data); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// loadCase compiles a case. Files that are no config lie in the folder that
// it returns.
func loadCase(t *testing.T, ar *txtar.Archive) (*dsl.Result, string) {
	t.Helper()
	dir := t.TempDir()
	o := dsl.Options{Registry: registry(t)}
	var others []string
	for line := range strings.SplitSeq(string(ar.Comment), "\n") {
		key, value, _ := strings.Cut(line, ": ")
		switch key {
		case "var":
			o.Vars = append(o.Vars, value)
		case "env":
			o.Environ = append(o.Environ, value)
		case "var-file":
			others = append(others, value)
			o.VarFiles = append(o.VarFiles, filepath.Join(dir, value))
		}
	}
	sources := make(map[string][]byte)
	for _, f := range ar.Files {
		switch {
		case slices.Contains(others, f.Name):
			if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644); err != nil {
				t.Fatal(err)
			}
		case strings.HasSuffix(f.Name, ".hcl"):
			sources[f.Name] = f.Data
		}
	}
	return dsl.LoadSources(sources, o), dir
}

func printed(t *testing.T, r *dsl.Result) string {
	t.Helper()
	checkRules(t, r.Diags)
	var b bytes.Buffer
	if err := diag.WriteText(&b, r.Files, r.Diags, false, 110); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// checkRules: every finding has a rule, with the severity of the rule, and a
// fix that lies within the sources and only where the rule may have one.
func checkRules(t *testing.T, diags hcl.Diagnostics) {
	t.Helper()
	for _, d := range diags {
		info := rules.Of(d)
		r, ok := rules.Lookup(string(info.Rule))
		if !ok {
			t.Errorf("%q has no rule", d.Summary)
			continue
		}
		if warning := d.Severity == hcl.DiagWarning; warning != (r.Severity == rules.Warning) {
			t.Errorf("%q of %s has severity %v", d.Summary, r.ID, d.Severity)
		}
		if len(info.Fix) > 0 && !r.Fixable {
			t.Errorf("%q has a fix, and %s says that it has none", d.Summary, r.ID)
		}
	}
}

// TestDiag: what each mistake is answered with, as it is printed.
func TestDiag(t *testing.T) {
	t.Parallel()
	golden(t, "diag", func(t *testing.T, r *dsl.Result) string {
		if len(r.Diags) == 0 {
			t.Error("the config has no mistake")
		}
		return printed(t, r)
	})
}

// TestDiagCount keeps the suite from shrinking: so many different mistakes
// are asserted with their exact place.
func TestDiagCount(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../testdata/diag/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	head := regexp.MustCompile(`(?m)^\S+:\d+:\d+: (?:error|warning): (.*) \[FL\d{4}\]$`)
	seen := make(map[string]bool)
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range ar.Files {
			if f.Name == "want" {
				for _, m := range head.FindAllSubmatch(f.Data, -1) {
					seen[string(m[1])] = true
				}
			}
		}
	}
	if len(seen) < 80 {
		t.Errorf("the suite asserts %d different mistakes, want at least 80", len(seen))
	}
	t.Logf("%d different mistakes", len(seen))
}

// TestPlan: what configs without a mistake compile to.
func TestPlan(t *testing.T) {
	t.Parallel()
	golden(t, "plan", func(t *testing.T, r *dsl.Result) string {
		if r.Diags.HasErrors() {
			t.Errorf("the config has mistakes:\n%s", printed(t, r))
		}
		var b strings.Builder
		b.WriteString(printed(t, r)) // warnings
		for _, p := range r.Plan.Pipelines {
			writePipeline(t, &b, p)
		}
		return b.String()
	})
}

func writePipeline(t *testing.T, b *strings.Builder, p *engine.Pipeline) {
	defaults := engine.DefaultSettings()
	fmt.Fprintf(b, "pipeline %s\n", p.Name)
	writeConfig(t, b, "  ", &p.Settings, &defaults)
	reg := registry(t)
	typed := slices.ContainsFunc(p.Elements, func(e *engine.Element) bool { return e.Types.Out != engine.Schemas{} })
	for _, e := range p.Elements {
		fmt.Fprintf(b, "  %s  (%s)\n", e.Address(), e.Where)
		for _, f := range e.From {
			from := f.Element
			if f.Name != "" {
				from = strings.TrimPrefix(from+"."+f.Name, ".")
			}
			fmt.Fprintf(b, "    < %s\n", from)
		}
		if len(e.Ports) > 0 {
			fmt.Fprintf(b, "    ports %s\n", strings.Join(e.Ports, " "))
		}
		if e.Bounded {
			b.WriteString("    bounded\n")
		}
		var c engine.Component
		switch e.Kind {
		case engine.KindInput:
			c = reg.Inputs[e.Type].Component
		case engine.KindProcessor:
			c = reg.Processors[e.Type].Component
		case engine.KindOutput:
			c = reg.Outputs[e.Type].Component
		}
		writeConfig(t, b, "    ", e.Config, c.Defaults())
		if e.Kind != engine.KindProcessor {
			fmt.Fprintf(b, "    key %s, value %s\n", converterName(e.Key), converterName(e.Value))
			if e.Headers != nil {
				fmt.Fprintf(b, "    header_values %s\n", converterName(e.Headers))
			}
		}
		if typed {
			writeTypes(b, e)
		}
	}
}

// writeTypes writes what is known of the records behind an element: whole
// schemas where they begin, then what the element changes.
func writeTypes(b *strings.Builder, e *engine.Element) {
	for _, x := range []struct {
		part    string
		in, out *schema.Schema
		why     string
	}{{"key", e.Types.In.Key, e.Types.Out.Key, e.Types.WhyKey}, {"value", e.Types.In.Value, e.Types.Out.Value, e.Types.WhyValue}} {
		text := ""
		switch {
		case x.out == nil:
			if why, own := strings.CutPrefix(x.why, e.Address()+": "); own { // said where it begins
				text = "not known: " + why
			}
		case e.Kind == engine.KindInput || x.in == nil:
			text = x.out.Text()
		default:
			text = schema.DiffText(schema.Diff(x.in, x.out))
		}
		for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
			switch {
			case line == "":
			case i == 0:
				fmt.Fprintf(b, "    %s: %s\n", x.part, line)
			default:
				fmt.Fprintf(b, "      %s\n", line)
			}
		}
	}
}

func converterName(c engine.Converter) string {
	if c == nil {
		return "as it is"
	}
	return strings.TrimPrefix(strings.Split(fmt.Sprintf("%T", c), ".")[0], "*")
}

// writeConfig writes the options that differ from the defaults.
func writeConfig(t *testing.T, b *strings.Builder, indent string, config, defaults any) {
	t.Helper()
	spec, err := engine.Describe(config)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	writeSpec(&lines, "", spec, reflect.ValueOf(config), reflect.ValueOf(defaults))
	for _, line := range lines {
		fmt.Fprintf(b, "%s%s\n", indent, line)
	}
}

func writeSpec(lines *[]string, prefix string, s *engine.Spec, config, defaults reflect.Value) {
	if s.Label != nil {
		*lines = append(*lines, fmt.Sprintf("%slabel = %q", prefix, s.Label.Field(config)))
	}
	for i := range s.Options {
		o := &s.Options[i]
		v := o.Field(config)
		var def reflect.Value
		if defaults.IsValid() {
			def = o.Field(defaults)
		}
		if o.Block != nil {
			writeBlock(lines, prefix+o.Name, o, v, def)
			continue
		}
		if text := valueText(v); !def.IsValid() && text != "" || def.IsValid() && text != valueText(def) {
			*lines = append(*lines, fmt.Sprintf("%s%s = %s", prefix, o.Name, text))
		}
	}
}

func writeBlock(lines *[]string, path string, o *engine.Option, v, def reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		writeSpec(lines, path+".", o.Block, v, def)
	case reflect.Pointer:
		if !v.IsNil() {
			writeSpec(lines, path+".", o.Block, v.Elem(), reflect.Zero(v.Type().Elem()))
		}
	case reflect.Slice:
		for i := range v.Len() {
			writeSpec(lines, fmt.Sprintf("%s[%d].", path, i), o.Block, v.Index(i), reflect.Zero(v.Type().Elem()))
		}
	}
}

func valueText(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case engine.Expression:
		if x.IsZero() {
			return ""
		}
		return "`" + x.Source.Text() + "`"
	case engine.Template:
		if x.IsZero() {
			return ""
		}
		return "template `" + x.Source.Text() + "`"
	case engine.PathOption:
		return x.Path.String()
	case engine.Pattern:
		if x.Regexp == nil {
			return ""
		}
		return "/" + x.Regexp.String() + "/"
	case engine.ConnectionRef:
		return fmt.Sprintf("%s (%T)", x.Name, x.Value)
	case engine.SchemaOption:
		if x.IsZero() {
			return ""
		}
		return strings.TrimSpace(x.Name + " " + x.Schema.String())
	case engine.Assignments:
		var parts []string
		for _, a := range x {
			parts = append(parts, a.Path.String()+": "+valueText(reflect.ValueOf(a.Expr)))
		}
		return strings.Join(parts, ", ")
	case engine.Renames:
		var parts []string
		for _, r := range x {
			parts = append(parts, r.From.String()+" -> "+r.To.String())
		}
		return strings.Join(parts, ", ")
	case engine.NamedExpressions:
		var parts []string
		for _, n := range x {
			parts = append(parts, n.Name+": "+valueText(reflect.ValueOf(n.Expr)))
		}
		return strings.Join(parts, ", ")
	}
	switch v.Kind() {
	case reflect.Slice:
		var parts []string
		for i := range v.Len() {
			parts = append(parts, valueText(v.Index(i)))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case reflect.Map:
		var parts []string
		for _, k := range v.MapKeys() {
			parts = append(parts, fmt.Sprintf("%s = %v", k, v.MapIndex(k)))
		}
		sort.Strings(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	case reflect.String:
		return fmt.Sprintf("%q", v.String())
	}
	return fmt.Sprint(v.Interface())
}
