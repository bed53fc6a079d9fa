//go:build unix

package file

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// lock takes an advisory lock that the kernel lets go of when the process
// dies, however it dies. It belongs to the open file, so two outputs of one
// process exclude each other too.
func lock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return errLocked
		case errors.Is(err, syscall.ENOTSUP), errors.Is(err, syscall.ENOSYS), errors.Is(err, syscall.ENOLCK):
			return nil // the file system has no locks
		default:
			return &os.PathError{Op: "flock", Path: f.Name(), Err: err}
		}
	}
}

// unlock ends a lock at once. Closing alone would not do it while a child that
// another goroutine is just starting still holds a copy of the descriptor.
func unlock(f *os.File) { _ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }

// identity tells a file from another one of the same name.
func identity(fi fs.FileInfo) (dev, ino uint64) {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Dev), uint64(st.Ino) //nolint:unconvert // their types differ between systems
	}
	return 0, 0
}

// unlinked reports whether no name leads to an open file any more.
func unlinked(fi fs.FileInfo) bool {
	st, ok := fi.Sys().(*syscall.Stat_t)
	return ok && st.Nlink == 0
}

// isFull reports that there is no room: disk, quota or limit of the file's
// size.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// isTransient reports an error that may pass by itself.
func isTransient(err error) bool {
	for _, e := range []error{
		syscall.EIO, syscall.EAGAIN, syscall.EINTR, syscall.EMFILE, syscall.ENFILE,
		syscall.ENOMEM, syscall.EBUSY, syscall.ESTALE, syscall.ETIMEDOUT, syscall.EROFS,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// isBadName reports that a path cannot be a file, whoever asks.
func isBadName(err error) bool {
	return errors.Is(err, syscall.ENAMETOOLONG) || errors.Is(err, syscall.EISDIR) ||
		errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EINVAL)
}
