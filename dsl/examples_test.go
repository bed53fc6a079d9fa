package dsl_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/engine"
)

var envCall = regexp.MustCompile(`env\("([A-Z0-9_]+)"`)

// lint compiles a piece of documentation. Environment variables that it names
// are set.
func lint(t *testing.T, name, text string) {
	t.Helper()
	o := dsl.Options{Registry: registry(t)}
	for _, m := range envCall.FindAllStringSubmatch(text, -1) {
		o.Environ = append(o.Environ, m[1]+"=x")
	}
	if r := dsl.LoadSources(map[string][]byte{name: []byte(text)}, o); len(r.Diags) > 0 {
		t.Errorf("the example is not clean:\n%s", printed(t, r))
	}
}

// TestExamples: the examples of every component compile without a word.
func TestExamples(t *testing.T) {
	t.Parallel()
	r := registry(t)
	var all []engine.Component
	for _, typ := range engine.Types(r.Inputs) {
		all = append(all, r.Inputs[typ].Component)
	}
	for _, typ := range engine.Types(r.Processors) {
		all = append(all, r.Processors[typ].Component)
	}
	for _, typ := range engine.Types(r.Outputs) {
		all = append(all, r.Outputs[typ].Component)
	}
	for _, typ := range engine.Types(r.Converters) {
		all = append(all, r.Converters[typ].Component)
	}
	for _, typ := range engine.Types(r.Connections) {
		all = append(all, r.Connections[typ].Component)
	}
	for _, c := range all {
		for _, ex := range c.Examples {
			t.Run(c.Type+"/"+ex.Title, func(t *testing.T) {
				t.Parallel()
				lint(t, c.Type+".hcl", complete(ex.HCL))
			})
		}
	}
}

// TestLanguageReference: every example of the reference compiles.
func TestLanguageReference(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile(filepath.Join("..", "docs", "language.md"))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(src), "```hcl\n")
	if len(parts) < 10 {
		t.Fatalf("%d examples: the reference has lost them", len(parts)-1)
	}
	for i, part := range parts[1:] {
		text, _, ok := strings.Cut(part, "```")
		if !ok {
			t.Fatalf("example %d is not closed", i+1)
		}
		t.Run(fmt.Sprint(i+1), func(t *testing.T) {
			t.Parallel()
			lint(t, "example.hcl", complete(text))
		})
	}
}

// complete adds what an example leaves out: the connection that it refers to,
// the pipeline around elements or one that uses what it declares, an input or
// an output.
func complete(text string) string {
	if !strings.Contains(text, "pipeline \"") {
		switch {
		case elements.MatchString(text):
			body := text
			if !strings.Contains(text, "input \"") {
				body = "input \"stdin\" \"in\" {\n}\n" + body
			}
			if !strings.Contains(text, "output \"") {
				body += "output \"stdout\" \"out\" {\n}\n"
			}
			text = "pipeline \"p\" {\n" + body + "}\n"
		default:
			text += "\n" + using(text)
		}
	}
	if strings.Contains(text, "connection.kafka.main") && !strings.Contains(text, "connection \"kafka\" \"main\"") {
		text += "connection \"kafka\" \"main\" {\nbrokers = [\"localhost:9092\"]\n}\n"
	}
	for _, name := range []string{"region", "min_amount"} {
		if strings.Contains(text, "var."+name) && !strings.Contains(text, "variable \""+name+"\"") {
			text += fmt.Sprintf("variable %q {\ndefault = 1\n}\n", name)
		}
	}
	return text
}

var (
	declaredVariable   = regexp.MustCompile(`(?m)^variable "(\w+)"`)
	declaredLocals     = regexp.MustCompile(`(?ms)^locals \{\n(.*?)^\}`)
	declaredLocal      = regexp.MustCompile(`(?m)^  (\w+)\s*=`)
	declaredFunction   = regexp.MustCompile(`(?ms)^function "(\w+)" \{.*?params\s*=\s*\[(.*?)\]`)
	declaredSchema     = regexp.MustCompile(`(?m)^schema "(\w+)"`)
	declaredConnection = regexp.MustCompile(`(?m)^connection "(\w+)" "(\w+)"`)
)

// using is a pipeline that uses all that a text declares.
func using(text string) string {
	var set strings.Builder
	use := func(expression string) {
		fmt.Fprintf(&set, "used_%d = %q\n", strings.Count(set.String(), "\n"), expression)
	}
	for _, m := range declaredVariable.FindAllStringSubmatch(text, -1) {
		use("var." + m[1])
	}
	for _, block := range declaredLocals.FindAllStringSubmatch(text, -1) {
		for _, m := range declaredLocal.FindAllStringSubmatch(block[1], -1) {
			use("local." + m[1])
		}
	}
	for _, m := range declaredFunction.FindAllStringSubmatch(text, -1) {
		args := make([]string, strings.Count(m[2], ",")+1)
		for i := range args {
			args[i] = fmt.Sprintf("value.a%d", i)
		}
		use(m[1] + "(" + strings.Join(args, ", ") + ")")
	}
	inputs := "input \"stdin\" \"in\" {\n}\n"
	for i, m := range declaredSchema.FindAllStringSubmatch(text, -1) {
		inputs += fmt.Sprintf("input \"file\" \"of_%d\" {\npath = \"%d.jsonl\"\nvalue \"json\" {\nschema = schema.%s\n}\n}\n", i, i, m[1])
	}
	for _, m := range declaredConnection.FindAllStringSubmatch(text, -1) {
		if m[1] == "registry" { // converters use it, not inputs
			inputs = fmt.Sprintf("input \"stdin\" \"in\" {\nvalue \"avro\" {\nregistry = connection.registry.%s\n}\n}\n", m[2])
			continue
		}
		inputs += fmt.Sprintf("input %q %q {\nconnection = connection.%s.%s\ntopics = [\"a\"]\ngroup = %q\nuntil = \"end\"\n}\n", m[1], m[2], m[1], m[2], m[2])
	}
	processor := ""
	if set.Len() > 0 {
		processor = "processor \"map\" \"uses\" {\nset = {\n" + set.String() + "}\n}\n"
	}
	return "pipeline \"p\" {\n" + inputs + processor + "output \"stdout\" \"out\" {\n}\n}\n"
}

var elements = regexp.MustCompile(`(?m)^(input|processor|output) "`)
