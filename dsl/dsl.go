// Package dsl turns HCL files into an engine.Plan or into diagnostics. It
// opens no connection and reads no file but the config, variable files and
// what file() names.
//
// A user's mistake is a diagnostic; all mistakes are found in one go. A
// component whose options are described wrongly is a bug and panics: run
// engine.CheckRegistry in a test.
package dsl

import (
	"log/slog"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/schema"
)

// Options are what a config is compiled with.
type Options struct {
	Registry *engine.Registry
	// Vars are the values of --var name=value, in order.
	Vars []string
	// VarFiles are the files of --var-file, in order.
	VarFiles []string
	// Overlay is text that stands in the place of files, by cleaned path: what
	// an editor has not saved yet. The files need not exist.
	Overlay map[string][]byte
	// Environ is the environment: FLOW_VAR_x sets variables, env() reads it.
	Environ []string
	// Fetch asks for the schema that records of a topic have now, for inputs whose
	// converters can; nil: nobody is asked, and it is not known.
	Fetch func(c engine.Fetcher, topic string, key bool) (*schema.Schema, error)
	// Env is what connections and converters are made with. Pipeline and
	// Element are filled in; a nil Logger discards, a nil Now is time.Now.
	Env engine.Env
}

// Result is what Load found.
type Result struct {
	// Plan is complete only if Diags has no error.
	Plan *engine.Plan
	// Diags are all findings, in the order of files and lines. Each has its
	// rule in rules.Of.
	Diags hcl.Diagnostics
	// Hidden are the warnings that flow:ignore comments hide, with the reasons.
	Hidden hcl.Diagnostics
	// Files are the sources, for printing snippets. Secrets that stand in
	// them as plain text are blotted out (Invariant 7).
	Files map[string]*hcl.File

	scope *Scope
}

// Load reads files and folders (all *.hcl of a folder but *.test.hcl, as one
// config) and compiles them. It never panics on any input.
func Load(paths []string, o Options) *Result {
	l := newLoader(o)
	l.readPaths(paths)
	return l.finished()
}

// LoadSources compiles sources that are in memory, by file name. Like Load,
// it never panics on any input.
func LoadSources(sources map[string][]byte, o Options) *Result {
	l := newLoader(o)
	names := make([]string, 0, len(sources))
	for name := range sources {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		l.addSource(name, sources[name])
	}
	return l.finished()
}

func (l *loader) finished() *Result {
	res := l.compile()
	res.scope = &Scope{l}
	return res
}

func newLoader(o Options) *loader {
	if o.Env.Logger == nil {
		o.Env.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Env.Now == nil {
		o.Env.Now = time.Now
	}
	if o.Registry == nil {
		o.Registry = &engine.Registry{}
	}
	return &loader{
		opts:      o,
		reg:       o.Registry,
		files:     make(map[string]*hcl.File),
		environ:   environMap(o.Environ),
		variables: make(map[string]*variable),
		locals:    make(map[string]*local),
		funcs:     make(map[string]*userFunction),
		conns:     make(map[string]*connection),
		schemas:   make(map[string]*schemaBlock),
		failed:    make(map[string]bool),
		specs:     make(map[string]*engine.Spec),
	}
}
