package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/run"
)

// Pauses between runs of a pipeline that begins anew: the first is short, since
// one more try mostly does. A run that has lasted begins the series again.
const (
	anewFirst = 200 * time.Millisecond
	anewMost  = 5 * time.Second
	anewCalm  = 10 * time.Second
)

// runAnew runs a pipeline, and runs it anew from its stored positions for as
// long as it ends with a *engine.RestartError.
func (s *supervisor) runAnew(ctx context.Context, j *job) error {
	for pause := anewFirst; ; pause = min(2*pause, anewMost) {
		start := time.Now()
		err := j.current().Run(ctx)
		var again *engine.RestartError
		if j.make == nil || !errors.As(err, &again) || errors.Is(err, run.ErrAborted) {
			return err
		}
		if time.Since(start) > anewCalm {
			pause = anewFirst
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", run.ErrAborted, err)
		}
		s.logger.Warn("pipeline begins anew at its last cut", "pipeline", j.plan.Name, "cause", err, "pause", pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil // nothing is in flight in a pause
		}
		runner, err := j.make()
		if err != nil {
			return err
		}
		j.anew.Store(runner)
	}
}

// current is the runner of the present run. Any goroutine may call it.
func (j *job) current() *run.Runner {
	if r := j.anew.Load(); r != nil {
		return r
	}
	return j.runner
}
