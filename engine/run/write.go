package run

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
)

// write is one batch on its way through the output.
type write struct {
	o    *output
	seq  uint64
	b    *engine.Batch // as it came
	enc  *engine.Batch // as it is written: b, or encoded
	rows []uint32      // the numbers in b of the records of enc; nil: the same
	size int
	// bytes of keys and values as written.
	bytes int64
	err   error
	over  bool // guarded by o.mu
}

// done is what the component calls.
func (w *write) done(err error) {
	o := w.o
	o.mu.Lock()
	if w.over {
		o.mu.Unlock()
		o.bug(fmt.Errorf("%s: a bug: it confirmed a batch twice", o.n.addr))
		return
	}
	w.over, w.err = true, err
	o.mu.Unlock()
	skipped, only := err.(*engine.Skipped) //nolint:errorlint // joined with anything else it is dealt with in sort
	if only {
		err = nil
	}
	if err == nil {
		w.confirm(w.size, skipped)
	}
	o.mu.Lock()
	o.pending--
	o.records -= w.size
	if err != nil {
		o.failed = append(o.failed, w)
	}
	wake := err != nil || o.pending == 0
	o.mu.Unlock()
	if wake {
		select {
		case o.wake <- struct{}{}:
		default:
		}
	}
}

// confirm counts n records of w as taken, but for those left out, and ends it.
func (w *write) confirm(n int, skipped *engine.Skipped) {
	stats := w.o.n.stats
	if skipped != nil {
		n -= int(skipped.Records)
		stats.Skip(skipped.Records, skipped.Reason)
	}
	if w.o.discard {
		stats.Dropped.Add(int64(n))
	} else {
		stats.Out.Add(int64(n))
	}
	stats.Bytes.Add(w.bytes)
	w.release()
}

// release ends w: everything that it caused is confirmed (Invariant 1).
func (w *write) release() {
	w.b.Done()
	if w.enc != w.b {
		w.enc.Release()
	}
	w.b.Release()
}
