// Package file is the output that writes files: one that grows, or one after
// another, or one for each path that a template yields.
//
// # What a crash leaves
//
// While a file is open a journal stands beside it that says up to which byte
// the file holds whole records. For every group of batches the order is
//
//  1. the bytes are written behind the journal's mark,
//  2. (fsync = batch) the file is synced,
//  3. the mark is moved behind them,
//  4. (fsync = batch) the journal is synced,
//  5. the batches are confirmed,
//  6. (fsync = commit) before the engine stores positions that cover them, the
//     file and then the journal are synced.
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
// After a power cut the file can be shorter than the mark; it is then cut
// behind its last whole line, or compressed member. The mark can also be older
// than it was. With fsync = commit what is lost in both ways has come after the
// last sync, so that no stored position has passed it; with batch it was never
// confirmed. With both the journal is on the disk before the first byte of the
// file.
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
	"github.com/flowrecords/flow/outputs/internal/frame"
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
	group   group
	settled []settled // to be told, once mu is free
	failed  error     // what was confirmed may be lost: nothing more is done
	clock   time.Time // of the batch that is being written
	grown   []string  // folders with a new folder in them that are not synced
	last    lastName
	owner   uint64
	exact   *exact   // nil unless the pipeline delivers exactly once
	current progress // of the batch that is being written
	again   progress // of the batch that must be written first after a failure
	cause   error    // of that failure; nil: any batch may be written
}

// progress is how much of a batch is good already, since a file was completed
// in its middle. After a failure the engine writes that batch again first,
// and the records that are good are not written twice.
type progress struct {
	batch   *engine.Batch // only compared
	records int           // that are good
	at      int           // the record that is being written
	outcome frame.Outcome
	mark    int64 // of outcome, when records became good
}

func newOutput(c *Config, env engine.Env, fsys fileSystem) (*output, error) {
	o := &output{
		cfg: c, fs: fsys, now: env.Now, logger: env.Logger, owner: ownerOf(env),
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
	if o.cfg.Rotate != nil && o.cfg.Rotate.Interval > 0 {
		// watch outlives ctx, which covers opening only; Close ends it.
		wctx, stop := context.WithCancel(context.WithoutCancel(ctx))
		o.stop, o.watched = stop, make(chan struct{})
		go o.watch(wctx)
	}
	return nil
}

func (o *output) open() error {
	if o.exact != nil {
		if err := o.takeBack(); err != nil {
			return err
		}
	}
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
	o.join(b, done)
	if err == nil && o.due() {
		o.group.ended(false)
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
	if len(o.group.waiting) == 0 {
		return nil
	}
	o.group.ended(true)
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
	err, broken := o.failed, o.failed != nil
	if !broken {
		err = o.commit()
	}
	if err != nil {
		o.fail(err)
	}
	errs := []error{err}
	for e := o.used.Front(); e != nil; e = o.used.Front() {
		t := e.Value.(*target)
		err := error(nil)
		if !broken { // a file that may be damaged is not complete
			err = o.retire(t)
		}
		if broken || err != nil {
			errs = append(errs, err)
			t.letGo() // the journal stays, and the next start goes on with it
			o.forget(t)
		}
	}
	return errors.Join(errs...)
}

// retire closes a file that holds only good records, completing it if it
// rotates.
func (o *output) retire(t *target) error {
	end := t.finish
	if !t.covered() {
		end = t.leave
	}
	if err := end(); err != nil {
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
	if e, ok := o.targets[t.path]; ok {
		o.used.Remove(e)
		delete(o.targets, t.path)
	}
}
