package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// files is what the store needs of a folder; tests make it fail.
type files interface {
	list() ([]string, error)
	read(name string) ([]byte, error)
	create(name string) (file, error) // empties an existing one
	append(name string) (file, error)
	is(name string, f file) bool // whether the name still stands for the file
	rename(from, to string) error
	remove(name string) error
	syncDir() error
}

type file interface {
	Write(p []byte) (int, error)
	Sync() error
	Close() error
}

type osFiles struct{ dir string }

func (f *osFiles) path(name string) string { return filepath.Join(f.dir, name) }

func (f *osFiles) prepare() error { return os.MkdirAll(f.dir, 0o755) }

func (f *osFiles) list() ([]string, error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

func (f *osFiles) read(name string) ([]byte, error) { return os.ReadFile(f.path(name)) }

func (f *osFiles) create(name string) (file, error) {
	return os.OpenFile(f.path(name), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
}

func (f *osFiles) append(name string) (file, error) {
	return os.OpenFile(f.path(name), os.O_APPEND|os.O_WRONLY, 0)
}

func (f *osFiles) is(name string, open file) bool {
	o, ok := open.(*os.File)
	if !ok {
		return false
	}
	mine, err := o.Stat()
	if err != nil {
		return false
	}
	theirs, err := os.Stat(f.path(name))
	return err == nil && os.SameFile(mine, theirs)
}

func (f *osFiles) rename(from, to string) error { return os.Rename(f.path(from), f.path(to)) }

func (f *osFiles) remove(name string) error {
	if err := os.Remove(f.path(name)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// syncDir makes a rename durable.
func (f *osFiles) syncDir() error {
	if runtime.GOOS == "windows" {
		return nil // folders cannot be synced there; a rename is journaled
	}
	d, err := os.Open(f.dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	return errors.Join(err, d.Close())
}
