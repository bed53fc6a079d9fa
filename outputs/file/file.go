// Package file is the output that writes files: one that grows, or one after
// another, or one for each path that a template yields.
//
// # What a crash leaves
//
// While a file is open a journal stands beside it that says up to which byte
// the file holds whole records. For every batch, or block of batches with
// compression, the order is
//
//  1. the bytes are written behind the journal's mark,
//  2. (fsync = batch or interval) the file is synced,
//  3. the mark is moved behind them,
//  4. (fsync = batch or interval) the journal is synced,
//  5. the batches are confirmed.
//
// A start that finds a journal cuts the file at the mark. A process that died
//
//   - before 1 has written nothing: the file ends at the mark;
//   - in 1, or between 1 and 3, leaves a tail that was never confirmed, torn
//     or not: it is cut off and its records are read again;
//   - between 3 and 5 leaves whole records that the source will send again:
//     duplicates, which at-least-once delivery permits;
//   - after 5 leaves nothing to do;
//   - while it made the journal leaves no valid mark, and has not written to
//     the file;
//   - while it closed the file leaves a journal whose mark is the file's end.
//
// After a power cut the file can be shorter than the mark when fsync is close
// or never; it is then cut behind its last whole line, or compressed member.
// With batch or interval the mark is never ahead of the disk.
//
// A file that rotates is written as .NAME.partial and continued by the next
// start, since it may hold confirmed records. It is synced, renamed, and only
// then its journal is removed; a journal without its file is a leftover of
// that last step.
//
// A file that somebody puts in the place of another one has another inode
// than the journal says and is never cut.
package file

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/flowrecords/flow/engine"
)

// output implements engine.Output.
type output struct {
	cfg    *Config
	fs     fileSystem
	now    func() time.Time
	logger *slog.Logger
	perm   fs.FileMode
	paths  *paths // nil: every record goes to path
	path   string

	stop    context.CancelFunc // ends watch
	watched chan struct{}
	wake    chan struct{} // capacity 1

	// mu guards all below. Write, Flush and Close hold it, and watch does for
	// files that are completed by the clock. done is called without it.
	mu      sync.Mutex
	opened  bool
	targets map[string]*list.Element // of *target, by path
	used    *list.List               // the most recently used file first
	dirty   []*target
	waiting []waiting // written, not good
	settled []settled // to be told, once mu is free
	failed  error     // of watch, which nobody has been told yet
	batch   uint64    // number of Write calls
	clock   time.Time // of the batch that is being written
	synced  time.Time
	last    lastName
	current progress // of the batch that is being written
	again   progress // of the batch that must be written first after a failure
	cause   error    // of that failure; nil: any batch may be written
	skipped int64
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

// progress is how much of a batch is good already, since a file was completed
// in its middle. After a failure the engine writes that batch again first,
// and the records that are good are not written twice.
type progress struct {
	source  *engine.Source
	offset  int64
	len     int
	records int           // that are good
	at      int           // the record that is being written
	reasons map[int]error // of refused records
}

// hardError is an error that trying again would only hide.
type hardError struct{ err error }

func hard(err error) error         { return &hardError{err} }
func (e *hardError) Error() string { return e.err.Error() }
func (e *hardError) Unwrap() error { return e.err }

func newOutput(c *Config, env engine.Env, fsys fileSystem) (*output, error) {
	o := &output{
		cfg: c, fs: fsys, now: env.Now, logger: env.Logger,
		wake:    make(chan struct{}, 1),
		targets: make(map[string]*list.Element), used: list.New(),
	}
	if o.now == nil {
		o.now = time.Now
	}
	if o.logger == nil {
		o.logger = slog.New(slog.DiscardHandler)
	}
	perm, err := c.perm()
	if err != nil {
		return nil, fmt.Errorf("mode %q: %w", c.Mode, err)
	}
	o.perm = fs.FileMode(perm)
	if o.paths, o.path, err = newPaths(c.Path.Source); err != nil {
		return nil, err
	}
	return o, nil
}

// syncs reports whether data is synced before it is confirmed.
func (o *output) syncs() bool { return o.cfg.Fsync == fsyncBatch || o.cfg.Fsync == fsyncInterval }

// Open implements engine.Output. It repairs what a dead process left, and
// opens the file of a path without holes, so that a mistake is seen before
// anything is read.
func (o *output) Open(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.opened {
		return nil // after a *RetryError of Write; files mend themselves
	}
	if err := o.open(); err != nil {
		return o.classify(err)
	}
	o.opened = true
	o.synced = o.now()
	if o.cfg.Rotate != nil && o.cfg.Rotate.Interval > 0 {
		// watch outlives ctx, which covers opening only; Close ends it.
		wctx, stop := context.WithCancel(context.WithoutCancel(ctx))
		o.stop, o.watched = stop, make(chan struct{})
		go o.watch(wctx)
	}
	return nil
}

func (o *output) open() error {
	if o.paths != nil {
		return o.recoverBelow(o.paths.base, o.paths.prefix)
	}
	for _, name := range []string{o.path, partialName(o.path)} {
		if there, err := o.exists(journalName(name)); err != nil || !there {
			if err != nil {
				return err
			}
			continue
		}
		there, err := o.exists(name)
		if err != nil {
			return err
		}
		if rotating := name != o.path; there && rotating == (o.cfg.Rotate != nil) {
			continue // target repairs and continues it
		}
		// Another configuration left it, or only the journal is left.
		if err := o.recoverFile(name); err != nil {
			return fmt.Errorf("repairing %s: %w", name, err)
		}
	}
	if o.cfg.Rotate != nil {
		// A file that rotates is made with its first record; one that a dead
		// process left is continued now.
		if there, err := o.exists(partialName(o.path)); err != nil || !there {
			return err
		}
	}
	_, err := o.target(o.path)
	return err
}

func (o *output) exists(name string) (bool, error) {
	_, err := o.fs.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for %s: %w", name, err)
	}
	return true, nil
}

// Write implements engine.Output.
func (o *output) Write(_ context.Context, b *engine.Batch, done func(error)) {
	o.mu.Lock()
	defer o.confirm()
	if !o.begin(b) {
		o.settled = append(o.settled, settled{done, engine.Retry(o.cause)})
		return
	}
	err := o.failed
	if err == nil {
		err = o.write(b)
	}
	o.waiting = append(o.waiting, waiting{done, o.current})
	if err == nil && o.due() {
		err = o.commit()
	}
	if err != nil {
		o.fail(err)
	}
}

// Flush implements engine.Output.
func (o *output) Flush(context.Context) error {
	o.mu.Lock()
	defer o.confirm()
	if len(o.waiting) == 0 {
		return nil
	}
	if err := o.commit(); err != nil {
		o.fail(err)
	}
	return nil
}

// Close implements engine.Output.
func (o *output) Close(context.Context) error {
	if o.stop != nil {
		o.stop()
		<-o.watched
		o.stop = nil
	}
	o.mu.Lock()
	defer o.confirm()
	errs := []error{o.failed}
	if err := o.commit(); err != nil {
		o.fail(err)
		errs = append(errs, err)
	}
	for e := o.used.Front(); e != nil; e = o.used.Front() {
		t := e.Value.(*target)
		if err := o.retire(t); err != nil {
			errs = append(errs, err)
			t.letGo() // the journal stays, and the next start goes on with it
			o.forget(t)
		}
	}
	if o.skipped > 0 {
		o.logger.Info("records without value were left out", "records", o.skipped)
	}
	return errors.Join(errs...)
}

// due reports whether what was written should be made good now.
func (o *output) due() bool {
	if o.cfg.Fsync == fsyncInterval {
		return o.now().Sub(o.synced) >= o.cfg.FsyncInterval
	}
	buffered := 0
	for _, t := range o.dirty {
		buffered += len(t.buf)
	}
	return buffered == 0 || buffered >= memberBytes
}

// commit makes everything that was written good, in the order that the
// package comment gives. After an error nothing of it is.
func (o *output) commit() error {
	for _, t := range o.dirty {
		if err := t.flush(); err != nil {
			return err
		}
	}
	if o.syncs() {
		for _, t := range o.dirty {
			if err := t.h.Sync(); err != nil && !t.special {
				return fmt.Errorf("syncing %s: %w", t.path, err)
			}
		}
	}
	for _, t := range o.dirty {
		if err := t.note(); err != nil {
			return err
		}
	}
	if o.syncs() {
		for _, t := range o.dirty {
			if t.special {
				continue
			}
			if err := t.j.sync(); err != nil {
				return fmt.Errorf("%s: %w", t.path, err)
			}
		}
		o.synced = o.now()
	}
	for _, t := range o.dirty {
		t.settle()
	}
	o.dirty = o.dirty[:0]
	for _, w := range o.waiting {
		var err error
		if len(w.reasons) > 0 {
			err = &engine.RecordErrors{Reasons: w.reasons}
		}
		o.settled = append(o.settled, settled{w.done, err})
	}
	o.waiting = o.waiting[:0]
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
	if len(o.waiting) > 0 && errors.As(err, &retry) {
		o.again, o.cause = o.waiting[0].progress, err
	}
	for _, w := range o.waiting {
		o.settled = append(o.settled, settled{w.done, err})
	}
	o.waiting = o.waiting[:0]
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

// retire closes a file that holds only good records, completing it if it
// rotates.
func (o *output) retire(t *target) error {
	if err := t.finish(); err != nil {
		if t.h != nil {
			return fmt.Errorf("closing %s: %w", t.path, err)
		}
		o.forget(t)
		return err
	}
	o.forget(t)
	return nil
}

func (o *output) forget(t *target) {
	if t.framer != nil {
		o.skipped += t.framer.Skipped
	}
	if e, ok := o.targets[t.path]; ok {
		o.used.Remove(e)
		delete(o.targets, t.path)
	}
}
