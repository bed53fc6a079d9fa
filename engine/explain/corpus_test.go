package explain_test

import (
	"context"
	"errors"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/explain"
)

// TestCorpus: every config of the other suites, and every example of a
// component, is explained in every format: well formed, within the width, with
// the stages that engine/run makes.
func TestCorpus(t *testing.T) {
	t.Parallel()
	r := registry(t)
	explained := 0
	check := func(t *testing.T, sources map[string][]byte, o dsl.Options) {
		t.Helper()
		o.Registry = r
		res := dsl.LoadSources(sources, o)
		if res.Diags.HasErrors() {
			return // of another suite, which needs files or variables
		}
		explained++
		plan, err := explain.Describe(res.Plan.Pipelines, explain.Options{Registry: r, CPUs: 2})
		if err != nil {
			t.Fatal(err)
		}
		checkStages(t, plan, res.Plan.Pipelines)
		for _, width := range []int{40, 80, 200} {
			got := formats(t, plan, width)
			checkWidth(t, got["text"], width)
			checkJSON(t, got["json"])
			checkDOT(t, got["dot"])
			checkMermaid(t, got["mermaid"])
		}
	}
	files, err := filepath.Glob("../../testdata/p*/*.txtar") // plan, pipelines
	if err != nil {
		t.Fatal(err)
	}
	variable := regexp.MustCompile(`(?m)^(var|env): (.*)$`)
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var o dsl.Options
		for _, m := range variable.FindAllStringSubmatch(string(ar.Comment), -1) {
			if m[1] == "var" {
				o.Vars = append(o.Vars, m[2])
			} else {
				o.Environ = append(o.Environ, m[2])
			}
		}
		sources := make(map[string][]byte)
		for _, f := range ar.Files {
			if strings.HasSuffix(f.Name, ".hcl") {
				sources[f.Name] = f.Data
			}
		}
		check(t, sources, o)
	}
	var components []engine.Component
	for _, f := range r.Inputs {
		components = append(components, f.Component)
	}
	for _, f := range r.Processors {
		components = append(components, f.Component)
	}
	for _, f := range r.Outputs {
		components = append(components, f.Component)
	}
	for _, c := range components {
		for _, e := range c.Examples {
			check(t, map[string][]byte{c.Type + ".hcl": []byte(e.HCL)}, dsl.Options{Environ: []string{"X=x"}})
		}
	}
	if explained < 40 {
		t.Errorf("only %d configs were explained", explained)
	}
	t.Logf("%d configs", explained)
}

// untouched is an input and an output that must only be constructed.
type untouched struct{ t *testing.T }

func (u untouched) Open(context.Context, engine.Host) error { u.t.Error("opened"); return nil }
func (u untouched) Read(context.Context) (*engine.Batch, error) {
	u.t.Error("read")
	return nil, engine.ErrEnd
}
func (u untouched) Close(context.Context) error { u.t.Error("closed"); return nil }
func (u untouched) Commit(context.Context, []*engine.Source) error {
	u.t.Error("committed")
	return nil
}

// silent is an output that says nothing of itself.
func silent() *engine.Element {
	return &engine.Element{Kind: engine.KindOutput, Type: "silent", Name: "out", From: []engine.Port{{Element: "input.own.in"}},
		NewOutput: func(engine.Env) (engine.Output, error) { return nil, errors.New("an output is not even made") }}
}

// TestOwnComponents: components that say little of themselves are explained,
// and nothing is done but constructing.
func TestOwnComponents(t *testing.T) {
	t.Parallel()
	plan := func(in func(engine.Env) (engine.Input, error)) []*engine.Pipeline {
		return []*engine.Pipeline{{Name: "p", Settings: engine.DefaultSettings(), Elements: []*engine.Element{
			{Kind: engine.KindInput, Type: "own", Name: "in", NewInput: in}, silent(),
		}}}
	}
	got, err := explain.Describe(plan(func(engine.Env) (engine.Input, error) { return untouched{t}, nil }), explain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := got.Pipelines[0]
	if by := p.Elements[0].Positions.By; by != "the system that it reads" || p.Elements[0].Positions.Checkpoint {
		t.Errorf("positions of a Committer are kept by %q", by)
	}
	if when := p.Elements[1].Confirms.When; when != "it says so" {
		t.Errorf("confirmed when %q", when)
	}
	if _, err := explain.Describe(plan(func(engine.Env) (engine.Input, error) { return nil, errors.New("broken") }), explain.Options{}); err == nil || err.Error() != "pipeline p: input.own.in: broken" {
		t.Errorf("error %v", err)
	}
}
