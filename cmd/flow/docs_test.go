package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/flowrecords/flow/connections"
	"github.com/flowrecords/flow/converters"
	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/inputs"
	"github.com/flowrecords/flow/outputs"
	"github.com/flowrecords/flow/processors"
)

var hclBlock = regexp.MustCompile("(?s)```hcl\n(.*?)```")

// TestDocsLint: every pipeline that the docs show, and the example config,
// lint without a finding.
func TestDocsLint(t *testing.T) {
	t.Parallel()
	registry, err := engine.NewRegistry(engine.Components{
		Inputs: inputs.All(), Processors: processors.All(), Outputs: outputs.All(),
		Converters: converters.All(), Connections: connections.All(),
	})
	if err != nil {
		t.Fatal(err)
	}
	files := []string{"../../README.md", "../../config.example.hcl"}
	for _, pattern := range []string{"../../docs/*.md", "../../docs/components/*.md", "../../bench/configs/*.hcl"} {
		more, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, more...)
	}
	linted := 0
	for _, file := range files {
		if ruleID.MatchString(filepath.Base(file)) {
			continue // shows a mistake; TestRules runs it
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts := []string{string(data)}
		if strings.HasSuffix(file, ".md") {
			texts = nil
			for _, m := range hclBlock.FindAllStringSubmatch(string(data), -1) {
				if strings.Contains(m[1], "pipeline \"") {
					texts = append(texts, m[1])
				}
			}
		}
		for _, text := range texts {
			linted++
			name := filepath.Join(t.TempDir(), "example.hcl")
			write(t, name, text)
			res := dsl.Load([]string{name}, dsl.Options{Registry: registry, Vars: benchVars(text), Environ: environOf(text)})
			for _, d := range res.Diags {
				t.Errorf("%s: %s: %s: %s", file, d.Subject, d.Summary, d.Detail)
			}
		}
	}
	if linted < 5 {
		t.Errorf("only %d examples found", linted)
	}
}

var envCall = regexp.MustCompile(`env\("(\w+)"\)`)

// environOf sets the environment variables without default that an example
// reads.
func environOf(text string) []string {
	var environ []string
	for _, m := range envCall.FindAllStringSubmatch(text, -1) {
		environ = append(environ, m[1]+"=x")
	}
	return environ
}

// benchVars gives the variables without default of the benchmark configs.
func benchVars(text string) []string {
	var vars []string
	for _, name := range []string{"in", "out", "state", "brokers", "from", "to", "group"} {
		if strings.Contains(text, `variable "`+name+`" {}`) {
			vars = append(vars, name+"="+map[bool]string{true: "localhost:9092", false: "x-" + name}[name == "brokers"])
		}
	}
	return vars
}
