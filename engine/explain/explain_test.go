package explain_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/tools/txtar"

	"github.com/flowrecords/flow/connections"
	"github.com/flowrecords/flow/converters"
	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/dsl/diag"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/explain"
	"github.com/flowrecords/flow/engine/run"
	"github.com/flowrecords/flow/inputs"
	"github.com/flowrecords/flow/outputs"
	"github.com/flowrecords/flow/processors"
)

var update = flag.Bool("update", false, "rewrite the expectations of the txtar suite")

func registry(t testing.TB) *engine.Registry {
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

// settings are the lines of a case's comment: "var: n=v", "env: N=V", "width:
// 60", "cpus: 2", and "hidden: TEXT", which must be in no format.
type settings struct {
	vars, environ, hidden []string
	width, cpus           int
}

func settingsOf(t *testing.T, comment []byte) settings {
	t.Helper()
	s := settings{width: 80, cpus: 4}
	for line := range strings.SplitSeq(string(comment), "\n") {
		key, value, _ := strings.Cut(line, ": ")
		switch key {
		case "var":
			s.vars = append(s.vars, value)
		case "env":
			s.environ = append(s.environ, value)
		case "hidden":
			s.hidden = append(s.hidden, value)
		case "width", "cpus":
			n, err := strconv.Atoi(value)
			if err != nil {
				t.Fatal(err)
			}
			if key == "width" {
				s.width = n
			} else {
				s.cpus = n
			}
		}
	}
	return s
}

func described(t *testing.T, ar *txtar.Archive, s settings) *explain.Plan {
	plan, _ := compiled(t, ar, s)
	return plan
}

func compiled(t *testing.T, ar *txtar.Archive, s settings) (*explain.Plan, []*engine.Pipeline) {
	t.Helper()
	sources := make(map[string][]byte)
	for _, f := range ar.Files {
		if strings.HasSuffix(f.Name, ".hcl") {
			sources[f.Name] = f.Data
		}
	}
	r := registry(t)
	res := dsl.LoadSources(sources, dsl.Options{Registry: r, Vars: s.vars, Environ: s.environ})
	if res.Diags.HasErrors() {
		var b bytes.Buffer
		_ = diag.WriteText(&b, res.Files, res.Diags, false, 100)
		t.Fatal(b.String())
	}
	plan, err := explain.Describe(res.Plan.Pipelines, explain.Options{Registry: r, CPUs: s.cpus})
	if err != nil {
		t.Fatal(err)
	}
	return plan, res.Plan.Pipelines
}

// formats renders a plan in every format.
func formats(t *testing.T, plan *explain.Plan, width int) map[string]string {
	t.Helper()
	var text, js, dot, mermaid bytes.Buffer
	for _, err := range []error{
		explain.WriteText(&text, plan, explain.TextOptions{Width: width}),
		explain.WriteJSON(&js, plan),
		explain.WriteDOT(&dot, plan),
		explain.WriteMermaid(&mermaid, plan),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return map[string]string{"text": text.String(), "json": js.String(), "dot": dot.String(), "mermaid": mermaid.String()}
}

// TestGolden: what configs are explained as. A case holds its config and the
// files want.FORMAT that it cares for; every format is checked to be well
// formed and to hide what is hidden.
func TestGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../testdata/explain/*.txtar")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d cases: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := settingsOf(t, ar.Comment)
			plan, pipelines := compiled(t, ar, s)
			checkStages(t, plan, pipelines)
			got := formats(t, plan, s.width)
			checkWidth(t, got["text"], s.width)
			checkJSON(t, got["json"])
			checkDOT(t, got["dot"])
			checkMermaid(t, got["mermaid"])
			for format, text := range got {
				for _, hidden := range s.hidden {
					if strings.Contains(text, hidden) {
						t.Errorf("%s shows %q:\n%s", format, hidden, text)
					}
				}
			}
			compare(t, file, ar, got)
		})
	}
}

func compare(t *testing.T, file string, ar *txtar.Archive, got map[string]string) {
	t.Helper()
	seen := false
	for i := range ar.Files {
		f := &ar.Files[i]
		format, ok := strings.CutPrefix(f.Name, "want.")
		if !ok {
			continue
		}
		seen = true
		if *update {
			f.Data = []byte(got[format])
		} else if want := string(f.Data); got[format] != want {
			t.Errorf("%s is\n%s\nwant\n%s", format, got[format], want)
		}
	}
	if !seen {
		t.Error("the case wants nothing")
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// checkStages: what is said to run together is what engine/run makes: the
// same edges, each with its reader.
func checkStages(t *testing.T, plan *explain.Plan, pipelines []*engine.Pipeline) {
	t.Helper()
	for i, p := range plan.Pipelines {
		runner, err := run.New(pipelines[i], run.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var want, got []string
		for _, e := range runner.Edges() {
			want = append(want, e.To)
		}
		for _, s := range p.Stages {
			if len(s.Elements) == 0 {
				got = append(got, s.Decodes+" (decoding)")
				continue
			}
			got = append(got, s.Elements[0])
		}
		for _, e := range pipelines[i].Elements {
			if e.Kind == engine.KindOutput {
				got = append(got, e.Address())
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("pipeline %s: stages and outputs read at %q, engine/run has %q", p.Name, got, want)
		}
	}
}

// checkWidth: no line is wider than asked for, and none ends in a space.
func checkWidth(t *testing.T, text string, width int) {
	t.Helper()
	for i, line := range strings.Split(text, "\n") {
		if n := utf8.RuneCountInString(line); n > width {
			t.Errorf("line %d has %d columns, more than %d: %s", i+1, n, width, line)
		}
		if strings.TrimRight(line, " ") != line {
			t.Errorf("line %d ends in a space: %q", i+1, line)
		}
	}
}

// checkJSON: the escaped form is what the decoder of a program expects.
func checkJSON(t *testing.T, text string) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	var plan explain.Plan
	if err := d.Decode(&plan); err != nil {
		t.Errorf("JSON: %v", err)
	}
	if plan.Version != explain.ShapeVersion {
		t.Errorf("version %d", plan.Version)
	}
}

// TestPlain: nothing that a config holds reaches the terminal as a command.
func TestPlain(t *testing.T) {
	t.Parallel()
	plan := &explain.Plan{Pipelines: []explain.Pipeline{{
		Name: "p\x1b[31m", Order: "partition",
		Elements: []explain.Element{{
			Address: "input.x.a\r\n\u202eb", Kind: "input", Key: &explain.Conversion{}, Value: &explain.Conversion{},
			Options:   []explain.Option{{Name: "path", Target: "\x07", Kind: "value", Text: "a\x1b]0;title\x07\tb\xff\u009bc"}},
			Positions: &explain.Positions{By: "\x1b[2J"},
		}},
		Delivery: explain.Delivery{Mode: "at_least_once", Why: []explain.Reason{{Element: "x", Text: "\x1b[1mbold"}}},
	}}}
	for format, text := range formats(t, plan, 80) {
		for _, r := range text {
			if r != '\n' && (r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u202e' || r == utf8.RuneError && format == "text") {
				t.Errorf("%s holds %U:\n%q", format, r, text)
				break
			}
		}
	}
}

var docCase = regexp.MustCompile("(?s)```hcl\n(.*?)```\n(.*?)\\$ flow explain( --format (\\w+))? ([a-z]+\\.hcl)\n(.*?)```")

// TestDocs: what docs/explain.md shows is what comes out.
func TestDocs(t *testing.T) {
	t.Parallel()
	const name = "../../docs/explain.md"
	doc, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text := string(doc)
	cases := docCase.FindAllStringSubmatch(text, -1)
	if len(cases) < 3 {
		t.Fatalf("%d examples", len(cases))
	}
	for _, m := range cases {
		format := cmp.Or(m[4], "text")
		plan := described(t, &txtar.Archive{Files: []txtar.File{{Name: m[5], Data: []byte(m[1])}}}, settings{cpus: 4})
		got := formats(t, plan, 80)[format]
		if m[6] == got {
			continue
		}
		if !*update {
			t.Errorf("docs show\n%s\nit is\n%s", m[6], got)
		}
		text = strings.Replace(text, m[0], strings.TrimSuffix(m[0], m[6]+"```")+got+"```", 1)
	}
	if *update {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestColor: marks change nothing but the look.
func TestColor(t *testing.T) {
	t.Parallel()
	ar, err := txtar.ParseFile("../../testdata/explain/orders.txtar")
	if err != nil {
		t.Fatal(err)
	}
	s := settingsOf(t, ar.Comment)
	plan := described(t, ar, s)
	var b bytes.Buffer
	if err := explain.WriteText(&b, plan, explain.TextOptions{Width: s.width, Color: true}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "\x1b[1m") {
		t.Error("no marks")
	}
	bare := b.String()
	for _, mark := range []string{"\x1b[1m", "\x1b[2m", "\x1b[36m", "\x1b[33m", "\x1b[0m"} {
		bare = strings.ReplaceAll(bare, mark, "")
	}
	if want := formats(t, plan, s.width)["text"]; bare != want {
		t.Errorf("with marks taken out:\n%s\nwithout marks:\n%s", bare, want)
	}
}

// TestJSONShape: the members that programs rely on are documented.
func TestJSONShape(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/explain.md")
	if err != nil {
		t.Fatal(err)
	}
	ar, err := txtar.ParseFile("../../testdata/explain/orders.txtar")
	if err != nil {
		t.Fatal(err)
	}
	s := settingsOf(t, ar.Comment)
	var tree any
	if err := json.Unmarshal([]byte(formats(t, described(t, ar, s), 80)["json"]), &tree); err != nil {
		t.Fatal(err)
	}
	names := members(tree, nil)
	if len(names) < 40 {
		t.Fatalf("only %d members", len(names))
	}
	for _, name := range names {
		if !bytes.Contains(doc, []byte("`"+name+"`")) {
			t.Errorf("docs/explain.md does not say what `%s` is", name)
		}
	}
}

func members(v any, found []string) []string {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			if !slices.Contains(found, k) {
				found = append(found, k)
			}
			found = members(inner, found)
		}
	case []any:
		for _, inner := range v {
			found = members(inner, found)
		}
	}
	return found
}
