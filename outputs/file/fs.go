package file

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// fileSystem is what the output asks of the operating system. Tests put one
// in its place that fails.
type fileSystem interface {
	OpenFile(name string, flag int, perm fs.FileMode) (handle, error)
	Stat(name string) (fs.FileInfo, error)
	MkdirAll(name string, perm fs.FileMode) error
	Rename(from, to string) error
	Remove(name string) error
	SyncDir(name string) error
}

// handle is an open file.
type handle interface {
	io.ReaderAt
	io.WriterAt
	io.Writer
	// WriteVAt writes ranges one behind another, from off on. They have at
	// least one byte each. It may change list. It returns how many bytes were
	// written.
	WriteVAt(list [][]byte, off int64) (int, error)
	Truncate(size int64) error
	Sync() error
	Chmod(mode fs.FileMode) error
	Stat() (fs.FileInfo, error)
	// Lock takes the file for this process, or fails with errLocked.
	Lock() error
	Close() error
}

// errLocked says that somebody else holds a file.
var errLocked = errors.New("it is being written by another process or another output")

type osFS struct{}

type osFile struct{ *os.File }

func (osFS) OpenFile(name string, flag int, perm fs.FileMode) (handle, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (osFS) Stat(name string) (fs.FileInfo, error)        { return os.Stat(name) }
func (osFS) MkdirAll(name string, perm fs.FileMode) error { return os.MkdirAll(name, perm) }
func (osFS) Rename(from, to string) error                 { return os.Rename(from, to) }
func (osFS) Remove(name string) error                     { return os.Remove(name) }

func (osFS) SyncDir(name string) error {
	d, err := os.Open(name)
	if errors.Is(err, fs.ErrPermission) {
		return nil // a folder that may be written and not read
	}
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	// Some file systems know no sync of folders; nothing else can be done there.
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil
	}
	return err
}

func (f osFile) Lock() error { return lock(f.File) }

func (f osFile) Close() error {
	unlock(f.File)
	return f.File.Close()
}
