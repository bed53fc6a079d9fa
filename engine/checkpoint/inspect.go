package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/flowrecords/flow/engine"
)

// Inspect looks at the store of a pipeline in a folder as OpenDir would find
// it, and leaves no trace. It returns how many positions are stored, -1 if the
// folder does not exist and can be made. An error says why OpenDir or Load
// would fail; a *HeldError that another process holds the store.
func Inspect(dir, pipeline string) (int, error) {
	at := dir
	for at != "" {
		info, err := os.Stat(at)
		if err == nil && !info.IsDir() {
			return 0, fmt.Errorf("%s is no folder", at)
		}
		if err == nil {
			break
		}
		up := filepath.Dir(filepath.Clean(at))
		if !errors.Is(err, fs.ErrNotExist) || up == at {
			return 0, fmt.Errorf("looking at the folder for positions: %w", err)
		}
		at = up
	}
	if err := writable(at); err != nil {
		return 0, fmt.Errorf("flow may not make files in %s: %w", at, err)
	}
	if at != dir {
		return -1, nil
	}
	stored, err := Peek(dir, pipeline)
	return len(stored), err
}

// Listing is what a store holds of a pipeline.
type Listing struct {
	Positions map[string]engine.Position
	// Stored tells when each was stored; nil: the store does not know.
	Stored map[string]time.Time
	// Last is when anything was stored last; zero: never, or it is not known.
	Last time.Time
}

// List is Peek for people. It can be called while a process is at work there,
// which may be about to store more.
func List(dir, pipeline string) (*Listing, error) {
	files := &osFiles{dir: dir}
	l := &Listing{}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	s := newDirStore(files, nil, pipeline)
	defer s.leave()
	var err error
	if l.Positions, err = s.Load(context.Background()); err != nil {
		return nil, err
	}
	if info, err := os.Stat(files.path(s.fileOf(s.number))); err == nil {
		l.Last = info.ModTime()
	}
	return l, nil
}

// Peek returns the positions of a pipeline in a folder, and leaves no trace.
// What does not exist holds none; a *HeldError says that a process is at work
// there.
func Peek(dir, pipeline string) (map[string]engine.Position, error) {
	files := &osFiles{dir: dir}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err := probeLock(files.path(fileName(pipeline) + ".lock")); err != nil {
		return nil, err
	}
	s := newDirStore(files, nil, pipeline)
	defer s.leave()
	return s.Load(context.Background())
}

// probeLock reports who holds a lock. It takes the lock for a moment, if it is
// there, and leaves its text alone.
func probeLock(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	switch err := tryLock(f); {
	case errors.Is(err, errHeld):
		return &HeldError{PID: holder(path)}
	case err != nil:
		return fmt.Errorf("locking %s: %w", path, err)
	}
	return nil
}
