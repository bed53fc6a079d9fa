package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/doctor"
)

type doctorFlags struct {
	configFlags
	format   string
	only     []string
	timeout  time.Duration
	stateDir string
}

// doctorAtOnce bounds how many elements are looked at together: most of it
// is waiting.
const doctorAtOnce = 8

func (a *app) doctorCommand() *cobra.Command {
	var f doctorFlags
	c := &cobra.Command{
		Use:   "doctor FILE|DIR...",
		Short: "Look whether a config would work here and now",
		Long: `doctor checks the config as lint does and then goes out: it connects to what
connections, inputs and outputs name, with exactly their settings, and says what
does not work and what to do about it. For Kafka that is: addresses, TLS and its
certificates, authentication, versions and clocks of the brokers, topics and
their copies, rights, consumer groups and their lag. For others: files and
folders, free space, programs, servers, ports, and where positions are kept.

It leaves no trace: no record is read or written, nothing is created, joined or
committed, and no HTTP request is sent. What only a run could tell is shown as
unknown, with ?. Secrets are not shown.

Exit status: 0 all works, perhaps with warnings, 1 something would fail,
2 wrong config or usage.`,
		Example: "  flow doctor pipeline.hcl\n  flow doctor --pipeline orders --format json pipelines/",
		Args:    somePath,
		RunE:    func(c *cobra.Command, args []string) error { return a.doctor(c.Context(), args, f) },
	}
	f.add(c)
	c.Flags().StringVar(&f.format, "format", "text", "`format`: text or json")
	c.Flags().StringArrayVar(&f.only, "pipeline", nil, "look at the pipeline of this `name` only, and at what it uses (repeatable)")
	c.Flags().DurationVar(&f.timeout, "timeout", 30*time.Second, "longest `time` that all of it may take")
	c.Flags().StringVar(&f.stateDir, "state-dir", "", "`folder` of stored positions, as of run (default: the pipeline's state_dir)")
	return c
}

// doctor is the doctor command.
func (a *app) doctor(ctx context.Context, paths []string, f doctorFlags) error {
	if f.format != "text" && f.format != "json" {
		detail := "write text or json"
		if near := dsl.Nearest(f.format, []string{"text", "json"}); near != "" {
			detail = fmt.Sprintf("did you mean %q?", near)
		}
		return &exitError{ExitConfig, fmt.Errorf("--format: there is no format %q; %s", f.format, detail)}
	}
	if f.timeout <= 0 {
		return &exitError{ExitConfig, errors.New("--timeout: it must be more than 0")}
	}
	plan, err := a.load(paths, f.configFlags)
	if err != nil {
		return err
	}
	pipelines, err := selectPipelines(plan.Pipelines, f.only)
	if err != nil {
		return &exitError{ExitConfig, err}
	}
	if f.stateDir != "" {
		for _, p := range pipelines {
			p.Settings.StateDir = f.stateDir
		}
	}
	line := &statusLine{w: a.Stderr, width: a.width(a.Stderr), on: terminal(a.Stderr)}
	report := doctor.Run(ctx, plan, pipelines, len(f.only) == 0, doctor.Options{
		Timeout:  f.timeout,
		AtOnce:   doctorAtOnce,
		Env:      engine.Env{Logger: slog.New(slog.DiscardHandler), Now: time.Now, Version: a.Version},
		Progress: line.show,
	})
	line.clear()
	if f.format == "json" {
		err = writeJSON(a.Stdout, report)
	} else {
		err = writeDoctor(a.Stdout, report, a.textWidth(), a.colored(a.Stdout))
	}
	if err != nil {
		return &exitError{ExitFailed, fmt.Errorf("writing the report: %w", err)}
	}
	if report.Status == engine.CheckFailure {
		return &exitError{code: ExitFailed}
	}
	return nil
}

// statusLine is one line on a terminal that is written over.
type statusLine struct {
	w     io.Writer
	width int
	on    bool
	shown bool
}

func (l *statusLine) show(done, all int, now []string) {
	if !l.on {
		return
	}
	text := fmt.Sprintf("%d of %d looked at", done, all)
	if len(now) > 0 {
		text += ": " + strings.Join(now, ", ")
	}
	fmt.Fprint(l.w, "\r\x1b[K"+clip(visible(text), l.width-1))
	l.shown = true
}

func (l *statusLine) clear() {
	if l.shown {
		fmt.Fprint(l.w, "\r\x1b[K")
	}
}
