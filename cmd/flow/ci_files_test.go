package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The parts of a hook of pre-commit and of a composite action that are used.
type (
	hook struct {
		ID, Name, Description, Entry, Language, Files, Exclude string
		Args                                                   []string
		PassFilenames                                          *bool `yaml:"pass_filenames"`
	}
	action struct {
		Name, Description string
		Branding          struct{ Icon, Color string }
		Inputs            map[string]struct{ Description, Default string }
		Runs              struct {
			Using string
			Steps []actionStep
		}
	}
	actionStep struct {
		Name, Uses, Shell, Run string
		WorkingDirectory       string `yaml:"working-directory"`
		With, Env              map[string]string
	}
)

// strictYAML reads a file in which every member must be known.
func strictYAML(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

const (
	soundConfig = "pipeline \"p\" {\n  input \"file\" \"in\" {\n    path = \"in.jsonl\"\n  }\n  output \"file\" \"out\" {\n    path = \"out.jsonl\"\n  }\n}\n"
	wrongConfig = "pipeline \"p\" {\n  input \"file\" \"in\" {\n    path = \"in.jsonl\"\n  }\n  output \"flie\" \"out\" {\n    path   = \"out.jsonl\"\n  }\n}\n"
)

// TestPreCommitHooks runs each hook as pre-commit does: entry, arguments and,
// if it takes them, the names of the files that changed.
func TestPreCommitHooks(t *testing.T) {
	t.Parallel()
	var hooks []hook
	strictYAML(t, "../../.pre-commit-hooks.yaml", &hooks)
	ids := make(map[string]bool)
	for _, h := range hooks {
		ids[h.ID] = true
		if h.Language != "golang" || h.Name == "" || h.Description == "" || !regexp.MustCompile(h.Files).MatchString("conf/a.hcl") {
			t.Errorf("hook %+v", h)
		}
		run := func(config string) (string, error) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "conf.hcl"), config)
			args := append(strings.Fields(h.Entry), h.Args...)
			if h.PassFilenames == nil || *h.PassFilenames {
				args = append(args, "conf.hcl")
			}
			if args[0] != "flow" {
				t.Fatalf("%s runs %q", h.ID, args[0])
			}
			cmd := exec.Command(flowCommand(t), args[1:]...)
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			return string(out), err
		}
		if out, err := run(soundConfig); err != nil {
			t.Errorf("%s refuses a sound config: %v\n%s", h.ID, err, out)
		}
		if out, err := run(wrongConfig); err == nil || !strings.Contains(out, "conf.hcl") {
			t.Errorf("%s says of a wrong config: %v\n%s", h.ID, err, out)
		}
	}
	if !ids["flow-lint"] || !ids["flow-fmt"] {
		t.Errorf("hooks %v", ids)
	}
}

var actionInput = regexp.MustCompile(`^\$\{\{ inputs\.([a-z-]+) \}\}$`)

// TestAction runs the script of the action over its inputs.
func TestAction(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("there is no bash")
	}
	var a action
	strictYAML(t, "../../action.yml", &a)
	if a.Runs.Using != "composite" || a.Name == "" || a.Description == "" {
		t.Errorf("action %+v", a)
	}
	used := make(map[string]bool)
	for _, s := range a.Runs.Steps {
		if (s.Uses == "") == (s.Run == "") || s.Run != "" && s.Shell == "" {
			t.Errorf("step %q needs either uses, or run and shell", s.Name)
		}
		if strings.Contains(s.Run, "${{") {
			t.Errorf("step %q pastes an input into its script", s.Name)
		}
		for _, v := range s.Env {
			used[actionInput.FindStringSubmatch(v)[1]] = true
		}
		if m := actionInput.FindStringSubmatch(s.WorkingDirectory); m != nil {
			used[m[1]] = true
		}
	}
	for name, in := range a.Inputs {
		if !used[name] || in.Description == "" {
			t.Errorf("input %s is not used or not described", name)
		}
	}
	lint := a.Runs.Steps[len(a.Runs.Steps)-1]
	tests := []struct {
		name, config string
		inputs       map[string]string
		fails        bool
		want         string // in what it prints
	}{
		{"sound", soundConfig, nil, false, ""},
		{"wrong", wrongConfig, nil, true, "::error file=a.hcl,line=5,"},
		{"a path by name", wrongConfig, map[string]string{"paths": "sub a.hcl"}, true, "::error file=a.hcl,line=5,"},
		{"another path", wrongConfig, map[string]string{"paths": "sub"}, false, ""},
		{"code scanning", wrongConfig, map[string]string{"sarif": "out.sarif"}, true, ""},
		{"warnings", unusedLocal, nil, false, "::warning file=a.hcl"},
		{"warnings denied", unusedLocal, map[string]string{"deny-warnings": "true"}, true, "::warning file=a.hcl"},
		{"warnings skipped", unusedLocal, map[string]string{"deny-warnings": "true", "args": "--skip dead-code"}, false, ""},
		{"no shell", soundConfig, map[string]string{"paths": "a.hcl $(touch${IFS}hacked)"}, true, "::error title=FL1001"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, filepath.Join(dir, "a.hcl"), tt.config)
			if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, "sub", "b.hcl"), soundConfig)
			cmd := exec.Command("bash", "-e", "-o", "pipefail", "-c", lint.Run)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "RUNNER_TEMP="+filepath.Dir(flowCommand(t)))
			for name, v := range lint.Env {
				input := actionInput.FindStringSubmatch(v)[1]
				value, given := tt.inputs[input]
				if !given {
					value = a.Inputs[input].Default
				}
				cmd.Env = append(cmd.Env, name+"="+value)
			}
			out, err := cmd.CombinedOutput()
			if (err != nil) != tt.fails || tt.want == "" && strings.Contains(string(out), "::") || !strings.Contains(string(out), tt.want) {
				t.Errorf("%v\n%s", err, out)
			}
			if _, err := os.Stat(filepath.Join(dir, "out.sarif")); (err == nil) != (tt.inputs["sarif"] != "") {
				t.Errorf("report: %v", err)
			}
			if _, err := os.Stat(filepath.Join(dir, "hacked")); err == nil {
				t.Error("an input was run as a command")
			}
		})
	}
}

const unusedLocal = "locals {\n  nobody = 1\n}\n" + soundConfig
