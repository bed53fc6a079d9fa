package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// stampLayout is the time in the name of a complete file, in UTC.
const stampLayout = "20060102T150405Z"

// rotateRetry is the pause after a timed rotation that did not work.
const rotateRetry = time.Second

// finalName is the name of the nth file of a path whose first record was
// written in one second: out/orders.jsonl.gz gives
// out/orders-20260102T150405Z-0001.jsonl.gz. Names of one path sort in the
// order of writing, as long as the clock does not go back.
func finalName(path string, opened time.Time, n int) string {
	dir, base := filepath.Split(path)
	stem, ext := splitExt(base)
	return fmt.Sprintf("%s%s-%s-%04d%s", dir, stem, opened.UTC().Format(stampLayout), n, ext)
}

// Written lists the files that an output has written under a path, sorted: the
// file itself, and those that had another name until they were complete
// (finalName).
func Written(path string) ([]string, error) {
	dir, base := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Clean(dir + "."))
	if err != nil {
		return nil, err
	}
	stem, ext := splitExt(base)
	var paths []string
	for _, e := range entries {
		middle, isFinal := strings.CutPrefix(e.Name(), stem+"-")
		middle, hasExt := strings.CutSuffix(middle, ext)
		if e.Type().IsRegular() && (e.Name() == base || isFinal && hasExt && isStamp(middle)) {
			paths = append(paths, dir+e.Name())
		}
	}
	slices.Sort(paths)
	return paths, nil
}

// isStamp reports what finalName puts between stem and extension.
func isStamp(s string) bool {
	stamp, number, ok := strings.Cut(s, "-")
	_, err := time.Parse(stampLayout, stamp)
	return ok && err == nil && number != "" && strings.Trim(number, "0123456789") == ""
}

// splitExt cuts the extensions off: that of the compression and one more. A
// leading dot belongs to the name.
func splitExt(base string) (stem, ext string) {
	stem = base
	for _, z := range []string{".gz", ".zst", ".zstd"} {
		if s, ok := strings.CutSuffix(stem, z); ok && s != "" {
			stem, ext = s, z
			break
		}
	}
	if at := strings.LastIndexByte(stem, '.'); at > 0 {
		stem, ext = stem[:at], stem[at:]+ext
	}
	return stem, ext
}

// lastName remembers the number that a path's last complete file got, so that
// many files of one second need not be counted again each time.
type lastName struct {
	path, stamp string
	n           int
}

// publish gives a synced file, which from names, the final name of a partial one.
// A file of that name is never replaced.
func (t *target) publish(from string) error {
	o := t.o
	stamp := t.opened.UTC().Format(stampLayout)
	if o.last.path != t.path || o.last.stamp != stamp {
		o.last = lastName{path: t.path, stamp: stamp}
	}
	for {
		o.last.n++
		name := finalName(t.path, t.opened, o.last.n)
		_, err := o.fs.Stat(name)
		if err == nil {
			continue
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("looking for a free name: %w", err)
		}
		if err := o.fs.Rename(from, name); err != nil {
			o.last.n--
			return fmt.Errorf("giving a complete file its name: %w", err)
		}
		if o.cfg.Fsync == fsyncNever {
			return nil
		}
		return o.syncFolder(filepath.Dir(name))
	}
}

// full reports that the file must be completed before it gets n more records.
func (t *target) full(n int64, now time.Time) bool {
	r := t.o.cfg.Rotate
	if r == nil || t.empty() {
		return false
	}
	if r.Records > 0 && t.records+t.fresh+n > r.Records {
		return true
	}
	if r.Interval > 0 && now.Sub(t.opened) >= r.Interval {
		return true
	}
	return r.Size > 0 && (t.size >= int64(r.Size) || t.comp == nil && t.size+t.buffered() >= int64(r.Size))
}

// over reports that the file would get too large with what is buffered. The
// size of what is not compressed yet is not known.
func (t *target) over() bool {
	r := t.o.cfg.Rotate
	return r != nil && r.Size > 0 && t.comp == nil && t.size+t.buffered() > int64(r.Size)
}

// watch completes files whose interval has passed while nothing is written.
// It runs from Open to Close; wake tells it that a file was opened.
func (o *output) watch(ctx context.Context) {
	defer close(o.watched)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(o.rotateDue())
		select {
		case <-ctx.Done():
			return
		case <-o.wake:
		case <-timer.C:
		}
	}
}

// rotateDue completes what is due and returns how long nothing will be.
func (o *output) rotateDue() time.Duration {
	o.mu.Lock()
	defer o.confirm() // unlocks
	now, next := o.now(), o.cfg.Rotate.Interval
	if o.failed != nil {
		return next
	}
	var due []*target
	for e := o.used.Front(); e != nil; e = e.Next() {
		t := e.Value.(*target)
		if t.empty() {
			continue
		}
		if left := t.opened.Add(o.cfg.Rotate.Interval).Sub(now); left > 0 {
			next = min(next, left)
		} else {
			due = append(due, t)
		}
	}
	if len(due) == 0 {
		return next
	}
	if err := o.commit(); err != nil {
		o.fail(err)
		return rotateRetry
	}
	for _, t := range due {
		if err := o.retire(t); err != nil {
			o.fail(err)
			o.logger.Warn("completing a file did not work", "path", t.path, "error", err)
			return rotateRetry
		}
	}
	return next
}
