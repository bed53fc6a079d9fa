package dsl_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/tools/txtar"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/dsl/diag"
	"github.com/flowrecords/flow/dsl/rules"
)

// FuzzLoad: whatever the text of a config is, it is compiled or answered with
// diagnostics that lie within it and can be printed.
func FuzzLoad(f *testing.F) {
	for _, dir := range []string{"plan", "diag", "lint"} {
		files, err := filepath.Glob("../testdata/" + dir + "/*.txtar")
		if err != nil || len(files) == 0 {
			f.Fatalf("no seeds: %v", err)
		}
		for _, file := range files {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				f.Fatal(err)
			}
			for _, part := range ar.Files {
				if strings.HasSuffix(part.Name, ".hcl") {
					f.Add(part.Data)
				}
			}
		}
	}
	reg := registry(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		// Reading of files is no part of this, and neither are formats whose
		// width makes them large.
		if bytes.Contains(src, []byte("file")) && bytes.Contains(src, []byte("(")) {
			src = bytes.ReplaceAll(src, []byte("file("), []byte("lower("))
		}
		r := dsl.LoadSources(map[string][]byte{"f.hcl": src}, dsl.Options{Registry: reg, Environ: []string{"HOME=/home", "FLOW_VAR_a=1"}})
		if r.Plan == nil {
			t.Fatal("no plan")
		}
		checkRules(t, r.Diags)
		for _, d := range r.Diags {
			if d.Summary == "" || strings.Contains(d.Summary, "\n") {
				t.Errorf("summary %q", d.Summary)
			}
			if s := d.Subject; s != nil && s.Filename == "f.hcl" && (s.Start.Byte < 0 || s.End.Byte < s.Start.Byte || s.End.Byte > len(src) || s.Start.Line < 1 || s.Start.Column < 1) {
				t.Errorf("%q lies at %v of %d bytes", d.Summary, *s, len(src))
			}
			if fixed, ok := rules.Apply(src, rules.Of(d).Fix); len(rules.Of(d).Fix) > 0 && (!ok || !utf8.Valid(fixed)) {
				t.Errorf("%q cannot be corrected by %v", d.Summary, rules.Of(d).Fix)
			}
		}
		for _, columns := range []int{0, 40, 110} {
			var out bytes.Buffer
			if err := diag.WriteText(&out, r.Files, r.Diags, false, columns); err != nil {
				t.Fatal(err)
			}
			if strings.ContainsAny(out.String(), "\x1b\x00\r\a") {
				t.Error("control characters are printed")
			}
		}
	})
}

func TestLoadPaths(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const in = "input \"stdin\" \"in\" {\n}\n"
	write("conf/a.hcl", "pipeline \"p\" {\n"+in+"output \"file\" \"out\" {\n path = local.x\n}\n}\n")
	write("conf/b.hcl", "locals {\n x = \"out.jsonl\"\n}\n")
	write("conf/c.test.hcl", "this is no config")
	write("conf/notes.txt", "nor is this")
	write("conf/sub/d.hcl", "nor this")
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	write("vars/a.hcl", "variable \"x\" {\n}\npipeline \"p\" {\n"+in+"output \"file\" \"out\" {\n path = var.x\n}\n}\n")
	write("vars/values.hcl", "x = \"out.jsonl\"\n")
	tests := []struct {
		name  string
		paths []string
		want  string // in the diagnostics; empty: none
	}{
		{"a variable file in the folder", []string{"vars"}, ""},
		{"folder", []string{"conf"}, ""},
		{"files", []string{"conf/a.hcl", "conf/b.hcl"}, ""},
		{"a file twice", []string{"conf/a.hcl", "conf", "conf/./b.hcl"}, ""},
		{"one file of two", []string{"conf/a.hcl"}, `unknown local "x"`},
		{"missing", []string{"nowhere.hcl"}, "no such file or directory"},
		{"empty folder", []string{"empty"}, "no config in folder"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			paths := make([]string, len(tt.paths))
			for i, p := range tt.paths {
				paths[i] = dir + "/" + p
			}
			o := dsl.Options{Registry: registry(t)}
			if tt.paths[0] == "vars" {
				o.VarFiles = []string{dir + "/vars/../vars/values.hcl"}
			}
			r := dsl.Load(paths, o)
			got := printed(t, r)
			if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
				t.Errorf("got\n%s\nwant %q", got, tt.want)
			}
			if tt.want == "" && (len(r.Plan.Pipelines) != 1 || len(r.Plan.Pipelines[0].Elements) != 2) {
				t.Errorf("plan %+v", r.Plan)
			}
		})
	}
}

func TestDeepNesting(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"brackets":   "locals {\n a = " + strings.Repeat("[", 100_000) + "\n}\n",
		"templates":  "locals {\n a = " + strings.Repeat(`"${`, 100_000) + "\n}\n",
		"blocks":     strings.Repeat("a {\n", 100_000),
		"bangs":      "locals {\n a = " + strings.Repeat("!", 100_000) + "true\n}\n",
		"choices":    "locals {\n a = " + strings.Repeat("true ? 1 : ", 100_000) + "1\n}\n",
		"characters": "locals {\n a = { " + strings.Repeat("\x1b", 100_000) + "\n}\n",
		"mistakes":   strings.Repeat("a {\n}\n", 100_000),
		"long line":  "locals {\n a = [" + strings.Repeat("x, ", 10_000) + "]\n}\n",
		"large":      strings.Repeat("# comment\n", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := dsl.LoadSources(map[string][]byte{"f.hcl": []byte(text)}, dsl.Options{Registry: registry(t)})
			if !r.Diags.HasErrors() {
				t.Error("no diagnostic")
			}
			if got := printed(t, r); len(got) > 4<<20 {
				t.Errorf("%d bytes are printed", len(got))
			}
		})
	}
}
