package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// HeldError says that another process uses the store.
type HeldError struct {
	// PID of the holder; 0 when it is not known.
	PID int
}

func (e *HeldError) Error() string {
	if e.PID == 0 {
		return "another process runs this pipeline"
	}
	return fmt.Sprintf("process %d runs this pipeline", e.PID)
}

// lock is a file that the operating system locks for one process. It is never
// removed: a process that waits for it could otherwise hold a lock on a file
// that nobody else sees. A process that dies gives it up.
type lock struct{ f *os.File }

func acquire(path string) (*lock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := tryLock(f); err != nil {
		held := &HeldError{PID: holder(path)}
		_ = f.Close()
		if errors.Is(err, errHeld) {
			return nil, held
		}
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	// The pid is for people; the lock does not depend on it.
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return &lock{f}, nil
}

var errHeld = errors.New("the lock is held")

func holder(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return pid
}

// held reports whether the lock still keeps others away: a lock on a file that
// was removed, with its folder perhaps, is one that nobody else sees.
func (l *lock) held() bool {
	mine, err := l.f.Stat()
	if err != nil {
		return false
	}
	theirs, err := os.Stat(l.f.Name())
	return err == nil && os.SameFile(mine, theirs)
}

func (l *lock) release() error { return l.f.Close() }
