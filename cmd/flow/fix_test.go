package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// TestFixCorpus: over all configs of the suites, --fix makes no error that was
// not there, and a second time it changes nothing.
func TestFixCorpus(t *testing.T) {
	t.Parallel()
	var files []string
	for _, dir := range []string{"diag", "plan", "lint", "pipelines"} {
		more, err := filepath.Glob("../../testdata/" + dir + "/*.txtar")
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, more...)
	}
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			var names []string
			for _, f := range ar.Files {
				if name := filepath.Join(dir, f.Name); strings.HasSuffix(f.Name, ".hcl") {
					if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
						t.Fatal(err)
					}
					write(t, name, string(f.Data))
					names = append(names, name)
				}
			}
			if len(names) == 0 {
				return
			}
			before := lintFiles(t, names)
			after := lintFiles(t, names, "--fix")
			syntax := func(f lintFinding) bool { return strings.HasPrefix(f.Rule, "FL10") && f.Severity == "error" }
			if after.Errors > before.Errors && !slices.ContainsFunc(before.Findings, syntax) {
				t.Errorf("errors became more:\n%s\nbefore:\n%s", after, before)
			}
			once := contents(t, names)
			if again := lintFiles(t, names, "--fix"); !bytes.Equal(once, contents(t, names)) || again.Errors != after.Errors {
				t.Errorf("a second --fix changes\n%s\nto\n%s", once, contents(t, names))
			}
		})
	}
}

func lintFiles(t *testing.T, names []string, flags ...string) lintResult {
	t.Helper()
	dir := t.TempDir()
	report := filepath.Join(dir, "report.json")
	args := append([]string{"lint", "--format", "json", "--output", report}, flags...)
	mainInProcess(t, dir, nil, append(args, names...)...)
	data, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var res lintResult
	if err := json.Unmarshal(data, &res); err != nil {
		t.Fatal(err)
	}
	return res
}

func contents(t *testing.T, names []string) []byte {
	t.Helper()
	var all []byte
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	return all
}
