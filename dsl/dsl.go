// Package dsl turns HCL files into an engine.Plan or into diagnostics. It
// opens no connection and reads no file but the config, variable files and
// what file() names.
package dsl

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/flowrecords/flow/engine"
)

// Options are what a config is compiled with.
type Options struct {
	Registry *engine.Registry
	// Vars are the values of --var name=value, in order.
	Vars []string
	// VarFiles are the files of --var-file, in order.
	VarFiles []string
	// Environ is the environment: FLOW_VAR_x sets variables, env() reads it.
	Environ []string
}

// Result is what Load found.
type Result struct {
	// Plan is complete only if Diags has no error.
	Plan *engine.Plan
	// Diags are all mistakes, in the order of files and lines.
	Diags hcl.Diagnostics
	// Files are the sources, for printing snippets.
	Files map[string]*hcl.File
}

// Load reads files and folders (all *.hcl of a folder but *.test.hcl, as one
// config) and compiles them. It never panics on any input.
func Load(paths []string, o Options) *Result { panic("TODO") }
