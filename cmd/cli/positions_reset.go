package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
)

type positionsResetFlags struct {
	positionsFlags
	pipeline    string
	to          string
	yes, dryRun bool
}

func (a *app) positionsResetCommand() *cobra.Command {
	var f positionsResetFlags
	c := &cobra.Command{
		Use:   "reset FILE|DIR INPUT [PARTITION...]",
		Short: "Take positions of an input back, so that it is read again",
		Long: `reset forgets where an input stands: the next run reads it as a first run would.
INPUT is its address or the end of it, file.in; with PARTITION only these: files or
partitions as flow positions shows them. Positions in a consumer group can also be
moved: --to earliest, latest, an offset, a time or one back from now (-24h).

It says what it would do, and does so with --yes. The pipeline must not run: a
folder that is in use and a group with members are refused. Where positions are
in Kafka (checkpoint, exactly_once) it looks for a moment whether any are stored;
a process that stands still then is ended by the reset, as by any later start.

What is read again goes to all outputs again, also with delivery =
"exactly_once" and through dedupe, which knows its records by their places.

Exit status: 0 done, or tried without --yes, 1 it does not work now, 2 wrong
config or usage.`,
		Example: "  flow positions reset pipeline.hcl file.in\n  flow positions reset --yes pipeline.hcl input.file.in data/a.jsonl\n  flow positions reset --yes --to -24h pipeline.hcl kafka.orders orders/3",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return errors.New("name a config and one of its inputs: flow positions reset FILE INPUT [PARTITION...]; flow positions FILE lists them")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			return a.positionsReset(c.Context(), args[0], args[1], args[2:], &f)
		},
	}
	f.addTo(c)
	c.Flags().StringVar(&f.pipeline, "pipeline", "", "the pipeline of this `name`, if several have such an input")
	c.Flags().StringVar(&f.to, "to", "", "where to move a consumer group: earliest, latest, an `offset` or a time (default: forget)")
	c.Flags().BoolVar(&f.yes, "yes", false, "do it")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "only say what would be done; so it is without --yes")
	c.MarkFlagsMutuallyExclusive("yes", "dry-run")
	return c
}

// reset is one use of the command.
type reset struct {
	*standings
	input  *engine.Element
	placer engine.Placer // nil: its positions are only in stores
	where  string        // what keeps them otherwise
	ids    []string
	to     string

	moves  []engine.Move // of the system
	stores []resetStore
}

// resetStore is a store that holds positions of the input.
type resetStore struct {
	in     string
	keys   []storedPosition
	system checkpoint.System // nil: the folder
}

func (a *app) positionsReset(ctx context.Context, path, input string, ids []string, f *positionsResetFlags) error {
	ctx, cancel := f.context(ctx)
	defer cancel()
	plan, scope, err := a.loadScope([]string{path}, f.configFlags)
	if err != nil {
		return err
	}
	p, e, err := findInput(plan, f.pipeline, input)
	if err != nil {
		return wrongUsage(err)
	}
	r := &reset{standings: &standings{a: a, plan: plan, p: p, dir: stateDirOf(p, f.stateDir)}, input: e, ids: ids, to: f.to}
	failed := func(err error) error {
		return &exitError{ExitFailed, errors.New(visible(scope.Hide(err.Error())))}
	}
	if err := r.look(ctx); err != nil {
		return failed(err)
	}
	if len(r.moves) == 0 && len(r.stores) == 0 {
		return a.printedLine("%s has no positions to take back.", e.Address())
	}
	if f.yes {
		if err := r.refuseRunning(ctx); err != nil {
			return failed(err)
		}
		if err := r.do(ctx); err != nil {
			return failed(err)
		}
	}
	return r.report(f, scope.Hide)
}

// findInput returns the one input that is meant.
func findInput(plan *engine.Plan, pipeline, name string) (*engine.Pipeline, *engine.Element, error) {
	var p *engine.Pipeline
	var e *engine.Element
	var there, found []string
	for _, q := range plan.Pipelines {
		if pipeline != "" && q.Name != pipeline {
			continue
		}
		for _, x := range q.Elements {
			if x.Kind != engine.KindInput {
				continue
			}
			there = append(there, x.Address())
			if at := x.Address(); at == name || strings.HasSuffix(at, "."+name) {
				p, e, found = q, x, append(found, q.Name+": "+at)
			}
		}
	}
	switch {
	case len(found) == 1:
		return p, e, nil
	case len(found) > 1:
		return nil, nil, fmt.Errorf("%s could be %s: give the whole address, and the pipeline with --pipeline", name, strings.Join(found, ", "))
	case len(there) == 0 && pipeline != "":
		return nil, nil, fmt.Errorf("no pipeline is called %q", pipeline)
	}
	slices.Sort(there)
	return nil, nil, fmt.Errorf("no input is called %q.%s There are %s", name, didYouMean(name, there), strings.Join(slices.Compact(there), ", "))
}

// look finds what would be changed.
func (r *reset) look(ctx context.Context) error {
	in, err := r.standings.input(r.input)
	if err != nil {
		return err
	}
	var known []string
	if placer, ok := in.(engine.Placer); ok {
		r.placer = placer
		place, err := placer.Placement(ctx)
		if err != nil {
			return err
		}
		r.where = place.Where
		if r.moves, err = placer.Moves(ctx, r.ids, r.to); err != nil {
			return err
		}
	}
	if r.placer == nil && r.to != "" {
		return fmt.Errorf("--to: %s has its positions in %s, from where they can only be forgotten: leave --to out", r.input.Address(), r.keeper())
	}
	if err := r.lookInStores(ctx, &known); err != nil {
		return err
	}
	if r.placer == nil {
		for _, id := range r.ids {
			if !slices.Contains(known, id) {
				return fmt.Errorf("there is no position of %s; there are %s", id, strings.Join(known, ", "))
			}
		}
	}
	return nil
}

// keeper names the store.
func (r *reset) keeper() string {
	if system, _ := r.system(); system != nil {
		return system.PositionsIn()
	}
	return r.dir
}

func (r *reset) lookInStores(ctx context.Context, known *[]string) error {
	take := func(l *checkpoint.Listing, x resetStore) {
		for _, key := range slices.Sorted(maps.Keys(l.Positions)) {
			id, ok := strings.CutPrefix(key, r.input.Address()+"/")
			if !ok {
				continue
			}
			if !slices.Contains(*known, id) {
				*known = append(*known, id)
			}
			if len(r.ids) == 0 || slices.Contains(r.ids, id) || r.moved(id) {
				x.keys = append(x.keys, storedPosition{key: key, p: l.Positions[key]})
			}
		}
		if len(x.keys) > 0 {
			r.stores = append(r.stores, x)
		}
	}
	l, err := checkpoint.List(r.dir, r.p.Name)
	if err != nil {
		return fmt.Errorf("reading positions from %s: %w", r.dir, err)
	}
	// Also where another store counts: an empty one is filled from the folder.
	take(l, resetStore{in: r.dir})
	if system, _ := r.system(); system != nil {
		l, err := system.PeekPositions(ctx, r.env("checkpoint"), r.p.Name)
		if err != nil {
			return fmt.Errorf("reading positions from %s: %w", system.PositionsIn(), err)
		}
		take(l, resetStore{in: system.PositionsIn(), system: system})
	}
	return nil
}

func (r *reset) moved(id string) bool {
	return slices.ContainsFunc(r.moves, func(m engine.Move) bool { return m.ID == id })
}

// refuseRunning ends the command if the pipeline runs, as far as that can be
// told.
func (r *reset) refuseRunning(ctx context.Context) error {
	const stop = "; stop it first"
	if r.placer != nil {
		place, err := r.placer.Placement(ctx)
		if err != nil {
			return err
		}
		if place.Busy != "" {
			return fmt.Errorf("%s is in use: %s%s", place.Where, place.Busy, stop)
		}
	}
	if _, err := checkpoint.Peek(r.dir, r.p.Name); err != nil {
		var held *checkpoint.HeldError
		if errors.As(err, &held) {
			return fmt.Errorf("%w%s", err, stop)
		}
		return fmt.Errorf("reading positions from %s: %w", r.dir, err)
	}
	for _, x := range r.stores {
		if x.system == nil {
			continue
		}
		before, err := x.system.PeekPositions(ctx, r.env("checkpoint"), r.p.Name)
		if err != nil {
			return err
		}
		select {
		case <-time.After(min(2*r.p.Settings.CommitInterval, watchMost) + watchLeast):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		now, err := x.system.PeekPositions(ctx, r.env("checkpoint"), r.p.Name)
		if err != nil {
			return err
		}
		if !maps.Equal(before.Positions, now.Positions) {
			return fmt.Errorf("a process stores positions of this pipeline in %s%s", x.in, stop)
		}
	}
	return nil
}

// Bounds of the look whether positions are being stored.
const (
	watchLeast = 500 * time.Millisecond
	watchMost  = 10 * time.Second
)

// do takes positions back, those that count last, so that an end in the middle
// leaves the next run where it was.
func (r *reset) do(ctx context.Context) error {
	for _, x := range r.stores {
		if err := r.forgetIn(ctx, x); err != nil {
			return fmt.Errorf("changing positions in %s: %w", x.in, err)
		}
	}
	if len(r.moves) > 0 {
		return r.placer.Move(ctx, r.moves)
	}
	return nil
}

func (r *reset) forgetIn(ctx context.Context, x resetStore) (err error) {
	var store checkpoint.Store
	if x.system != nil {
		store = x.system.Positions(r.env("checkpoint"), r.p.Name)
	} else if store, err = checkpoint.OpenDir(r.dir, r.p.Name); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	for {
		_, err := store.Load(ctx)
		var again *engine.RetryError
		if err == nil {
			break
		}
		if !errors.As(err, &again) || ctx.Err() != nil {
			return err
		}
		select {
		case <-time.After(watchLeast):
		case <-ctx.Done():
			return err
		}
	}
	forgets, ok := store.(checkpoint.Resetter)
	if !ok {
		return errors.New("it cannot forget single positions")
	}
	var keys []string
	for _, k := range x.keys {
		keys = append(keys, k.key)
	}
	return forgets.Forget(ctx, keys)
}

func (a *app) printedLine(format string, args ...any) error {
	_, err := fmt.Fprintf(a.Stdout, format+"\n", args...)
	if err != nil {
		return &exitError{ExitFailed, err}
	}
	return nil
}
