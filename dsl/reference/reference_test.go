package reference_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/connections"
	"github.com/flowrecords/flow/converters"
	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/dsl/reference"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/inputs"
	"github.com/flowrecords/flow/outputs"
	"github.com/flowrecords/flow/processors"
)

var update = flag.Bool("update", false, "write the golden files")

// own describes flow itself.
func own(t *testing.T) *reference.Reference {
	t.Helper()
	return describe(t, engine.Components{
		Inputs: inputs.All(), Processors: processors.All(), Outputs: outputs.All(),
		Converters: converters.All(), Connections: connections.All(),
	})
}

func describe(t *testing.T, c engine.Components) *reference.Reference {
	t.Helper()
	registry, err := engine.NewRegistry(c)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := reference.New(registry)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

type rotate struct {
	Size  engine.ByteSize `flow:"size,required" min:"1KiB" doc:"Bytes of a file."`
	After time.Duration   `flow:"after" since:"0.4.0" max:"1h" doc:"Time of a file."`
}

type port struct {
	Name string            `flow:",label" doc:"Name of the port."`
	When engine.Expression `flow:"when,required,bool" doc:"Its condition."`
}

type config struct {
	Path     engine.Template `flow:"path,required,destination" allow:"paths" doc:"Where to write | what."`
	Paths    []string        `flow:"paths" doc:"What path may be." example:"[\"a\", \"b\"]"`
	Mode     string          `flow:"mode" oneof:"fast safe" doc:"How it goes about what it does, in a text that is long enough to be wrapped."`
	Retries  int             `flow:"retries" unit:"tries" min:"0" max:"9" doc:"How often."`
	Share    float64         `flow:"share" unit:"" since:"0.3.0" doc:"How much."`
	Password engine.Secret   `flow:"password" doc:"What nobody sees."`
	Rotate   *rotate         `flow:"rotate,block" since:"0.3.0" doc:"When a new file begins."`
	Ports    []port          `flow:"port,block" doc:"Where to go."`
}

// sample is a component that has one of everything.
func sample(t *testing.T) reference.Entry {
	t.Helper()
	ref := describe(t, engine.Components{Outputs: []engine.OutputFactory{{
		Component: engine.Component{Type: "sample", Summary: "Writes samples to a place that needs a long sentence to be said.", Since: "0.2.0",
			Description: "The first paragraph has `code with spaces`, a [link](../language.md#x), a\n[site](https://example.com/a) and **bold** words.\n\n- one item that is long enough to need a second line of text\n- two\n\n| a | b |\n| --- | --- |\n| `x` | what \\| it is |\n\n```\ncode   as it stands\n```\n",
			Defaults: func() any {
				return &config{Mode: "fast", Retries: 3, Password: engine.NewSecret("hunter2")}
			},
			Examples: []engine.Example{{Title: "Some", HCL: "output \"sample\" \"out\" {\n  path = \"x\"\n}\n"}}},
		ValueConverter: "json"}}})
	e, ok := ref.Find("output", "sample")
	if !ok {
		t.Fatal("the component is not there")
	}
	return e
}

func TestGolden(t *testing.T) {
	t.Parallel()
	e := sample(t)
	text, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{
		"sample.txt":  reference.Text(&e, 60, reference.Style{}),
		"sample.md":   reference.Markdown(&e),
		"sample.json": string(text) + "\n",
	} {
		path := filepath.Join("testdata", name)
		if strings.Contains(got, "hunter2") {
			t.Errorf("%s shows a secret", name)
		}
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s is (run with -update):\n%s", path, got)
		}
	}
}

// TestTextFits: prose of every entry stays within the width, however narrow;
// only code, which must stand as it is, may be wider.
func TestTextFits(t *testing.T) {
	t.Parallel()
	for _, e := range own(t).All() {
		e.Examples = nil
		verbatim := map[string]bool{e.Syntax: true}
		for l := range strings.SplitSeq(e.Description, "\n") {
			verbatim[strings.TrimSpace(l)] = true
		}
		for _, width := range []int{50, 80, 100} {
			text := reference.Text(&e, width, reference.Style{})
			for l := range strings.SplitSeq(text, "\n") {
				trimmed := strings.TrimSpace(l)
				code := strings.HasPrefix(trimmed, "e.g. ") || verbatim[trimmed] || strings.Count(trimmed, " ") == 0 || strings.HasPrefix(trimmed, "`")
				if n := len([]rune(l)); n > width && !code {
					t.Errorf("%s %s at %d: a line of %d: %q", e.Kind, e.Type, width, n, l)
				}
			}
		}
	}
}

// TestTextIsComplete: what the JSON says of an option is in the text, too.
func TestTextIsComplete(t *testing.T) {
	t.Parallel()
	for _, e := range own(t).Components {
		text := strings.Join(strings.Fields(reference.Text(&e, 100, reference.Style{})), " ")
		var check func(list []reference.Option)
		check = func(list []reference.Option) {
			for _, o := range list {
				for _, part := range []string{o.Name, o.Default, o.Min, o.Max, o.Example} {
					if part = strings.Join(strings.Fields(part), " "); !strings.Contains(text, part) {
						t.Errorf("%s %s: option %s: %q is not in the text", e.Kind, e.Type, o.Name, part)
					}
				}
				if o.Since == "" || o.Doc == "" || o.Type == "" {
					t.Errorf("%s %s: option %s is not described: %+v", e.Kind, e.Type, o.Name, o)
				}
				check(o.Options)
			}
		}
		check(e.Options)
		check(e.Common)
	}
}

// TestBlocks: what is said of the blocks of the language is what the compiler
// takes. Options of a pipeline come from its spec.
func TestBlocks(t *testing.T) {
	t.Parallel()
	config := func(block, option string) string {
		text := map[string]string{"type": "type = number", "default": "default = 1", "description": `description = "d"`, "sensitive": "sensitive = false",
			"validation": "validation {\n condition = true\n error_message = \"m\"\n}",
			"params":     `params = ["a"]`, "result": `result = "1"`, "unknown": "unknown = 1"}[option]
		if text == "" {
			t.Fatalf("%s has an option %s that the test does not know", block, option)
		}
		if block == "function" && option != "result" {
			text += "\nresult = \"1\""
		}
		return block + " \"x\" {\n" + text + "\n}\npipeline \"p\" {\n input \"stdin\" \"i\" {}\n output \"stdout\" \"o\" {}\n}\n"
	}
	options := dsl.Options{Registry: registry(t), Vars: []string{"x=1"}}
	for _, e := range own(t).Blocks {
		if e.Type != "variable" && e.Type != "function" {
			continue
		}
		o := options
		if e.Type == "function" {
			o.Vars = nil
		}
		for _, opt := range e.Options {
			if res := dsl.LoadSources(map[string][]byte{"a.hcl": []byte(config(e.Type, opt.Name))}, o); res.Diags.HasErrors() {
				t.Errorf("%s.%s: %v", e.Type, opt.Name, res.Diags)
			}
		}
		res := dsl.LoadSources(map[string][]byte{"a.hcl": []byte(config(e.Type, "unknown"))}, o)
		if !res.Diags.HasErrors() {
			t.Fatalf("%s takes an unknown option", e.Type)
		}
	}
}

func registry(t *testing.T) *engine.Registry {
	t.Helper()
	r, err := engine.NewRegistry(engine.Components{
		Inputs: inputs.All(), Processors: processors.All(), Outputs: outputs.All(),
		Converters: converters.All(), Connections: connections.All(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFind(t *testing.T) {
	t.Parallel()
	ref := own(t)
	var kinds []string
	for _, e := range ref.Named("kafka") {
		kinds = append(kinds, e.Kind)
	}
	if want := []string{"input", "output", "connection"}; !slices.Equal(kinds, want) {
		t.Errorf("kafka is %v, want %v", kinds, want)
	}
	if e, ok := ref.Find("function", "upper"); !ok || len(e.Params) != 1 || len(e.Examples) == 0 {
		t.Errorf("function upper: %v %+v", ok, e)
	}
	if _, ok := ref.Find("input", "nope"); ok {
		t.Error("an input that is not there is found")
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		width    int
		want     []string
	}{
		{"empty", "", 10, nil},
		{"fits", "a b", 10, []string{"a b"}},
		{"breaks", "aaa bbb ccc", 7, []string{"aaa bbb", "ccc"}},
		{"long word", "a bbbbbbbbbb c", 5, []string{"a", "bbbbbbbbbb", "c"}},
		{"code stays together", "see `a = b` there", 8, []string{"see", "`a = b`", "there"}},
		{"characters, not bytes", "ééé ééé", 7, []string{"ééé ééé"}},
		{"lone tick", "a ` b c d e f g h", 5, []string{"a", "` b c d e f", "g h"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := reference.Wrap(tt.in, tt.width); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzPlain(f *testing.F) {
	f.Add("a `b` *c* [d](e)\n- x\n  y\n\n| a | b |\n|---|\n```\nz", 30)
	f.Add("```", 1)
	f.Add("|", -1)
	f.Fuzz(func(t *testing.T, markdown string, width int) {
		for _, l := range reference.Plain(markdown, width) {
			if strings.Contains(l, "\n") {
				t.Fatalf("a line has two: %q", l)
			}
		}
	})
}
