package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
	"github.com/flowrecords/flow/engine/limits"
)

// committer stores confirmed positions, at intervals and at the end.
type committer struct {
	r     *Runner
	store checkpoint.Store // nil: positions are kept in memory only

	mu     sync.Mutex // guards stored
	stored map[string]engine.Position

	// confirmed counts source bytes since the last commit; full has a token
	// when they have reached the limit. Whoever confirms writes both.
	confirmed atomic.Int64
	full      chan struct{}
	// prompt has a token when an input that does not wait for intervals has
	// something to commit (engine.Prompt).
	prompt chan struct{}

	// Used by whoever commits, one at a time.
	failing map[string]bool           // by what failed, to log once
	by      map[string]*engine.Source // whose position was stored last
	synced  bool                      // the last sync is over: none is to come
	kept    []*kept                   // what processors remember
}

func (c *committer) load(ctx context.Context) error {
	c.stored = make(map[string]engine.Position)
	if c.store == nil && c.r.cuts != nil {
		return errors.New("exactly_once needs a store of positions")
	}
	if c.store == nil || !c.needed() {
		return nil
	}
	m, err := c.loaded(ctx)
	if err != nil {
		return fmt.Errorf("reading stored positions: %w", err)
	}
	if d, ok := c.store.(checkpoint.Damaged); ok && d.Damage() != nil {
		c.r.log.Warn("stored positions were damaged; older ones are used, and records after them are read again", "cause", d.Damage())
	}
	maps.Copy(c.stored, m)
	return c.replay(ctx)
}

// loaded asks the store until it answers.
func (c *committer) loaded(ctx context.Context) (map[string]engine.Position, error) {
	tries := retrier{n: c.r.wiring.nodes[0], max: c.r.settings.RetryMax}
	for {
		m, err := c.store.Load(ctx)
		again, ok := transient(err)
		if !ok {
			tries.worked("reading stored positions")
			return m, err
		}
		if err := tries.wait(ctx, "reading stored positions", again); err != nil {
			return nil, err
		}
	}
}

// needed reports whether any input has its positions kept here, or any
// processor what it remembers.
func (c *committer) needed() bool {
	if _, elsewhere := c.r.transacts(); len(c.kept) > 0 || c.r.cuts != nil && !elsewhere {
		return true
	}
	for _, i := range c.r.inputs {
		if _, own := i.in.(engine.Committer); !own {
			return true
		}
	}
	return false
}

// get is Host.Stored.
func (c *committer) get(key string) (engine.Position, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.stored[key]
	return p, ok
}

// settled counts source bytes that were confirmed. Some times as many as may be
// in flight are a reason to commit before the interval is over, so that what
// comes twice after a crash is bounded, however fast the pipeline is.
func (c *committer) settled(bytes int64) {
	if c.confirmed.Add(bytes) < limits.CommitInFlights*int64(c.r.settings.MaxInFlight) {
		return
	}
	signal(c.full)
}

// signal leaves a token, unless there is one.
func signal(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// loop commits until stop is closed. Errors are logged, and the positions are
// tried again next time.
func (c *committer) loop(ctx context.Context, every time.Duration, stop <-chan struct{}) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = c.commit(ctx) // logged there, and tried again
		case <-c.full:
			_ = c.commit(ctx)
		case <-c.prompt:
			_ = c.commitOf(ctx, slices.DeleteFunc(slices.Clone(c.r.inputs), func(i *input) bool { return !i.host.prompt }))
		case <-stop:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// commit hands over all watermarks that have moved.
func (c *committer) commit(ctx context.Context) error {
	c.confirmed.Store(0)
	return c.commitOf(ctx, c.r.inputs)
}

// commitOf hands over the watermarks of some inputs. Invariant 2: they come
// from Source.Confirmed, which never passes an unconfirmed record, and after
// an error they are handed over again.
func (c *committer) commitOf(ctx context.Context, inputs []*input) error {
	var errs []error
	changed := make(map[string]engine.Position)
	by := make(map[string]*engine.Source)
	taken := make(map[*host][]*engine.Source)
	all := make(map[*host][]*engine.Source)
	for _, i := range inputs {
		if sources := i.host.takeDirty(); len(sources) > 0 {
			all[i.host] = sources
		}
	}
	if len(all) == 0 {
		return nil
	}
	marks := watermarks(all)
	err := c.sync(ctx)
	if err == nil {
		err = c.saveKept(ctx)
	}
	if err != nil {
		for h, sources := range all {
			h.putDirty(sources)
		}
		return err
	}
	if len(c.r.syncers) == 0 || !c.synced {
		release(marks) // those of the last sync are let through already
	}
	for _, i := range inputs {
		sources := all[i.host]
		if len(sources) == 0 {
			continue
		}
		if own, ok := i.in.(engine.Committer); ok {
			err := own.Commit(ctx, sources)
			if err != nil {
				i.host.putDirty(sources)
				errs = append(errs, fmt.Errorf("%s: committing positions: %w", i.n.addr, err))
			}
			c.log(ctx, i.n.addr, err)
			continue
		}
		taken[i.host] = sources
		for _, s := range sources {
			key := i.host.key(s.Info().ID)
			if !i.host.current(s) && by[key] != nil || superseded(c.by[key], s, i.host) {
				continue // a later handle of the partition is ahead
			}
			if p, ok := s.Confirmed(); ok {
				changed[key], by[key] = p, s
			}
		}
	}
	if len(changed) == 0 {
		return errors.Join(errs...)
	}
	if err := c.save(ctx, changed); err != nil {
		for h, sources := range taken {
			h.putDirty(sources)
		}
		return errors.Join(append(errs, fmt.Errorf("storing positions: %w", err))...)
	}
	maps.Copy(c.by, by)
	return errors.Join(errs...)
}

// superseded reports whether a position of s would put back what a later
// handle of the same partition has stored.
func superseded(last, s *engine.Source, h *host) bool {
	return last != nil && last != s && !h.current(s)
}

func (c *committer) save(ctx context.Context, changed map[string]engine.Position) error {
	if c.store != nil {
		err := c.store.Save(ctx, changed)
		var lost *checkpoint.LostError
		if errors.As(err, &lost) {
			err = fmt.Errorf("storing positions: %w", err)
			c.r.fail(err)
			return err
		}
		c.log(ctx, "checkpoint", err)
		if err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.Copy(c.stored, changed)
	return nil
}

// log reports a change between working and failing.
func (c *committer) log(ctx context.Context, what string, err error) {
	switch {
	case err != nil && ctx.Err() != nil: // cut short; the last commit follows
	case err != nil && !c.failing[what]:
		c.failing[what] = true
		c.r.log.Error("positions are not stored; trying again", "element", what, "cause", err)
	case err == nil && c.failing[what]:
		delete(c.failing, what)
		c.r.log.Info("positions are stored again", "element", what)
	}
}
