package dsl_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/tools/txtar"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/dsl/rules"
)

// finding writes a diagnostic as the corpus has it: place, rule, severity.
func finding(d *hcl.Diagnostic) string {
	severity := "error"
	if d.Severity == hcl.DiagWarning {
		severity = "warning"
	}
	at := "-"
	if s := d.Subject; s != nil {
		at = fmt.Sprintf("%s:%d:%d-", s.Filename, s.Start.Line, s.Start.Column)
		if s.End.Line != s.Start.Line {
			at += fmt.Sprintf("%d:", s.End.Line)
		}
		at += fmt.Sprint(s.End.Column)
	}
	return fmt.Sprintf("%s %s %s", at, rules.Of(d).Rule, severity)
}

// TestLintCorpus: configs that compile and are most likely not meant, each
// with its findings. "want" has a line for each; without findings it is empty.
func TestLintCorpus(t *testing.T) {
	t.Parallel()
	golden(t, "lint", func(t *testing.T, r *dsl.Result) string {
		var b strings.Builder
		for _, d := range r.Diags {
			b.WriteString(finding(d) + "\n")
			if s := d.Subject; s == nil || s.Empty() {
				t.Errorf("%s has no place", d.Summary)
			}
			if strings.Contains(d.Detail, "%!") || strings.Contains(d.Summary, "%!") {
				t.Errorf("the text of %s is not whole: %q %q", rules.Of(d).Rule, d.Summary, d.Detail)
			}
		}
		return b.String()
	})
}

// TestLintRules: the bad config of a rule has that finding and no other, its
// correction none.
func TestLintRules(t *testing.T) {
	t.Parallel()
	n := 0
	for _, r := range rules.All() {
		if r.ID < "FL2010" || r.Category == rules.Lint || r.ID[4:] < "10" {
			continue
		}
		n++
		t.Run(string(r.ID)+"_"+r.Name, func(t *testing.T) {
			t.Parallel()
			load := func(text string) *dsl.Result {
				return dsl.LoadSources(map[string][]byte{"main.hcl": []byte(text)}, dsl.Options{Registry: registry(t)})
			}
			bad := load(r.Bad)
			if len(bad.Diags) != 1 || rules.Of(bad.Diags[0]).Rule != r.ID {
				t.Errorf("the bad config has:\n%s", printed(t, bad))
			}
			if good := load(r.Good); len(good.Diags) > 0 {
				t.Errorf("the good config has:\n%s", printed(t, good))
			}
		})
	}
	if n < 40 {
		t.Errorf("%d rules", n)
	}
}

// TestLintFixes: what --fix does to the findings of the corpus leaves a config
// without them.
func TestLintFixes(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../testdata/lint/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no corpus")
	}
	fixed := make(map[rules.ID]bool)
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range ar.Files {
			if f.Name != "main.hcl" {
				continue
			}
			src := f.Data
			for round := range 20 {
				r := dsl.LoadSources(map[string][]byte{"main.hcl": src}, dsl.Options{Registry: registry(t)})
				i := slices.IndexFunc(r.Diags, func(d *hcl.Diagnostic) bool { return len(rules.Of(d).Fix) > 0 })
				if i < 0 {
					break
				}
				if round == 19 {
					t.Errorf("%s: fixes come to no end:\n%s", file, printed(t, r))
				}
				info := rules.Of(r.Diags[i])
				fixed[info.Rule] = true
				src = edited(src, info.Fix)
				after := dsl.LoadSources(map[string][]byte{"main.hcl": src}, dsl.Options{Registry: registry(t)})
				if after.Diags.HasErrors() || len(after.Diags) >= len(r.Diags) && count(after.Diags, info.Rule) >= count(r.Diags, info.Rule) {
					t.Errorf("%s: the fix of %s leaves:\n%s\n%s", file, r.Diags[i].Subject, src, printed(t, after))
					break
				}
			}
		}
	}
	for _, r := range rules.All() {
		if r.Fixable && r.ID >= "FL2310" && r.Category != rules.Lint && !fixed[r.ID] {
			t.Errorf("no case of the corpus is fixed by %s", r.ID)
		}
	}
}

func count(diags hcl.Diagnostics, id rules.ID) int {
	n := 0
	for _, d := range diags {
		if rules.Of(d).Rule == id {
			n++
		}
	}
	return n
}

// edited applies edits that do not overlap.
func edited(src []byte, edits []rules.Edit) []byte {
	edits = slices.Clone(edits)
	slices.SortFunc(edits, func(a, b rules.Edit) int { return b.Range.Start.Byte - a.Range.Start.Byte })
	for _, e := range edits {
		src = slices.Concat(src[:e.Range.Start.Byte], []byte(e.Text), src[e.Range.End.Byte:])
	}
	return src
}

// TestLintMutated: whatever is taken out of a config, or stands there twice,
// lint answers, and its fixes lie within the file.
func TestLintMutated(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../testdata/lint/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	reg := registry(t)
	check := func(src []byte) {
		r := dsl.LoadSources(map[string][]byte{"main.hcl": src}, dsl.Options{Registry: reg})
		for _, d := range r.Diags {
			for _, e := range rules.Of(d).Fix {
				if e.Range.Start.Byte > e.Range.End.Byte || e.Range.End.Byte > len(src) {
					t.Errorf("the fix of %s lies at %v of %d bytes:\n%s", d.Summary, e.Range, len(src), src)
				}
			}
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		src := ar.Files[0].Data
		for range 25 {
			from := random.IntN(len(src))
			to := min(len(src), from+random.IntN(40))
			check(slices.Concat(src[:from], src[to:]))
			check(slices.Concat(src[:to], src[from:]))
		}
	}
}

var fence = regexp.MustCompile("(?s)```hcl\n(.*?)```")

// synopsis is the header of a block without its options, and a part of one.
var synopsis = regexp.MustCompile(`^(\w+ "\w+" "NAME"|(key|value) "\w+") \{\n\}\n`)

// TestExamplesAreClean: nothing that the repository shows to users has a
// finding.
func TestExamplesAreClean(t *testing.T) {
	t.Parallel()
	check := func(name string, src []byte, vars ...string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := dsl.Options{Registry: registry(t), Vars: vars}
			for _, m := range envCall.FindAllStringSubmatch(string(src), -1) {
				o.Environ = append(o.Environ, m[1]+"=x")
			}
			if r := dsl.LoadSources(map[string][]byte{filepath.Base(name): src}, o); len(r.Diags) > 0 {
				t.Errorf("%s", printed(t, r))
			}
		})
	}
	read := func(glob string, least int) []string {
		files, err := filepath.Glob(filepath.Join("..", glob))
		if err != nil || len(files) < least {
			t.Fatalf("%s: %d files, %v", glob, len(files), err)
		}
		return files
	}
	for _, file := range append(read("*.hcl", 1), read("bench/configs/*.hcl", 4)...) {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var vars []string
		for _, m := range regexp.MustCompile(`(?m)^variable "(\w+)" \{\}`).FindAllSubmatch(src, -1) {
			value := string(m[1])
			if value == "brokers" {
				value = "localhost:9092"
			}
			vars = append(vars, string(m[1])+"="+value)
		}
		check(file, src, vars...)
	}
	for _, file := range append(append(read("*.md", 1), read("docs/*.md", 3)...), read("docs/components/*.md", 1)...) {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range fence.FindAllSubmatch(src, -1) {
			if synopsis.Match(m[1]) {
				continue
			}
			check(fmt.Sprintf("%s/%d", file, i+1), []byte(complete(string(m[1]))))
		}
	}
}
