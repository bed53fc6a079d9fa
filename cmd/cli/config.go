package cli

import (
	"fmt"
	"os"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/dsl/diag"
	"github.com/flowrecords/flow/engine"
)

// configFlags are the flags of every command that reads a config.
type configFlags struct {
	vars     []string
	varFiles []string
}

func (f *configFlags) add(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.vars, "var", nil, "set a variable: `name=value` (repeatable)")
	c.Flags().StringArrayVar(&f.varFiles, "var-file", nil, "read variables from a `file` of name = value lines (repeatable)")
}

// options are what every command compiles a config with.
func (a *app) options(f configFlags) dsl.Options {
	return dsl.Options{Registry: a.registry, Vars: f.vars, VarFiles: f.varFiles, Environ: a.Environ}
}

// load compiles the config and prints what is wrong with it.
func (a *app) load(paths []string, f configFlags) (*engine.Plan, error) {
	res, err := a.compile(paths, f)
	if err != nil {
		return nil, err
	}
	return res.Plan, nil
}

func (a *app) compile(paths []string, f configFlags) (*dsl.Result, error) {
	res := dsl.Load(paths, a.options(f))
	a.printDiagnostics(res)
	if res.Diags.HasErrors() {
		return nil, &exitError{code: ExitConfig}
	}
	return res, nil
}

func (a *app) printDiagnostics(res *dsl.Result) {
	if len(res.Diags) == 0 {
		return
	}
	_ = diag.WriteText(a.Stderr, res.Files, res.Diags, a.colored(a.Stderr), a.width(a.Stderr))
	errs, warnings := count(res.Diags)
	switch {
	case errs > 0 && warnings > 0:
		fmt.Fprintf(a.Stderr, "%s, %s.\n", plural(errs, "error"), plural(warnings, "warning"))
	case errs > 0:
		fmt.Fprintf(a.Stderr, "%s.\n", plural(errs, "error"))
	default:
		fmt.Fprintf(a.Stderr, "%s.\n", plural(warnings, "warning"))
	}
}

func count(diags hcl.Diagnostics) (errs, warnings int) {
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			errs++
		} else {
			warnings++
		}
	}
	return errs, warnings
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// terminal reports whether f shows text to a person.
func terminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// colored honours the NO_COLOR convention.
func (a *app) colored(f *os.File) bool {
	return terminal(f) && a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb"
}

func (a *app) width(f *os.File) int {
	if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
		return w
	}
	return 100
}

func (a *app) getenv(name string) string {
	for i := len(a.Environ) - 1; i >= 0; i-- {
		if v := a.Environ[i]; len(v) > len(name) && v[len(name)] == '=' && v[:len(name)] == name {
			return v[len(name)+1:]
		}
	}
	return ""
}
