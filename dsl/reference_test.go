package dsl

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const reference = "../docs/language.md"

// TestReferenceSettings keeps the table of the options of a pipeline in the
// reference equal to what they are.
func TestReferenceSettings(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("| option | type | default | |\n| --- | --- | --- | --- |\n")
	spec := settingsSpec()
	for i := range spec.Options {
		o := &spec.Options[i]
		def := ""
		if o.Default != "" {
			def = "`" + o.Default + "`"
		}
		typ := o.Type
		if len(o.OneOf) > 0 {
			typ = "`" + strings.Join(quoted(o.OneOf), "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", o.Name, typ, def, o.Doc)
	}
	src, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- settings -->\n", "<!-- /settings -->"
	head, rest, ok := strings.Cut(string(src), begin)
	table, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("the reference has no table of settings")
	}
	if table == b.String() {
		return
	}
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		if err := os.WriteFile(reference, []byte(head+begin+b.String()+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("the table differs (run with -update):\n%s", b.String())
}

// TestReferenceFunctions: the reference names every function of HCL, and no
// other.
func TestReferenceFunctions(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(src), "## Functions of HCL")
	if !ok {
		t.Fatal("the reference has no section on functions")
	}
	var got []string
	for line := range strings.SplitSeq(section, "\n") {
		if strings.HasPrefix(line, "| ") {
			for _, m := range regexp.MustCompile("`([a-z0-9]+)`").FindAllStringSubmatch(line, -1) {
				got = append(got, m[1])
			}
		}
	}
	slices.Sort(got)
	if want := names(newLoader(Options{}).newContext().Functions); !slices.Equal(got, want) {
		t.Errorf("the reference has\n%s\nthe language\n%s", got, want)
	}
}
