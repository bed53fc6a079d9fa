package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/flowrecords/flow/engine"
)

const (
	// packedQuiet is how long a compressed file must not have changed before
	// it is taken for complete.
	packedQuiet = 5 * time.Second
	// goneQuiet is how long a file without a name is kept open for a program
	// that still appends to it.
	goneQuiet = time.Minute
)

// tail follows files. A slot stands for a path and is a source; a stream is a
// file that is read for it, and moves to another slot when the file is
// renamed. All fields belong to the goroutine of Read.
type tail struct {
	in    *input
	slots []*slot // sorted by path
	turn  int     // whose turn it is

	watch              *watch // nil: the files are polled and no more
	nextPoll, nextScan time.Time
	started            bool // the first look at the files is over
	// positions are those that were stored for any slot when flow started, by
	// which files that were renamed in the meantime are found again.
	positions []engine.Position
}

// slot is a path that a glob has matched.
type slot struct {
	path string
	s    *stream // nil: nothing is read at the moment
	// now is the file that has the path; nil: none has.
	now os.FileInfo

	// ready: the stream may have more to give.
	ready bool
	// size is that of the stream's file at the last look, grown when it
	// changed.
	size  int64
	mtime time.Time
	grown time.Time
	end   atEnd
	// left: the path stands for another file or none. The stream is read to
	// its end, and then the slot is free for the next file.
	left bool
	// lost: the path did not stand for the stream's file when last asked.
	lost bool
	// moveTo is the slot that the file was renamed to. Nothing is read until
	// all that was read under the old name is confirmed: a position stored
	// under the new name must not pass it (Invariant 2).
	moveTo *slot

	// behind is the file that was read to its end before the next one that had
	// the path; nil: none was, or the next one is open.
	behind os.FileInfo
	opened bool        // by this process: its stored position is used up
	done   os.FileInfo // a compressed file that was read, not to be read again
	failed string      // why it could not be opened, as it was logged
}

// open looks at the files for the first time. A path without wildcards that
// cannot be read is an error here, later it is only logged.
func (t *tail) open(ctx context.Context) error {
	t.close()
	*t = tail{in: t.in}
	if t.in.watch != nil {
		t.watch = t.in.watch()
	}
	if err := t.tick(ctx); err != nil {
		return err
	}
	for _, sl := range t.slots {
		if sl.failed != "" && t.in.named(sl.path) {
			return fmt.Errorf("reading %s: %s", sl.path, sl.failed)
		}
	}
	return nil
}

func (t *tail) close() {
	if t.watch != nil {
		t.watch.close()
	}
	for _, sl := range t.slots {
		if sl.s != nil {
			sl.s.close()
			sl.s = nil
		}
	}
}

// read returns the next batch of the files in turn, waiting for growth.
func (t *tail) read(ctx context.Context) (*engine.Batch, error) {
	b, err := t.in.host.NewBatch(ctx)
	if err != nil {
		return nil, err
	}
	for {
		if err := context.Cause(ctx); err != nil {
			b.Release()
			return nil, err
		}
		if !t.in.env.Now().Before(t.nextPoll) {
			if err := t.tick(ctx); err != nil {
				b.Release()
				return nil, err
			}
		} else if err := t.told(ctx); err != nil {
			b.Release()
			return nil, err
		}
		busy := false
		for range t.slots {
			sl := t.slots[t.turn%len(t.slots)]
			t.turn++
			ok, err := t.readSlot(sl, b)
			if ok {
				return b, nil
			}
			if err != nil {
				b.Release()
				return nil, engine.Retry(err)
			}
			busy = busy || sl.ready
		}
		if !busy {
			t.wait(ctx)
		}
	}
}

// readSlot reads a piece of a slot's file.
func (t *tail) readSlot(sl *slot, b *engine.Batch) (bool, error) {
	s := sl.s
	if s == nil || !sl.ready {
		return false, nil
	}
	ok, err := s.fill(b, sl.end)
	if ok || err != nil {
		return ok, err
	}
	if s.eof {
		sl.ready = false
		if s.packed || sl.left && sl.end == endOfFile {
			t.leave(sl)
		}
	}
	return false, nil
}

// leave ends the stream of a slot.
func (t *tail) leave(sl *slot) {
	if sl.s.packed {
		sl.done = sl.s.info
	} else {
		sl.behind = sl.s.info
	}
	sl.s.close()
	sl.s, sl.left, sl.lost, sl.ready, sl.end = nil, false, false, false, endWaits
	t.nextPoll = time.Time{} // the next file may be there
}

// tick looks for new names, growth, truncation and rotation.
func (t *tail) tick(ctx context.Context) error {
	now := t.in.env.Now()
	t.nextPoll = now.Add(t.in.cfg.PollInterval)
	if !now.Before(t.nextScan) {
		t.nextScan = now.Add(t.in.cfg.ScanInterval)
		if err := t.scan(); err != nil {
			return err
		}
	}
	// A file that has lost its name may have another one that no look has found
	// yet, so there is a scan between noticing and deciding.
	for t.names() {
		if err := t.scan(); err != nil {
			return err
		}
	}
	if !t.started {
		t.remember()
	}
	for _, sl := range t.slots {
		if sl.s != nil {
			if err := t.look(ctx, sl, now); err != nil {
				return err
			}
		}
	}
	if err := t.moves(ctx); err != nil {
		return err
	}
	err := t.beginAll(ctx, now)
	t.started, t.positions = true, nil
	if t.watch != nil {
		t.watch.follow(t.slots)
	}
	return err
}

// beginAll opens the files of slots that have none.
func (t *tail) beginAll(ctx context.Context, now time.Time) error {
	open := make(map[uint64][]*stream) // by inode, to find files of two names
	for _, sl := range t.slots {
		if sl.s != nil {
			open[sl.s.id.inode] = append(open[sl.s.id.inode], sl.s)
		}
	}
	for _, sl := range t.slots {
		if sl.s != nil || sl.now == nil {
			continue
		}
		same := func(s *stream) bool { return os.SameFile(s.info, sl.now) }
		if slices.ContainsFunc(open[inode(sl.now)], same) {
			continue // it moves here soon, or has two names
		}
		if t.begin(ctx, sl, now); sl.s != nil {
			open[sl.s.id.inode] = append(open[sl.s.id.inode], sl.s)
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
	}
	return nil
}

// names finds out what file each path stands for and reports whether a stream
// has lost its path since it was last asked.
func (t *tail) names() bool {
	lost := false
	for _, sl := range t.slots {
		sl.now = nil
		if info, err := os.Stat(sl.path); err == nil && info.Mode().IsRegular() {
			sl.now = info
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.fail(sl, err)
		}
		was := sl.lost
		sl.lost = sl.s != nil && (sl.now == nil || !os.SameFile(sl.now, sl.s.info))
		lost = lost || sl.lost && !was
	}
	return lost
}

// scan adds slots for paths that are new.
func (t *tail) scan() error {
	paths, err := t.in.match(false)
	if err != nil {
		if !t.started {
			return err
		}
		t.in.env.Logger.Error("looking for files", "error", err)
		return nil
	}
	for _, p := range paths {
		i, ok := slices.BinarySearchFunc(t.slots, p, func(sl *slot, p string) int { return strings.Compare(sl.path, p) })
		if !ok {
			t.slots = slices.Insert(t.slots, i, &slot{path: p})
		}
	}
	// A path that nothing stands for any more is forgotten, so that files with
	// ever new names take no memory for good.
	t.slots = slices.DeleteFunc(t.slots, func(sl *slot) bool {
		return sl.s == nil && sl.now == nil && sl.opened && !slices.Contains(paths, sl.path)
	})
	return nil
}

// look finds out what has happened to the file of a slot.
func (t *tail) look(ctx context.Context, sl *slot, now time.Time) error {
	s := sl.s
	info, err := s.f.Stat()
	if err != nil {
		return fmt.Errorf("reading the size of %s: %w", s.path, err)
	}
	if s.packed {
		return nil
	}
	changed := info.Size() != sl.size || !info.ModTime().Equal(sl.mtime)
	if changed {
		sl.size, sl.mtime, sl.grown = info.Size(), info.ModTime(), now
		if err := t.changed(ctx, s, info); err != nil {
			return err
		}
		s.eof, sl.ready = false, true
	}
	sl.end = t.patience(sl, now.Sub(sl.grown))
	if sl.end != endWaits && s.cut.Pending() > 0 {
		sl.ready = true
	}
	t.rotation(sl, now)
	return nil
}

// patience says what becomes of a record without end after that long a quiet.
func (t *tail) patience(sl *slot, quiet time.Duration) atEnd {
	cfg := t.in.cfg
	switch {
	case cfg.PartialTimeout > 0 && quiet >= cfg.PartialTimeout:
		return endAll
	case cfg.Multiline != nil && cfg.Multiline.Timeout > 0 && quiet >= cfg.Multiline.Timeout:
		return endLines
	}
	return endWaits
}

// changed begins anew when the file was truncated or written over, and else
// lets its fingerprint grow with it.
func (t *tail) changed(ctx context.Context, s *stream, info os.FileInfo) error {
	same, err := s.id.matches(s.f, info)
	if err != nil {
		return fmt.Errorf("reading %s: %w", s.path, err)
	}
	rewritten := !same || info.Size() < s.cut.Offset()
	s.info = info
	if rewritten || s.id.length < fingerprintBytes {
		if s.id, err = identify(s.f, info); err != nil {
			return fmt.Errorf("reading %s: %w", s.path, err)
		}
		s.state = s.id.String()
	}
	if !rewritten {
		return nil
	}
	t.in.env.Logger.Warn("file was truncated, reading it from its beginning", "path", s.path)
	return s.seek(ctx, 0)
}

// begin opens the file of a slot that has none, if it is a file to be read.
func (t *tail) begin(ctx context.Context, sl *slot, now time.Time) {
	if sl.done != nil && os.SameFile(sl.done, sl.now) && sl.done.Size() == sl.now.Size() {
		return
	}
	if t.in.cfg.compression(sl.path) != "none" && !sl.quiet(now) {
		return
	}
	s, err := t.openSlot(ctx, sl)
	if err != nil {
		t.fail(sl, err)
		return
	}
	sl.failed = ""
	sl.s, sl.opened, sl.ready, sl.end = s, true, true, endWaits
	if s.packed {
		sl.end = endOfFile
	}
	sl.size, sl.mtime, sl.grown = s.info.Size(), s.info.ModTime(), now
}

// quiet reports whether the slot's file, which is not open yet, has not changed
// for a while: by its own clock, or by ours if that one is ahead.
func (sl *slot) quiet(now time.Time) bool {
	if sl.size != sl.now.Size() || !sl.mtime.Equal(sl.now.ModTime()) {
		sl.size, sl.mtime, sl.grown = sl.now.Size(), sl.now.ModTime(), now
	}
	return now.Sub(sl.now.ModTime()) >= packedQuiet || now.Sub(sl.grown) >= packedQuiet
}

// openSlot opens the file that a slot reads next: the one that its path stands
// for, or one that had the path when flow stopped and has more to give.
func (t *tail) openSlot(ctx context.Context, sl *slot) (*stream, error) {
	if sl.opened {
		return t.openNext(ctx, sl)
	}
	own := t.in.stored(sl.path)
	if len(own) > 0 {
		if old := t.rotatedAway(sl, own[0]); old != "" {
			t.in.env.Logger.Info("file was rotated, reading the old one to its end first", "path", sl.path, "old", old)
			return t.in.open(ctx, old, sl.path, own...)
		}
	}
	s, err := t.in.open(ctx, sl.path, sl.path, append(own, t.positions...)...)
	if err != nil {
		return nil, err
	}
	if !t.started && len(own) == 0 && s.cut.Next() == 0 && t.in.cfg.Start == "end" && !s.packed {
		err = s.seek(ctx, s.info.Size())
	}
	if err == nil && !t.started && s.cut.Next() > 0 {
		// The position may have been stored for another name.
		t.mark(s)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (t *tail) has(path string) bool {
	return slices.ContainsFunc(t.slots, func(sl *slot) bool { return sl.path == path })
}

// fail logs that a file cannot be read, once for each reason. It is tried
// again at every look; nothing of it is lost.
func (t *tail) fail(sl *slot, err error) {
	if sl.failed != err.Error() {
		sl.failed = err.Error()
		t.in.env.Logger.Error("file cannot be read", "path", sl.path, "error", err)
	}
}
