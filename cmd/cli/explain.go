package cli

import (
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/engine/explain"
)

type explainFlags struct {
	configFlags
	format   string
	only     []string
	workers  int
	stateDir string
}

func (a *app) explainCommand() *cobra.Command {
	var f explainFlags
	c := &cobra.Command{
		Use:   "explain FILE|DIR...",
		Short: "Show what a config compiles to, and what it promises",
		Long: `explain prints the compiled plan of each pipeline: its elements in the order
of the flow, which of them share a loop, what each reads and changes, where
positions are kept, what is promised about records and why, where errors go
and what bounds its memory. It opens no connection and reads no record.
Secrets are shown as (secret).

--format is text, json (a stable shape for programs), dot (for Graphviz) or
mermaid (for Markdown).

Exit status: 0 explained, 2 wrong config or usage.`,
		Example: "  flow explain pipeline.hcl\n  flow explain --pipeline orders --format mermaid pipelines/",
		Args:    somePath,
		RunE:    func(_ *cobra.Command, args []string) error { return a.explain(args, f) },
	}
	f.add(c)
	c.Flags().StringVar(&f.format, "format", "text", "`format`: text, json, dot or mermaid")
	c.Flags().StringArrayVar(&f.only, "pipeline", nil, "explain only the pipeline of this `name` (repeatable)")
	c.Flags().IntVar(&f.workers, "workers", 0, "workers of each stage, over the pipelines' own `number`, as of run")
	c.Flags().StringVar(&f.stateDir, "state-dir", "", "`folder` of stored positions, as of run (default: the pipeline's state_dir)")
	return c
}

// explain is the explain command.
func (a *app) explain(paths []string, f explainFlags) error {
	write := a.explainWriter(f.format)
	if write == nil {
		detail := "write text, json, dot or mermaid"
		if near := dsl.Nearest(f.format, []string{"text", "json", "dot", "mermaid"}); near != "" {
			detail = fmt.Sprintf("did you mean %q?", near)
		}
		return &exitError{ExitConfig, fmt.Errorf("--format: there is no format %q; %s", f.format, detail)}
	}
	if f.workers < 0 {
		return &exitError{ExitConfig, errors.New("--workers: it cannot be negative")}
	}
	plan, err := a.load(paths, f.configFlags)
	if err != nil {
		return err
	}
	pipelines, err := selectPipelines(plan.Pipelines, f.only)
	if err != nil {
		return &exitError{ExitConfig, err}
	}
	for _, p := range pipelines {
		if f.workers > 0 {
			p.Settings.Workers = f.workers
		}
		if f.stateDir != "" {
			p.Settings.StateDir = f.stateDir
		}
	}
	described, err := explain.Describe(pipelines, explain.Options{Registry: a.registry, CPUs: runtime.GOMAXPROCS(0), Version: a.Version})
	if err != nil {
		return &exitError{ExitConfig, err}
	}
	if err := write(a.Stdout, described); err != nil {
		return &exitError{ExitFailed, fmt.Errorf("writing the explanation: %w", err)}
	}
	return nil
}

// explainWriter returns what writes a format, nil for one that is unknown.
func (a *app) explainWriter(format string) func(io.Writer, *explain.Plan) error {
	switch format {
	case "text":
		return func(w io.Writer, p *explain.Plan) error {
			return explain.WriteText(w, p, explain.TextOptions{Width: a.textWidth(), Color: a.colored(a.Stdout)})
		}
	case "json":
		return explain.WriteJSON
	case "dot":
		return explain.WriteDOT
	case "mermaid":
		return explain.WriteMermaid
	}
	return nil
}
