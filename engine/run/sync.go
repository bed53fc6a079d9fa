package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flowrecords/flow/engine"
)

// syncPatience is how long a commit waits for outputs that are busy, such as
// one that waits to try again. The positions are then stored another time.
const syncPatience = 5 * time.Second

var (
	errNoSync = errors.New("an output is too busy to sync")
	errEnded  = errors.New("an output has ended; the last sync follows")
)

// sync makes durable what is confirmed so far (Invariant 1). Watermarks that
// are to be let through are taken before: what is confirmed during the sync is
// not covered by it.
func (c *committer) sync(ctx context.Context) error {
	if len(c.r.syncers) == 0 || c.synced {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, syncPatience)
	defer cancel()
	for _, o := range c.r.syncers {
		err := o.request(ctx, o.syncer.Sync)
		if err == nil {
			continue
		}
		if errors.Is(err, errEnded) {
			return err
		}
		if _, ok := transient(err); !ok {
			err = fmt.Errorf("%s: syncing: %w", o.n.addr, err)
			c.r.fail(err)
			return err
		}
		c.log(ctx, o.n.addr, err)
		return err
	}
	return nil
}

func watermarks(dirty map[*host][]*engine.Source) map[*engine.Source]engine.Position {
	marks := make(map[*engine.Source]engine.Position)
	for _, sources := range dirty {
		for _, s := range sources {
			if p, ok := s.Watermark(); ok {
				marks[s] = p
			}
		}
	}
	return marks
}

func release(marks map[*engine.Source]engine.Position) {
	for s, p := range marks {
		s.Durable(p)
	}
}

// ask is a call of the component that somebody else wants, such as a sync.
type ask struct {
	do     func(context.Context) error
	answer chan error
}

func (a *ask) run(ctx context.Context) { a.answer <- a.do(ctx) }

// request has the output's goroutine do something, between two writes. In a
// pipeline with cuts the caller does it himself once that goroutine has ended:
// the output is closed only when there are no more cuts.
func (o *output) request(ctx context.Context, do func(context.Context) error) error {
	a := &ask{do: do, answer: make(chan error, 1)}
	select {
	case o.asks <- a:
	case <-o.gone:
		if o.rush == nil {
			return errEnded
		}
		return do(ctx)
	case <-ctx.Done():
		return engine.Retry(errNoSync)
	}
	select {
	case err := <-a.answer:
		return err
	case <-ctx.Done():
		return engine.Retry(errNoSync)
	}
}

// lastSync syncs after all goroutines of outputs have ended, before they are
// closed. After an error positions stay where the sync before has left them.
func (p *phases) lastSync(ctx context.Context, stuck map[string]bool) {
	r := p.r
	r.commits.synced = true
	if len(r.syncers) == 0 || p.noCommit {
		return
	}
	dirty := make(map[*host][]*engine.Source)
	for _, i := range r.inputs {
		dirty[i.host] = i.host.peekDirty()
	}
	marks := watermarks(dirty)
	p.step(func(t *tasks) {
		t.start("the last sync", func() string { return "the last sync" }, func() error {
			for _, o := range r.syncers {
				if stuck[o.n.addr] || !o.opened {
					return nil
				}
				if err := o.syncer.Sync(ctx); err != nil {
					return fmt.Errorf("%s: syncing: %w", o.n.addr, err)
				}
			}
			release(marks)
			return nil
		})
	})
}
