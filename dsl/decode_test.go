package dsl_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// fakeConfig has an option of every type.
type fakeConfig struct {
	Text      string                   `flow:"text" oneof:"a b" doc:"." `
	Bool      bool                     `flow:"bool" doc:"."`
	Int       int                      `flow:"int" unit:"" min:"1" max:"10" doc:"."`
	Int64     int64                    `flow:"int64" unit:"" doc:"."`
	Float     float64                  `flow:"float" unit:"" min:"0.5" doc:"."`
	Duration  time.Duration            `flow:"duration" doc:"."`
	Size      engine.ByteSize          `flow:"size" doc:"."`
	Secret    engine.Secret            `flow:"secret" doc:"."`
	Pattern   engine.Pattern           `flow:"pattern" doc:"."`
	Path      engine.PathOption        `flow:"path" doc:"."`
	Texts     []string                 `flow:"texts" doc:"."`
	Sizes     []engine.ByteSize        `flow:"sizes" doc:"."`
	Durations []time.Duration          `flow:"durations" doc:"."`
	Ints      []int                    `flow:"ints" unit:"" max:"9" doc:"."`
	Secrets   []engine.Secret          `flow:"secrets" doc:"."`
	Patterns  []engine.Pattern         `flow:"patterns" doc:"."`
	Paths     []engine.PathOption      `flow:"paths" doc:"."`
	Exprs     []engine.Expression      `flow:"exprs" doc:"."`
	Templates []engine.Template        `flow:"templates" doc:"."`
	Map       map[string]string        `flow:"map" doc:"."`
	SecretMap map[string]engine.Secret `flow:"secret_map" doc:"."`
	Conn      engine.ConnectionRef     `flow:"connection" system:"fake" doc:"."`
	To        engine.Template          `flow:"to,destination" allow:"tos" doc:"."`
	Tos       []string                 `flow:"tos" doc:"."`
	Block     struct {
		N  int `flow:"n" unit:"" doc:"."`
		In *struct {
			To engine.Expression `flow:"to,destination" doc:"."`
		} `flow:"in,block" doc:"."`
	} `flow:"block,block" doc:"."`
	List []struct {
		Name string          `flow:",label"`
		To   engine.Template `flow:"to,destination" doc:"."`
		N    int             `flow:"n" unit:"" min:"1" doc:"."`
	} `flow:"list,block" doc:"."`
}

func (c *fakeConfig) Validate() []engine.Problem {
	if c.Int64 == 13 {
		return []engine.Problem{{Option: "list[1].n", Summary: "thirteen", Detail: "Take 100% of another number."}}
	}
	return nil
}

type fakeConnection struct{ n int }

type fakeConverter struct{ engine.Converter }

// fakeRegistry holds one component of each kind. made counts connections.
func fakeRegistry(t *testing.T, made *int) *engine.Registry {
	t.Helper()
	about := func(defaults func() any) engine.Component {
		return engine.Component{Type: "fake", Summary: "Nothing.", Defaults: defaults, Examples: []engine.Example{{Title: "it"}}}
	}
	type empty struct{}
	config := func() any { return &fakeConfig{Int: 5, Float: 1, Text: "a", Texts: []string{"default"}} }
	r, err := engine.NewRegistry(engine.Components{
		Inputs: []engine.InputFactory{{Component: about(config), ValueConverter: "fake",
			New: func(config any, _ engine.Env) (engine.Input, error) { return nil, errors.New("made") }}},
		Processors: []engine.ProcessorFactory{{Component: about(config),
			New: func(any, engine.Env) (engine.Processor, error) { return nil, nil }}},
		Outputs: []engine.OutputFactory{{Component: about(func() any { return &empty{} }),
			Delivery: func(any) engine.Delivery { return engine.Delivery{Confirms: "it is there"} },
			New:      func(any, engine.Env) (engine.Output, error) { return nil, nil }}},
		Converters: []engine.ConverterFactory{{
			Component: about(func() any {
				return &struct {
					Fail bool `flow:"fail" doc:"."`
				}{}
			}),
			New: func(config any, env engine.Env) (engine.Converter, error) {
				if reflect.ValueOf(config).Elem().Field(0).Bool() {
					return nil, errors.New("it was told to fail")
				}
				if env.Logger == nil || env.Now == nil || env.Element != "input.fake.in" {
					return nil, fmt.Errorf("incomplete env %+v", env)
				}
				return fakeConverter{}, nil
			}}},
		Connections: []engine.ConnectionFactory{{
			Component: about(func() any {
				return &struct {
					Fail bool `flow:"fail" doc:"."`
				}{}
			}),
			New: func(config any, env engine.Env) (any, error) {
				if reflect.ValueOf(config).Elem().Field(0).Bool() {
					return nil, errors.New("it was told to fail")
				}
				if env.Logger == nil || !strings.HasPrefix(env.Element, "connection.fake.") {
					return nil, fmt.Errorf("incomplete env %+v", env)
				}
				*made++
				return &fakeConnection{n: *made}, nil
			}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.CheckRegistry(r); err != nil {
		t.Fatal(err)
	}
	return r
}

// fakePipeline is a config with the options in a fake input.
func fakePipeline(options string) string {
	return "pipeline \"p\" {\ninput \"fake\" \"in\" {\n" + options + "\n}\noutput \"fake\" \"out\" {\n}\n}\n"
}

func loadFake(t *testing.T, text string, made *int) *dsl.Result {
	t.Helper()
	return dsl.LoadSources(map[string][]byte{"f.hcl": []byte(text)}, dsl.Options{Registry: fakeRegistry(t, made), Environ: []string{"PW=hush-hush"}})
}

func TestDecode(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, options string
		got           func(c *fakeConfig) any
		want          any
	}{
		{"defaults stay", ``, func(c *fakeConfig) any { return fmt.Sprintf("%d %g %s %s", c.Int, c.Float, c.Text, c.Texts) }, "5 1 a [default]"},
		{"null is absent", `texts = null`, func(c *fakeConfig) any { return c.Texts }, []string{"default"}},
		{"an empty list is one", `texts = []`, func(c *fakeConfig) any { return len(c.Texts) }, 0},
		{"text", `text = "b"`, func(c *fakeConfig) any { return c.Text }, "b"},
		{"bool", `bool = true`, func(c *fakeConfig) any { return c.Bool }, true},
		{"bool of text", `bool = "true"`, func(c *fakeConfig) any { return c.Bool }, true},
		{"int of text", `int = "7"`, func(c *fakeConfig) any { return c.Int }, 7},
		{"large int", `int64 = 9223372036854775807`, func(c *fakeConfig) any { return c.Int64 }, int64(9223372036854775807)},
		{"float", `float = 2.5`, func(c *fakeConfig) any { return c.Float }, 2.5},
		{"duration", `duration = "1m30s"`, func(c *fakeConfig) any { return c.Duration }, 90 * time.Second},
		{"no duration", `duration = 0`, func(c *fakeConfig) any { return c.Duration }, time.Duration(0)},
		{"size", `size = "64KiB"`, func(c *fakeConfig) any { return c.Size }, engine.ByteSize(65536)},
		{"size of number", `size = 100`, func(c *fakeConfig) any { return c.Size }, engine.ByteSize(100)},
		{"secret", `secret = env("PW")`, func(c *fakeConfig) any { return c.Secret.Reveal() }, "hush-hush"},
		{"pattern", `pattern = "a\\d"`, func(c *fakeConfig) any { return c.Pattern.String() }, `a\d`},
		{"path", `path = "a.b[0]"`, func(c *fakeConfig) any { return c.Path.Path },
			record.Path{{Name: "a"}, {Name: "b"}, {Index: 0, IsIndex: true}}},
		{"sizes", `sizes = ["1KiB", 5]`, func(c *fakeConfig) any { return c.Sizes }, []engine.ByteSize{1024, 5}},
		{"durations", `durations = ["1s"]`, func(c *fakeConfig) any { return c.Durations }, []time.Duration{time.Second}},
		{"ints", `ints = [for n in [1, 2] : n * 2]`, func(c *fakeConfig) any { return c.Ints }, []int{2, 4}},
		{"secrets", `secrets = [env("PW")]`, func(c *fakeConfig) any { return c.Secrets[0].Reveal() }, "hush-hush"},
		{"patterns", `patterns = ["a+"]`, func(c *fakeConfig) any { return c.Patterns[0].String() }, "a+"},
		{"paths", `paths = ["a", "b.c"]`, func(c *fakeConfig) any { return len(c.Paths) }, 2},
		{"expressions", `exprs = ["value.a", 5]`, func(c *fakeConfig) any { return c.Exprs[0].Source.Text() + " " + c.Exprs[1].Source.Text() }, "value.a 5"},
		{"templates", `templates = ["{{ value.a }}"]`, func(c *fakeConfig) any { return c.Templates[0].Source.Text() }, "{{ value.a }}"},
		{"map", `map = { a = 1, b = null }`, func(c *fakeConfig) any { return c.Map }, map[string]string{"a": "1"}},
		{"secret map", `secret_map = { a = env("PW") }`, func(c *fakeConfig) any { return c.SecretMap["a"].Reveal() }, "hush-hush"},
		{"block", "block {\nn = 3\n}", func(c *fakeConfig) any { return c.Block.N }, 3},
		{"no block within", "block {\n}", func(c *fakeConfig) any { return c.Block.In == nil }, true},
		{"block within", "block {\nin {\nto = \"'x'\"\n}\n}", func(c *fakeConfig) any { return c.Block.In.To.Source.Text() }, "'x'"},
		{"blocks", "list \"a\" {\nn = 1\n}\nlist \"b\" {\nn = 2\n}", func(c *fakeConfig) any {
			return fmt.Sprintf("%s %d %s %d", c.List[0].Name, c.List[0].N, c.List[1].Name, c.List[1].N)
		}, "a 1 b 2"},
		{"allow-list", `to = "{{ value.a }}"` + "\ntos = [\"x\"]", func(c *fakeConfig) any { return c.Tos }, []string{"x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := loadFake(t, fakePipeline(tt.options), new(int))
			if len(r.Diags) > 0 {
				t.Fatalf("mistakes:\n%s", printed(t, r))
			}
			if got := tt.got(r.Plan.Pipelines[0].Elements[0].Config.(*fakeConfig)); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %#v, want %#v", got, tt.want)
			}
		})
	}
}

func TestDecodeMistakes(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, options, want string }{
		{"element of ints", `ints = [1, 10]`, `f.hcl:3:12: error: option "ints[1]" is too high`},
		{"element of sizes", `sizes = ["1KiB", "x"]`, `f.hcl:3:19: error: option "sizes[1]" is no size`},
		{"element of a computed list", `ints = [for n in [1, 99] : n]`, `f.hcl:3:8: error: option "ints" is too high`},
		{"null in a computed list", `texts = concat(["a"], [null])`, `option "texts" holds a null`},
		{"number too large", `int64 = 9223372036854775808`, "is no whole number"},
		{"float too low", `float = 0.1`, `option "float" is too low`},
		{"element of expressions", `exprs = ["value.a", "vale.b"]`, "f.hcl:3:22: error: unknown name vale"},
		{"map of lists", `map = { a = [1] }`, `option "map" must be a map of string`},
		{"rule at a block's option", "int64 = 13\nlist \"a\" {\n}\nlist \"b\" {\nn = 2\n}", "f.hcl:7:1: error: thirteen"},
		{"a percent sign survives", "int64 = 13\nlist \"a\" {\n}\nlist \"b\" {\nn = 2\n}", "Take 100% of another number."},
		{"rule at a block without the option", "int64 = 13\nlist \"a\" {\n}\nlist \"b\" {\n}", "f.hcl:6:1: error: thirteen"},
		{"destination in a block", "block {\nin {\nto = \"value.a\"\n}\n}", "f.hcl:5:6: error: to is chosen by record content alone"},
		{"destination in blocks", "list \"a\" {\nto = \"{{ value.a }}\"\n}", "f.hcl:4:6: error: to is chosen by record content alone"},
		{"empty allow-list", `to = "{{ value.a }}"` + "\ntos = []", "list what it may give: tos = [...]"},
		{"topic of unknown topics", `to = "{{ topic }}"`, "to is chosen by record content alone"},
		{"converter that fails", "value \"fake\" {\nfail = true\n}", "f.hcl:3:1: error: converter cannot be made"},
		{"secret in plain text", `secrets = ["hunter2"]`, "warning: option \"secrets[0]\" holds a secret in plain text"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := loadFake(t, fakePipeline(tt.options), new(int))
			got := printed(t, r)
			if !strings.Contains(got, tt.want) {
				t.Errorf("got:\n%s\nwant %q", got, tt.want)
			}
			if len(r.Diags) != 1 {
				t.Errorf("%d diagnostics:\n%s", len(r.Diags), got)
			}
			if strings.Contains(got, "hunter2") {
				t.Errorf("a secret is shown:\n%s", got)
			}
		})
	}
}

func TestConnectionsAreShared(t *testing.T) {
	t.Parallel()
	made := 0
	r := loadFake(t, `
connection "fake" "a" {
}
connection "fake" "b" {
}
pipeline "p" {
  input "fake" "one" {
    connection = connection.fake.a
  }
  input "fake" "two" {
    connection = connection.fake.a
  }
  input "fake" "three" {
    connection = connection.fake.b
  }
  output "fake" "out" {
  }
}
`, &made)
	got := printed(t, r)
	if strings.Count(got, "converter cannot be made") != 3 || len(r.Diags) != 3 {
		t.Fatalf("the fake converter takes one name of an input only:\n%s", got)
	}
	var refs []engine.ConnectionRef
	for _, e := range r.Plan.Pipelines[0].Elements[:3] {
		refs = append(refs, e.Config.(*fakeConfig).Conn)
	}
	if refs[0].Value != refs[1].Value || refs[0].Value == refs[2].Value || made != 2 {
		t.Errorf("%d connections made: %+v", made, refs)
	}
	if refs[0].Name != "connection.fake.a" {
		t.Errorf("name %q", refs[0].Name)
	}
}

func TestConnectionFails(t *testing.T) {
	t.Parallel()
	r := loadFake(t, "connection \"fake\" \"a\" {\nfail = true\n}\n"+fakePipeline("connection = connection.fake.a"), new(int))
	got := printed(t, r)
	if len(r.Diags) != 1 || !strings.Contains(got, "f.hcl:1:1: error: connection cannot be made") || !strings.Contains(got, "It was told to fail.") {
		t.Errorf("got:\n%s", got)
	}
}

func TestElementsAreMadeByTheRunner(t *testing.T) {
	t.Parallel()
	r := loadFake(t, fakePipeline(""), new(int))
	e := r.Plan.Pipelines[0].Elements[0]
	if _, err := e.NewInput(engine.Env{}); err == nil || err.Error() != "made" {
		t.Errorf("error %v", err)
	}
	if e.Value != (fakeConverter{}) || e.Key != nil {
		t.Errorf("key %v, value %v", e.Key, e.Value)
	}
}
