package file

import (
	"context"
	"time"

	"github.com/fsnotify/fsnotify"
)

// watchFiles is how many files are watched. The system's own limits are for all
// programs of a user together.
const watchFiles = 1024

// watch asks the system to tell when files grow, so that tail need not wait for
// its next look. That is a help and no promise: network file systems tell
// nothing, and the system's limits may be used up, so tail looks at its
// poll_interval all the same. All fields belong to the goroutine of Read.
type watch struct {
	fs    *fsnotify.Watcher // nil: none is to be had
	files map[string]bool   // watched, by the path of their slot
	grown map[string]bool   // told of since the last take
	taken time.Time
}

func newWatch() *watch {
	w := &watch{files: map[string]bool{}, grown: map[string]bool{}}
	w.fs, _ = fsnotify.NewWatcher() // without it tail polls
	return w
}

func (w *watch) close() {
	if w.fs != nil {
		_ = w.fs.Close() // nothing of it is kept
		w.fs = nil
	}
}

// follow watches the paths of open files, and those alone.
func (w *watch) follow(slots []*slot) {
	if w.fs == nil {
		return
	}
	open := make(map[string]bool, len(w.files))
	for _, sl := range slots {
		if sl.s == nil || sl.s.packed || sl.lost || len(open) == watchFiles {
			continue
		}
		open[sl.path] = w.files[sl.path] || w.fs.Add(sl.path) == nil
	}
	for path, watched := range w.files {
		if watched && !open[path] {
			_ = w.fs.Remove(path) // it may have gone with its file
		}
	}
	w.files = open
}

// events are what the system tells; nil, which blocks, without a watcher.
func (w *watch) events() <-chan fsnotify.Event {
	if w == nil || w.fs == nil {
		return nil
	}
	return w.fs.Events
}

// troubles must be read, or the watcher waits. What they say is at most that
// something was not told.
func (w *watch) troubles() <-chan error {
	if w == nil || w.fs == nil {
		return nil
	}
	return w.fs.Errors
}

// note takes an event and reports whether a file may have grown.
func (w *watch) note(e fsnotify.Event) bool {
	switch {
	case e.Has(fsnotify.Write):
		w.grown[e.Name] = true
		return true
	case e.Has(fsnotify.Remove), e.Has(fsnotify.Rename):
		delete(w.files, e.Name) // the watch has gone with the name
	}
	return false
}

// wait waits for the next look at the files, or until one has grown. What grows
// all the time is read at most once a linger, so that batches are worth their
// price.
func (t *tail) wait(ctx context.Context) {
	timer := time.NewTimer(t.nextPoll.Sub(t.in.env.Now()))
	defer timer.Stop()
	var read <-chan time.Time
	for {
		select {
		case <-timer.C:
			return
		case <-read:
			return
		case e, ok := <-t.watch.events():
			if !ok {
				t.watch.fs = nil
			} else if t.watch.note(e) && read == nil {
				since, lim := time.Since(t.watch.taken), t.in.host.Limits()
				if lim.Sparse(since) {
					return
				}
				soon := time.NewTimer(lim.Linger - since)
				defer soon.Stop()
				read = soon.C
			}
		case <-t.watch.troubles(): //nolint:errcheck // at most something was not told, and the next look finds it
		case <-ctx.Done():
			return
		}
	}
}

// told looks at the files of which the system has told that they have grown.
func (t *tail) told(ctx context.Context) error {
	if t.watch == nil || len(t.watch.grown) == 0 {
		return nil
	}
	t.watch.taken = time.Now()
	for _, sl := range t.slots {
		if sl.s != nil && t.watch.grown[sl.path] {
			if err := t.look(ctx, sl, t.in.env.Now()); err != nil {
				return err
			}
		}
	}
	clear(t.watch.grown)
	return nil
}
