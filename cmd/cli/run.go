package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/pprof"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/run"
)

type runFlags struct {
	configFlags
	metricsAddr string
	stateDir    string
	logFormat   string
	logLevel    string
	progress    string
	only        []string
	workers     int
	cpuProfile  string
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run FILE|DIR...",
		Short: "Run the pipelines of a config",
		Long: `run checks the config and runs its pipelines until their inputs end, one of
them fails, or a signal comes. The first SIGINT or SIGTERM stops reading and
lets what is in flight be confirmed; a second one cuts that short. Neither
loses a record: what was not confirmed is read again by the next run.

On a terminal it shows progress and a summary; elsewhere it writes logs.

Exit status: 0 done or stopped with everything confirmed, 1 a pipeline failed,
2 wrong config or usage, 3 stopped before everything in flight was confirmed.`,
		Example: "  flow run pipeline.hcl\n  flow run --var env=prod --metrics-addr :9090 pipelines/",
		Args:    somePath,
		RunE:    func(c *cobra.Command, args []string) error { return a.run(c.Context(), args, f) },
	}
	f.add(c)
	c.Flags().StringVar(&f.metricsAddr, "metrics-addr", "", "serve /metrics, /healthz and /readyz on this `address` (host:port)")
	c.Flags().StringVar(&f.stateDir, "state-dir", "", "`folder` of stored positions (default: the pipeline's state_dir)")
	c.Flags().StringVar(&f.logFormat, "log-format", "text", "`format` of logs: text or json")
	c.Flags().StringVar(&f.logLevel, "log-level", "info", "least `level` of logs: debug, info, warn or error")
	c.Flags().StringVar(&f.progress, "progress", "auto", "`when` to show live progress and a summary table: auto (on a terminal), always or never")
	c.Flags().IntVar(&f.workers, "workers", 0, "workers of each stage, over the pipelines' own `number`")
	c.Flags().StringVar(&f.cpuProfile, "cpuprofile", "", "write a CPU profile of the run to this `file`, for go tool pprof")
	c.Flags().StringArrayVar(&f.only, "pipeline", nil, "run only the pipeline of this `name` (repeatable)")
	return c
}

// run is the run command.
func (a *app) run(ctx context.Context, paths []string, f runFlags) error {
	screen, logger, err := a.surfaces(f)
	if err == nil && f.workers < 0 {
		err = errors.New("--workers: it cannot be negative")
	}
	if err != nil {
		return &exitError{ExitConfig, err}
	}
	config, err := a.compile(paths, f.configFlags)
	if err != nil {
		return err
	}
	pipelines, err := selectPipelines(config.Plan.Pipelines, f.only)
	if err != nil {
		return &exitError{ExitConfig, err}
	}
	tuneMemory(a.getenv, pipelines)
	jobs, err := a.build(pipelines, f, logger, config.Scope().Hide)
	if err != nil {
		return err
	}
	defer closeStores(jobs, logger)

	server, err := serveMetrics(f.metricsAddr, jobs, logger)
	if err != nil {
		return &exitError{ExitConfig, err}
	}
	defer server.close()

	endProfile, err := startProfile(f.cpuProfile)
	if err != nil {
		return &exitError{ExitConfig, err}
	}
	defer endProfile()

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s := &supervisor{jobs: jobs, logger: logger, stop: stop}
	signals := watchSignals(s, screen, logger)
	defer signals.end()
	screen.start(jobs)
	s.run(ctx)
	screen.finish(jobs)
	return exitOf(jobs)
}

// startProfile writes a CPU profile until the returned function is called;
// with an empty name it does nothing.
func startProfile(name string) (end func(), err error) {
	if name == "" {
		return func() {}, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("--cpuprofile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("--cpuprofile: %w", err)
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}, nil
}

// selectPipelines keeps the named ones, all when none is named.
func selectPipelines(all []*engine.Pipeline, only []string) ([]*engine.Pipeline, error) {
	if len(all) == 0 {
		return nil, errors.New("the config has no pipeline block")
	}
	if len(only) == 0 {
		return all, nil
	}
	var kept []*engine.Pipeline
	for _, name := range only {
		i := indexOf(all, name)
		if i < 0 {
			return nil, fmt.Errorf("no pipeline is called %q", name)
		}
		if !slices.Contains(kept, all[i]) {
			kept = append(kept, all[i])
		}
	}
	return kept, nil
}

func indexOf(all []*engine.Pipeline, name string) int {
	for i, p := range all {
		if p.Name == name {
			return i
		}
	}
	return -1
}

// job is one pipeline of this run.
type job struct {
	plan   *engine.Pipeline
	runner *run.Runner // of the first run; see current
	// make makes a runner for one more run; nil: there is one only.
	make  func() (*run.Runner, error)
	anew  atomic.Pointer[run.Runner] // of the present run, if it is not the first
	store *lazyStore
	state jobState
	// err is how it ended; written by the supervisor, read after its run.
	err error
}

func (a *app) build(pipelines []*engine.Pipeline, f runFlags, logger *slog.Logger, hide func(string) string) ([]*job, error) {
	jobs := make([]*job, 0, len(pipelines))
	for _, p := range pipelines {
		if f.workers > 0 {
			p.Settings.Workers = f.workers
		}
		dir := f.stateDir
		if dir == "" {
			dir = p.Settings.StateDir
		}
		store := storeOf(p, dir, a.Version, logger)
		j := &job{plan: p, store: store, make: func() (*run.Runner, error) {
			return run.New(p, run.Options{
				Logger:  logger,
				Store:   store,
				Version: a.Version,
				Hide:    hide,
			})
		}}
		var err error
		if j.runner, err = j.make(); err != nil {
			return nil, &exitError{ExitConfig, fmt.Errorf("pipeline %s: %w", p.Name, err)}
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// nothingNew explains a run that did nothing because the run before did it
// all; empty for any other run.
func (j *job) nothingNew() string {
	if j.err != nil || j.store.loaded == 0 {
		return ""
	}
	for i, e := range j.current().Elements() {
		if kindOf(j, i) == engine.KindInput && (e.In.Load() > 0 || !j.plan.Elements[i].Bounded) {
			return ""
		}
	}
	return fmt.Sprintf("nothing new since the last run, whose positions are in %s; to begin anew %s", j.store.where, j.store.anew)
}

// exitOf maps how the pipelines ended to an exit code; the screen has said
// why. A failure counts more than an abort.
func exitOf(jobs []*job) error {
	code := ExitOK
	for _, j := range jobs {
		switch {
		case j.err == nil:
		case errors.Is(j.err, run.ErrAborted) && code != ExitFailed:
			code = ExitAborted
		default:
			code = ExitFailed
		}
	}
	if code == ExitOK {
		return nil
	}
	return &exitError{code: code}
}

// signalWatch turns signals into drain and abort.
type signalWatch struct {
	ch   chan os.Signal
	done chan struct{}
}

// watchSignals: the first signal drains, the second aborts, a third ends the
// process at once, in case even that hangs.
func watchSignals(s *supervisor, screen screen, logger *slog.Logger) *signalWatch {
	w := &signalWatch{ch: make(chan os.Signal, 3), done: make(chan struct{})}
	signal.Notify(w.ch, os.Interrupt, syscall.SIGTERM)
	go func() {
		for n := 1; ; n++ {
			select {
			case <-w.done:
				return
			case sig := <-w.ch:
				switch n {
				case 1:
					screen.notice("Stopping: waiting until what is in flight is confirmed. Again to cut it short.")
					logger.Info("draining", "signal", sig.String())
					s.stop()
				case 2:
					screen.notice("Cutting short. What is not confirmed is read again by the next run.")
					logger.Warn("aborting", "signal", sig.String())
					s.abort()
				default:
					os.Exit(ExitAborted)
				}
			}
		}
	}()
	return w
}

func (w *signalWatch) end() {
	signal.Stop(w.ch)
	close(w.done)
}

const shutdownTimeout = 2 * time.Second
