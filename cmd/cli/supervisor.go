package cli

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
)

// supervisor runs the pipelines of one process. When one fails, the others
// are drained and the process ends: a pipeline that stands still must not
// hide behind one that goes on, and whatever restarts the process restarts
// both where they were.
type supervisor struct {
	jobs   []*job
	logger *slog.Logger
	// stop drains all pipelines.
	stop context.CancelFunc
}

// jobState is when a job started and ended, for the screen.
type jobState struct {
	started, ended atomic.Int64 // unix nanoseconds, 0: not yet
}

func (j *jobState) elapsed(now time.Time) time.Duration {
	start := j.started.Load()
	if start == 0 {
		return 0
	}
	end := j.ended.Load()
	if end == 0 {
		end = now.UnixNano()
	}
	return time.Duration(end - start)
}

// run returns when every pipeline has ended; the jobs hold their errors.
func (s *supervisor) run(ctx context.Context) {
	ended := make(map[string]chan struct{}, len(s.jobs))
	for _, j := range s.jobs {
		ended[j.plan.Name] = make(chan struct{})
	}
	var wg sync.WaitGroup
	for _, j := range s.jobs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer close(ended[j.plan.Name])
			if j.err = s.runJob(ctx, j, ended); j.err != nil {
				s.stop()
			}
		}()
	}
	wg.Wait()
}

func (s *supervisor) runJob(ctx context.Context, j *job, ended map[string]chan struct{}) error {
	for _, name := range j.plan.Settings.After {
		ch, ok := ended[name]
		if !ok {
			continue // left out by --pipeline: the user says that it has run
		}
		select {
		case <-ch:
		case <-ctx.Done():
			return nil
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	j.state.started.Store(time.Now().UnixNano())
	defer func() { j.state.ended.Store(time.Now().UnixNano()) }()
	s.logger.Info("pipeline started", "pipeline", j.plan.Name)
	err := s.runAnew(ctx, j)
	if err == nil {
		s.logger.Info("pipeline ended", "pipeline", j.plan.Name)
	}
	return err
}

// abort cuts every pipeline short.
func (s *supervisor) abort() {
	for _, j := range s.jobs {
		j.current().Abort()
	}
}

// lazyStore opens the checkpoint at first use, so that a pipeline whose
// inputs keep their own positions makes no folder.
type lazyStore struct {
	where  string // for messages
	anew   string // what to do to begin anew, likewise
	open   func() (checkpoint.Store, error)
	store  checkpoint.Store // set by Load; Save and Close come after it
	loaded int              // positions that were there at the start
}

// Load opens the store.
func (l *lazyStore) Load(ctx context.Context) (map[string]engine.Position, error) {
	if l.store == nil {
		store, err := l.open()
		if err != nil {
			return nil, err
		}
		l.store = store
	}
	m, err := l.store.Load(ctx)
	l.loaded = len(m)
	return m, err
}

// Damage passes on.
func (l *lazyStore) Damage() error {
	if d, ok := l.store.(checkpoint.Damaged); ok {
		return d.Damage()
	}
	return nil
}

// Save passes on.
func (l *lazyStore) Save(ctx context.Context, changed map[string]engine.Position) error {
	return l.store.Save(ctx, changed)
}

// Log passes on.
func (l *lazyStore) Log(element string) checkpoint.Log {
	return l.store.(checkpoint.Keeper).Log(element)
}

// Close closes the store if it was opened.
func (l *lazyStore) Close() error {
	if l.store == nil {
		return nil
	}
	return l.store.Close()
}

func closeStores(jobs []*job, logger *slog.Logger) {
	for _, j := range jobs {
		if err := j.store.Close(); err != nil {
			logger.Error("closing the position store", "pipeline", j.plan.Name, "error", err)
		}
	}
}
