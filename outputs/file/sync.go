package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// Sync implements engine.Syncer. With fsync = commit it forces to the disk
// what is confirmed: of each open file that has grown since the last time the
// data, then the journal. Files that were closed since then are on the disk
// already, with their names.
//
// Any error stops the pipeline, a full disk too. The kernel forgets what it
// could not write, and a second try would succeed without having written it;
// the records were confirmed, so the engine cannot hand them over again. They
// are read again at the next start, since no position has passed them. (A
// disk that is full fails the write, which is repeated; only file systems that
// find room late, such as network ones, fail the sync.)
//
// It confirms nothing: a position that were stored with this sync could pass
// a record that came behind it.
func (o *output) Sync(context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.cfg.Fsync != fsyncCommit || o.failed != nil {
		return o.failed
	}
	for e := o.used.Front(); e != nil; e = e.Next() {
		if err := e.Value.(*target).makeDurable(); err != nil {
			o.failed = hard(err)
			return o.failed
		}
	}
	return nil
}

// durable reports whether positions are stored only behind what the disk has.
// The journal must then be on the disk before the first byte of data: without
// it the next start would take a torn tail for content.
func (o *output) durable() bool { return o.cfg.Fsync == fsyncCommit || o.cfg.Fsync == fsyncBatch }

// makeDurable syncs all that is good, and what lies behind it.
func (t *target) makeDurable() error {
	if t.special || t.synced == t.good {
		return nil
	}
	if err := t.syncData(); err != nil {
		return err
	}
	if err := t.syncJournal(); err != nil {
		return err
	}
	t.synced = t.good
	return nil
}

func (t *target) syncData() error {
	if t.special {
		return nil
	}
	if err := t.h.Sync(); err != nil {
		return fmt.Errorf("syncing %s, which may be damaged from byte %d on: %w", t.name, max(t.synced, 0), err)
	}
	return nil
}

func (t *target) syncJournal() error {
	if t.special {
		return nil
	}
	if err := t.j.sync(); err != nil {
		return fmt.Errorf("%s: %w", t.path, err)
	}
	return nil
}

// makeFolder makes a folder and those above it, and remembers whose entries
// are not on the disk.
func (o *output) makeFolder(dir string) error {
	var above []string
	for d := filepath.Clean(dir); ; d = filepath.Dir(d) {
		if _, err := o.fs.Stat(d); !errors.Is(err, fs.ErrNotExist) || d == filepath.Dir(d) {
			break
		}
		above = append(above, filepath.Dir(d))
	}
	if err := o.fs.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if o.cfg.Fsync != fsyncNever {
		o.grown = append(o.grown, above...)
	}
	return nil
}

// syncFolder puts the entries of a folder on the disk, with those of the
// folders that were made.
func (o *output) syncFolder(dir string) error {
	if err := o.fs.SyncDir(dir); err != nil {
		return hard(fmt.Errorf("syncing the folder %s: %w", dir, err))
	}
	for len(o.grown) > 0 {
		last := len(o.grown) - 1
		if err := o.fs.SyncDir(o.grown[last]); err != nil {
			return hard(fmt.Errorf("syncing the folder %s: %w", o.grown[last], err))
		}
		o.grown = o.grown[:last]
	}
	return nil
}

// QuickFlush implements engine.QuickFlusher.
func (*output) QuickFlush() {}
