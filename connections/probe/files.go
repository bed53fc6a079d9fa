package probe

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"github.com/flowrecords/flow/engine"
)

// lowSpace is the free space under which there is a warning: what an hour of a
// modest stream fills.
const lowSpace = 1 << 30

// Folder reports whether files can be made in a folder, and how much space it
// has. With mkdir it may be missing if it can be made. It makes nothing.
func Folder(r *engine.CheckReport, dir string, mkdir bool) bool {
	if dir == "" {
		dir = "."
	}
	what := "folder " + dir
	at, missing := dir, false
	for {
		info, err := os.Stat(at)
		if err == nil && !info.IsDir() {
			r.Fail(what, at+" is no folder", "Name another folder, or move that file away.")
			return false
		}
		if err == nil {
			break
		}
		up := filepath.Dir(filepath.Clean(at))
		if !errors.Is(err, fs.ErrNotExist) || up == at {
			r.Fail(what, reason(err), "Give flow the right to use the folder, or name another one.")
			return false
		}
		at, missing = up, true
	}
	if missing && !mkdir {
		r.Fail(what, "it does not exist", "Make the folder, or set mkdir = true.")
		return false
	}
	if err := writable(at); err != nil {
		r.Fail(what, "flow may not make files in "+at+": "+err.Error(), "Give the user that runs flow the right to write there, or name another folder.")
		return false
	}
	detail := "can be written to"
	if missing {
		detail = "does not exist yet and can be made"
	}
	free, ok := freeBytes(at)
	switch {
	case !ok:
		r.OK(what, "%s", detail)
	case free < lowSpace:
		r.Warn(what, fmt.Sprintf("%s, with only %s free", detail, engine.SizeText(int64(min(free, math.MaxInt64)))), "Make room on that disk.")
	default:
		r.OK(what, "%s, %s free", detail, engine.SizeText(int64(min(free, math.MaxInt64))))
	}
	return true
}

// Readable reports whether a file or folder can be read. It reports only
// what is wrong.
func Readable(r *engine.CheckReport, path string) bool {
	what := "file " + path
	f, err := os.Open(path)
	if err == nil {
		_ = f.Close()
		return true
	}
	if errors.Is(err, fs.ErrNotExist) {
		r.Fail(what, "it does not exist", "Correct the path, or put the file there.")
	} else {
		r.Fail(what, reason(err), "Give the user that runs flow the right to read it.")
	}
	return false
}

// reason is an error of a path without the path.
func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}
