// Package cli is flow's command line. A binary with components of its own
// calls Main with its lists, as cmd/flow does.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flowrecords/flow/engine"
)

// The exit codes of every command.
const (
	// ExitOK: the work is done, or a stop was asked for and all in flight was
	// confirmed.
	ExitOK = 0
	// ExitFailed: a pipeline stopped with an error.
	ExitFailed = 1
	// ExitConfig: the command line or the config is wrong; nothing was run.
	ExitConfig = 2
	// ExitAborted: a stop was asked for and not everything in flight could be
	// confirmed in time. It is read again by the next run.
	ExitAborted = 3
)

// Program is what a binary hands to the command line.
type Program struct {
	Version    string
	Components engine.Components
	Args       []string
	Stdin      *os.File
	Stdout     *os.File
	Stderr     *os.File
	Environ    []string
}

// Main runs one command and returns the exit code. It takes over SIGINT and
// SIGTERM while a pipeline runs.
func Main(p Program) int {
	registry, err := engine.NewRegistry(p.Components)
	if err != nil {
		fmt.Fprintf(p.Stderr, "flow: %v\n", err)
		return ExitConfig
	}
	a := &app{Program: p, registry: registry}
	root := a.root()
	root.SetArgs(p.Args)
	root.SetIn(p.Stdin)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	called, err := root.ExecuteContextC(context.Background())
	var exit *exitError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &exit):
		if exit.err != nil {
			fmt.Fprintf(p.Stderr, "flow: %v\n", exit.err)
		}
		return exit.code
	default: // an unknown command, flag or argument
		fmt.Fprintf(p.Stderr, "flow: %s\nRun '%s --help' for usage.\n", strings.TrimSpace(err.Error()), called.CommandPath())
		return ExitConfig
	}
}

// exitError ends a command with a code. A nil err has been printed already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// app is one call of the program.
type app struct {
	Program
	registry *engine.Registry
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "flow",
		Short: "Move records between systems",
		Long: `flow moves records between systems as an HCL file says: inputs, a chain of
processors with expressions, outputs. It checks the file before it runs it,
and commits a source position only when every output has confirmed the record.

Exit status: 0 done, 1 a pipeline failed, 2 wrong config or usage,
3 stopped before everything in flight was confirmed (it is read again).`,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.AddCommand(
		a.runCommand(),
		a.lintCommand(),
		a.fmtCommand(),
		a.explainCommand(),
		a.schemaCommand(),
		a.doctorCommand(),
		a.exprCommand(),
		a.errorsCommand(),
		a.positionsCommand(),
		a.listCommand(),
		a.showCommand(),
		a.completionCommand(),
		a.versionCommand(),
		a.manCommand(),
	)
	a.settle(root)
	return root
}
