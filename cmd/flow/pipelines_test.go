package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the expectations of the txtar suites")

// TestPipelines runs every testdata/pipelines/*.txtar: a config with its data.
// pipeline.hcl is run by the flow binary in a folder with the other files;
// afterwards each want/NAME must be the content of NAME, byte for byte.
// want/stdout is the standard output; each line of want/stderr must occur in
// the standard error, or must not if "! " stands before it. The comment may hold lines "args: ..." with more
// arguments and "exit: N". Every case runs with one worker and with four.
func TestPipelines(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../testdata/pipelines/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		for _, workers := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s/%d", strings.TrimSuffix(filepath.Base(file), ".txtar"), workers), func(t *testing.T) {
				t.Parallel()
				runPipelineCase(t, file, workers)
			})
		}
	}
}

func runPipelineCase(t *testing.T, file string, workers int) {
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range ar.Files {
		if strings.HasPrefix(f.Name, "want/") {
			continue
		}
		name := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	args, wantExit := caseOptions(t, string(ar.Comment))
	args = append([]string{"run", "pipeline.hcl", "--workers", strconv.Itoa(workers)}, args...)
	cmd := exec.Command(flowCommand(t), args...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	exit := 0
	if err := cmd.Run(); err != nil {
		var ee *exec.ExitError
		if !errors.As(err, &ee) {
			t.Fatal(err)
		}
		exit = ee.ExitCode()
	}
	if exit != wantExit {
		t.Fatalf("exit status %d, want %d\n%s", exit, wantExit, stderr.Bytes())
	}
	changed := false
	for i, f := range ar.Files {
		name, ok := strings.CutPrefix(f.Name, "want/")
		if !ok {
			continue
		}
		if name == "stderr" {
			for line := range strings.Lines(string(f.Data)) {
				text, not := strings.CutPrefix(strings.TrimSpace(line), "! ")
				if strings.Contains(stderr.String(), text) == not {
					t.Errorf("want %q in standard error: %v; it is\n%s", text, !not, stderr.Bytes())
				}
			}
			continue
		}
		got := stdout.Bytes()
		if name != "stdout" {
			if got, err = os.ReadFile(filepath.Join(dir, name)); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		}
		if bytes.Equal(got, f.Data) {
			continue
		}
		if *update && workers == 1 {
			ar.Files[i].Data, changed = got, true
			continue
		}
		t.Errorf("%s is\n%s\nwant\n%s\nstandard error:\n%s", name, got, f.Data, stderr.Bytes())
	}
	if changed {
		if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// caseOptions reads the lines "args:" and "exit:" of a case's comment.
func caseOptions(t *testing.T, comment string) (args []string, exit int) {
	t.Helper()
	for line := range strings.Lines(comment) {
		if rest, ok := strings.CutPrefix(line, "args:"); ok {
			args = append(args, strings.Fields(rest)...)
		}
		if rest, ok := strings.CutPrefix(line, "exit:"); ok {
			var err error
			if exit, err = strconv.Atoi(strings.TrimSpace(rest)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return args, exit
}
