package run

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
)

// retrier waits between the tries of one element after transient failures:
// exponentially longer, with jitter, for as long as it takes. It belongs to
// the element's goroutine.
type retrier struct {
	n       *node
	max     time.Duration
	attempt int
	since   time.Time
}

// transient reports whether the error asks for another try.
func transient(err error) (*engine.RetryError, bool) {
	var r *engine.RetryError
	ok := errors.As(err, &r)
	return r, ok
}

// wait sleeps until the next try, or returns the cause when ctx ends.
func (r *retrier) wait(ctx context.Context, what string, err *engine.RetryError) error {
	r.n.stats.Retries.Add(1)
	if r.attempt == 0 {
		r.since = time.Now()
		r.n.log.Warn("trying again until it works", "doing", what, "cause", err)
	}
	r.n.setState(Retrying, err)
	d := r.pause(err.After)
	r.n.log.Debug("waiting before the next try", "doing", what, "attempt", r.attempt, "pause", d, "cause", err)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (r *retrier) pause(after time.Duration) time.Duration {
	d := r.max
	if shift := min(r.attempt, 30); limits.RetryMin<<shift < r.max {
		d = limits.RetryMin << shift
	}
	r.attempt++
	d = d/2 + rand.N(d/2+1)
	return max(d, after)
}

// worked ends a series of failures.
func (r *retrier) worked(what string) {
	if r.attempt == 0 {
		return
	}
	r.n.log.Info("works again", "doing", what, "attempts", r.attempt+1, "after", time.Since(r.since))
	r.attempt = 0
	r.n.setState(Running, nil)
}
