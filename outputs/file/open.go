package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// openTarget opens the file of a path, repaired if a process died over it.
func (o *output) openTarget(path string) (*target, error) {
	name := path
	if o.cfg.Rotate != nil {
		name = partialName(path)
	}
	t, err := o.openFile(path, name)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	return t, nil
}

func (o *output) openFile(path, name string) (*target, error) {
	h, fi, made, err := o.acquire(name)
	if err != nil {
		return nil, err
	}
	t := o.newTarget(path, name, h, fi)
	err = t.start(made)
	if errors.Is(err, errPublished) {
		// Only this copy of a file that is complete is left of it.
		if err = t.finish(); err == nil {
			return o.openFile(path, name)
		}
	}
	if errors.Is(err, errOtherLayout) {
		// Another configuration left a file that rotates. It is complete now.
		if err = t.finish(); err == nil {
			return o.openFile(path, name)
		}
	}
	if err != nil {
		t.letGo()
		return nil, err
	}
	return t, nil
}

func (o *output) newTarget(path, name string, h handle, fi fs.FileInfo) *target {
	t := &target{
		o: o, path: path, name: name, h: h, kind: kindOf(o.cfg.Compression, path), opened: o.now(),
		special: !fi.Mode().IsRegular(), size: fi.Size(), synced: -1, pending: -1,
	}
	if o.cfg.container() {
		t.kind = blocks
	}
	t.dev, t.ino = identity(fi)
	return t
}

// acquire opens and locks a file, making it and its folder if need be. made
// reports that it was not there.
func (o *output) acquire(name string) (file handle, info fs.FileInfo, made bool, err error) {
	perm := fs.FileMode(0o666)
	if o.perm != 0 {
		perm = o.perm
	}
	for try := 0; ; try++ {
		h, err := o.fs.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
		created := err == nil
		if errors.Is(err, fs.ErrExist) {
			h, err = o.fs.OpenFile(name, os.O_RDWR, 0)
		}
		switch {
		case err == nil:
		case errors.Is(err, fs.ErrNotExist) && o.cfg.Mkdir && try == 0:
			if err := o.makeFolder(filepath.Dir(name)); err != nil {
				return nil, nil, false, err
			}
			continue
		case errors.Is(err, fs.ErrNotExist) && try > 0 && try < 10:
			continue // renamed away between the two opens
		default:
			return nil, nil, false, err
		}
		fi, err := o.own(h, name, created)
		switch {
		case err == nil:
			return h, fi, created, nil
		case errors.Is(err, errMoved) && try < 10:
			_ = h.Close()
			continue
		default:
			_ = h.Close()
			return nil, nil, false, err
		}
	}
}

var errMoved = errors.New("the file was renamed while it was opened")

// own locks a file and sets the permissions of a new one. Another process may
// have renamed it between open and lock; then the name leads elsewhere.
func (o *output) own(h handle, name string, created bool) (fs.FileInfo, error) {
	fi, err := h.Stat()
	if err != nil {
		return nil, err
	}
	if fi.IsDir() {
		return nil, errors.New("it is a folder")
	}
	if !fi.Mode().IsRegular() {
		return fi, nil
	}
	if err := h.Lock(); err != nil {
		return nil, err
	}
	if created && o.perm != 0 {
		// The umask does not apply to permissions that are asked for.
		if err := h.Chmod(o.perm); err != nil {
			return nil, err
		}
	}
	if fi, err = h.Stat(); err != nil {
		return nil, err
	}
	there, err := o.fs.Stat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(fi, there) {
		return nil, errMoved
	}
	return fi, err
}
