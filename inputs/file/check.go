package file

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/flowrecords/flow/connections/probe"
	"github.com/flowrecords/flow/engine"
)

// Check implements engine.Checker. It opens files and reads nothing.
func (in *input) Check(_ context.Context, r *engine.CheckReport) {
	if in.tail == nil {
		for _, path := range in.cfg.globs() {
			if !hasMeta(path) {
				if _, err := os.Stat(path); err != nil && !probe.Readable(r, path) {
					return
				}
			}
		}
	}
	paths, err := in.match(false)
	if err != nil {
		r.Fail("files", err.Error(), "Correct the paths, or give the user that runs flow the right to read the folders.")
		return
	}
	what := "files " + strings.Join(in.cfg.globs(), ", ")
	if len(in.cfg.globs()) == 1 && !hasMeta(in.cfg.globs()[0]) {
		what = "file " + in.cfg.globs()[0]
	}
	var size int64
	readable := true
	for _, p := range paths {
		readable = probe.Readable(r, p) && readable
		if info, err := os.Stat(p); err == nil {
			size += info.Size()
		}
	}
	switch {
	case !readable:
	case len(paths) == 0 && in.tail != nil:
		in.checkFolders(r, what)
	case len(paths) == 0:
		r.Warn(what, "no file matches, so there is nothing to read", "Correct the paths, or put the files there.")
	case len(paths) == 1:
		r.OK(what, "can be read, %s", engine.SizeText(size))
	default:
		r.OK(what, "%d files can be read, %s", len(paths), engine.SizeText(size))
	}
}

// checkFolders looks at the folders in which tail waits for files.
func (in *input) checkFolders(r *engine.CheckReport, what string) {
	for _, glob := range in.cfg.globs() {
		dir := filepath.Dir(glob)
		if i := strings.IndexAny(glob, `*?[{\`); i >= 0 {
			dir = filepath.Dir(glob[:i] + "x")
		}
		info, err := os.Stat(dir)
		switch {
		case err != nil:
			r.Warn(what, fmt.Sprintf("no file matches yet, and the folder %s does not exist", dir), "Make the folder, or correct the path.")
			return
		case !info.IsDir():
			r.Fail(what, dir+" is no folder", "Correct the path.")
			return
		}
	}
	r.OK(what, "no file matches yet; the input waits for one")
}
