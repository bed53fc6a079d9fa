package file

import (
	"errors"
	"fmt"

	"github.com/flowrecords/flow/engine"
)

// The bounds of a group: the batches that are written, and made good and
// confirmed together. A mark in the journal, a sync and a look at the file
// cost as much for a megabyte as for a batch. The engine holds the memory of
// the batches until then, so that they can be written again when the group
// fails. Where its budget is smaller than a group it runs out of batches, waits
// a moment and calls Flush. So that it need not wait each time, and a slow
// stream is not held up, the bounds are halved while Flush ends group after
// group, and come back while groups are filled.
const (
	groupBytes = 1 << 20
	// groupBatches is the bound for small batches, of which the engine gives
	// out only so many. Only groupBytes counts with compression, where less
	// would make members too small to be worth it.
	groupBatches = 16
	// After shrinkAfter groups in a row that Flush has ended the bounds are
	// halved, at most maxShrink times; growAfter groups that were filled
	// double them. The few waits that a doubling costs are then rare.
	shrinkAfter = 2
	growAfter   = 64
	maxShrink   = 5
)

// group is what waits to become good.
type group struct {
	id      uint64
	bytes   int64
	waiting []waiting
	// alone is how many of the next groups are of one batch: after a failure,
	// so that a disk that is nearly full takes what it can, and a batch that
	// fails again takes no other with it.
	alone int

	shrink          int // how often the bounds are halved
	filled, flushed int // groups since the last change; flushed: in a row
}

// ended takes note of why a group ends.
func (g *group) ended(flush bool) {
	if !flush {
		g.flushed = 0
		if g.filled++; g.filled >= growAfter && g.shrink > 0 {
			g.shrink--
			g.filled = 0
		}
		return
	}
	if g.flushed++; g.flushed >= shrinkAfter && g.shrink < maxShrink {
		g.shrink++
		g.filled, g.flushed = 0, 0
	}
}

// waiting is a batch that is written and not yet good.
type waiting struct {
	done func(error)
	progress
}

type settled struct {
	done func(error)
	err  error
}

// hardError is an error that trying again would only hide.
type hardError struct{ err error }

func hard(err error) error         { return &hardError{err} }
func (e *hardError) Error() string { return e.err.Error() }
func (e *hardError) Unwrap() error { return e.err }

// join adds the batch that is being written to the group.
func (o *output) join(b *engine.Batch, done func(error)) {
	o.group.waiting = append(o.group.waiting, waiting{done, o.current})
	o.group.bytes += b.Bytes()
}

// due reports whether the group should be made good now.
func (o *output) due() bool {
	g := &o.group
	if g.bytes >= groupBytes || g.alone > 0 {
		return true
	}
	compressed := false // where smaller groups would compress worse
	for _, t := range o.dirty {
		if t.special {
			return true // what a pipe has taken cannot be taken back
		}
		compressed = compressed || t.comp != nil
	}
	if compressed {
		return false
	}
	return len(o.dirty) == 0 || g.bytes >= groupBytes>>g.shrink || len(g.waiting) >= max(groupBatches>>g.shrink, 1)
}

// commit makes everything that was written good, in the order that the
// package comment gives. After an error nothing of it is.
func (o *output) commit() error {
	for _, t := range o.dirty {
		if err := t.flush(); err != nil {
			return err
		}
	}
	if o.cfg.Fsync == fsyncBatch {
		for _, t := range o.dirty {
			if err := t.syncData(); err != nil {
				return err
			}
		}
	}
	for _, t := range o.dirty {
		if err := t.note(); err != nil {
			return err
		}
	}
	if o.cfg.Fsync == fsyncBatch {
		for _, t := range o.dirty {
			if err := t.syncJournal(); err != nil {
				return err
			}
		}
	}
	for _, t := range o.dirty {
		t.settle()
		if o.cfg.Fsync == fsyncBatch {
			t.synced = t.good
		}
	}
	o.dirty = o.dirty[:0]
	o.group.alone = max(0, o.group.alone-1)
	o.end(func(w *waiting) error { return w.outcome.Err() })
	return nil
}

// fail takes back what is not good and tells all batches that wait.
func (o *output) fail(err error) {
	for _, t := range o.dirty {
		t.rollBack()
	}
	o.dirty = o.dirty[:0]
	err = o.classify(err)
	var retry *engine.RetryError
	var h *hardError
	switch {
	case errors.As(err, &h):
		o.failed = err
	case errors.As(err, &retry) && len(o.group.waiting) > 0:
		o.again, o.cause = o.group.waiting[0].progress, err
		o.group.alone = len(o.group.waiting)
	}
	o.end(func(*waiting) error { return err })
}

// end ends a group: its batches are told once mu is free.
func (o *output) end(answer func(*waiting) error) {
	g := &o.group
	for i := range g.waiting {
		w := &g.waiting[i]
		o.settled = append(o.settled, settled{w.done, answer(w)})
	}
	clear(g.waiting) // the engine recycles the batches
	g.waiting = g.waiting[:0]
	g.bytes = 0
	g.id++
}

// confirm ends a call that holds mu: it frees it and then tells batches what
// became of them.
func (o *output) confirm() {
	list := o.settled
	o.settled = nil
	o.mu.Unlock()
	for _, s := range list {
		s.done(s.err)
	}
}

// classify turns an error of the operating system into what the engine is to
// do about it.
func (o *output) classify(err error) error {
	var retry *engine.RetryError
	var h *hardError
	switch {
	case errors.As(err, &h), errors.As(err, &retry):
		return err
	case isFull(err) && o.cfg.OnFull == "stop":
		return fmt.Errorf("no room left: %w", err)
	case isFull(err), isTransient(err), errors.Is(err, errChanged), errors.Is(err, errGone):
		return engine.Retry(err)
	}
	return err
}
