package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flowrecords/flow/cmd/deadletters"
	"github.com/flowrecords/flow/cmd/playground"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
	"github.com/flowrecords/flow/engine/run"
)

type errorsReplayFlags struct {
	errorsFlags
	into, at    string
	yes, dryRun bool
	logFormat   string
	logLevel    string
	progress    string
}

func (a *app) errorsReplayCommand() *cobra.Command {
	var f errorsReplayFlags
	c := &cobra.Command{
		Use:   "replay SOURCE...",
		Short: "Take failed records back to where they failed",
		Long: `replay takes failed records back into their pipeline, each into the element that
refused it, with the bytes with which it came there: --at input takes them
through the whole chain instead, --at ELEMENT into another element.

First it tries: processors and converters run, nothing is opened or written, and
it says how many records would pass, end there, or fail again and why. With --yes
it then runs: what passes goes to the pipeline's outputs, confirmed as in any
run; what fails again goes to the errors outputs with flow.error.attempts counted
up. What was replayed is stored in the folder of positions and is neither
replayed nor listed again, so a replay that was cut short goes on where it was.
What errors outputs write meanwhile is left for the next replay.

Where all outputs write over one Kafka connection with acks = "all", what is
written and what was replayed are stored in one transaction: each record is there
exactly once for who reads committed records, wherever the replay is killed.
Elsewhere some records may come twice after a crash.

Exit status: 0 done, 1 the replay failed, 2 wrong config or usage, 3 stopped
before everything in flight was confirmed, 5 some records (would) fail again.`,
		Example: "  flow errors replay pipeline.hcl\n  flow errors replay --yes --element map.shape pipeline.hcl\n  flow errors replay dead.jsonl --into fixed.hcl#map.shape --yes",
		Args:    someSource,
		RunE:    func(c *cobra.Command, args []string) error { return a.errorsReplay(c.Context(), args, &f) },
	}
	f.source(c)
	f.filter(c)
	c.Flags().StringVar(&f.into, "into", "", "the config to replay into, `file[#element]`; needed unless SOURCE is a config")
	c.Flags().StringVar(&f.at, "at", "", "the `element` that all records go into: its address, the end of it, or input (default: the one that refused the record)")
	c.Flags().BoolVar(&f.yes, "yes", false, "replay, after trying")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "only try; so it is without --yes")
	c.Flags().StringVar(&f.logFormat, "log-format", "text", "`format` of logs: text or json")
	c.Flags().StringVar(&f.logLevel, "log-level", "info", "least `level` of logs: debug, info, warn or error")
	c.Flags().StringVar(&f.progress, "progress", "auto", "`when` to show live progress and a summary table: auto (on a terminal), always or never")
	c.MarkFlagsMutuallyExclusive("yes", "dry-run")
	return c
}

func (a *app) errorsReplay(ctx context.Context, args []string, f *errorsReplayFlags) error {
	screen, logger, err := a.surfaces(runFlags{logFormat: f.logFormat, logLevel: f.logLevel, progress: f.progress})
	if err != nil {
		return wrongUsage(err)
	}
	trying, stop := interruptible(ctx)
	defer stop()
	l, err := a.letters(trying, args, &f.errorsFlags)
	if err != nil {
		return err
	}
	defer l.Close()
	target, plan, err := a.replayTarget(l, f)
	if err != nil {
		return err
	}
	dir := stateDirOf(target.Pipeline, f.stateDir)
	if f.yes {
		ledger, err := deadletters.OpenLedger(trying, dir, target.Pipeline.Name)
		if err != nil {
			return &exitError{ExitFailed, replayHeld(err)}
		}
		defer func() { _ = ledger.Close() }()
		l.Ledger = ledger
		if err := ledger.LearnFrom(trying, plan, target.Pipeline, a.errorsEnv(target.Pipeline.Name)); err != nil {
			l.notes = append(l.notes, err.Error()) // a replay that needs it asks again
		}
	} else {
		l.pipeline, l.plan = target.Pipeline, plan
		a.peek(trying, l, &f.errorsFlags)
	}
	trial, err := a.rehearse(trying, l, target, plan, f)
	a.remarks(l)
	if err != nil {
		return interrupted(trying, err)
	}
	if !f.yes || trial.Letters == trial.Unplaced {
		a.writeTrial(a.Stdout, l, trial, target, f.yes)
		if trial.Fail+trial.Unplaced > 0 {
			return &exitError{code: playground.StatusRecords}
		}
		return nil
	}
	stop() // from here on signals drain
	replay := &deadletters.Replay{Set: l.Set, Target: target, Choose: trial.Within(l.filter.Match), Places: trial.Places}
	return a.runReplay(ctx, replay, trial, screen, func(p *engine.Pipeline) (*job, error) {
		options := run.Options{Logger: logger, Store: replay.Store(), Version: a.Version, Refused: replay.Refused,
			Transacts: replay.Transacts, TransactionName: deadletters.TransactionName(p.Name)}
		runner, err := run.New(p, options)
		if err != nil {
			return nil, err
		}
		anew := func() (*run.Runner, error) {
			replay.Restart()
			return run.New(p, options)
		}
		// The ledger is the store; it is closed by whoever opened it.
		return &job{plan: p, runner: runner, make: anew, store: &lazyStore{where: dir, open: func() (checkpoint.Store, error) { return checkpoint.NewMemory(), nil }}}, nil
	})
}

func replayHeld(err error) error {
	var held *checkpoint.HeldError
	if errors.As(err, &held) {
		return fmt.Errorf("another replay into this pipeline runs: %w", err)
	}
	return err
}

// replayTarget loads what the letters go into.
func (a *app) replayTarget(l *letters, f *errorsReplayFlags) (*deadletters.Target, *engine.Plan, error) {
	file, at, _ := strings.Cut(f.into, "#")
	if at != "" && f.at != "" {
		return nil, nil, wrongUsage(errors.New("--at and the element behind # of --into say the same: give one of them"))
	}
	if f.at != "" {
		at = f.at
	}
	plan, p := l.plan, l.pipeline
	switch {
	case file == "" && plan == nil:
		return nil, nil, wrongUsage(errors.New("say with --into FILE.hcl which pipeline the records go back into"))
	case file != "":
		var err error
		if plan, l.scope, err = a.loadScope([]string{file}, f.configFlags); err != nil {
			return nil, nil, err
		}
		if p, err = replayPipeline(plan, f.pipeline); err != nil {
			return nil, nil, wrongUsage(err)
		}
		// The filter sees variables and functions of the config that counts.
		if l.filter, err = f.compile(l.scope, l.now); err != nil {
			return nil, nil, wrongUsage(err)
		}
	}
	target, err := deadletters.NewTarget(p, at)
	if err != nil {
		return nil, nil, wrongUsage(err)
	}
	return target, plan, nil
}

func replayPipeline(plan *engine.Plan, name string) (*engine.Pipeline, error) {
	if name == "" && len(plan.Pipelines) == 1 {
		return plan.Pipelines[0], nil
	}
	return pickErrorsPipeline(plan, name)
}

// rehearse is the dry run.
func (a *app) rehearse(ctx context.Context, l *letters, target *deadletters.Target, plan *engine.Plan, f *errorsReplayFlags) (*deadletters.Trial, error) {
	d := &deadletters.Rehearsal{Set: l.Set, Target: target, Choose: l.filter.Match, Limit: f.limit}
	if slices.ContainsFunc(target.Pipeline.Elements, func(e *engine.Element) bool { return e.Kind == engine.KindProcessor }) {
		from := ""
		for _, e := range target.Pipeline.Elements {
			if e.Kind == engine.KindInput {
				from = e.Address()
			}
		}
		chain, err := playground.NewChain(plan, playground.ChainOptions{Pipeline: target.Pipeline.Name, From: from, Version: a.Version})
		if err != nil {
			return nil, err
		}
		defer chain.Close()
		d.Chain = chain
	}
	line := &statusLine{w: a.Stderr, width: a.width(a.Stderr), on: terminal(a.Stderr)}
	defer line.clear()
	d.Seen = func(t *deadletters.Trial) {
		if t.Letters%1000 == 0 && line.on {
			line.print(fmt.Sprintf("%s tried", thousands(t.Letters)))
		}
	}
	return d.Run(ctx)
}

// writeTrial says what a replay would do.
func (a *app) writeTrial(w io.Writer, l *letters, t *deadletters.Trial, target *deadletters.Target, yes bool) {
	say := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	if t.Letters == 0 {
		text := "Nothing to replay"
		if t.Replayed > 0 {
			text += ": " + are(t.Replayed, "failed record was", "failed records were") + " replayed already"
		}
		say("%s.", text)
	} else {
		say("%s for pipeline %s:", are(t.Letters, "failed record", "failed records"), target.Pipeline.Name)
		for _, e := range t.Places {
			say("  %s into %s", thousands(t.To[e.Address()]), e.Address())
		}
		row := func(n int64, text string) {
			if n > 0 {
				say("%s %s", thousands(n), text)
			}
		}
		row(t.Pass, "would pass")
		for _, e := range target.Pipeline.Elements {
			if n := t.Outputs[e.Address()]; n > 0 {
				say("  %s to %s", thousands(n), e.Address())
			}
		}
		row(t.Dropped, "would end on purpose (filter, drop, no route)")
		row(t.Gathered, "would be gathered by a window")
		row(t.Fail, "would fail again")
		writeGroups(w, l, t.Why)
		row(t.Unplaced, "cannot go back")
		writeGroups(w, l, t.Lost)
	}
	if t.Foreign > 0 {
		say("%s left out: of other pipelines.", are(t.Foreign, "record", "records"))
	}
	if t.Unread > 0 {
		say("%s left out, since the expression fails on them; the first is %s", are(t.Unread, "record", "records"), visible(l.hide(t.UnreadWhy.Error())))
	}
	if !yes && t.Letters > t.Unplaced {
		say("Nothing was written. Outputs were not tried. Add --yes to replay.")
	}
}

func writeGroups(w io.Writer, l *letters, g *deadletters.Groups) {
	for _, x := range g.List() {
		fmt.Fprintf(w, "  %s in %s: %s (record %s)\n", thousands(x.Count), x.Element, visible(l.hide(x.Reason)), x.Example)
	}
}

// runReplay runs the replay like any pipeline.
func (a *app) runReplay(ctx context.Context, r *deadletters.Replay, t *deadletters.Trial, screen screen, build func(*engine.Pipeline) (*job, error)) error {
	p, err := r.Plan()
	if err != nil {
		return wrongUsage(err)
	}
	j, err := build(p)
	if err != nil {
		return &exitError{ExitConfig, err}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s := &supervisor{jobs: []*job{j}, logger: slog.New(slog.DiscardHandler), stop: stop}
	signals := watchSignals(s, screen, s.logger)
	defer signals.end()
	screen.start(s.jobs)
	s.run(ctx)
	screen.finish(s.jobs)
	done, again := r.Counts()
	fmt.Fprintf(a.Stdout, "%s replayed", are(done, "failed record was", "failed records were"))
	if again > 0 {
		fmt.Fprintf(a.Stdout, "; %s again, kept by the errors outputs", are(again, "record failed", "records failed"))
	}
	if left := t.Letters - t.Unplaced - done; left > 0 {
		fmt.Fprintf(a.Stdout, "; %s left: the next replay goes on there", are(left, "is", "are"))
	}
	fmt.Fprintln(a.Stdout, ".")
	if err := exitOf(s.jobs); err != nil {
		return err
	}
	if again > 0 || t.Unplaced > 0 {
		return &exitError{code: playground.StatusRecords}
	}
	return nil
}

// print shows a text of one's own.
func (l *statusLine) print(text string) {
	if l.on {
		fmt.Fprint(l.w, "\r\x1b[K"+clip(visible(text), l.width-1))
		l.shown = true
	}
}
