package reference_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/zclconf/go-cty/cty"

	"github.com/flowrecords/flow/dsl/reference"
	"github.com/flowrecords/flow/dsl/rules"
)

// compiled is the schema of flow's own components; compiling it validates it
// against the metaschema that it names.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	ref := own(t)
	text, err := ref.Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	meta, err := c.Compile(reference.Dialect)
	if err != nil {
		t.Fatal(err)
	}
	if err := meta.Validate(doc); err != nil {
		t.Fatalf("the schema is no schema of %s: %v", reference.Dialect, err)
	}
	if err := c.AddResource("flow.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("flow.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSchemaOfExamples: the schema accepts every config that the repository
// shows, in its JSON form.
func TestSchemaOfExamples(t *testing.T) {
	t.Parallel()
	schema := compiled(t)
	n := 0
	for name, src := range configs(t) {
		n++
		v := toJSON(t, name, src)
		if err := schema.Validate(v); err != nil {
			text, _ := json.MarshalIndent(v, "", " ")
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
	if n < 150 {
		t.Errorf("only %d configs found", n)
	}
}

var hclFence = regexp.MustCompile("(?s)```hcl\n(.*?)```")

// configs are all complete configs of the repository that lint clean.
func configs(t *testing.T) map[string]string {
	t.Helper()
	out := make(map[string]string)
	for _, pattern := range []string{"config.example.hcl", "bench/configs/*.hcl", "README.md", "docs/*.md", "docs/components/*.md", "testdata/plan/*.txtar", "testdata/pipelines/*.txtar"} {
		files, err := filepath.Glob("../../" + pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %d files", pattern, err, len(files))
		}
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			switch filepath.Ext(file) {
			case ".hcl":
				out[file] = string(src)
			case ".md":
				for i, m := range hclFence.FindAllStringSubmatch(string(src), -1) {
					if strings.Contains(m[1], `pipeline "`) && !strings.Contains(m[1], "{ ... }") {
						out[file+"#"+strconv.Itoa(i)] = m[1]
					}
				}
			case ".txtar":
				for _, f := range txtar.Parse(src).Files {
					if strings.HasSuffix(f.Name, ".hcl") && bytes.Contains(f.Data, []byte("pipeline ")) {
						out[file+"/"+f.Name] = string(f.Data)
					}
				}
			}
		}
	}
	for _, r := range rules.All() {
		if !strings.Contains(r.Good, "\n-- ") && !strings.HasPrefix(r.Good, "-- ") {
			out["rule "+string(r.ID)] = r.Good
		}
	}
	for _, e := range own(t).Components {
		for _, x := range e.Examples {
			if strings.Contains(x.HCL, `pipeline "`) {
				out[e.Kind+" "+e.Type+": "+x.Title] = x.HCL
			}
		}
	}
	return out
}

func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	schema := compiled(t)
	pipeline := func(input string) string {
		return "pipeline \"p\" {\n input \"generate\" \"in\" {\n" + input + "\n}\n output \"stdout\" \"out\" {}\n}"
	}
	tests := []struct{ name, hcl, want string }{
		{"good", pipeline(`value = "{n: offset}"` + "\ncount = 3\ninterval = \"1s\""), ""},
		{"expression for a number", "variable \"n\" {}\n" + pipeline(`value = "{n: offset}"`+"\ncount = var.n"), ""},
		{"unknown option", pipeline(`value = "1"` + "\ncuont = 3"), "cuont"},
		{"unknown setting", "pipeline \"p\" {\n wokers = 1\n}", "wokers"},
		{"unknown block", "pipelin \"p\" {}", "pipelin"},
		{"unknown type", "pipeline \"p\" {\n input \"kafak\" \"in\" {}\n}", "kafak"},
		{"wrong type", pipeline(`value = "1"` + "\ncount = \"many\""), "count"},
		{"number in quotes", pipeline(`value = "1"` + "\ncount = \"3\""), ""},
		{"null", pipeline(`value = "1"` + "\ncount = null"), ""},
		{"list for a text", "pipeline \"p\" {\n state_dir = [\"x\"]\n}", "state_dir"},
		{"text for a bool", "pipeline \"p\" {\n output \"file\" \"f\" {\n path = \"x\"\n append = \"maybe\"\n}\n}", "append"},
		{"fraction", pipeline(`value = "1"` + "\ncount = 1.5"), "count"},
		{"list for a number", pipeline(`value = "1"` + "\ncount = [1]"), "count"},
		{"too low", pipeline(`value = "1"` + "\ncount = -1"), "count"},
		{"too high", "pipeline \"p\" {\n workers = 257\n}", "workers"},
		{"no duration", "pipeline \"p\" {\n linger = \"5\"\n}", "linger"},
		{"negative duration", "pipeline \"p\" {\n linger = \"-5s\"\n}", "linger"},
		{"no size", "pipeline \"p\" {\n batch_bytes = \"5 parsecs\"\n}", "batch_bytes"},
		{"size too small", "pipeline \"p\" {\n batch_bytes = 5\n}", "batch_bytes"},
		{"none of the allowed", "pipeline \"p\" {\n order = \"reverse\"\n}", "order"},
		{"missing", pipeline(`count = 3`), "value"},
		{"missing in a block of the language", "function \"f\" {\n params = [\"a\"]\n}", "result"},
		{"connection in quotes", "pipeline \"p\" {\n input \"kafka\" \"in\" {\n connection = \"main\"\n group = \"g\"\n}\n}", "connection"},
		{"unknown converter", pipeline("value = \"1\"\nvalue \"jsn\" {}"), "value"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := schema.Validate(toJSON(t, "test.hcl", tt.hcl))
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// TestSchemaDescribes: every option has a text, and defaults are values.
func TestSchemaDescribes(t *testing.T) {
	t.Parallel()
	text, err := own(t).Schema()
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Defs map[string]struct {
			Properties map[string]struct {
				Description string
				Ref         string `json:"$ref"`
				Default     any
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	for name, d := range s.Defs {
		for option, o := range d.Properties {
			if o.Description == "" && o.Ref == "" {
				t.Errorf("%s.%s has no description", name, option)
			}
		}
	}
	if d := s.Defs["pipeline"].Properties["workers"].Default; d != 0.0 {
		t.Errorf("workers has the default %v", d)
	}
	if d := s.Defs["pipeline"].Properties["linger"].Default; d != "5ms" {
		t.Errorf("linger has the default %v", d)
	}
}

// toJSON writes a config in HCL's JSON form and checks that HCL reads that.
func toJSON(t *testing.T, name, src string) any {
	t.Helper()
	f, diags := hclsyntax.ParseConfig([]byte(src), name, hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s: %v", name, diags)
	}
	text, err := json.Marshal(bodyJSON(f.Body.(*hclsyntax.Body), []byte(src)))
	if err != nil {
		t.Fatal(err)
	}
	if _, diags := hcljson.Parse(text, name+".json"); diags.HasErrors() {
		t.Fatalf("%s: %v in\n%s", name, diags, text)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func bodyJSON(body *hclsyntax.Body, src []byte) map[string]any {
	out := make(map[string]any)
	for name, a := range body.Attributes {
		out[name] = exprJSON(a.Expr, src)
	}
	for _, b := range body.Blocks {
		path := append([]string{b.Type}, b.Labels...)
		at := out
		for _, label := range path[:len(path)-1] {
			next, ok := at[label].(map[string]any)
			if !ok {
				next = make(map[string]any)
				at[label] = next
			}
			at = next
		}
		last := path[len(path)-1]
		inner := bodyJSON(b.Body, src)
		switch before := at[last].(type) {
		case nil:
			at[last] = inner
		case []any:
			at[last] = append(before, inner)
		default:
			at[last] = []any{before, inner}
		}
	}
	return out
}

var escape = strings.NewReplacer("${", "$${", "%{", "%%{")

func exprJSON(e hclsyntax.Expression, src []byte) any {
	hole := func(e hclsyntax.Expression) string {
		return "${" + string(e.Range().SliceBytes(src)) + "}"
	}
	switch e := e.(type) {
	case *hclsyntax.LiteralValueExpr:
		switch v := e.Val; {
		case v.IsNull():
			return nil
		case v.Type() == cty.Bool:
			return v.True()
		case v.Type() == cty.Number:
			return json.Number(v.AsBigFloat().Text('f', -1))
		default:
			return escape.Replace(v.AsString())
		}
	case *hclsyntax.TemplateExpr:
		var b strings.Builder
		for _, p := range e.Parts {
			if l, ok := p.(*hclsyntax.LiteralValueExpr); ok {
				b.WriteString(escape.Replace(l.Val.AsString()))
			} else {
				b.WriteString(hole(p))
			}
		}
		return b.String()
	case *hclsyntax.TupleConsExpr:
		list := []any{}
		for _, x := range e.Exprs {
			list = append(list, exprJSON(x, src))
		}
		return list
	case *hclsyntax.ObjectConsExpr:
		o := make(map[string]any)
		for _, item := range e.Items {
			key := hcl.ExprAsKeyword(item.KeyExpr)
			if key == "" {
				if v, diags := item.KeyExpr.Value(nil); !diags.HasErrors() {
					key = escape.Replace(v.AsString())
				} else {
					key = hole(item.KeyExpr)
				}
			}
			o[key] = exprJSON(item.ValueExpr, src)
		}
		return o
	case *hclsyntax.UnaryOpExpr:
		if v, diags := e.Value(nil); !diags.HasErrors() && v.Type() == cty.Number {
			return json.Number(v.AsBigFloat().Text('f', -1))
		}
	}
	return hole(e)
}
