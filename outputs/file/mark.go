package file

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"

	"github.com/flowrecords/flow/engine"
)

// exact is what an output keeps in a pipeline that delivers exactly once.
//
// A journal then stands beside a file for as long as the file may hold what no
// stored mark has, also when the file is closed already. The journal names that
// time, the file's life, and so does the mark. A start that finds a journal
// cuts the file
//
//   - where the stored mark says, if it names this life;
//   - at the size with which the life began, if it does not: the file was opened
//     behind that mark. A file that was made then is removed, where the path has
//     holes;
//   - at the last mark that this output knows to be stored, if there is none in
//     the checkpoint, which somebody has removed then: what he wants to read
//     again is there twice, but nothing is lost.
//
// What another output has left is none of its business: its own marks tell.
// A file without a journal is never cut, whatever a mark says: all of it is
// stored, or is of somebody else. So the journal goes only behind the mark that
// covers the file, and a mark names the file until the journal is gone for
// good.
type exact struct {
	// marked is what Restore was told, by path; nil: there was no mark.
	marked map[string]fileMark
	// left are files that are closed and that no stored mark covers, by path.
	left map[string]*leftFile
}

// fileMark is what a mark says of a file.
type fileMark struct {
	Size int64  `json:"size"`
	Life uint64 `json:"life"`
}

// markText is a mark.
type markText struct {
	Files map[string]fileMark `json:"files"`
}

type leftFile struct {
	mark    fileMark
	pending bool // in the last mark
}

// Restore implements engine.Marker.
func (o *output) Restore(mark string) {
	o.exact = &exact{left: make(map[string]*leftFile)}
	if mark == "" {
		return
	}
	var m markText
	if err := json.Unmarshal([]byte(mark), &m); err != nil {
		o.failed = hard(fmt.Errorf("reading the mark of the last run: %w", err))
		return
	}
	if o.exact.marked = m.Files; m.Files == nil {
		o.exact.marked = make(map[string]fileMark)
	}
}

// takeBack cuts the files of the last mark that the config does not name any
// more. Those that it does are cut when they are opened, or found.
func (o *output) takeBack() error {
	if o.failed != nil {
		return o.failed
	}
	for _, path := range slices.Sorted(maps.Keys(o.exact.marked)) {
		if o.paths == nil && path == o.path {
			continue
		}
		if there, err := o.exists(journalName(path)); err != nil {
			return err
		} else if !there {
			continue
		}
		if err := o.recoverFile(path); err != nil {
			return fmt.Errorf("taking back what was not stored of %s: %w", path, err)
		}
	}
	return nil
}

// marked is what the last mark says of a file.
func (o *output) marked(path string) (fileMark, bool) {
	if o.exact == nil {
		return fileMark{}, false
	}
	m, ok := o.exact.marked[path]
	return m, ok
}

// foreign reports that the journal of a file is of another output of a pipeline
// that delivers exactly once, whose marks alone say where the file ends. The
// output may be opening it at this very moment.
func (o *output) foreign(file string) (bool, error) {
	j, s, ok, err := openJournal(o.fs, journalName(file))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the journal: %w", err)
	}
	_ = j.f.Close()
	return ok && s.life.id != 0 && s.life.owner != o.owner, nil
}

// ownerOf tells outputs apart.
func ownerOf(env engine.Env) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, env.Pipeline+"/"+env.Element)
	return h.Sum64()
}

// begin starts a life of a file at its present size.
func (t *target) begin(made bool) {
	if t.o.exact == nil {
		return
	}
	t.life = life{id: rand.Uint64() | 1, owner: t.o.owner, base: t.size, kept: t.size, made: made}
	t.pending = -1
}

// resume goes on with the life that a journal tells of and returns where the
// file ends.
func (t *target) resume(s state) int64 {
	x := t.o.exact
	if x == nil || s.life.id == 0 {
		return s.good
	}
	if s.life.owner != t.o.owner {
		t.o.logger.Warn("another output left the file with records that are not stored; they stay", "path", t.path)
		return s.good
	}
	if l := x.left[t.path]; t.o.opened {
		if l != nil && l.mark.Life == s.life.id {
			delete(x.left, t.path)
			t.life, t.pending = s.life, -1
			if l.pending {
				t.pending = l.mark.Size
			}
		}
		return s.good
	}
	t.life, t.pending = s.life, -1
	m, ok := t.o.marked(t.path)
	switch {
	case ok && m.Life == s.life.id:
		t.life.kept = m.Size
	case x.marked != nil:
		t.life.kept = s.life.base
	default:
		if s.life.kept != s.life.base {
			t.o.logger.Warn("the stored position is missing; records may come twice", "path", t.path)
		}
	}
	return t.life.kept
}

// leave closes a file that no stored mark covers. Its journal stays.
func (t *target) leave() error {
	if err := t.mend(); err != nil {
		return err
	}
	if t.synced != t.good {
		if err := t.syncData(); err != nil {
			return hard(err) // as Sync explains
		}
	}
	t.o.exact.left[t.path] = &leftFile{mark: fileMark{t.good, t.life.id}, pending: t.pending == t.good}
	t.letGo()
	return nil
}

// covered reports that the stored mark has all of the file.
func (t *target) covered() bool { return t.o.exact == nil || t.special || t.good == t.life.kept }

// Mark implements engine.Marker.
func (o *output) Mark(context.Context) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failed != nil {
		return "", o.failed
	}
	if len(o.group.waiting) > 0 {
		return "", errors.New("a bug: a mark is asked for while records are not confirmed")
	}
	m := markText{Files: make(map[string]fileMark)}
	for e := o.used.Front(); e != nil; e = e.Next() {
		t := e.Value.(*target)
		if err := t.mend(); err != nil {
			return "", engine.Retry(err)
		}
		t.pending = t.good
		m.Files[t.path] = fileMark{t.good, t.life.id}
	}
	for path, l := range o.exact.left {
		l.pending = true
		m.Files[path] = l.mark
	}
	text, err := json.Marshal(m)
	return string(text), err
}

// Marked implements engine.Marker. It removes the journals of files that are
// closed. That they are gone must be on the disk before a mark leaves the
// files out.
func (o *output) Marked(context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for e := o.used.Front(); e != nil; e = e.Next() {
		t := e.Value.(*target)
		if t.pending < 0 || t.pending == t.life.kept {
			continue
		}
		t.life.kept, t.pending = t.pending, -1
		if t.broken || t.size != t.good {
			continue // the next note says it
		}
		if err := t.note(); err != nil {
			return o.classify(err)
		}
	}
	var gone []string
	for path, l := range o.exact.left {
		if !l.pending {
			continue
		}
		if err := o.fs.Remove(journalName(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing the journal of %s: %w", path, err)
		}
		gone = append(gone, path)
	}
	synced := make(map[string]bool)
	for _, path := range gone {
		if dir := filepath.Dir(path); !synced[dir] {
			if err := o.syncFolder(dir); err != nil {
				return err
			}
			synced[dir] = true
		}
	}
	for _, path := range gone {
		delete(o.exact.left, path)
	}
	return nil
}

// unmake removes a file that came after the last mark and holds nothing.
func (t *target) unmake() error {
	if err := t.o.fs.Remove(t.name); err != nil {
		return fmt.Errorf("removing %s, which came after the last stored position: %w", t.name, err)
	}
	dir := filepath.Dir(t.name)
	if err := t.end(); err != nil {
		return err
	}
	return t.o.syncFolder(dir)
}

var _ engine.Marker = (*output)(nil)
