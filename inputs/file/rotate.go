package file

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/flowrecords/flow/engine"
)

// rotation finds out whether the path still stands for the file.
func (t *tail) rotation(sl *slot, now time.Time) {
	s := sl.s
	if !sl.lost {
		sl.left, sl.moveTo = false, nil
		return
	}
	for _, other := range t.slots {
		if other != sl && other.now != nil && os.SameFile(other.now, s.info) {
			sl.left, sl.moveTo = true, other
			return
		}
	}
	sl.left, sl.moveTo = true, nil
	// The program that writes has moved on once its new file has data. What
	// it had written to the old one by then is there.
	next := sl.now != nil && sl.now.Size() > 0
	if next || now.Sub(sl.grown) >= goneQuiet {
		sl.end, sl.ready = endOfFile, true
		s.eof = false
	}
}

// moves hands streams over to the slots of their files' new names, all that
// can go at once: names may have been handed on in a chain, or swapped.
func (t *tail) moves(ctx context.Context) error {
	moving := make(map[*slot]*slot)
	for _, sl := range t.slots {
		if sl.s != nil && sl.moveTo != nil {
			sl.ready = false
			if sl.s.src.Idle() {
				moving[sl] = sl.moveTo
			}
		}
	}
	for blocked := true; blocked; {
		blocked = false
		for from, to := range moving {
			if to.s != nil && moving[to] == nil {
				delete(moving, from)
				blocked = true
			}
		}
	}
	old := make(map[*slot]slot, len(moving))
	for from := range moving {
		old[from] = *from
		from.s, from.moveTo, from.left, from.lost = nil, nil, false, false
	}
	for from, to := range moving {
		was := old[from]
		t.in.env.Logger.Info("file was renamed", "from", from.path, "to", to.path)
		to.s, to.ready, to.opened, to.end = was.s, true, true, endWaits
		to.size, to.mtime, to.grown = was.size, was.mtime, was.grown
		to.s.path, to.s.src, to.s.eof = to.path, t.in.source(to.path), false
		t.mark(to.s)
	}
	return nil
}

// mark stores where a stream stands under its source, without a record.
func (t *tail) mark(s *stream) {
	s.src.Advance(engine.Position{Offset: s.cut.Next(), State: s.state})
}

// remember collects the positions that were stored for any name of now, and
// for those that these names may have come from by rotation: app.log for
// app.log.1, when there is no new app.log yet.
func (t *tail) remember() {
	seen := make(map[string]bool)
	for _, sl := range t.slots {
		dir, name := filepath.Split(sl.path)
		for name != "" && !seen[dir+name] {
			seen[dir+name] = true
			t.positions = append(t.positions, t.in.stored(dir+name)...)
			name = name[:max(0, strings.LastIndexAny(name, ".-_"))]
		}
	}
}

// rotatedAway returns the name that the file of a stored position has now, if
// it lies beside its old name and no glob matches it.
func (t *tail) rotatedAway(sl *slot, stored engine.Position) string {
	was, err := parseIdentity(stored)
	if err != nil || was.inode == inode(sl.now) || was.inode == 0 {
		return ""
	}
	dir, base := filepath.Dir(sl.path), filepath.Base(sl.path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if !strings.HasPrefix(e.Name(), base) || e.Name() == base || t.has(path) {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && inode(info) == was.inode && isFile(path, was) {
			return path
		}
	}
	return ""
}

// openNext opens the file that had the path of the slot after the one that was
// read last. A name may stand for another file by the time it is opened, since
// the program that writes goes on rotating: then it looks again.
func (t *tail) openNext(ctx context.Context, sl *slot) (*stream, error) {
	for range 10 {
		path, want := sl.path, sl.now
		if name, info := t.between(sl); name != "" {
			path, want = name, info
		}
		s, err := t.in.open(ctx, path, sl.path)
		if err != nil || sl.behind == nil {
			return s, err
		}
		if os.SameFile(s.info, want) {
			if path != sl.path {
				t.in.env.Logger.Info("file was rotated twice, reading the one between first", "path", sl.path, "old", path)
			} else {
				sl.behind = nil
			}
			return s, nil
		}
		s.close()
		if sl.now, err = os.Stat(sl.path); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("it is rotated faster than it is opened")
}

// between finds the oldest file that had the path after the one that was read
// last and before the one that has it now. Its name is the path with a number
// or a time behind it, and no glob matches it.
func (t *tail) between(sl *slot) (name string, info os.FileInfo) {
	if sl.behind == nil {
		return "", nil
	}
	dir, base := filepath.Split(sl.path)
	entries, err := os.ReadDir(filepath.Clean(dir + "."))
	if err != nil {
		return "", nil
	}
	for _, e := range entries {
		path := dir + e.Name()
		suffix, ok := strings.CutPrefix(e.Name(), base)
		if !ok || suffix == "" || strings.Trim(suffix, "0123456789.-_:TZ") != "" || t.has(path) {
			continue
		}
		i, err := os.Stat(path)
		if err != nil || !i.Mode().IsRegular() || os.SameFile(i, sl.now) || os.SameFile(i, sl.behind) {
			continue
		}
		if i.ModTime().After(sl.behind.ModTime()) && (info == nil || i.ModTime().Before(info.ModTime())) {
			name, info = path, i
		}
	}
	return name, info
}

// isFile reports whether the file at path is the one that was read.
func isFile(path string, was identity) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false
	}
	same, err := was.matches(f, info)
	return same && err == nil
}
