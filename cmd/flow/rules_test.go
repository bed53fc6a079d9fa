package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/flowrecords/flow/cmd/cli"
	"github.com/flowrecords/flow/connections"
	"github.com/flowrecords/flow/converters"
	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/inputs"
	"github.com/flowrecords/flow/outputs"
	"github.com/flowrecords/flow/processors"
)

// lintResult is what flow lint --format json says.
type lintResult struct {
	Errors, Warnings, Ignored int
	Findings                  []lintFinding
}

type lintFinding struct {
	Rule, Name, Severity, Summary, Detail string
	Range                                 struct {
		File       string
		Start, End struct{ Line, Column, Byte int }
	}
}

func (r lintResult) String() string {
	var b strings.Builder
	for _, f := range r.Findings {
		b.WriteString(f.Rule + " " + f.Summary + ": " + f.Detail + "\n")
	}
	return b.String()
}

// lintExample lints an example of a rule (rules.Rule) with further flags.
func lintExample(t *testing.T, dir, text string, flags ...string) lintResult {
	t.Helper()
	ar := &txtar.Archive{Files: []txtar.File{{Name: "main.hcl", Data: []byte(text)}}}
	if strings.Contains(text, "-- main.hcl --\n") {
		ar = txtar.Parse([]byte(text))
	}
	report := filepath.Join(dir, "report.json")
	args := append([]string{"lint", "--format", "json", "--output", report}, flags...)
	environ := []string{"HOME=/home/nobody"}
	for line := range strings.Lines(string(ar.Comment)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "var":
			args = append(args, "--var", value)
		case "var-file":
			args = append(args, "--var-file", filepath.Join(dir, value))
		case "env":
			environ = append(environ, value)
		default:
			t.Errorf("the example begins with %q", line)
		}
	}
	for _, f := range ar.Files {
		write(t, filepath.Join(dir, f.Name), string(f.Data))
	}
	args = append(args, filepath.Join(dir, "main.hcl"))
	code := mainInProcess(t, dir, environ, args...)
	data, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var res lintResult
	if err := json.Unmarshal(data, &res); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	if want := res.Errors > 0; want != (code == cli.ExitConfig) {
		t.Errorf("exit status %d with %d errors", code, res.Errors)
	}
	return res
}

// mainInProcess runs the command line; what it prints goes to files of dir.
func mainInProcess(t *testing.T, dir string, environ []string, args ...string) int {
	t.Helper()
	var out [2]*os.File
	for i, name := range []string{"stdout", "stderr"} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		out[i] = f
	}
	return cli.Main(cli.Program{Version: "test", Components: components(), Args: args, Stdin: os.Stdin, Stdout: out[0], Stderr: out[1], Environ: environ})
}

// fixedElsewhere are rules that can be corrected in other cases than in their
// example: testdata/lint has these.
var fixedElsewhere = map[string]bool{"FL2510": true}

// TestRules: each rule is found in its example and nothing else is, nothing is
// found in the correction, and lint --fix leaves nothing where it can.
func TestRules(t *testing.T) {
	t.Parallel()
	for _, r := range rules.All() {
		t.Run(string(r.ID), func(t *testing.T) {
			t.Parallel()
			bad := lintExample(t, t.TempDir(), r.Bad)
			if len(bad.Findings) != 1 || bad.Findings[0].Rule != string(r.ID) || bad.Findings[0].Severity != string(r.Severity) {
				t.Errorf("the example has the findings\n%s", bad)
			}
			if good := lintExample(t, t.TempDir(), r.Good); len(good.Findings) != 0 {
				t.Errorf("the correction has the findings\n%s", good)
			}
			dir := t.TempDir()
			if fixed := lintExample(t, dir, r.Bad, "--fix"); r.Fixable && len(fixed.Findings) != 0 && !fixedElsewhere[string(r.ID)] {
				t.Errorf("after --fix there is\n%s", fixed)
			} else if !r.Fixable && len(fixed.Findings) == 0 {
				t.Error("--fix corrects it, and the rule does not say so")
			}
		})
	}
}

// TestRuleRanges: each rule's example is marked at exactly the right place.
// The golden file shows it with the text that is marked.
func TestRuleRanges(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	for _, r := range rules.All() {
		dir := t.TempDir()
		for _, f := range lintExample(t, dir, r.Bad).Findings {
			at := f.Range
			if at.File == "" {
				fmt.Fprintf(&got, "%s no place: %s\n", f.Rule, strings.ReplaceAll(f.Summary, dir+string(filepath.Separator), ""))
				continue
			}
			src, err := os.ReadFile(at.File)
			if err != nil {
				t.Fatal(err)
			}
			if at.End.Byte > len(src) || at.Start.Byte > at.End.Byte {
				t.Fatalf("%s: range %v in %d bytes", f.Rule, at, len(src))
			}
			fmt.Fprintf(&got, "%s %s:%d:%d-%d:%d %q\n", f.Rule, filepath.Base(at.File), at.Start.Line, at.Start.Column, at.End.Line, at.End.Column, src[at.Start.Byte:at.End.Byte])
		}
	}
	golden := filepath.Join("..", "..", "testdata", "lint", "rules.golden")
	if *update {
		write(t, golden, got.String())
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

var ruleName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// TestRuleCatalogue: ids and names are unique and of their category, and
// every page has something to say.
func TestRuleCatalogue(t *testing.T) {
	t.Parallel()
	digits := map[rules.Category]string{rules.Syntax: "10", rules.Options: "11", rules.Names: "12", rules.Wiring: "13", rules.Expressions: "14",
		rules.Delivery: "20", rules.Errors: "21", rules.Security: "22", rules.Operations: "23", rules.Performance: "24", rules.DeadCode: "25", rules.Lint: "29"}
	seen := make(map[string]rules.ID)
	all := rules.All()
	for _, r := range all {
		id := string(r.ID)
		if len(id) != 6 || !strings.HasPrefix(id, "FL"+digits[r.Category]) || digits[r.Category] == "" {
			t.Errorf("%s is no id of category %q", id, r.Category)
		}
		for _, key := range []string{id, r.Name} {
			if other, dup := seen[key]; dup {
				t.Errorf("%s and %s are both called %s", r.ID, other, key)
			}
			seen[key] = r.ID
		}
		if _, clash := digits[rules.Category(r.Name)]; clash || !ruleName.MatchString(r.Name) {
			t.Errorf("%s: %q is no name", id, r.Name)
		}
		if r.Severity != rules.Error && r.Severity != rules.Warning {
			t.Errorf("%s has severity %q", id, r.Severity)
		}
		if !strings.HasSuffix(r.Summary, ".") || strings.Contains(r.Summary, "\n") || strings.TrimSpace(r.Doc) == "" {
			t.Errorf("%s: summary %q, doc %q", id, r.Summary, r.Doc)
		}
		if r.Bad == r.Good {
			t.Errorf("%s: the correction is the mistake", id)
		}
		for _, by := range []string{id, strings.ToLower(id), r.Name} {
			if found, ok := rules.Lookup(by); !ok || found.ID != r.ID {
				t.Errorf("%s is not found by %q", id, by)
			}
		}
	}
	if !slices.IsSortedFunc(all, func(a, b rules.Rule) int { return strings.Compare(string(a.ID), string(b.ID)) }) {
		t.Error("the rules are not in order")
	}
}

// components are those of the program.
func components() engine.Components {
	return engine.Components{
		Inputs: inputs.All(), Processors: processors.All(), Outputs: outputs.All(),
		Converters: converters.All(), Connections: connections.All(),
	}
}
